//! Fulcio's API, version 1, over HTTP (`fulcio_legacy.proto`): `/api/v1/signingCert` and `/api/v1/rootCert`.

use std::sync::Arc;

use axum::Router;
use services::ca::CertificateAuthority;

/// Everything that this API answers to.
pub fn routes(_authority: Arc<CertificateAuthority>) -> Router {
    Router::new()
}
