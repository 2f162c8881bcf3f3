//! Where a log lives, and how it is opened.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::DialectError;
use crate::identities::RECENT_IDENTITIES;

/// Tells the time. Unlike a caller who asks whether time can be trusted, the engine only needs a value: it is
/// the caller's to refuse submissions while it cannot.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Where a log lives, and its limits.
#[derive(Clone)]
pub struct LogOptions {
    /// The directory of this log, and of nothing else.
    pub directory: PathBuf,
    /// The directory of the anchors, outside the data directory. Each log has one file there.
    pub anchors: PathBuf,
    /// The permanent name of the log. A directory of another log is refused.
    pub origin: String,
    /// Tells the time.
    pub clock: Clock,
    /// Make a new anchor if there is none (`--new-anchor`). It says: this directory is the newest state.
    pub new_anchor: bool,
    /// How many submissions may wait. One more is refused as busy.
    pub queue_entries: usize,
    /// When a journal segment is closed.
    pub segment_bytes: u64,
    /// How many leaves may be in memory before their identities are moved to the index.
    pub recent_identities: u64,
}

/// The usual length of the queue: a second's work, and more clients than a server of this kind has at once.
const QUEUE_ENTRIES: usize = 8192;

impl LogOptions {
    /// The usual limits, and the system's clock.
    #[must_use]
    pub fn new(
        directory: impl Into<PathBuf>,
        anchors: impl Into<PathBuf>,
        origin: impl Into<String>,
    ) -> Self {
        Self {
            directory: directory.into(),
            anchors: anchors.into(),
            origin: origin.into(),
            clock: Arc::new(Timestamp::now),
            new_anchor: false,
            queue_entries: QUEUE_ENTRIES,
            segment_bytes: storage::SEGMENT_BYTES,
            recent_identities: RECENT_IDENTITIES,
        }
    }
}

impl LogOptions {
    pub(crate) fn settings(&self) -> storage::Settings {
        storage::Settings {
            directory: self.directory.clone(),
            anchors: self.anchors.clone(),
            origin: self.origin.clone(),
            new_anchor: self.new_anchor,
            segment_bytes: self.segment_bytes,
        }
    }
}

impl fmt::Debug for LogOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogOptions")
            .field("directory", &self.directory)
            .field("anchors", &self.anchors)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// Why a log was not made. The operator's to act on.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The first checkpoint was not signed.
    #[error("the first checkpoint of the log was not signed")]
    Sign(#[source] DialectError),
    /// The dialect has longer entries than any log can have.
    #[error("entries of {max_entry} bytes are too long for any log")]
    MaxEntry {
        /// [`Dialect::MAX_ENTRY`](crate::Dialect::MAX_ENTRY).
        max_entry: usize,
    },
    /// The directory or the anchor was not made.
    #[error("the log was not made")]
    Storage(#[source] storage::CreateError),
}

/// Why a log was not opened. The operator's to act on.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory is not that of a log, is in use, is damaged, or is older than its anchor.
    #[error("the log `{origin}` was not opened")]
    Storage {
        /// The name of the log.
        origin: String,
        /// Why.
        #[source]
        source: storage::OpenError,
    },
    /// No thread could be started.
    #[error("the log's threads cannot be started")]
    Threads(#[source] std::io::Error),
    /// What the log has was not read. Only a small log reads all of it when it is opened.
    #[error("the log cannot be read")]
    Read(#[source] Box<dyn std::error::Error + Send + Sync>),
}
