//! The JSON forms of all files and APIs, as the reference clients and servers write and read them.
//!
//! Reading is strict where a document could mean two things, and lenient where honest writers differ; see
//! [`json`]. Writing keeps the reference clients' order of members, so that what we write looks as theirs
//! does. What a document *proves* is not decided here: that is `verify`'s for bundles, `entries`' for
//! submissions to a log.
//!
//! Start reading at [`bundle::Bundle`] and [`body::Body`].

pub mod body;
pub mod bundle;
pub mod client_trust_config;
pub mod dsse;
pub mod fulcio;
pub mod json;
pub mod legacy;
pub mod model;
pub mod oidc;
pub mod protobuf;
pub mod rekor_v1;
pub mod rekor_v2;
pub mod signing_config;
pub mod statement;
pub mod trusted_root;
pub mod tsa;
