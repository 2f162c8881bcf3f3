//! Whom to trust for TLS, and what to show of oneself.

mod identity;

use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

pub use identity::{ClientIdentity, ClientIdentityError, ExpectedName, ExpectedNameError};

/// Whom a [`Client`](crate::Client) trusts to vouch for a server's name. Nothing is read from the system
/// before the first TLS handshake.
#[derive(Clone)]
pub enum TlsTrust {
    /// The roots of this machine, and further ones: DER certificates.
    System {
        /// Further roots.
        further: Vec<Vec<u8>>,
    },
    /// These roots and no other: DER certificates.
    Only(Vec<Vec<u8>>),
    /// Nobody: the name of the server is not checked. Only for what is verified by other means, such as
    /// the first TUF root, whose hash is known.
    DangerouslyUnverified,
}

/// A file cannot be used as a list of roots.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TlsTrustError {
    /// The file is no sequence of PEM certificates.
    #[error("the file holds no PEM certificates")]
    Pem,
}

impl TlsTrust {
    /// The roots of this machine.
    #[must_use]
    pub const fn system() -> Self {
        Self::System { further: Vec::new() }
    }

    /// Reads the certificates of a PEM file, to be used as roots.
    ///
    /// # Errors
    ///
    /// If there is none, or one is damaged.
    pub fn roots_from_pem(pem: &[u8]) -> Result<Vec<Vec<u8>>, TlsTrustError> {
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .map(|certificate| certificate.map(|der| der.to_vec()))
            .collect::<Result<_, _>>()
            .map_err(|_| TlsTrustError::Pem)?;
        if certificates.is_empty() { Err(TlsTrustError::Pem) } else { Ok(certificates) }
    }
}

/// The TLS configuration for `trust`. Cheap: roots are read when the first server is met.
pub(crate) fn configuration(
    trust: TlsTrust,
    identity: Option<&ClientIdentity>,
    expected: Option<ExpectedName>,
) -> Result<ClientConfig, rustls::Error> {
    // A server whose certificate is for an address is not asked for by another name.
    let named = expected.as_ref().is_none_or(|expected| expected.dns().is_some());
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Verifier {
        algorithms: provider.signature_verification_algorithms,
        provider: provider.clone(),
        trust,
        expected,
        loaded: OnceLock::new(),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut configuration = match identity {
        Some(identity) => builder.with_client_cert_resolver(identity.resolver()),
        None => builder.with_no_client_auth(),
    };
    configuration.enable_sni = named;
    configuration.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(configuration)
}

/// Verifies servers' certificates, with roots that are loaded once, at the first use.
///
/// Reading the roots of a machine takes milliseconds, and most runs of the program meet no TLS server.
struct Verifier {
    algorithms: WebPkiSupportedAlgorithms,
    provider: Arc<CryptoProvider>,
    trust: TlsTrust,
    /// The name that every certificate must have, instead of the one by which its server was reached.
    expected: Option<ExpectedName>,
    loaded: OnceLock<Result<Loaded, rustls::Error>>,
}

type Loaded = Option<Arc<dyn ServerCertVerifier>>;

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier")
    }
}

impl Verifier {
    fn load(&self) -> Result<Loaded, rustls::Error> {
        Ok(match &self.trust {
            TlsTrust::DangerouslyUnverified => None,
            TlsTrust::Only(roots) => Some(only(roots, self.provider.clone())?),
            TlsTrust::System { further } => {
                Some(Arc::new(rustls_platform_verifier::Verifier::new_with_extra_roots(
                    further.iter().map(|root| CertificateDer::from(root.clone())),
                    self.provider.clone(),
                )?))
            }
        })
    }
}

fn only(
    roots: &[Vec<u8>],
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(CertificateDer::from(root.as_slice()))?;
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider)
        .build()
        .map_err(|error| rustls::Error::General(error.to_string()))?;
    Ok(verifier)
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.loaded.get_or_init(|| self.load()) {
            Ok(Some(verifier)) => verifier.verify_server_cert(
                end_entity,
                intermediates,
                self.expected.as_ref().map_or(server_name, |expected| &expected.0),
                ocsp_response,
                now,
            ),
            // Chosen by the caller, under a name that says so.
            Ok(None) => Ok(ServerCertVerified::assertion()),
            Err(error) => Err(error.clone()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_gives_no_roots() {
        for file in ["", "hello", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
            assert_eq!(
                TlsTrust::roots_from_pem(file.as_bytes()),
                Err(TlsTrustError::Pem),
                "{file}"
            );
        }
    }
}
