//! Fulcio's API, version 2, over HTTP (`fulcio.proto`): `/api/v2/signingCert`, `/api/v2/trustBundle` and
//! `/api/v2/configuration`.

use std::sync::Arc;

use axum::Router;
use services::ca::CertificateAuthority;

/// Everything that this API answers to.
pub fn routes(_authority: Arc<CertificateAuthority>) -> Router {
    Router::new()
}
