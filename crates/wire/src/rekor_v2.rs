//! The messages of the transparency log's API v2 (`rekor/v2/rekor_service.proto`, as protojson).

mod answer;
mod request;

pub use crate::body::VerifierMaterial;
pub use answer::{Error, ErrorInfo, TransparencyLogEntry};
pub use request::{
    CreateEntryRequest, HashedRekordRequest, Proposal, RequestError, Signature, Verifier,
};

/// The path under a log's base address where entries are created.
pub const ENTRIES_PATH: &str = "/api/v2/log/entries";
