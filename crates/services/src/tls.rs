//! The server's own TLS certificate, where `init` made an authority for it.
//!
//! The certificate and its key are made when the server starts, and again every month, and live in memory only; the
//! authority's key is among the online keys, and its certificate is a target of the trust repository.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crypto::{KeyKind, SigningKey, SigningKeyError};
use jiff::{SignedDuration, Timestamp};
use pki::issue::{IssueError, Issuer, Serial, ServerName, Validity};
use pki::{Certificate, ChainError};
use zeroize::Zeroizing;

use crate::instance::Instance;
use crate::layout::Layout;

/// How long a server certificate is valid, if its authority is. Clients of some systems refuse more than 398 days; it is
/// replaced long before ([`ServerCertificate::RENEW_AFTER`]).
const LIFETIME: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How far its validity reaches back, for clients whose clocks are behind.
const BACKDATED: SignedDuration = SignedDuration::from_hours(1);

/// A TLS server certificate and its key.
pub struct ServerCertificate {
    /// The chain, PEM: the server's certificate alone, because clients know its authority.
    pub chain: String,
    /// The private key, PEM, not encrypted.
    pub key: Zeroizing<String>,
}

/// Why there is no TLS certificate. The operator's to fix.
#[derive(Debug, thiserror::Error)]
pub enum ServerCertificateError {
    /// The authority's certificate cannot be read.
    #[error("{} cannot be read", path.display())]
    Io {
        /// Its file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The authority's certificate is none.
    #[error("{} does not hold a certificate", path.display())]
    Certificate {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: ChainError,
    },
    /// The key could not be made.
    #[error("the key of the TLS certificate could not be made")]
    Key(#[source] SigningKeyError),
    /// The certificate could not be issued.
    #[error("the TLS certificate could not be issued")]
    Issue(#[source] IssueError),
}

impl ServerCertificate {
    /// How long one is used before the next is made.
    pub const RENEW_AFTER: SignedDuration = SignedDuration::from_hours(30 * 24);

    /// Makes a certificate for the public host and for `further` names, signed by the directory's TLS authority.
    ///
    /// # Errors
    ///
    /// See [`ServerCertificateError`].
    pub fn issue(
        layout: &Layout,
        instance: &Instance,
        authority: Arc<SigningKey>,
        further: &[String],
        now: Timestamp,
    ) -> Result<Self, ServerCertificateError> {
        let issuer = read_authority(layout.tls_ca())?;
        let issuer = Issuer::new(issuer, authority).map_err(ServerCertificateError::Issue)?;
        let key = SigningKey::generate(KeyKind::EcdsaP256).map_err(ServerCertificateError::Key)?;
        let mut names = vec![server_name(instance.host())];
        names.extend(further.iter().map(|name| server_name(name)));
        // Not before its authority, which was made with the directory.
        let start = (now - BACKDATED).max(instance.created);
        // And not after it: in its last months the server still starts.
        let left = issuer.certificate().not_after().duration_since(start);
        let validity = Validity::starting(start, LIFETIME.min(left));
        let serial = Serial::from_random(crypto::random_array());
        let certificate = issuer
            .tls_server(key.public_key(), &names, validity, serial)
            .map_err(ServerCertificateError::Issue)?;
        let key = key.to_pkcs8_pem().map_err(ServerCertificateError::Key)?;
        Ok(Self { chain: certificate.to_pem(), key })
    }
}

fn read_authority(path: PathBuf) -> Result<Certificate, ServerCertificateError> {
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(source) => return Err(ServerCertificateError::Io { path, source }),
    };
    Certificate::from_pem(&text)
        .map_err(|source| ServerCertificateError::Certificate { path, source })
}

/// A host as it stands in a URL: a name, an address, or an IPv6 address in brackets.
fn server_name(host: &str) -> ServerName {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => ServerName::Ip(address),
        Err(_) => ServerName::Dns(host.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_no_name() {
        assert_eq!(server_name("localhost"), ServerName::Dns("localhost".into()));
        assert_eq!(server_name("127.0.0.1"), ServerName::Ip([127, 0, 0, 1].into()));
        assert_eq!(server_name("[::1]"), ServerName::Ip("::1".parse().unwrap()));
    }
}
