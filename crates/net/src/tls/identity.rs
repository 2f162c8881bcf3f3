//! What a client shows of itself, and which name it expects, where a server asks for more than TLS usually does.

use std::str::FromStr;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

/// A certificate and its private key, shown to servers that ask who is there (RFC 8446 §4.3.2).
#[derive(Clone)]
pub struct ClientIdentity(Arc<CertifiedKey>);

/// Files cannot be used as a client's certificate and key.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ClientIdentityError {
    /// There is no certificate.
    #[error("the certificate's file holds no PEM certificates")]
    Certificates,
    /// There is no key.
    #[error("the key's file holds no unencrypted private key in PEM")]
    Key,
    /// The key cannot be used, or is that of another certificate.
    #[error("the key cannot be used with the certificate")]
    Pair(#[source] rustls::Error),
}

impl ClientIdentity {
    /// Reads a certificate, perhaps with those above it, and its key.
    ///
    /// # Errors
    ///
    /// See [`ClientIdentityError`].
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, ClientIdentityError> {
        let chain = CertificateDer::pem_slice_iter(certificates).collect::<Result<Vec<_>, _>>();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or(ClientIdentityError::Certificates)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| ClientIdentityError::Key)?;
        CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
            .map(|pair| Self(Arc::new(pair)))
            .map_err(ClientIdentityError::Pair)
    }

    pub(super) fn resolver(&self) -> Arc<SingleCertAndKey> {
        Arc::new(SingleCertAndKey::from(Arc::clone(&self.0)))
    }
}

impl std::fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientIdentity(..)")
    }
}

/// The name that a server's certificate must have, and by which it is asked for, instead of the one by which it is reached.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExpectedName(pub(super) ServerName<'static>);

impl ExpectedName {
    /// The name by which a server can be asked for: an address is none (RFC 6066 §3).
    pub(crate) fn dns(&self) -> Option<&str> {
        match &self.0 {
            ServerName::DnsName(name) => Some(name.as_ref()),
            _ => None,
        }
    }
}

/// A text is no name that a certificate could have.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is neither a DNS name nor an IP address")]
pub struct ExpectedNameError(String);

impl FromStr for ExpectedName {
    type Err = ExpectedNameError;

    fn from_str(text: &str) -> Result<Self, ExpectedNameError> {
        ServerName::try_from(text.to_owned())
            .map(Self)
            .map_err(|_| ExpectedNameError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made with openssl; valid until 2126, and for nothing.
    const CERTIFICATE: &str = include_str!("fixtures/client.pem");
    const KEY: &str = include_str!("fixtures/client-key.pem");
    const OTHER_KEY: &str = include_str!("fixtures/other-key.pem");

    /// Reads the two files.
    fn read(certificate: &str, key: &str) -> Result<ClientIdentity, ClientIdentityError> {
        ClientIdentity::from_pem(certificate.as_bytes(), key.as_bytes())
    }

    #[test]
    fn a_certificate_and_its_key_are_an_identity() {
        read(CERTIFICATE, KEY).unwrap();
    }

    #[test]
    fn the_key_of_another_certificate_is_refused() {
        let error = read(CERTIFICATE, OTHER_KEY).unwrap_err();
        assert!(matches!(error, ClientIdentityError::Pair(_)), "{error:?}");
    }

    #[test]
    fn files_without_what_they_should_have_are_refused() {
        assert_eq!(read("", KEY).unwrap_err(), ClientIdentityError::Certificates);
        assert_eq!(read(KEY, KEY).unwrap_err(), ClientIdentityError::Certificates);
        assert_eq!(read(CERTIFICATE, CERTIFICATE).unwrap_err(), ClientIdentityError::Key);
    }

    #[test]
    fn a_key_is_not_shown() {
        assert_eq!(format!("{:?}", read(CERTIFICATE, KEY).unwrap()), "ClientIdentity(..)");
    }

    #[test]
    fn a_name_is_one_that_a_certificate_can_have() {
        for text in ["registry.example", "10.0.0.1", "::1"] {
            text.parse::<ExpectedName>().unwrap();
        }
        for text in ["", "a b", "https://registry.example", "registry.example:5000"] {
            assert_eq!(text.parse::<ExpectedName>(), Err(ExpectedNameError(text.into())));
        }
    }
}
