//! The token endpoint (RFC 6749 §3.2) and the userinfo endpoint: no browser comes here.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use services::idp::{ClientCredentials, ClientError, Grant, PublicClient, TokenError};
use url::form_urlencoded;
use wire::oidc::{DEVICE_GRANT, ErrorResponse};

use super::Oidc;
use super::fields::{Fields, Twice};
use crate::cause::chain;

pub(super) async fn redeem(
    State(oidc): State<Arc<Oidc>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let fields = Fields::parse(&body)?;
    let client = recognise(&headers, &fields)?;
    let tokens = oidc.provider.redeem(client, grant(&fields)?)?;
    Ok(answer(StatusCode::OK, tokens.into_response()))
}

fn grant(fields: &Fields) -> Result<Grant<'_>, Refusal> {
    let needed = |name| fields.get(name).ok_or(Refusal::invalid_request("a field is missing"));
    match needed("grant_type")? {
        "authorization_code" => Ok(Grant::Code {
            code: needed("code")?,
            redirect_uri: needed("redirect_uri")?,
            verifier: needed("code_verifier")?,
        }),
        DEVICE_GRANT => Ok(Grant::Device {
            device_code: needed("device_code")?,
            verifier: fields.get("code_verifier"),
        }),
        _ => Err(Refusal {
            error: "unsupported_grant_type",
            description: "only codes and device codes become tokens here".to_owned(),
            ..Refusal::invalid_request("")
        }),
    }
}

/// Recognises the client by header or form (RFC 6749 §2.3.1).
pub(super) fn recognise(headers: &HeaderMap, fields: &Fields) -> Result<PublicClient, Refusal> {
    let basic = basic(headers)?;
    let credentials = ClientCredentials {
        basic: basic.as_ref().map(|(name, secret)| (name.as_str(), secret.as_str())),
        id: fields.get("client_id"),
        secret: fields.get("client_secret"),
    };
    PublicClient::recognise(credentials).map_err(|error| Refusal::client(&error, basic.is_some()))
}

/// Name and secret of `Authorization: Basic` (RFC 7617), form-decoded as RFC 6749 §2.3.1 has it.
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, Refusal> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let malformed = || Refusal::client(&ClientError::Unnamed, true);
    let (scheme, encoded) =
        value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let decoded = STANDARD.decode(encoded.trim()).map_err(|_| malformed())?;
    let text = String::from_utf8(decoded).map_err(|_| malformed())?;
    let (name, secret) = text.split_once(':').ok_or_else(malformed)?;
    Ok(Some((form_decode(name), form_decode(secret))))
}

fn form_decode(text: &str) -> String {
    // A value alone reads as a name without value.
    form_urlencoded::parse(text.as_bytes())
        .next()
        .map(|(name, _)| name.into_owned())
        .unwrap_or_default()
}

/// OpenID Connect Core 1.0 §5.3, with the token as RFC 6750 §2.1 has it.
pub(super) async fn user_info(State(oidc): State<Arc<Oidc>>, headers: HeaderMap) -> Response {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let Some(token) = token else {
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")]).into_response();
    };
    match oidc.provider.user_info(token) {
        Ok(user) => answer(StatusCode::OK, user),
        Err(_) => {
            let challenge = "Bearer error=\"invalid_token\"";
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
        }
    }
}

/// RFC 6749 §5.1: what may hold tokens is never kept.
pub(super) fn answer(status: StatusCode, json: impl Serialize) -> Response {
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
    (status, headers, Json(json)).into_response()
}

/// An error answer (RFC 6749 §5.2).
pub(super) struct Refusal {
    status: StatusCode,
    error: &'static str,
    description: String,
    /// Whether the client used the header, and is told so by another.
    basic: bool,
}

impl Refusal {
    pub(super) fn invalid_request(description: &str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error: "invalid_request",
            description: description.to_owned(),
            basic: false,
        }
    }

    /// The operator's to fix, or a crowd's to pass.
    pub(super) fn unavailable(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = chain(error), "no token can be given");
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            error: "temporarily_unavailable",
            description: error.to_string(),
            basic: false,
        }
    }

    fn client(error: &ClientError, basic: bool) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            error: "invalid_client",
            description: error.to_string(),
            basic,
        }
    }
}

impl From<Twice> for Refusal {
    fn from(Twice: Twice) -> Self {
        Self::invalid_request("a field is there twice")
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        let code = match &error {
            TokenError::InvalidGrant => "invalid_grant",
            TokenError::AuthorizationPending => "authorization_pending",
            TokenError::SlowDown => "slow_down",
            TokenError::AccessDenied => "access_denied",
            TokenError::ExpiredToken => "expired_token",
            TokenError::Clock(_) => return Self::unavailable(&error),
        };
        Self { error: code, ..Self::invalid_request(&error.to_string()) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = ErrorResponse {
            error: self.error.to_owned(),
            error_description: Some(self.description),
        };
        let mut response = answer(self.status, body);
        if self.basic {
            let challenge = http::HeaderValue::from_static("Basic realm=\"sigstore\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
