//! client.

pub mod file;
pub mod oidc;
pub mod predicate;
pub mod select;
pub mod sign;
pub mod trust;
