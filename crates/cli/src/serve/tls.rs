//! The certificate of the public port: given, or issued at each start by the directory's own TLS authority.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use crypto::{KeyKind, SigningKey};
use jiff::SignedDuration;
use pki::issue::{Issuer, Serial, ServerName, Validity};
use services::keys::OnlineKey;
use web::server::{TlsConfig, tls_from_pem};

use super::Site;
use crate::config::Tls;
use crate::failure::{Failure, OrFail};

/// How long a self-made certificate is valid. A server that runs longer is restarted for an update before.
const LIFETIME: SignedDuration = SignedDuration::from_hours(397 * 24);

/// What connections are encrypted with; `None` for plain HTTP.
pub(super) fn config(site: &Site) -> Result<Option<TlsConfig>, Failure> {
    let (chain, key) = match &site.config.tls {
        Tls::None => return Ok(None),
        Tls::Files { certificate, key } => (read(site, certificate)?, read(site, key)?),
        Tls::SelfMade => issue(site)?,
    };
    tls_from_pem(&chain, &key).map(Some).or_undecided("connections cannot be encrypted")
}

fn read(site: &Site, path: &Path) -> Result<Vec<u8>, Failure> {
    let path = site.directory.join(path);
    std::fs::read(&path).or_undecided(format!("{} cannot be read", path.display()))
}

/// A new key and a certificate for the public host. Clients know the authority from the trust repository.
fn issue(site: &Site) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let doing = "the TLS certificate cannot be issued";
    let authority = Site::chain(&site.layout.tls_ca())?;
    let authority = authority.into_iter().next().ok_or_else(|| Failure::undecided(doing))?;
    let issuer = Issuer::new(authority.clone(), Arc::new(site.key(OnlineKey::TlsAuthority)?));
    let issuer = issuer.or_undecided(doing)?;
    let key = SigningKey::generate(KeyKind::EcdsaP256).or_undecided(doing)?;
    let names: Vec<_> = std::iter::once(site.config.host())
        .chain(site.config.hosts.iter().map(String::as_str))
        .map(server_name)
        .collect();
    let now = site.clock.now().or_undecided(doing)?;
    let validity = Validity::starting(now, LIFETIME);
    let serial = Serial::from_random(crypto::random_array());
    let certificate =
        issuer.tls_server(key.public_key(), &names, validity, serial).or_undecided(doing)?;
    let chain = certificate.to_pem() + &authority.to_pem();
    let key = key.to_pkcs8_pem().or_undecided(doing)?;
    Ok((chain.into_bytes(), key.as_bytes().to_vec()))
}

fn server_name(host: &str) -> ServerName {
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => ServerName::Ip(address),
        Err(_) => ServerName::Dns(host.to_owned()),
    }
}
