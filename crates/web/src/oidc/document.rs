//! What the provider says about itself: discovery and keys.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use wire::oidc::{DEVICE_GRANT, Discovery};

use super::Oidc;

/// Five minutes: for longer than this, a new key is published before anything is signed with it.
const CACHE: &str = "public, max-age=300";

pub(super) async fn discovery(State(oidc): State<Arc<Oidc>>) -> Response {
    public(oidc.discovery.clone())
}

pub(super) async fn keys(State(oidc): State<Arc<Oidc>>) -> Response {
    public(oidc.keys.clone())
}

/// Anybody may read it, a page of another origin too.
fn public(json: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, CACHE),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, json).into_response()
}

/// OpenID Connect Discovery 1.0 §3. There is no password grant.
pub(super) fn render_discovery(issuer: &str) -> String {
    let at = |path: &str| format!("{issuer}{path}");
    let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let discovery = Discovery {
        issuer: issuer.to_owned(),
        authorization_endpoint: at("/auth"),
        token_endpoint: at("/token"),
        jwks_uri: at("/keys"),
        userinfo_endpoint: Some(at("/userinfo")),
        device_authorization_endpoint: Some(at("/device/code")),
        response_types_supported: list(&["code"]),
        response_modes_supported: list(&["query"]),
        grant_types_supported: list(&["authorization_code", DEVICE_GRANT]),
        subject_types_supported: list(&["public"]),
        id_token_signing_alg_values_supported: list(&["RS256"]),
        code_challenge_methods_supported: list(&["S256"]),
        scopes_supported: list(&["openid", "email"]),
        token_endpoint_auth_methods_supported: list(&[
            "client_secret_basic",
            "client_secret_post",
            "none",
        ]),
        claims_supported: list(&[
            "iss",
            "sub",
            "aud",
            "iat",
            "exp",
            "auth_time",
            "nonce",
            "email",
            "email_verified",
            "federated_claims",
        ]),
        authorization_response_iss_parameter_supported: true,
    };
    serde_json::to_string(&discovery).expect("lists of strings are always JSON")
}
