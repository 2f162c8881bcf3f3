//! The trust repository over HTTP: `/tuf/…` as TUF clients read it (The Update Framework §5, consistent snapshots),
//! and `/client_trust_config.json`, the file with everything that a client needs to be given.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use services::repo::TrustRepository;

/// For files whose name says which version they are: they never change.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// For the timestamp and for names that mean the newest version. A cache that served an old timestamp would make the
/// freeze attack that the timestamp is there to prevent.
const NEVER: HeaderValue = HeaderValue::from_static("no-store");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// The routes of the trust repository.
pub fn routes(repository: Arc<TrustRepository>) -> Router {
    Router::new()
        .route("/tuf/{*path}", get(file))
        .route("/client_trust_config.json", get(client_trust_config))
        .with_state(repository)
}

async fn file(
    State(repository): State<Arc<TrustRepository>>,
    Path(path): Path<String>,
) -> Response {
    match repository.file(&path) {
        Some(file) => answer(file.contents, &path, file.immutable),
        // Clients ask for the root after the newest until they are told that there is none: 404, never 403.
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn client_trust_config(State(repository): State<Arc<TrustRepository>>) -> Response {
    match repository.client_trust_config() {
        Some(contents) => answer(contents, "client_trust_config.json", false),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn answer(contents: Bytes, name: &str, immutable: bool) -> Response {
    let mut response = Response::new(Body::from(contents));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, if name.ends_with(".json") { JSON } else { OCTETS });
    headers.insert(header::CACHE_CONTROL, if immutable { FOREVER } else { NEVER });
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
