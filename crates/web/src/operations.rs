//! For those who run the server: health, readiness with reasons, and metrics.

mod metrics;
mod readiness;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

pub use metrics::{Metrics, Sample, SampleKind};
pub use readiness::{Check, Condition, Readiness};

/// What the public port answers: whether the process lives, and whether it is fit for work.
pub fn public_routes(readiness: Arc<Readiness>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { Json(serde_json::json!({ "status": "SERVING" })) }))
        .route("/readyz", get(ready))
        .with_state(readiness)
}

/// What the public port does not answer: for the administrator's socket, and for a port of its own behind
/// [`expected_hosts_only`](crate::server::expected_hosts_only).
pub fn private_routes(readiness: Arc<Readiness>, metrics: Metrics) -> Router {
    Router::new()
        .route("/metrics", get(expose))
        .with_state((metrics, Arc::clone(&readiness)))
        .merge(public_routes(readiness))
}

async fn ready(State(readiness): State<Arc<Readiness>>) -> Response {
    let checks = readiness.checks();
    let fit = checks.iter().all(|check| check.condition != Condition::NotReady);
    let status = if fit { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(serde_json::json!({ "ready": fit, "checks": checks }))).into_response()
}

async fn expose(State((metrics, readiness)): State<(Metrics, Arc<Readiness>)>) -> Response {
    let text = metrics.render(&readiness.samples());
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
        .into_response()
}
