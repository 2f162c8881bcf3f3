//! The identity provider over HTTP: OpenID Connect Discovery 1.0, OpenID Connect Core 1.0 (authorization code flow), RFC 8628
//! (devices), and the pages that people see.
//!
//! Everything lies below the path of the issuer URL. The pages load nothing, run nothing and can be framed by
//! nobody. The one cookie is `SameSite=Strict`: a program opens the browser by itself, so its request counts as ours;
//! a link on somebody else's page comes without the cookie, and the person is asked for the password.

mod authorize;
mod cookie;
mod device;
mod document;
mod fields;
mod page;
mod token;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension};
use axum::routing::{get, post};
use services::idp::IdentityProvider;
use url::Url;

use crate::server::ClientAddress;
use page::Frame;

/// The largest body: a form with a password, a code and its verifier.
const MAX_BODY: usize = 16 * 1024;

/// What the handlers share.
struct Oidc {
    provider: Arc<IdentityProvider>,
    /// The path of the issuer: `/auth`.
    path: String,
    /// Whether browsers reach it by https, so that the cookie can be `Secure`.
    secure: bool,
    frame: Frame,
    discovery: String,
    keys: String,
}

/// The routes of `provider`, below the path of its issuer URL.
///
/// The address of a client is taken from the extension [`ClientAddress`], which the gate sets.
pub fn routes(provider: Arc<IdentityProvider>) -> Router {
    let oidc = Arc::new(Oidc::new(provider));
    let at = |path: &str| format!("{}{path}", oidc.path);
    Router::new()
        .route(&at("/.well-known/openid-configuration"), get(document::discovery))
        .route(&at("/keys"), get(document::keys))
        .route(&at("/auth"), get(authorize::show).post(authorize::decide))
        .route(&at("/token"), post(token::redeem))
        .route(&at("/userinfo"), get(token::user_info).post(token::user_info))
        .route(&at("/device/code"), post(device::start))
        .route(&at("/device"), get(device::show).post(device::decide))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(oidc)
}

/// Reads a form, such as that for signing in, for the fuzzer.
#[cfg(feature = "fuzzing")]
pub fn fuzz_form(form: &[u8]) {
    let _ = fields::Fields::parse(form);
}

impl Oidc {
    fn new(provider: Arc<IdentityProvider>) -> Self {
        let issuer = Url::parse(provider.issuer())
            .expect("the provider has checked that its issuer is a URL");
        Self {
            path: issuer.path().trim_end_matches('/').to_owned(),
            secure: issuer.scheme() == "https",
            frame: Frame::new(&issuer),
            discovery: document::render_discovery(provider.issuer()),
            keys: provider.key_set_json(),
            provider,
        }
    }
}

/// Where a request comes from. Without a gate, as in tests, everybody is one.
type Caller = Option<Extension<ClientAddress>>;

fn address(caller: Caller) -> IpAddr {
    caller.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Extension(ClientAddress(address))| address)
}

#[cfg(test)]
mod tests;
