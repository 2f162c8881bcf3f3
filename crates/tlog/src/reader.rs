//! Everything that is read without changing the log.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use merkle::{Hash, LeafIndex, TilePath, TreeSize};

use crate::{Counters, Inclusion, LogState, LoggedEntry, Published};

/// Reads a log up to its published size. Cheap to clone.
#[derive(Clone)]
pub struct Reader {}

/// Why something was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The reader's to fix: it asks beyond the published size, or for what no log has.
    #[error("the log of {size} leaves does not reach that far")]
    Outside {
        /// The published size.
        size: TreeSize,
    },
    /// This log has no entry bundles: its entries may be too long for them.
    #[error("this log has no entry bundles")]
    NoBundles,
    /// The reader's to repeat: the index is not complete, so absence is not known.
    #[error("the index is being rebuilt")]
    Indexing,
    /// The operator's to fix.
    #[error("the log cannot be read")]
    Storage(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Reader {
    /// The newest checkpoint that is durable.
    #[must_use]
    pub fn published(&self) -> Arc<Published> {
        todo!()
    }

    /// Whether the log takes entries.
    #[must_use]
    pub fn state(&self) -> LogState {
        todo!()
    }

    /// What the log has done since it was opened.
    #[must_use]
    pub fn counters(&self) -> Counters {
        todo!()
    }

    /// Reads one entry.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn entry(&self, index: LeafIndex) -> Result<LoggedEntry, ReadError> {
        let _ = index;
        todo!()
    }

    /// Reads the entries of `indexes`, at most [`Self::MAX_ENTRIES`] and at most up to the published size; fewer
    /// than were asked for is no error, none is.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn entries(&self, indexes: Range<u64>) -> Result<Vec<LoggedEntry>, ReadError> {
        let _ = indexes;
        todo!()
    }

    /// The most entries of one answer: a full tile.
    pub const MAX_ENTRIES: u64 = 256;

    /// Finds the leaf of an [`Identity`](crate::Identity) (of either kind). Exact up to the published size.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn find_identity(&self, identity: Hash) -> Result<Option<LeafIndex>, ReadError> {
        let _ = identity;
        todo!()
    }

    /// Finds a leaf by its hash. Exact up to the published size.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn find_leaf(&self, leaf: Hash) -> Result<Option<LeafIndex>, ReadError> {
        let _ = leaf;
        todo!()
    }

    /// Proves that a leaf is in the tree of the newest checkpoint.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn inclusion(&self, index: LeafIndex) -> Result<Inclusion, ReadError> {
        let _ = index;
        todo!()
    }

    /// The path from a leaf to the root of the first `size` leaves.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn inclusion_path(
        &self,
        index: LeafIndex,
        size: TreeSize,
    ) -> Result<Vec<Hash>, ReadError> {
        let _ = (index, size);
        todo!()
    }

    /// Proves that the first `old` leaves are a prefix of the first `new`.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn consistency_proof(
        &self,
        old: TreeSize,
        new: TreeSize,
    ) -> Result<Vec<Hash>, ReadError> {
        let _ = (old, new);
        todo!()
    }

    /// The root of the first `size` leaves.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn root_at(&self, size: TreeSize) -> Result<Hash, ReadError> {
        let _ = size;
        todo!()
    }

    /// The bytes of a hash tile or an entry bundle (C2SP tlog-tiles), full or of any width up to the published size.
    ///
    /// # Errors
    ///
    /// See [`ReadError`]. Data tiles of static-ct-api are made by the CT log from [`Self::entries`]; here they are
    /// [`ReadError::NoBundles`].
    pub async fn tile(&self, path: TilePath) -> Result<Bytes, ReadError> {
        let _ = path;
        todo!()
    }
}
