//! Everything that is read without changing the log.

use std::ops::Range;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use merkle::{
    Hash, LeafIndex, Node, TILE_WIDTH, TileKind, TilePath, TreeSize, consistency_proof,
    inclusion_path, root_at, verify_inclusion,
};
use storage::{Archive, ArchiveError, Framing, Key};

use crate::shared::{Shared, archived_node, logged};
use crate::{Counters, Inclusion, LogState, LoggedEntry, Published, Receipt};

/// Reads a log up to its published size. Cheap to clone.
///
/// What is in memory is answered at once; what is in files is read on the runtime's threads for blocking work.
#[derive(Clone)]
pub struct Reader(Arc<Shared>);

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
    #[error("this log has no such entry bundles")]
    NoBundles,
    /// The reader's to repeat: the index is not complete, so absence is not known.
    #[error("the index is being rebuilt")]
    Indexing,
    /// The operator's to fix.
    #[error("the log cannot be read")]
    Storage(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<ArchiveError> for ReadError {
    fn from(error: ArchiveError) -> Self {
        Self::Storage(Box::new(error))
    }
}

/// A stored proof that does not lead to the published root.
#[derive(Debug, thiserror::Error)]
#[error("the tiles of leaf {index} do not lead to the root of the log")]
struct WrongTiles {
    index: LeafIndex,
}

impl Reader {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0
    }

    /// The newest checkpoint that is durable.
    #[must_use]
    pub fn published(&self) -> Arc<Published> {
        Arc::clone(&self.0.live().published)
    }

    /// Whether the log takes entries.
    #[must_use]
    pub fn state(&self) -> LogState {
        self.0.state()
    }

    /// What the log has done since it was opened.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.0.counters()
    }

    /// Reads one entry.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn entry(&self, index: LeafIndex) -> Result<LoggedEntry, ReadError> {
        {
            let live = self.0.live();
            let size = live.published.size;
            if !size.contains(index) {
                return Err(ReadError::Outside { size });
            }
            if let Some(leaf) = live.leaf(index) {
                return Ok(logged(index, leaf));
            }
        }
        self.read_files(move |shared| Ok(logged(index, &shared.archive.leaf(index)?))).await
    }

    /// The most entries of one answer: a full tile.
    pub const MAX_ENTRIES: u64 = TILE_WIDTH;

    /// Reads the entries of `indexes`, at most [`Self::MAX_ENTRIES`], no further than the end of the first one's tile,
    /// and at most up to the published size; fewer than were asked for is no error, none is.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn entries(&self, indexes: Range<u64>) -> Result<Vec<LoggedEntry>, ReadError> {
        let start = indexes.start;
        let group = start / TILE_WIDTH;
        let end = {
            let live = self.0.live();
            let size = live.published.size;
            let end = indexes.end.min(size.get()).min((group + 1).saturating_mul(TILE_WIDTH));
            if start >= end {
                return Err(ReadError::Outside { size });
            }
            if start >= live.stored.get() {
                let leaves = (start..end).map(LeafIndex::new);
                let found = leaves.filter_map(|index| Some(logged(index, live.leaf(index)?)));
                return Ok(found.collect());
            }
            end
        };
        self.read_files(move |shared| {
            let leaves = shared.archive.leaves(group, position(start)..position(end - 1) + 1)?;
            let indexes = (start..end).map(LeafIndex::new);
            Ok(indexes.zip(&leaves).map(|(index, leaf)| logged(index, leaf)).collect())
        })
        .await
    }

    /// Finds the leaf of an [`Identity`](crate::Identity) (of either kind). Exact up to the published size.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn find_identity(&self, identity: Hash) -> Result<Option<LeafIndex>, ReadError> {
        match self.find(Key::Own(identity)).await? {
            None => self.find_leaf(identity).await,
            found => Ok(found),
        }
    }

    /// Finds a leaf by its hash. Exact up to the published size.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn find_leaf(&self, leaf: Hash) -> Result<Option<LeafIndex>, ReadError> {
        self.find(Key::Leaf(leaf)).await
    }

    async fn find(&self, key: Key) -> Result<Option<LeafIndex>, ReadError> {
        let indexing = matches!(self.state(), LogState::Indexing { .. });
        let found = self
            .read_files(move |shared| {
                shared.identities.find(key).map_err(|error| ReadError::Storage(Box::new(error)))
            })
            .await?;
        if found.is_none() && indexing { Err(ReadError::Indexing) } else { Ok(found) }
    }

    /// Proves that a leaf is in the tree of the newest checkpoint.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn inclusion(&self, index: LeafIndex) -> Result<Inclusion, ReadError> {
        let head = self.published();
        let size = head.size;
        let leaf = Node { level: 0, index: index.get() };
        let prove = move |node: &mut NodeSource<'_>| {
            let path = inclusion_path(index, size, &mut *node)?;
            Ok((path.ok_or(ReadError::Outside { size })?, node(leaf)?))
        };
        let (path, leaf) = self.prove(prove).await?;
        // What was read from files may have rotted: no wrong proof leaves.
        verify_inclusion(leaf, index, &path, size, head.root)
            .map_err(|_| ReadError::Storage(Box::new(WrongTiles { index })))?;
        Ok(Inclusion { index, path, head })
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
        let outside = self.within(size)?;
        self.prove(move |node| {
            inclusion_path(index, size, &mut *node)?.ok_or(ReadError::Outside { size: outside })
        })
        .await
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
        let outside = self.within(new)?;
        self.prove(move |node| {
            consistency_proof(old, new, &mut *node)?.ok_or(ReadError::Outside { size: outside })
        })
        .await
    }

    /// The root of the first `size` leaves.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn root_at(&self, size: TreeSize) -> Result<Hash, ReadError> {
        self.within(size)?;
        self.prove(move |node| root_at(size, &mut *node)).await
    }

    /// The bytes of a hash tile or an entry bundle (C2SP tlog-tiles), full or of any width up to the published size.
    ///
    /// # Errors
    ///
    /// See [`ReadError`]. Data tiles of static-ct-api are made by the CT log from [`Self::entries`]; here they are
    /// [`ReadError::NoBundles`].
    pub async fn tile(&self, path: TilePath) -> Result<Bytes, ReadError> {
        let size = self.published().size;
        if path.smallest_tree().is_none_or(|needed| needed > size) {
            return Err(ReadError::Outside { size });
        }
        match path.kind() {
            TileKind::Hashes { level } => self.hash_tile(level, path.index(), path.width()).await,
            TileKind::Entries if self.0.archive.framing() == Framing::Short => {
                self.bundle(path.index(), path.width()).await
            }
            TileKind::Entries | TileKind::Data => Err(ReadError::NoBundles),
        }
    }

    async fn hash_tile(&self, level: u8, index: u64, width: usize) -> Result<Bytes, ReadError> {
        let live = self.0.live().tree.tile(level, index).and_then(|tile| tile.to_bytes(width));
        match live {
            Some(bytes) => Ok(bytes.into()),
            None => {
                self.read_files(move |shared| Ok(shared.archive.tile_bytes(level, index, width)?))
                    .await
            }
        }
    }

    async fn bundle(&self, group: u64, width: usize) -> Result<Bytes, ReadError> {
        {
            let live = self.0.live();
            let start = group * TILE_WIDTH;
            if start >= live.stored.get() {
                let indexes = (start..start + width as u64).map(LeafIndex::new);
                return Ok(framed(indexes.filter_map(|index| live.leaf(index))));
            }
        }
        self.read_files(move |shared| Ok(shared.archive.bundle(group, width)?)).await
    }

    /// What a submitter is told whose entry was in the log already.
    pub(crate) async fn repeat(&self, index: LeafIndex) -> Result<Receipt, ReadError> {
        let inclusion = self.inclusion(index).await?;
        let logged = self.entry(index).await?;
        Ok(Receipt { logged, fresh: false, inclusion })
    }

    /// The published size, if it is at least `size`.
    fn within(&self, size: TreeSize) -> Result<TreeSize, ReadError> {
        let published = self.published().size;
        if size > published { Err(ReadError::Outside { size: published }) } else { Ok(published) }
    }

    /// Makes a proof from what is in memory, or, if that is not enough, with the help of files.
    async fn prove<T: Send + 'static>(
        &self,
        make: impl Fn(&mut NodeSource<'_>) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let mut missing = false;
        let from_memory = make(&mut |node| {
            let found = self.0.live().tree.node(node);
            missing |= found.is_none();
            // The value does not matter: the proof is made again.
            Ok(found.unwrap_or_else(Hash::of_empty_tree))
        });
        if !missing {
            return from_memory;
        }
        self.read_files(move |shared| {
            let mut tiles = Tiles::new(&shared.archive);
            make(&mut |node| {
                let found = shared.live().tree.node(node);
                found.map_or_else(|| Ok(tiles.node(node)?), Ok)
            })
        })
        .await
    }

    async fn read_files<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Shared) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let shared = Arc::clone(&self.0);
        let read = tokio::task::spawn_blocking(move || read(&shared)).await;
        read.unwrap_or_else(|error| Err(ReadError::Storage(Box::new(error))))
    }
}

/// Where the hashes of complete subtrees come from.
type NodeSource<'a> = dyn FnMut(Node) -> Result<Hash, ReadError> + 'a;

/// Tiles of the archive, of which a proof needs several nodes each of the last one read.
struct Tiles<'a> {
    archive: &'a Archive,
    last: Option<((u32, u64), merkle::Tile)>,
}

impl<'a> Tiles<'a> {
    const fn new(archive: &'a Archive) -> Self {
        Self { archive, last: None }
    }

    fn node(&mut self, node: Node) -> Result<Hash, ArchiveError> {
        let name = (node.tile_level(), node.tile_index());
        if let Some((last, tile)) = &self.last
            && *last == name
            && let Some(hash) = tile.node(node.height_in_tile(), node.position_in_tile())
        {
            return Ok(hash);
        }
        let level = u8::try_from(name.0).unwrap_or(u8::MAX);
        let tile = self.archive.tile(level, name.1)?;
        let hash = tile.node(node.height_in_tile(), node.position_in_tile());
        self.last = Some((name, tile));
        hash.map_or_else(|| archived_node(self.archive, node), Ok)
    }
}

/// Entries, each after its length in two bytes (C2SP tlog-tiles, "Log Entries").
fn framed<'a>(leaves: impl Iterator<Item = &'a storage::Leaf>) -> Bytes {
    let mut bytes = BytesMut::new();
    for leaf in leaves {
        let length = u16::try_from(leaf.entry.len()).expect("this log has no longer entries");
        bytes.put_u16(length);
        bytes.put_slice(&leaf.entry);
    }
    bytes.freeze()
}

/// The position of a leaf in its tile.
fn position(index: u64) -> usize {
    usize::try_from(index % TILE_WIDTH).expect("a position is below 256")
}
