//! A log that can be written to.

use std::sync::Arc;

use crate::{
    CreateError, Dialect, DialectError, LogOptions, OpenError, Published, Reader, Receipt,
};

/// A log that can be written to. Share it in an `Arc`.
pub struct Log<D: Dialect> {
    dialect: Arc<D>,
}

/// Why a submission has no receipt.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SubmitError {
    /// The submitter's to repeat: too much is waiting.
    #[error("the log is busy")]
    Busy,
    /// The submitter's to repeat: the log was opened a moment ago and does not yet know all that it has.
    #[error("the log is indexing: {done} of {of} leaves")]
    Indexing {
        /// How many leaves are indexed.
        done: u64,
        /// How many there are.
        of: u64,
    },
    /// The submitter's to take elsewhere: the log will never grow again.
    #[error("the log is frozen")]
    Frozen,
    /// The submitter's to fix: the entry is longer than the log takes.
    #[error("the entry has {length} bytes, more than {limit}")]
    TooLong {
        /// Its length.
        length: usize,
        /// The longest.
        limit: usize,
    },
    /// The dialect refused to seal the entry, or to sign the checkpoint. Nothing was logged.
    #[error("the entry was not sealed")]
    NotSealed(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The operator's to fix. The entry may or may not be in the log: opening the log again will tell, and
    /// submitting it again then is harmless.
    #[error("it is not known whether the entry is in the log")]
    NotKnown,
    /// The operator's to fix: the log has stopped and takes nothing. The entry was not logged.
    #[error("the log has stopped")]
    Stopped,
    /// The entry is in the log, and could not be read back. The operator's to fix.
    #[error("the logged entry cannot be read")]
    Read(#[source] Arc<crate::ReadError>),
}

/// Why a log was not frozen.
#[derive(Debug, thiserror::Error)]
pub enum FreezeError {
    /// The last checkpoint was not signed. Nothing has changed.
    #[error("the last checkpoint was not signed")]
    Sign(#[source] DialectError),
    /// The log has stopped. Whether it is frozen, opening it again tells.
    #[error("the log has stopped")]
    Stopped,
}

impl<D: Dialect> Log<D> {
    /// Makes an empty log with its first checkpoint and its anchor.
    ///
    /// # Errors
    ///
    /// See [`CreateError`]. A directory that holds a log is refused; one that was half made is finished.
    pub fn create(options: &LogOptions, dialect: &D) -> Result<(), CreateError> {
        let _ = (options, dialect);
        todo!()
    }

    /// Opens a log and starts its threads. The log may still be indexing when this returns ([`Reader::state`]).
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub fn open(options: LogOptions, dialect: D) -> Result<Self, OpenError> {
        let _ = (options, dialect);
        todo!()
    }

    /// The owner's half, as it was given.
    #[must_use]
    pub fn dialect(&self) -> &D {
        &self.dialect
    }

    /// Reads the log.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        todo!()
    }

    /// Puts an entry into the log, unless it is there, and waits until that is durable.
    ///
    /// Dropping the future does not take the submission back.
    ///
    /// # Errors
    ///
    /// See [`SubmitError`].
    pub async fn submit(&self, submission: D::Submission) -> Result<Receipt, SubmitError> {
        let _ = submission;
        todo!()
    }

    /// Signs a last checkpoint, after which the log never grows again.
    ///
    /// # Errors
    ///
    /// See [`FreezeError`].
    pub async fn freeze(&self) -> Result<Arc<Published>, FreezeError> {
        todo!()
    }

    /// Takes nothing more, finishes what waits, and ends the threads. Idempotent.
    pub async fn stop(&self) {
        todo!()
    }
}
