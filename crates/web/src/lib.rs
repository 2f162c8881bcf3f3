//! web.

pub mod fulcio_v1;
pub mod fulcio_v2;
pub mod oidc;
pub mod operations;
pub mod page;
pub mod rekor_v1;
pub mod rekor_v2;
pub mod rfc6962;
pub mod static_ct;
pub mod timestamp;
pub mod tuf;
