//! Reading a CT log: the answers of RFC 6962 §4.3 to §4.8 and of C2SP static-ct-api, as values.

use merkle::{Hash, LeafIndex, SignedNote, TileKind, TilePath, TreeSize};
use pki::Certificate;

use super::{CtLog, LogLeaf, SignedTreeHead, tree_head};

/// Why a log was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// What the engine says: see there who should act.
    #[error(transparent)]
    Log(#[from] tlog::ReadError),
    /// The reader's to fix: the range, sizes or index make no sense, or reach beyond the tree.
    #[error("the log has no such entries")]
    Range,
    /// No leaf has this hash, no issuer this fingerprint, no tile this name.
    #[error("the log has nothing of this name")]
    NotFound,
    /// The operator's to fix: what the log remembers beside an entry is not what it wrote.
    #[error("what the log remembers beside entry {index} cannot be read")]
    Metadata {
        /// The index of the leaf.
        index: u64,
    },
    /// The operator's to fix: the checkpoint is not one of this log.
    #[error("the log's checkpoint cannot be read")]
    Checkpoint,
}

impl CtLog {
    /// The newest signed tree head. It is the checkpoint's, in its older form.
    ///
    /// # Errors
    ///
    /// [`ReadError::Checkpoint`].
    pub fn signed_tree_head(&self) -> Result<SignedTreeHead, ReadError> {
        let published = self.reader().published();
        let note = SignedNote::parse(published.checkpoint.as_bytes())
            .map_err(|_| ReadError::Checkpoint)?;
        let signature = note.signatures().first().ok_or(ReadError::Checkpoint)?;
        let (timestamp_ms, digitally_signed) =
            tree_head::split(&signature.bytes).ok_or(ReadError::Checkpoint)?;
        Ok(SignedTreeHead {
            size: published.size,
            timestamp_ms,
            root: published.root,
            digitally_signed: digitally_signed.to_vec(),
        })
    }

    /// Proves that the tree of `first` leaves is a prefix of the one of `second`, RFC 6962 §4.4.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn consistency(&self, first: u64, second: u64) -> Result<Vec<Hash>, ReadError> {
        if first > second || second > self.size() {
            return Err(ReadError::Range);
        }
        let (first, second) = (TreeSize::new(first), TreeSize::new(second));
        Ok(self.reader().consistency_proof(first, second).await?)
    }

    /// Finds the leaf with this hash in the tree of `size` leaves, with the path to its root, RFC 6962 §4.5.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn proof_by_hash(
        &self,
        leaf: Hash,
        size: u64,
    ) -> Result<(LeafIndex, Vec<Hash>), ReadError> {
        if size == 0 || size > self.size() {
            return Err(ReadError::Range);
        }
        let index = self.reader().find_leaf(leaf).await?.ok_or(ReadError::NotFound)?;
        let size = TreeSize::new(size);
        if !size.contains(index) {
            return Err(ReadError::NotFound);
        }
        Ok((index, self.reader().inclusion_path(index, size).await?))
    }

    /// The entries from `start` to `end`, both included, RFC 6962 §4.6. There may be fewer than were asked for.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn entries(&self, start: u64, end: u64) -> Result<Vec<LogLeaf>, ReadError> {
        if start > end || start >= self.size() {
            return Err(ReadError::Range);
        }
        let end = end.saturating_add(1).min(self.size());
        self.read_leaves(start..end).await
    }

    /// One entry, with its path in the tree of `size` leaves, RFC 6962 §4.8.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn entry_and_proof(
        &self,
        index: u64,
        size: u64,
    ) -> Result<(LogLeaf, Vec<Hash>), ReadError> {
        if index >= size || size > self.size() {
            return Err(ReadError::Range);
        }
        let leaf = self.read_leaves(index..index + 1).await?.pop().ok_or(ReadError::Range)?;
        let path = self.reader().inclusion_path(LeafIndex::new(index), TreeSize::new(size)).await?;
        Ok((leaf, path))
    }

    /// The chain of a leaf: `extra_data` of `get-entries`.
    ///
    /// # Errors
    ///
    /// [`ReadError::NotFound`] if an issuer's file was lost.
    pub fn extra_data(&self, leaf: &LogLeaf) -> Result<Vec<u8>, ReadError> {
        let chain = leaf.issuers().iter().map(|fingerprint| self.issuer(fingerprint));
        let chain: Vec<Certificate> = chain.collect::<Result<_, _>>()?;
        let ders: Vec<&[u8]> = chain.iter().map(Certificate::der).collect();
        Ok(leaf.extra_data(&ders))
    }

    /// The certificate of an issuer, by its SHA-256.
    ///
    /// # Errors
    ///
    /// [`ReadError::NotFound`].
    pub fn issuer(&self, fingerprint: &[u8; 32]) -> Result<Certificate, ReadError> {
        self.issuers.find(fingerprint).ok_or(ReadError::NotFound)
    }

    /// The bytes of a tile: of hashes, or of entries as static-ct-api has them.
    ///
    /// # Errors
    ///
    /// See [`ReadError`]. Entry bundles in the form of tlog-tiles are [`ReadError::NotFound`].
    pub async fn tile(&self, path: TilePath) -> Result<Vec<u8>, ReadError> {
        let size = TreeSize::new(self.size());
        if path.smallest_tree().is_none_or(|smallest| smallest > size) {
            return Err(ReadError::NotFound);
        }
        match path.kind() {
            TileKind::Hashes { .. } => Ok(self.reader().tile(path).await?.to_vec()),
            TileKind::Entries => Err(ReadError::NotFound),
            TileKind::Data => {
                let start = path.index() * merkle::TILE_WIDTH;
                let leaves = self.read_leaves(start..start + path.width() as u64).await?;
                Ok(leaves.iter().flat_map(LogLeaf::tile_leaf).collect())
            }
        }
    }

    async fn read_leaves(&self, range: std::ops::Range<u64>) -> Result<Vec<LogLeaf>, ReadError> {
        let entries = self.reader().entries(range).await?;
        let read = |entry: &tlog::LoggedEntry| {
            let index = entry.index.get();
            LogLeaf::read(entry).ok_or(ReadError::Metadata { index })
        };
        entries.iter().map(read).collect()
    }

    fn size(&self) -> u64 {
        self.reader().published().size.get()
    }
}
