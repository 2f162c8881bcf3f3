//! Requests from pages of other origins (the Fetch Standard, CORS protocol).
//!
//! Any page may ask: a request is allowed by the token in it and never by where it comes from, no cookie is
//! looked at, and credentials are not offered.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

const ANY: HeaderValue = HeaderValue::from_static("*");
const VARY: HeaderValue = HeaderValue::from_static("Origin");
const VARY_PREFLIGHT: HeaderValue = HeaderValue::from_static(
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
);

/// The methods and headers of other origins, as the existing server allows them.
const METHODS: [&str; 3] = ["GET", "POST", "HEAD"];
const HEADERS: [&str; 4] = ["accept", "content-type", "x-requested-with", "authorization"];

/// Answers preflights, and lets pages read all other answers.
pub(crate) async fn any_origin(request: Request, next: Next) -> Response {
    let has_origin = request.headers().contains_key(header::ORIGIN);
    let wanted = request.headers().get(header::ACCESS_CONTROL_REQUEST_METHOD);
    if request.method() == Method::OPTIONS
        && let Some(method) = wanted
    {
        return preflight(method.clone(), request.headers()).into_response();
    }
    let mut response = next.run(request).await;
    response.headers_mut().append(header::VARY, VARY);
    if has_origin {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    }
    response
}

fn preflight(method: HeaderValue, request: &HeaderMap) -> (StatusCode, HeaderMap) {
    let mut headers = HeaderMap::new();
    headers.insert(header::VARY, VARY_PREFLIGHT);
    if request.contains_key(header::ORIGIN) && METHODS.iter().any(|known| method == *known) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, method);
        if let Some(wanted) = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS)
            && are_allowed(wanted)
        {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        }
    }
    (StatusCode::NO_CONTENT, headers)
}

fn are_allowed(wanted: &HeaderValue) -> bool {
    let is_allowed =
        |name: &str| HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name.trim()));
    wanted.to_str().is_ok_and(|names| names.split(',').all(is_allowed))
}
