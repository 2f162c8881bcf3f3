//! Complete tiles, bundles and what is kept beside them, as files that never change.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use merkle::{Hash, LeafIndex, Tile, TileKind, TilePath};

use crate::group::{self, GROUP, Row};
use crate::{Files, Framing, Leaf};

/// The files of complete groups of a log. Cheap to clone; readers and the writer share it.
#[derive(Clone, Debug)]
pub struct Archive {
    files: Arc<dyn Files>,
    directory: PathBuf,
    framing: Framing,
    /// Directories that are known to be durable.
    directories: Arc<Mutex<BTreeSet<PathBuf>>>,
}

/// Why something was not read from, or written to, the archive. The operator's to act on.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A file or directory operation failed.
    #[error("{} cannot be used", path.display())]
    Files {
        /// The file or directory.
        path: PathBuf,
        /// What failed.
        #[source]
        source: io::Error,
    },
    /// A file is there with other contents than it must have.
    #[error("{} is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

impl Archive {
    pub(crate) fn new(files: Arc<dyn Files>, directory: PathBuf, framing: Framing) -> Self {
        let directories = Arc::new(Mutex::new(BTreeSet::from([directory.clone()])));
        Self { files, directory, framing, directories }
    }

    /// How entries are written in bundles.
    #[must_use]
    pub const fn framing(&self) -> Framing {
        self.framing
    }

    fn tile_path(&self, level: u8, index: u64) -> PathBuf {
        self.directory.join(TilePath::full(TileKind::Hashes { level }, index).to_string())
    }

    fn entries_path(&self, group: u64) -> PathBuf {
        let tile = TilePath::full(TileKind::Entries, group).to_string();
        match self.framing {
            Framing::Short => self.directory.join(tile),
            Framing::Long => self.directory.join(tile.replacen("tile/", "", 1)),
        }
    }

    fn beside_path(&self, group: u64) -> PathBuf {
        let tile = TilePath::full(TileKind::Entries, group).to_string();
        self.directory.join(tile.replacen("tile/entries", "beside", 1))
    }

    /// Reads a full tile.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub fn tile(&self, level: u8, index: u64) -> Result<Tile, ArchiveError> {
        let path = self.tile_path(level, index);
        let bytes = self.read(&path)?;
        match Tile::from_bytes(&bytes) {
            Ok(tile) if tile.is_full() => Ok(tile),
            _ => Err(ArchiveError::Damaged { path }),
        }
    }

    /// Reads the first `width` hashes of a full tile, as they are served.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub fn tile_bytes(&self, level: u8, index: u64, width: usize) -> Result<Bytes, ArchiveError> {
        self.read_at(&self.tile_path(level, index), (0, width * Hash::LENGTH)).map(Bytes::from)
    }

    /// Reads one leaf.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub fn leaf(&self, index: LeafIndex) -> Result<Leaf, ArchiveError> {
        let (group, position) = place(index);
        let beside = self.beside_path(group);
        let damaged = || ArchiveError::Damaged { path: beside.clone() };
        let row = self.read_at(&beside, group::row_at(position))?;
        let row = Row::decode(&row).ok_or_else(damaged)?;
        let entry = self.read_at(&self.entries_path(group), row.entry)?;
        let metadata = self.read_at(&beside, row.metadata)?;
        if !row.is_sound(&entry, &metadata) {
            return Err(damaged());
        }
        let hash = Hash::leaf(&entry);
        let (entry, metadata) = (Bytes::from(entry), Bytes::from(metadata));
        Ok(Leaf { hash, identity: None, time_ms: row.time_ms, entry, metadata })
    }

    /// Reads the leaves at `positions` of a group.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub fn leaves(
        &self,
        group: u64,
        positions: std::ops::Range<usize>,
    ) -> Result<Vec<Leaf>, ArchiveError> {
        let path = self.beside_path(group);
        let (entries, beside) = (self.read(&self.entries_path(group))?, self.read(&path)?);
        positions
            .map(|position| group::decode_leaf(&entries, &beside, position))
            .collect::<Option<_>>()
            .ok_or(ArchiveError::Damaged { path })
    }

    /// Reads the first `width` entries of a bundle, as they are served.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub fn bundle(&self, group: u64, width: usize) -> Result<Bytes, ArchiveError> {
        let path = self.entries_path(group);
        let mut bytes = self.read(&path)?;
        let entries = group::decode_entries(self.framing, &bytes);
        let length = entries.filter(|entries| entries.len() == GROUP).map(|entries| {
            group::encode_entries_length(self.framing, entries.into_iter().take(width))
        });
        bytes.truncate(length.ok_or(ArchiveError::Damaged { path })?);
        Ok(bytes.into())
    }

    /// Reads the identities of a group: `None` if they are the hashes of the leaves.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub fn identities(&self, group: u64) -> Result<Option<Vec<Hash>>, ArchiveError> {
        let path = self.beside_path(group);
        let beside = self.read(&path)?;
        match group::identities(&beside) {
            None if !group::has_no_identities(&beside) => Err(ArchiveError::Damaged { path }),
            identities => Ok(identities),
        }
    }

    /// Makes files of complete groups and tiles, durably. Those that are there already are compared.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`]. It can be done again.
    pub fn store(
        &self,
        groups: &BTreeMap<u64, Vec<Leaf>>,
        tiles: &BTreeMap<(u8, u64), Tile>,
    ) -> Result<(), ArchiveError> {
        let mut touched = BTreeSet::new();
        for (group, leaves) in groups {
            debug_assert_eq!(leaves.len(), GROUP, "only complete groups become files");
            let entries = leaves.iter().map(|leaf| &leaf.entry);
            let bundle = group::encode_entries(self.framing, entries);
            self.write(&self.entries_path(*group), &bundle, &mut touched)?;
            let beside = group::encode_beside(self.framing, leaves);
            self.write(&self.beside_path(*group), &beside, &mut touched)?;
        }
        for ((level, index), tile) in tiles {
            let bytes = tile.to_bytes(GROUP).expect("only full tiles become files");
            self.write(&self.tile_path(*level, *index), &bytes, &mut touched)?;
        }
        touched.iter().try_for_each(|directory| {
            self.files.sync_dir(directory).map_err(|source| failed(directory, source))
        })
    }

    /// Writes one file under a temporary name, syncs it, and gives it its own. The name is durable once its
    /// directory, which is added to `touched`, is synced.
    fn write(
        &self,
        path: &Path,
        contents: &[u8],
        touched: &mut BTreeSet<PathBuf>,
    ) -> Result<(), ArchiveError> {
        let parent = path.parent().unwrap_or(&self.directory).to_path_buf();
        self.make_directory(&parent)?;
        touched.insert(parent);
        match self.files.read(path) {
            Ok(found) if found == contents => return Ok(()),
            Ok(_) => return Err(ArchiveError::Damaged { path: path.to_path_buf() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (),
            Err(source) => return Err(failed(path, source)),
        }
        self.write_absent(path, contents).map_err(|source| failed(path, source))
    }

    fn write_absent(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        let temporary = path.with_extension("tmp");
        let mut file = match self.files.create(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.files.remove(&temporary)?;
                self.files.create(&temporary)?
            }
            file => file?,
        };
        file.write_at(0, contents)?;
        file.sync_data()?;
        self.files.rename(&temporary, path)
    }

    /// Makes a directory and those above it, each durable before anything is put into it.
    fn make_directory(&self, path: &Path) -> Result<(), ArchiveError> {
        if self.lock().contains(path) {
            return Ok(());
        }
        let parent = path.parent().unwrap_or(&self.directory);
        self.make_directory(parent)?;
        self.files
            .create_dir(path)
            .and_then(|()| self.files.sync_dir(parent))
            .map_err(|source| failed(path, source))?;
        self.lock().insert(path.to_path_buf());
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<PathBuf>> {
        self.directories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, ArchiveError> {
        self.files.read(path).map_err(|source| failed(path, source))
    }

    fn read_at(
        &self,
        path: &Path,
        (offset, length): (u64, usize),
    ) -> Result<Vec<u8>, ArchiveError> {
        self.files.read_at(path, offset, length).map_err(|source| failed(path, source))
    }
}

/// The group of a leaf, and its position there.
fn place(index: LeafIndex) -> (u64, usize) {
    let group = GROUP as u64;
    let position = usize::try_from(index.get() % group).expect("a position is below 256");
    (index.get() / group, position)
}

fn failed(path: &Path, source: io::Error) -> ArchiveError {
    ArchiveError::Files { path: path.to_path_buf(), source }
}
