//! What a log's owner decides: what an entry is, and what is signed.

use bytes::Bytes;
use jiff::Timestamp;
use merkle::{Hash, LeafIndex, TreeSize};

/// The owner's half of a log. The engine calls it on its own threads, never on those of a request.
pub trait Dialect: Send + Sync + 'static {
    /// What submitters hand in, already judged to be admissible.
    type Submission: Send + Sync + 'static;

    /// The longest entry, in bytes. With up to 65,535 (C2SP tlog-tiles) entry bundles are served; a log with
    /// longer ones has none. Fixed when the log is created.
    const MAX_ENTRY: usize = 65_535;

    /// Whether [`Self::seal`] makes signatures, so that large batches are worth several threads.
    const SIGNS_ENTRIES: bool = false;

    /// What makes two submissions the same entry.
    fn identity(&self, submission: &Self::Submission) -> Identity;

    /// Makes the entry, once its place is known, and what is to be remembered beside it.
    ///
    /// It may be called again for the same submission with another place, when the batch could not be committed as it
    /// was; nothing of the first result has then left the engine. It is never called for a repeat of a logged entry.
    ///
    /// # Errors
    ///
    /// Any error refuses this one submission and no other.
    fn seal(&self, submission: &Self::Submission, place: Place) -> Result<Sealed, DialectError>;

    /// Signs a checkpoint of the tree: the whole note as it is served.
    ///
    /// # Errors
    ///
    /// Any error refuses the whole batch. The log goes on with the next.
    fn sign_checkpoint(&self, head: &Head) -> Result<String, DialectError>;
}

/// Why an owner did not seal or sign. The engine passes it on and does not look inside.
pub type DialectError = Box<dyn std::error::Error + Send + Sync>;

/// What makes two submissions the same entry. Unique within a log.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Identity {
    /// The hash of the leaf, which does not depend on its place: [`Hash::leaf`] of exactly the bytes that
    /// [`Dialect::seal`] will give. Rekor v1 and v2.
    Leaf(Hash),
    /// Something else, such as the hash of the entry without its time. CT.
    Own(Hash),
}

/// Where and when an entry is in the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// The index of its leaf.
    pub index: LeafIndex,
    /// Its time, in whole milliseconds, never before that of an earlier leaf.
    pub time: Timestamp,
}

/// An entry that is ready to be committed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sealed {
    /// The bytes that are hashed into the tree.
    pub entry: Bytes,
    /// What the log must remember beside the entry and is not in the tree: a signature over index and time, a
    /// stored attestation, a chain. Read back with the entry, for ever.
    pub metadata: Bytes,
}

/// The tree that a checkpoint is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Head {
    /// The number of leaves.
    pub size: TreeSize,
    /// The root hash.
    pub root: Hash,
    /// The time of the commit, in whole milliseconds, not before that of the last leaf.
    pub time: Timestamp,
    /// Whether this is the last checkpoint of the log.
    pub frozen: bool,
}
