//! The certificate of the public port, which is replaced while the port is open.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use web::server::TlsConfig;

/// The newest certificate there is.
#[derive(Debug)]
pub(super) struct Newest(RwLock<Arc<dyn ResolvesServerCert>>);

impl Newest {
    /// Begins with the certificate of `first`, and returns what connections are encrypted with: always the newest.
    pub(super) fn starting_with(first: &TlsConfig) -> (Arc<Self>, TlsConfig) {
        let newest = Arc::new(Self(RwLock::new(Arc::clone(&first.cert_resolver))));
        let mut config = ServerConfig::clone(first);
        config.cert_resolver = Arc::clone(&newest) as Arc<dyn ResolvesServerCert>;
        (newest, Arc::new(config))
    }

    /// From now on the certificate is that of `config`.
    pub(super) fn replace(&self, config: &ServerConfig) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&config.cert_resolver);
    }

    pub(super) fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Newest {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.resolver().resolve(hello)
    }
}
