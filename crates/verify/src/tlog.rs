//! Steps C.3 and C.4: a transparency log that the trusted root names holds the entry.

mod inclusion;
mod known;
mod promise;

use std::collections::BTreeSet;

use crypto::PublicKeyError;
use jiff::Timestamp;
use merkle::note::{NoteError, VerifyNoteError};
use merkle::{CheckpointError, InclusionError};
use wire::bundle::KindVersion;
use wire::trusted_root::TrustedRoot;

use crate::LeftOut;
use crate::entry::{Bound, BoundEntry, Dialect};
use crate::policy::Policy;
pub(crate) use known::KnownLog;

/// Proof that as many logs hold the entry as the policy asks for.
#[derive(Debug)]
pub(crate) struct Logged<'a> {
    /// The entries, for the result.
    pub(crate) entries: Vec<LoggedEntry>,
    /// The log of each of the entries, in their order.
    pub(crate) logs: Vec<KnownLog<'a>>,
    pub(crate) left_out: Vec<LeftOut>,
}

/// An entry that a log holds.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LoggedEntry {
    /// Where the log is, by the trusted root.
    pub log: String,
    /// The log's id.
    pub log_id: Vec<u8>,
    /// The entry's index in the whole log.
    pub index: u64,
    /// What kind of entry it is.
    pub kind: KindVersion,
    /// When a log of Rekor v1 promised to hold it.
    pub promised: Option<Timestamp>,
    /// The log's own name and the size of the tree in which the entry is; `None` if there is only a
    /// promise (bundles of version 0.1).
    pub tree: Option<(String, u64)>,
}

/// Why a signature is not shown to be in a transparency log.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LogError {
    /// The bundle has no log entry.
    #[error("the bundle has no log entry; {needed} needed")]
    NoEntry {
        /// How many logs are needed.
        needed: usize,
    },
    /// All entries are of logs that the trusted root does not name.
    #[error("the log with the id {} is not one that the trusted root names", hex::encode(.log_id))]
    UnknownLog {
        /// The id of the first of them.
        log_id: Vec<u8>,
    },
    /// Entries of fewer logs than the policy asks for, each counted once.
    #[error("{found} independent logs hold the signature, {needed} are needed")]
    TooFewLogs {
        /// How many there are.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// The trusted root names no log at all.
    #[error("the trusted root names no transparency log (see --private-infrastructure)")]
    NoTrustedLog,
    /// One entry is there twice.
    #[error("the bundle has the log entry {index} twice")]
    Repeated {
        /// Its index.
        index: u64,
    },
    /// The key of a log in the trusted root cannot be used.
    #[error("the key of the log {log} in the trusted root cannot be used")]
    Key {
        /// Which log.
        log: String,
        /// Why.
        #[source]
        source: PublicKeyError,
    },
    /// There is no signed entry timestamp, where the bundle's version asks for one.
    #[error("the log entry has no inclusion promise, as bundles of version 0.1 must")]
    NoPromise,
    /// The signed entry timestamp is not by the log.
    #[error("the log's inclusion promise (signed entry timestamp) does not verify")]
    Promise,
    /// The promised time is outside of what a time can be.
    #[error("the integrated time {0} is not a time")]
    PromisedTime(i64),
    /// There is no inclusion proof, where the bundle's version asks for one.
    #[error("the log entry has no inclusion proof")]
    NoProof,
    /// The proof does not lead from the entry to the root of the tree.
    #[error("the inclusion proof does not hold")]
    Inclusion(#[source] InclusionError),
    /// The index beside the entry is not the one in the proof.
    #[error("the log entry says it has the index {entry}, its proof {proof}")]
    Index {
        /// Beside the entry.
        entry: u64,
        /// In the proof.
        proof: u64,
    },
    /// The proof has no checkpoint, so that the root of the tree is nobody's.
    #[error("the inclusion proof has no checkpoint")]
    NoCheckpoint,
    /// The checkpoint is not a signed note.
    #[error("the checkpoint is not a signed note")]
    Note(#[source] NoteError),
    /// The checkpoint's text does not say what a checkpoint says.
    #[error("the checkpoint cannot be read")]
    Checkpoint(#[source] CheckpointError),
    /// The checkpoint is of another log.
    #[error("the checkpoint is of {origin:?}, not of the log {log}")]
    Origin {
        /// Whose it says it is.
        origin: String,
        /// The log that it should be of.
        log: String,
    },
    /// The log's id beside the entry is not that of the key that signs its checkpoints.
    #[error("the log's id is not that of the key that signs as {origin:?}")]
    LogId {
        /// The name under which the log signs.
        origin: String,
    },
    /// The log did not sign the checkpoint.
    #[error("the checkpoint is not signed by the log")]
    Unsigned(#[source] VerifyNoteError),
    /// The checkpoint is about a tree with another root.
    #[error("the checkpoint has another root than the inclusion proof")]
    Root,
    /// The checkpoint is about a tree of another size.
    #[error(
        "the checkpoint is about a tree of {checkpoint} leaves, the inclusion proof of {proof}"
    )]
    Size {
        /// In the checkpoint.
        checkpoint: u64,
        /// In the proof.
        proof: u64,
    },
}

/// Checks that the logs hold the entries, and that there are enough of them.
pub(crate) fn verify<'a>(
    bound: Bound<'a>,
    policy: &Policy,
    trust: &TrustedRoot,
) -> Result<Logged<'a>, LogError> {
    let Bound { entries: bound, left_out } = bound;
    let mut entries = Vec::with_capacity(bound.len());
    let mut logs = Vec::with_capacity(bound.len());
    for entry in bound {
        entries.push(verify_entry(&entry)?);
        logs.push(entry.log);
    }
    let found = logs.iter().map(KnownLog::operator).collect::<BTreeSet<_>>().len();
    let needed = policy.logs.needed(trust.tlogs.len());
    if found < needed {
        return Err(too_few(found, needed, &left_out, trust));
    }
    Ok(Logged { entries, logs, left_out })
}

fn too_few(found: usize, needed: usize, left_out: &[LeftOut], trust: &TrustedRoot) -> LogError {
    match (found, left_out.first()) {
        (0, _) if trust.tlogs.is_empty() => LogError::NoTrustedLog,
        (0, Some(LeftOut::Entry { log_id, .. })) => LogError::UnknownLog { log_id: log_id.clone() },
        (0, _) => LogError::NoEntry { needed },
        _ => LogError::TooFewLogs { found, needed },
    }
}

fn verify_entry(bound: &BoundEntry<'_>) -> Result<LoggedEntry, LogError> {
    let entry = bound.entry;
    let (promised, tree) = match bound.dialect {
        // A promise must hold if it is there, and so must a proof; the one that the bundle's version
        // asks for must be there.
        Dialect::V1 => (promise::verify(bound)?, inclusion::verify_v1(bound)?),
        // Whatever a log of version 2 says about time, it does not sign.
        Dialect::V2 => (None, Some(inclusion::verify_v2(bound)?)),
    };
    Ok(LoggedEntry {
        log: bound.log.base_url().to_owned(),
        log_id: entry.log_id.clone(),
        index: entry.log_index,
        kind: entry.kind_version.clone(),
        promised,
        tree,
    })
}
