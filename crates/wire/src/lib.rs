//! wire.

pub mod body;
pub mod bundle;
pub mod client_trust_config;
pub mod dsse;
pub mod fulcio;
pub mod json;
pub mod oidc;
pub mod rekor_v1;
pub mod rekor_v2;
pub mod signing_config;
pub mod statement;
pub mod trusted_root;
pub mod tsa;
