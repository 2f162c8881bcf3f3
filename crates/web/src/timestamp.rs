//! The timestamp authority's API: RFC 3161 over HTTP (§3.4) and the JSON of sigstore/timestamp-authority.
//!
//! A query in DER is refused in DER, so that clients that know only the RFC can say why; one in JSON is refused in
//! JSON, in the existing server's words.

mod refusal;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use pki::tsp::{Integer, Policy, Request};
use services::tsa::{RefuseError, TimestampAuthority};
use wire::tsa::{self, JsonRequest};

use refusal::{Form, Reason, Refusal};

/// The longest body, as the existing server has it.
const MAX_BODY: usize = 1 << 20;

const NOT_CACHED: HeaderValue = HeaderValue::from_static(
    "no-cache, no-store, no-transform, must-revalidate, private, max-age=0",
);
const CACHED_FOR_A_DAY: HeaderValue = HeaderValue::from_static("max-age=86400, immutable");
const REPLY: HeaderValue = HeaderValue::from_static(tsa::REPLY);
const CHAIN: HeaderValue = HeaderValue::from_static(tsa::CHAIN);

/// The status of a granted request.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Granted {
    /// 200, which the RFC's clients expect.
    #[default]
    Ok,
    /// 201, which the first versions of the existing server answered (`--use-http-201`).
    Created,
}

#[derive(Clone)]
struct Api {
    authority: Arc<TimestampAuthority>,
    granted: StatusCode,
}

/// Everything that this API answers to.
pub fn routes(authority: Arc<TimestampAuthority>, granted: Granted) -> Router {
    let granted = match granted {
        Granted::Ok => StatusCode::OK,
        Granted::Created => StatusCode::CREATED,
    };
    let only_post = async |method: Method| Refusal::wrong_method(&method, "POST");
    let only_get = async |method: Method| Refusal::wrong_method(&method, "GET");
    Router::new()
        .route(tsa::TIMESTAMP_PATH, post(timestamp).fallback(only_post))
        .route(tsa::CHAIN_PATH, get(chain).fallback(only_get))
        .route("/ping", get(ping))
        .layer(DefaultBodyLimit::disable())
        .with_state(Api { authority, granted })
}

async fn timestamp(
    State(api): State<Api>,
    headers: HeaderMap,
    body: axum::body::Body,
) -> Result<Response, Refusal> {
    let form = form(&headers)?;
    let body = axum::body::to_bytes(body, MAX_BODY)
        .await
        .map_err(|_| Refusal::new(form, &Reason::TooLarge))?;
    if body.is_empty() {
        return Err(Refusal::no_body());
    }
    let request = read(form, &body).map_err(|reason| Refusal::new(form, &reason))?;
    let reply = api.authority.grant(&request).map_err(|error| Refusal::new(form, &error.into()))?;
    let headers = [(header::CONTENT_TYPE, REPLY), (header::CACHE_CONTROL, NOT_CACHED)];
    Ok((api.granted, headers, Bytes::from(reply)).into_response())
}

/// What the request says its body is. Parameters are passed over.
fn form(headers: &HeaderMap) -> Result<Form, Refusal> {
    let value = headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let text = String::from_utf8_lossy(value);
    let essence = text.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(tsa::QUERY) {
        Ok(Form::Der)
    } else if essence.eq_ignore_ascii_case("application/json") {
        Ok(Form::Json)
    } else {
        Err(Refusal::media_type(essence))
    }
}

fn read(form: Form, body: &[u8]) -> Result<Request, Reason> {
    match form {
        Form::Der => Ok(Request::from_der(body)?),
        Form::Json => {
            let json = JsonRequest::parse(body)?;
            // Numbers that are no identifier are a policy that nobody has.
            let policy = json.policy.map(|text| Policy::from_dotted(&text)).transpose();
            Ok(Request {
                imprint: json.digest,
                policy: policy.map_err(|_| RefuseError::Policy)?,
                nonce: json.nonce.as_deref().and_then(Integer::from_content),
                certificates: json.certificates,
                extensions: None,
            })
        }
    }
}

async fn chain(State(api): State<Api>) -> Response {
    let headers = [(header::CONTENT_TYPE, CHAIN), (header::CACHE_CONTROL, CACHED_FOR_A_DAY)];
    (headers, api.authority.chain_pem()).into_response()
}

async fn ping() -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"))], ".").into_response()
}
