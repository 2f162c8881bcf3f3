//! The CT log's reads of C2SP static-ct-api: checkpoint, tiles, data tiles and issuers, below the log's prefix.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, header};
use merkle::TilePath;
use services::ct::CtLog;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::rfc6962::problem::Problem;

/// Full tiles and issuers never change. Partial tiles do not either, but need not be kept for ever.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");
/// A checkpoint is the newest there is.
const NOT_CACHED: HeaderValue = HeaderValue::from_static("no-store");

const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const CERTIFICATE: HeaderValue = HeaderValue::from_static("application/pkix-cert");

type Log = State<Arc<CtLog>>;

/// Everything that this API answers to.
pub fn routes(log: Arc<CtLog>) -> Router {
    let any_origin = SetResponseHeaderLayer::overriding(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    Router::new()
        .route("/checkpoint", get(checkpoint))
        .route("/tile/{*path}", get(tile))
        .route("/issuer/{fingerprint}", get(issuer))
        .layer(any_origin)
        .with_state(log)
}

async fn checkpoint(State(log): Log) -> Response {
    let headers = [(header::CONTENT_TYPE, TEXT), (header::CACHE_CONTROL, NOT_CACHED)];
    (headers, log.reader().published().checkpoint.clone()).into_response()
}

async fn tile(State(log): Log, Path(path): Path<String>) -> Result<Response, Problem> {
    let path: TilePath = format!("tile/{path}").parse().map_err(|_| Problem::not_found())?;
    let bytes = log.tile(path).await?;
    let caching = if path.is_full() { FOREVER } else { AN_HOUR };
    Ok(([(header::CONTENT_TYPE, OCTETS), (header::CACHE_CONTROL, caching)], bytes).into_response())
}

/// An issuer, by the lower-case hexadecimal SHA-256 of its certificate.
async fn issuer(State(log): Log, Path(name): Path<String>) -> Result<Response, Problem> {
    let mut fingerprint = [0; 32];
    hex::decode_to_slice(&name, &mut fingerprint).map_err(|_| Problem::not_found())?;
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(Problem::not_found());
    }
    let certificate = log.issuer(&fingerprint)?;
    let headers = [(header::CONTENT_TYPE, CERTIFICATE), (header::CACHE_CONTROL, FOREVER)];
    Ok((headers, certificate.der().to_vec()).into_response())
}
