//! The seam: a log's directory is opened, and batches are committed to it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use merkle::{Edge, EdgeError, Hash, Node, TILE_WIDTH, Tile, TreeSize};

use crate::anchor::{Anchor, AnchorError, Anchored};
use crate::archive::{Archive, ArchiveError};
use crate::format::{Format, FormatError};
use crate::journal::{self, Journal, JournalError, Segments};
use crate::record::{Batch, Head, Record};
use crate::{Files, Framing, Leaf, Lock};

/// Where a log is kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The directory of this log, and of nothing else.
    pub directory: PathBuf,
    /// The directory of anchors, outside the first.
    pub anchors: PathBuf,
    /// The permanent name of the log.
    pub origin: String,
    /// Whether to make an anchor if there is none.
    pub new_anchor: bool,
    /// A journal segment that has grown beyond this is closed: [`SEGMENT_BYTES`].
    pub segment_bytes: u64,
}

/// A log's storage, open for writing. There is one per log, in one process.
pub struct Store {
    journal: Journal,
    anchor: Anchor,
    _lock: Box<dyn Lock>,
}

/// A store that was opened, and what is in it.
pub struct Opened {
    /// For committing.
    pub store: Store,
    /// For reading complete groups and tiles, and for storing those that are not.
    pub archive: Archive,
    /// For keeping the journal short.
    pub segments: Segments,
    /// What must be in memory.
    pub recovered: Recovered,
    /// What the directory says about itself.
    pub format: Format,
}

/// What a log has beyond its archive.
#[derive(Debug)]
pub struct Recovered {
    /// The newest committed state.
    pub head: Head,
    /// How many leaves are certainly in the archive: whole groups.
    pub stored: TreeSize,
    /// All leaves from there on.
    pub leaves: Vec<Leaf>,
    /// For each level of tiles, the rightmost tile that is not in the archive, as it is at `stored`: its number, and
    /// its hashes so far.
    pub tiles: Vec<(u64, Tile)>,
}

/// Why a store was not made. The operator's to act on.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Nothing is changed then.
    #[error("{} holds a log already", directory.display())]
    Exists {
        /// The directory.
        directory: PathBuf,
    },
    /// Another process is at it.
    #[error("{} is in use by another process", directory.display())]
    InUse {
        /// The directory.
        directory: PathBuf,
    },
    /// A file or directory operation failed. Try again.
    #[error("the log's directory {} cannot be made", directory.display())]
    Files {
        /// The directory.
        directory: PathBuf,
        /// What failed.
        #[source]
        source: io::Error,
    },
    /// The anchor was not made. Try again.
    #[error("the log's anchor cannot be made")]
    Anchor(#[source] AnchorError),
}

/// Why a store was not opened. The operator's to act on. Nothing is changed then.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no log.
    #[error("{} holds no log", directory.display())]
    Absent {
        /// The directory.
        directory: PathBuf,
    },
    /// Another process has it open.
    #[error("{} is in use by another process", directory.display())]
    InUse {
        /// The directory.
        directory: PathBuf,
    },
    /// The directory is not of a kind that can be opened.
    #[error("{} cannot be opened by this version", directory.display())]
    Format {
        /// The directory.
        directory: PathBuf,
        /// Why.
        #[source]
        source: FormatError,
    },
    /// The directory is of another log.
    #[error("{} holds the log `{found}`, not `{expected}`", directory.display())]
    OtherLog {
        /// The directory.
        directory: PathBuf,
        /// The log that was asked for.
        expected: String,
        /// The log that is there.
        found: String,
    },
    /// The journal cannot be read.
    #[error("the journal of {} is not sound", directory.display())]
    Journal {
        /// The directory.
        directory: PathBuf,
        /// Why.
        #[source]
        source: JournalError,
    },
    /// A tile that the journal relies on is not there, or not sound.
    #[error("the tiles of the log are not sound")]
    Archive(#[from] ArchiveError),
    /// The journal does not continue the tree that the tiles have.
    #[error("the journal does not fit the tiles at {size} leaves")]
    Tree {
        /// Where they part.
        size: TreeSize,
    },
    /// The log is not what its anchor remembers.
    #[error("the log is refused because of its anchor")]
    Anchor(#[from] AnchorError),
    /// A file or directory operation failed.
    #[error("{} cannot be used", directory.display())]
    Files {
        /// The directory.
        directory: PathBuf,
        /// What failed.
        #[source]
        source: io::Error,
    },
}

/// Something failed on the way to a commit: the batch may be in the log or not. Opening the store again tells; this
/// one must not be used any more.
#[derive(Debug, thiserror::Error)]
#[error("it is not known whether the batch is committed")]
pub struct CommitError(#[source] pub io::Error);

const FORMAT: &str = "format";
const LOCK: &str = "lock";
const JOURNAL: &str = "journal";

impl Store {
    /// Makes a log with a first batch, which has no leaves. What an attempt that was interrupted left is replaced.
    ///
    /// The file `format` is written last: only a directory that has it is a log.
    ///
    /// # Errors
    ///
    /// See [`CreateError`].
    pub fn create(
        files: &Arc<dyn Files>,
        settings: &Settings,
        framing: Framing,
        first: &Batch<'_>,
    ) -> Result<(), CreateError> {
        let directory = &settings.directory;
        let failed = |source| CreateError::Files { directory: directory.clone(), source };
        make_directory(&**files, directory).map_err(failed)?;
        let lock = files.lock(&directory.join(LOCK)).map_err(failed)?;
        let _lock = lock.ok_or_else(|| CreateError::InUse { directory: directory.clone() })?;
        if files.read(&directory.join(FORMAT)).is_ok() {
            return Err(CreateError::Exists { directory: directory.clone() });
        }

        let instance = crypto::random_array();
        let format = Format { origin: settings.origin.clone(), instance, framing };
        let state = Anchored { size: first.edge.size(), root: first.edge.root() };
        write_journal(files, settings, &format, first).map_err(failed)?;
        make_directory(&**files, &settings.anchors).map_err(failed)?;
        Anchor::create(&**files, &settings.anchors, instance, state)
            .map_err(CreateError::Anchor)?;
        write_format(&**files, settings, &format).map_err(failed)
    }

    /// Opens a log, and checks that it is whole, and no older than its anchor remembers.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub fn open(files: &Arc<dyn Files>, settings: &Settings) -> Result<Opened, OpenError> {
        let directory = &settings.directory;
        let failed = |source| OpenError::Files { directory: directory.clone(), source };
        let format = read_format(&**files, settings)?;
        let lock = files.lock(&directory.join(LOCK)).map_err(failed)?;
        let lock = lock.ok_or_else(|| OpenError::InUse { directory: directory.clone() })?;

        let archive = Archive::new(Arc::clone(files), directory.clone(), format.framing);
        let path = directory.join(JOURNAL);
        let key = format.record_key();
        let replay = journal::read(&**files, &path, key)
            .map_err(|source| OpenError::Journal { directory: directory.clone(), source })?;
        let recovery = Recovery::new(&archive, &replay.records)?;
        let anchor = open_anchor(&**files, settings, &format, &recovery)?;
        let recovered = recovery.finish();

        let journal =
            Journal::resume(Arc::clone(files), path, key, settings.segment_bytes, &replay)
                .map_err(failed)?;
        let segments = journal.segments();
        let store = Self { journal, anchor, _lock: lock };
        Ok(Opened { store, archive, segments, recovered, format })
    }

    /// Commits a batch: one record, one sync, then the anchor. When it returns, the batch is durable.
    ///
    /// # Errors
    ///
    /// [`CommitError`].
    pub fn commit(&mut self, batch: &Batch<'_>) -> Result<(), CommitError> {
        self.journal.append(batch).map_err(CommitError)?;
        let state = Anchored { size: batch.edge.size(), root: batch.edge.root() };
        self.anchor.write(state).map_err(CommitError)
    }

    /// How many syncs committing has asked for since the store was opened.
    #[must_use]
    pub const fn syncs(&self) -> u64 {
        self.journal.syncs()
    }

    /// Makes the anchor durable: before the process ends, or when it is idle.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn sync_anchor(&mut self) -> io::Result<()> {
        self.anchor.sync()
    }
}

/// Makes a directory, durably. The one above it must exist.
fn make_directory(files: &dyn Files, path: &Path) -> io::Result<()> {
    files.create_dir(path)?;
    path.parent().map_or(Ok(()), |parent| files.sync_dir(parent))
}

fn write_journal(
    files: &Arc<dyn Files>,
    settings: &Settings,
    format: &Format,
    first: &Batch<'_>,
) -> io::Result<()> {
    let path = settings.directory.join(JOURNAL);
    make_directory(&**files, &path)?;
    Journal::create(Arc::clone(files), path, format.record_key(), settings.segment_bytes)?
        .append(first)
}

fn write_format(files: &dyn Files, settings: &Settings, format: &Format) -> io::Result<()> {
    let path = settings.directory.join(FORMAT);
    let temporary = path.with_extension("tmp");
    if files.read(&temporary).is_ok() {
        files.remove(&temporary)?;
    }
    let mut file = files.create(&temporary)?;
    file.write_at(0, format.to_string().as_bytes())?;
    file.sync_data()?;
    files.rename(&temporary, &path)?;
    files.sync_dir(&settings.directory)
}

fn read_format(files: &dyn Files, settings: &Settings) -> Result<Format, OpenError> {
    let directory = settings.directory.clone();
    let bytes = match files.read(&directory.join(FORMAT)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(OpenError::Absent { directory });
        }
        Err(source) => return Err(OpenError::Files { directory, source }),
    };
    let format = Format::parse(&bytes)
        .map_err(|source| OpenError::Format { directory: directory.clone(), source })?;
    if format.origin == settings.origin {
        Ok(format)
    } else {
        let expected = settings.origin.clone();
        Err(OpenError::OtherLog { directory, expected, found: format.origin })
    }
}

fn open_anchor(
    files: &dyn Files,
    settings: &Settings,
    format: &Format,
    recovery: &Recovery<'_>,
) -> Result<Anchor, OpenError> {
    match Anchor::open(files, &settings.anchors, format.instance) {
        Ok((anchor, anchored)) => {
            anchored.judge(recovery.edge.size(), |size| recovery.root_at(size))?;
            Ok(anchor)
        }
        Err(AnchorError::Missing { .. } | AnchorError::Damaged { .. }) if settings.new_anchor => {
            let state = Anchored { size: recovery.edge.size(), root: recovery.edge.root() };
            Ok(Anchor::create(files, &settings.anchors, format.instance, state)?)
        }
        Err(error) => Err(error.into()),
    }
}

/// The tree, as it is put together from tiles and journal.
struct Recovery<'a> {
    archive: &'a Archive,
    stored: TreeSize,
    leaves: Vec<Leaf>,
    tiles: Vec<(u64, Tile)>,
    edge: Edge,
    head: &'a Head,
}

impl<'a> Recovery<'a> {
    /// Replays the journal on top of the tiles, and checks every record's edge.
    fn new(archive: &'a Archive, records: &'a [Record]) -> Result<Self, OpenError> {
        let (first, last) = match records {
            [first, ..] => (first.first, records.last().unwrap_or(first)),
            [] => unreachable!("a journal that was read has a record"),
        };
        // A segment is removed only when every group that it has a part of is stored.
        let stored = TreeSize::new(first.get().next_multiple_of(TILE_WIDTH));
        let tiles = right_edge(archive, stored)?;
        let head = &last.head;
        let mut recovery =
            Self { archive, stored, leaves: Vec::new(), tiles, edge: Edge::default(), head };
        recovery.edge = recovery.edge_at(TreeSize::new(first.get()))?;
        for record in records {
            recovery.replay(record)?;
        }
        Ok(recovery)
    }

    fn replay(&mut self, record: &Record) -> Result<(), OpenError> {
        for leaf in &record.leaves {
            if self.edge.size() >= self.stored {
                self.leaves.push(leaf.clone());
            }
            self.edge.append(leaf.hash);
        }
        let size = self.edge.size();
        if self.edge != record.head.edge || (size == self.stored && !self.agrees_at_stored()?) {
            return Err(OpenError::Tree { size });
        }
        Ok(())
    }

    /// Whether the journal leads to the same tree as the tiles where it passes from one to the other.
    fn agrees_at_stored(&self) -> Result<bool, OpenError> {
        Ok(self.edge_at(self.stored)? == self.edge)
    }

    /// The edge of the first `size` leaves, which the archive has.
    fn edge_at(&self, size: TreeSize) -> Result<Edge, OpenError> {
        let mut peaks = Vec::new();
        let mut from = 0;
        while from < size.get() {
            let leaves = 1 << (size.get() - from).ilog2();
            peaks.extend(Node::over(from, from + leaves).map(|node| self.node(node)));
            from += leaves;
        }
        let peaks = peaks.into_iter().collect::<Result<_, _>>()?;
        Edge::from_peaks(size, peaks).map_err(|EdgeError { size, .. }| OpenError::Tree { size })
    }

    /// The root of the first `size` leaves.
    fn root_at(&self, size: TreeSize) -> Result<Hash, OpenError> {
        merkle::root_at(size, |node| self.node(node))
    }

    /// The hash of a complete subtree, from tiles or from the leaves of the journal.
    fn node(&self, node: Node) -> Result<Hash, OpenError> {
        let unknown = || OpenError::Tree { size: self.stored };
        let leaves = 1_u64 << node.level;
        let (start, end) = (node.index * leaves, (node.index + 1) * leaves);
        if start >= self.stored.get() {
            let within = |at: u64| usize::try_from(at - self.stored.get()).ok();
            let range = within(start).zip(within(end)).ok_or_else(unknown)?;
            let leaves = self.leaves.get(range.0..range.1).ok_or_else(unknown)?;
            let mut edge = Edge::default();
            leaves.iter().for_each(|leaf| edge.append(leaf.hash));
            return Ok(edge.root());
        }
        if end > self.stored.get() {
            let half = Node { level: node.level - 1, index: node.index * 2 };
            let other = Node { index: half.index + 1, ..half };
            return Ok(Hash::node(&self.node(half)?, &self.node(other)?));
        }
        let level = u8::try_from(node.tile_level()).map_err(|_| unknown())?;
        let (index, height) = (node.tile_index(), node.height_in_tile());
        let position = node.position_in_tile();
        let hash = match self.tiles.get(usize::from(level)) {
            Some((current, tile)) if *current == index => tile.node(height, position),
            _ => self.archive.tile(level, index)?.node(height, position),
        };
        hash.ok_or_else(unknown)
    }

    fn finish(self) -> Recovered {
        let Self { stored, leaves, tiles, head, .. } = self;
        Recovered { head: head.clone(), stored, leaves, tiles }
    }
}

/// The tiles, one for each level, that the first `stored` leaves do not fill. `stored` is whole groups.
fn right_edge(archive: &Archive, stored: TreeSize) -> Result<Vec<(u64, Tile)>, OpenError> {
    let mut tiles = vec![(stored.get() / TILE_WIDTH, Tile::default())];
    let mut below = stored.get() / TILE_WIDTH;
    for level in 0_u8.. {
        if below == 0 {
            break;
        }
        let mut tile = Tile::default();
        for index in below / TILE_WIDTH * TILE_WIDTH..below {
            let full = archive.tile(level, index)?;
            tile.append(root_of(&full));
        }
        below /= TILE_WIDTH;
        tiles.push((below, tile));
    }
    Ok(tiles)
}

/// The hash of the node over a full tile.
fn root_of(tile: &Tile) -> Hash {
    let (left, right) = (tile.node(7, 0), tile.node(7, 1));
    let (left, right) = left.zip(right).expect("the archive answers with full tiles only");
    Hash::node(&left, &right)
}
