//! What an operator wants to know about a log.

use std::sync::Arc;

/// Whether a log can be written to. Reading by index works in every state.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LogState {
    /// The index of identities is being brought up to date; until then nothing is taken, lest it be a repeat.
    Indexing {
        /// How many leaves are indexed.
        done: u64,
        /// How many there are.
        of: u64,
    },
    /// Entries are taken.
    Ready,
    /// The log has its last checkpoint.
    Frozen,
    /// Something failed, and only opening the log again tells what is in it.
    Stopped {
        /// What failed, with its causes, for the operator.
        reason: Arc<str>,
    },
}

/// What a log has done since it was opened.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counters {
    /// Batches committed.
    pub batches: u64,
    /// Entries committed.
    pub entries: u64,
    /// Submissions answered with an entry that was there already.
    pub repeats: u64,
    /// Syncs that a reply waited for.
    pub reply_syncs: u64,
    /// All other syncs.
    pub other_syncs: u64,
    /// Bytes written to files, the index not counted.
    pub bytes_written: u64,
    /// Bytes of the entries and metadata committed.
    pub payload_bytes: u64,
}
