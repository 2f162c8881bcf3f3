//! client.

pub mod oidc;
pub mod select;
pub mod sign;
pub mod trust;
