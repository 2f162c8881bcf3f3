//! The transparency logs: what was signed, recorded for ever.
//!
//! [`RekorV1`] and [`RekorV2`] are two dialects of the same engine, each with a key and a directory of its own.
//! Both judge a proposal and check its signature on the task of the request, before the one thread that orders
//! entries hears of it. Neither knows HTTP.

mod note;
mod v1;
mod v2;
mod writers;

use entries::AdmitError;

pub use v1::{Found, RekorV1, Shard, V1Dialect};
pub use v2::{Logged, RekorV2, V2Dialect};
pub use writers::{Anyone, NotAllowed, Writers};

use crate::clock::ClockError;

/// Why an entry was not added.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The submitter's to fix: the request is not of its form.
    #[error(transparent)]
    Request(#[from] wire::rekor_v2::RequestError),
    /// The submitter's to fix: the entry is not admitted.
    #[error(transparent)]
    NotAdmitted(#[from] AdmitError),
    /// The submitter may not write to this log.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// The operator's to fix: no time can be given.
    #[error("the log has no time that can be trusted")]
    Clock(#[from] ClockError),
    /// What the engine says: see there who should act.
    #[error(transparent)]
    Log(#[from] tlog::SubmitError),
    /// The operator's to fix: the entry is logged, and cannot be answered.
    #[error("the entry is in the log, and cannot be read back")]
    Answer(#[source] ReadError),
}

/// Why a log could not be read. Absence is no error.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// What the engine says: see there who should act.
    #[error(transparent)]
    Log(#[from] tlog::ReadError),
    /// The operator's to fix: what the log remembers beside an entry is not what it wrote.
    #[error("what the log remembers beside entry {index} cannot be read")]
    Metadata {
        /// The index of the leaf.
        index: u64,
    },
}
