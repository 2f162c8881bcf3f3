//! The index: which leaf has an identity. Derived from the log, and rebuilt from it when lost.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use merkle::{Hash, LeafIndex, TreeSize};

use crate::bytes_codec::Input;

/// What is looked up: two kinds of hash that must not be taken for each other.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Key {
    /// The hash of a leaf.
    Leaf(Hash),
    /// An identity that is not the hash of a leaf.
    Own(Hash),
}

impl Key {
    fn to_bytes(self) -> [u8; 33] {
        let (kind, hash) = match self {
            Self::Leaf(hash) => (b'l', hash),
            Self::Own(hash) => (b'o', hash),
        };
        let mut bytes = [kind; 33];
        bytes[1..].copy_from_slice(hash.as_bytes());
        bytes
    }
}

/// How much of a log an index has: exactly the first `size` leaves of the tree with that `root`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct IndexPosition {
    /// The number of leaves.
    pub size: TreeSize,
    /// Their root.
    pub root: Hash,
}

/// An index that is open.
pub trait Index: Send + Sync {
    /// How much of the log is in it.
    ///
    /// # Errors
    ///
    /// See [`IndexError`].
    fn position(&self) -> Result<IndexPosition, IndexError>;

    /// Finds the leaf with this key.
    ///
    /// # Errors
    ///
    /// See [`IndexError`].
    fn find(&self, key: Key) -> Result<Option<LeafIndex>, IndexError>;

    /// Adds keys and moves the position, in one step: after a crash both are there or neither is. When is not
    /// promised: what was added last may be lost, and is then added again.
    ///
    /// # Errors
    ///
    /// See [`IndexError`].
    fn advance(&self, keys: &[(Key, LeafIndex)], to: IndexPosition) -> Result<(), IndexError>;
}

/// Where a log's index is. Opening one costs time and memory, so it is put off until it is needed.
pub trait Indexes: Send + Sync {
    /// Opens the index; `None` if there is none.
    ///
    /// # Errors
    ///
    /// See [`IndexError`].
    fn open(&self) -> Result<Option<Arc<dyn Index>>, IndexError>;

    /// Makes an empty index in place of what is there.
    ///
    /// # Errors
    ///
    /// See [`IndexError`].
    fn create(&self) -> Result<Arc<dyn Index>, IndexError>;
}

/// Why the index cannot be used. It can be deleted and rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The database failed.
    #[error("the index cannot be used")]
    Database(#[source] fjall::Error),
    /// Its directory cannot be made or removed.
    #[error("the index's directory cannot be used")]
    Directory(#[source] io::Error),
    /// A value in it is not one that was written.
    #[error("the index is damaged")]
    Damaged,
}

/// Indexes in fjall, an LSM tree: the fastest random inserts of those measured.
#[derive(Clone, Debug)]
pub struct FjallIndexes {
    directory: PathBuf,
}

/// The block cache of one index. Point reads of uniformly random keys profit little from more.
const CACHE: u64 = 2 * 1024 * 1024;

/// How much is in memory before it becomes a table.
const MEMTABLE: u64 = 4 * 1024 * 1024;

/// How many tables may be open.
const OPEN_FILES: usize = 64;

/// The smallest that the database allows.
const JOURNALS: u64 = 64 * 1024 * 1024;

const POSITION: &[u8] = b"position";

impl FjallIndexes {
    /// The index in `directory`.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    fn database(&self) -> Result<Arc<dyn Index>, IndexError> {
        let database = Database::builder(&self.directory)
            .cache_size(CACHE)
            .worker_threads(1)
            .max_cached_files(Some(OPEN_FILES))
            .max_journaling_size(JOURNALS)
            .open()
            .map_err(IndexError::Database)?;
        let keys = database
            .keyspace("keys", || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE))
            .map_err(IndexError::Database)?;
        Ok(Arc::new(FjallIndex { database, keys }))
    }
}

impl Indexes for FjallIndexes {
    fn open(&self) -> Result<Option<Arc<dyn Index>>, IndexError> {
        if self.directory.exists() { self.database().map(Some) } else { Ok(None) }
    }

    fn create(&self) -> Result<Arc<dyn Index>, IndexError> {
        match fs::remove_dir_all(&self.directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(IndexError::Directory(error));
            }
            _ => (),
        }
        self.database()
    }
}

struct FjallIndex {
    database: Database,
    keys: Keyspace,
}

impl Index for FjallIndex {
    fn position(&self) -> Result<IndexPosition, IndexError> {
        match self.keys.get(POSITION).map_err(IndexError::Database)? {
            None => Ok(IndexPosition { size: TreeSize::ZERO, root: Hash::of_empty_tree() }),
            Some(bytes) => decode_position(&bytes).ok_or(IndexError::Damaged),
        }
    }

    fn find(&self, key: Key) -> Result<Option<LeafIndex>, IndexError> {
        match self.keys.get(key.to_bytes()).map_err(IndexError::Database)? {
            None => Ok(None),
            Some(bytes) => {
                let index = Input(&bytes).u64().ok_or(IndexError::Damaged)?;
                Ok(Some(LeafIndex::new(index)))
            }
        }
    }

    fn advance(&self, keys: &[(Key, LeafIndex)], to: IndexPosition) -> Result<(), IndexError> {
        let mut batch = self.database.batch();
        for (key, index) in keys {
            batch.insert(&self.keys, key.to_bytes(), index.get().to_be_bytes());
        }
        let position = [&to.size.get().to_be_bytes()[..], to.root.as_bytes()].concat();
        batch.insert(&self.keys, POSITION, position);
        batch.commit().map_err(IndexError::Database)
    }
}

fn decode_position(bytes: &[u8]) -> Option<IndexPosition> {
    let mut input = Input(bytes);
    let (size, root) = (TreeSize::new(input.u64()?), Hash::new(input.array()?));
    input.is_empty().then_some(IndexPosition { size, root })
}

/// An index in memory, for tests and for logs that are not kept. Clones are the same index.
#[derive(Clone, Default)]
pub struct MemoryIndexes(Arc<Mutex<Option<MemoryIndex>>>);

#[derive(Clone)]
struct MemoryIndex {
    keys: HashMap<Key, LeafIndex>,
    position: IndexPosition,
}

impl MemoryIndexes {
    /// Loses the index.
    pub fn lose(&self) {
        *self.lock() = None;
    }

    /// An index of its own with the same contents.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.lock().clone())))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<MemoryIndex>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Indexes for MemoryIndexes {
    fn open(&self) -> Result<Option<Arc<dyn Index>>, IndexError> {
        let there = self.lock().is_some();
        Ok(there.then(|| -> Arc<dyn Index> { Arc::new(self.clone()) }))
    }

    fn create(&self) -> Result<Arc<dyn Index>, IndexError> {
        let position = IndexPosition { size: TreeSize::ZERO, root: Hash::of_empty_tree() };
        *self.lock() = Some(MemoryIndex { keys: HashMap::new(), position });
        Ok(Arc::new(self.clone()))
    }
}

impl Index for MemoryIndexes {
    fn position(&self) -> Result<IndexPosition, IndexError> {
        self.lock().as_ref().map(|index| index.position).ok_or(IndexError::Damaged)
    }

    fn find(&self, key: Key) -> Result<Option<LeafIndex>, IndexError> {
        let index = self.lock();
        Ok(index.as_ref().ok_or(IndexError::Damaged)?.keys.get(&key).copied())
    }

    fn advance(&self, keys: &[(Key, LeafIndex)], to: IndexPosition) -> Result<(), IndexError> {
        let mut index = self.lock();
        let index = index.as_mut().ok_or(IndexError::Damaged)?;
        index.keys.extend(keys.iter().copied());
        index.position = to;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What every index must do.
    fn laws(indexes: &dyn Indexes) {
        assert!(indexes.open().unwrap().is_none());
        let index = indexes.create().unwrap();
        assert_eq!(index.position().unwrap().size, TreeSize::ZERO);
        let hash = Hash::leaf(b"leaf");
        let to = IndexPosition { size: TreeSize::new(8), root: hash };
        index.advance(&[(Key::Leaf(hash), LeafIndex::new(7))], to).unwrap();
        assert_eq!(index.find(Key::Leaf(hash)).unwrap(), Some(LeafIndex::new(7)));
        assert_eq!(index.find(Key::Own(hash)).unwrap(), None);
        drop(index);
        let again = indexes.open().unwrap().unwrap();
        assert_eq!(again.position().unwrap(), to);
        assert_eq!(again.find(Key::Leaf(hash)).unwrap(), Some(LeafIndex::new(7)));
        drop(again);
        assert_eq!(indexes.create().unwrap().position().unwrap().size, TreeSize::ZERO);
    }

    #[test]
    fn both_indexes_keep_the_laws() {
        laws(&MemoryIndexes::default());
        let directory = tempfile::tempdir().unwrap();
        laws(&FjallIndexes::new(directory.path().join("index")));
    }
}
