//! Where a log lives, and how it is opened.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::DialectError;

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
}

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
            queue_entries: 8192,
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

/// Why a log was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The first checkpoint was not signed.
    #[error("the first checkpoint of the log was not signed")]
    Sign(#[source] DialectError),
}

/// Why a log was not opened. The operator's to act on.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {}
