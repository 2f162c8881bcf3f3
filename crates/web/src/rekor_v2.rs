//! The transparency log's API v2 (`rekor/v2/rekor_service.proto`), and its reads (C2SP tlog-tiles) under `/api/v2/`.
//!
//! Where the existing server leaves reading to a file server, this one reads: checkpoint, tiles and entry bundles of
//! any width up to the published size.

mod problem;

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use merkle::TilePath;
use services::transparency::RekorV2;
use tower_http::set_header::SetResponseHeaderLayer;
use wire::rekor_v2::ENTRIES_PATH;

use problem::Problem;

/// The longest request: a certificate of 64 KiB, the longest that is read, in base64, and as much again.
const MAX_BODY: usize = 256 << 10;

/// Full tiles never change. Partial ones do not either, but need not be kept for ever (tlog-tiles, "Partial Tiles").
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");
/// A checkpoint is the newest there is.
const NOT_CACHED: HeaderValue = HeaderValue::from_static("no-store");

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

type Log = State<Arc<RekorV2>>;

/// Everything that this API answers to.
pub fn routes(log: Arc<RekorV2>) -> Router {
    let any_origin = SetResponseHeaderLayer::overriding(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    let reads = Router::new()
        .route("/api/v2/checkpoint", get(checkpoint).fallback(wrong_method))
        .route("/api/v2/tile/{*path}", get(tile).fallback(wrong_method))
        .layer(any_origin);
    Router::new()
        .route(ENTRIES_PATH, post(create).fallback(wrong_method))
        .route("/api/v2/log/{*path}", any(unknown))
        .merge(reads)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(log)
}

/// Adds an entry. Neither Content-Type nor Accept are looked at. A repeat is answered with the entry that is
/// there, in full, and like the first time with 201: the Go client takes no other status.
async fn create(State(log): Log, body: Result<Bytes, BytesRejection>) -> Result<Response, Problem> {
    let logged = log.submit(&body?).await?;
    let headers = [(header::CONTENT_TYPE, JSON)];
    Ok((StatusCode::CREATED, headers, logged.to_json()).into_response())
}

async fn checkpoint(State(log): Log) -> Response {
    let headers = [(header::CONTENT_TYPE, TEXT), (header::CACHE_CONTROL, NOT_CACHED)];
    (headers, log.reader().published().checkpoint.clone()).into_response()
}

async fn tile(State(log): Log, Path(path): Path<String>) -> Result<Response, Problem> {
    let path: TilePath = format!("tile/{path}").parse().map_err(|_| Problem::not_found())?;
    let bytes = log.reader().tile(path).await?;
    let caching = if path.is_full() { FOREVER } else { AN_HOUR };
    Ok(([(header::CONTENT_TYPE, OCTETS), (header::CACHE_CONTROL, caching)], bytes).into_response())
}

async fn unknown() -> Problem {
    Problem::not_found()
}

async fn wrong_method() -> Problem {
    Problem::method()
}
