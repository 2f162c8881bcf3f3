//! The seam: a log's directory is opened, and batches are committed to it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use merkle::TreeSize;

use crate::anchor::{Anchor, AnchorError, Anchored};
use crate::archive::{Archive, ArchiveError};
use crate::format::{Format, FormatError};
use crate::journal::{self, Journal, JournalError, Segments};
use crate::record::Batch;
use crate::recovery::{Recovered, Recovery};
use crate::{Files, Framing, Lock};

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
    /// A journal segment that has grown beyond this is closed: `SEGMENT_BYTES`.
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
        match files.read(&directory.join(FORMAT)) {
            Ok(_) => return Err(CreateError::Exists { directory: directory.clone() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (),
            // There may be a log. Nothing of it may be replaced.
            Err(error) => return Err(failed(error)),
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
