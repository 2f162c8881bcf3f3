//! The HTTP face of the servers: one module per protocol, and what all of them share.
//!
//! Nothing is decided here. A handler parses, calls a service, and renders what it says; each protocol renders
//! its refusals in one place. Start reading at [`server`], which owns the public port, and then at the protocol
//! of your interest.

mod cause;
pub mod fulcio_v1;
pub mod fulcio_v2;
pub mod oidc;
pub mod operations;
pub mod page;
pub mod rekor_v1;
pub mod rekor_v2;
pub mod rfc6962;
pub mod server;
pub mod static_ct;
pub mod timestamp;
pub mod tuf;

/// Routes, as every protocol gives them and the server takes them.
pub use axum::Router;
