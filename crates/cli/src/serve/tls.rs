//! The certificate of the public port: given, or issued by the directory's own TLS authority.

mod files;
mod newest;
mod self_made;

use services::repo::TrustRepository;
use web::server::TlsConfig;

use self::files::Files;
use self::self_made::SelfMade;
use super::Site;
use super::roles::Chore;
use crate::config;
use crate::failure::Failure;

/// What connections are encrypted with, and what keeps it fresh.
#[derive(Default)]
pub(super) struct Tls {
    /// `None` for plain HTTP.
    pub(super) config: Option<TlsConfig>,
    pub(super) chore: Option<Chore>,
}

/// How the public port is encrypted.
pub(super) fn config(site: &Site) -> Result<Tls, Failure> {
    match &site.config.tls {
        config::Tls::None => Ok(Tls::default()),
        config::Tls::Files { certificate, key } => {
            Files::of(site.directory.join(certificate), site.directory.join(key)).serve()
        }
        config::Tls::SelfMade => SelfMade::of(site)?.serve(),
    }
}

/// The SHA-256 of the authority of a self-made certificate, where clients can get it from the trust repository.
pub(super) fn authority(site: &Site, trust: Option<&TrustRepository>) -> Option<String> {
    if !matches!(site.config.tls, config::Tls::SelfMade) {
        return None;
    }
    let hash = hex::encode(crypto::sha256(&std::fs::read(site.layout.tls_ca()).ok()?));
    trust?.file(&format!("targets/{hash}.tls_ca.pem")).map(|_| hash)
}
