//! The certificate of the public port: given, or issued at each start by the directory's own TLS authority.

mod files;

use std::net::IpAddr;
use std::sync::Arc;

use crypto::{KeyKind, SigningKey};
use jiff::{SignedDuration, Timestamp};
use pki::issue::{Issuer, Serial, ServerName, Validity};
use services::keys::OnlineKey;
use services::repo::TrustRepository;
use web::server::{TlsConfig, tls_from_pem};

use self::files::Files;
use super::Site;
use super::roles::Chore;
use crate::config;
use crate::failure::{Failure, OrFail};

/// How long a self-made certificate is valid. A server that runs longer is restarted for an update before.
const LIFETIME: SignedDuration = SignedDuration::from_hours(397 * 24);

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
        config::Tls::SelfMade => {
            let (chain, key) = issue(site)?;
            let config =
                tls_from_pem(&chain, &key).or_undecided("connections cannot be encrypted")?;
            Ok(Tls { config: Some(config), chore: None })
        }
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
    // Wall time: a clock that is not synchronised yet does not keep the server from starting.
    let now = Timestamp::now();
    let validity = Validity::starting(now, lifetime(now, authority.not_after()));
    let serial = Serial::from_random(crypto::random_array());
    let certificate =
        issuer.tls_server(key.public_key(), &names, validity, serial).or_undecided(doing)?;
    let chain = certificate.to_pem() + &authority.to_pem();
    let key = key.to_pkcs8_pem().or_undecided(doing)?;
    Ok((chain.into_bytes(), key.as_bytes().to_vec()))
}

/// How long a certificate of `now` is valid: no longer than its authority, in whose last year the server still starts.
fn lifetime(now: Timestamp, authority_until: Timestamp) -> SignedDuration {
    LIFETIME.min(authority_until.duration_since(now))
}

fn server_name(host: &str) -> ServerName {
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => ServerName::Ip(address),
        Err(_) => ServerName::Dns(host.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_of_the_last_year_of_its_authority_ends_with_it() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let month = SignedDuration::from_hours(30 * 24);
        assert_eq!(lifetime(now, now + month), month);
        assert_eq!(lifetime(now, now + month * 20), LIFETIME);
    }
}
