//! The server's own TLS certificate.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// How connections are encrypted.
pub type TlsConfig = Arc<ServerConfig>;

/// Why a certificate cannot be used. The operator's to fix.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// There is no PEM certificate in the chain file.
    #[error("there is no PEM certificate in the TLS chain")]
    Chain,
    /// There is no PEM private key that is not encrypted.
    #[error("there is no unencrypted PEM private key for TLS")]
    Key,
    /// Chain and key do not belong together, or are of a kind that is not used.
    #[error("the TLS certificate cannot be used with its key")]
    Mismatch(#[source] rustls::Error),
}

/// TLS 1.2 and 1.3 with this PEM chain, leaf first, and this PEM key.
///
/// # Errors
///
/// See [`TlsError`].
pub fn tls_from_pem(chain: &[u8], key: &[u8]) -> Result<TlsConfig, TlsError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain)
        .collect::<Result<_, _>>()
        .map_err(|_| TlsError::Chain)?;
    if chain.is_empty() {
        return Err(TlsError::Chain);
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::Key)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Mismatch)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(TlsError::Mismatch)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
