//! The trust repository over HTTP: `/tuf/…` and `/client_trust_config.json`.

use std::sync::Arc;

use axum::Router;
use services::repo::TrustRepository;

/// The routes of the trust repository.
pub fn routes(repository: Arc<TrustRepository>) -> Router {
    let _ = repository;
    todo!()
}
