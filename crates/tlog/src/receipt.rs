//! What the engine answers with.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use merkle::{Hash, LeafIndex, TreeSize};

/// An entry that is in the log, durably, and the proof.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The entry as it was logged: for a repeat, with the time and metadata that it has had from the first.
    pub logged: LoggedEntry,
    /// Whether this submission put it there. `false`: it had been there, or another submission of the same
    /// identity came at the same time.
    pub fresh: bool,
    /// The proof that it is in the tree of a durable, signed checkpoint.
    pub inclusion: Inclusion,
}

/// One leaf and what is remembered beside it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LoggedEntry {
    /// The index of the leaf.
    pub index: LeafIndex,
    /// When it was logged, in whole milliseconds.
    pub time: Timestamp,
    /// The bytes that are hashed into the tree.
    pub entry: Bytes,
    /// What the dialect gave to remember beside it.
    pub metadata: Bytes,
}

/// A proof that a leaf is in the tree of a published checkpoint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Inclusion {
    /// The index of the leaf.
    pub index: LeafIndex,
    /// The path from the leaf to the root, nearest first.
    pub path: Vec<Hash>,
    /// The tree that it leads into.
    pub head: Arc<Published>,
}

/// A checkpoint that is durable and may be shown to anyone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Published {
    /// The number of leaves.
    pub size: TreeSize,
    /// The root hash.
    pub root: Hash,
    /// When it was signed.
    pub time: Timestamp,
    /// The signed note, as the dialect wrote it.
    pub checkpoint: String,
    /// Whether the log will never grow again.
    pub frozen: bool,
}
