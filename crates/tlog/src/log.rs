//! A log that can be written to.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use storage::{Batch, Disk, Files, FjallIndexes, Framing, Indexes, Meter, Store};
use tokio::sync::oneshot;

use crate::follower::Follower;
use crate::identities::Identities;
use crate::sequencer::{Answer, Outcome, Pending, Sequencer};
use crate::shared::Shared;
use crate::threads::{self, Command, Inbox};
use crate::{
    CreateError, Dialect, DialectError, Head, LogOptions, LogState, OpenError, Published,
    ReadError, Reader, Receipt,
};

/// A log that can be written to. Share it in an `Arc`.
///
/// Dropping it is like [`Log::stop`], and waits as long.
pub struct Log<D: Dialect> {
    dialect: Arc<D>,
    reader: Reader,
    inbox: Option<Inbox<D>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// How many bytes of leaves may wait in memory for their files, if a group of them is complete. Beyond, the disk is
/// slower than the submitters. What is less than a group waits for submitters and not for the disk: it is taken, and of
/// the longest entries it is 256 MiB.
const MAX_UNSTORED: u64 = 64 * 1024 * 1024;

/// Up to this many leaves are read when the log is opened, so that a small log is ready at once.
const READ_AT_ONCE: u64 = 4096;

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
    Read(#[source] Arc<ReadError>),
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
        Self::create_on(&(Arc::new(Disk) as Arc<dyn Files>), options, dialect)
    }

    pub(crate) fn create_on(
        files: &Arc<dyn Files>,
        options: &LogOptions,
        dialect: &D,
    ) -> Result<(), CreateError> {
        let max_entry = D::MAX_ENTRY;
        let framing = Framing::for_entries(max_entry).ok_or(CreateError::MaxEntry { max_entry })?;
        let edge = merkle::Edge::default();
        let time = (options.clock)();
        let head = Head { size: edge.size(), root: edge.root(), time, frozen: false };
        let checkpoint = dialect.sign_checkpoint(&head).map_err(CreateError::Sign)?;
        let first = Batch {
            leaves: &[],
            edge: &edge,
            time_ms: time.as_millisecond(),
            checkpoint: &checkpoint,
            frozen: false,
        };
        Store::create(files, &options.settings(), framing, &first).map_err(CreateError::Storage)
    }

    /// Opens a log and starts its threads. The log may still be indexing when this returns ([`Reader::state`]).
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub fn open(options: &LogOptions, dialect: D) -> Result<Self, OpenError> {
        let indexes = FjallIndexes::new(options.directory.join("index"));
        Self::open_on(Arc::new(Disk), Box::new(indexes), options, dialect)
    }

    pub(crate) fn open_on(
        files: Arc<dyn Files>,
        indexes: Box<dyn Indexes>,
        options: &LogOptions,
        dialect: D,
    ) -> Result<Self, OpenError> {
        let dialect = Arc::new(dialect);
        let (sequencer, follower) = parts(files, indexes, options, Arc::clone(&dialect))?;
        let reader = Reader::new(Arc::clone(&follower.shared));
        let small = reader.published().size.get() <= READ_AT_ONCE;
        if small {
            follower.catch_up().map_err(|error| OpenError::Read(Box::new(error)))?;
        }
        let (inbox, threads) =
            threads::start(sequencer, follower, options, small).map_err(OpenError::Threads)?;
        Ok(Self { dialect, reader, inbox: Some(inbox), threads: Mutex::new(threads) })
    }

    /// The owner's half, as it was given.
    #[must_use]
    pub fn dialect(&self) -> &D {
        &self.dialect
    }

    /// Reads the log.
    #[must_use]
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Puts an entry into the log, unless it is there, and waits until that is durable.
    ///
    /// Dropping the future does not take the submission back.
    ///
    /// # Errors
    ///
    /// See [`SubmitError`].
    pub async fn submit(&self, submission: D::Submission) -> Result<Receipt, SubmitError> {
        let answer = self.hand_in(submission)?;
        match answer.await {
            Ok(Ok(Outcome::Committed(receipt))) => Ok(*receipt),
            Ok(Ok(Outcome::Logged(index))) => {
                self.reader.repeat(index).await.map_err(|error| SubmitError::Read(Arc::new(error)))
            }
            Ok(Err(error)) => Err(error),
            // It was still in the queue when the owner stopped.
            Err(_) => Err(SubmitError::Stopped),
        }
    }

    fn hand_in(&self, submission: D::Submission) -> Result<oneshot::Receiver<Answer>, SubmitError> {
        match self.reader.state() {
            LogState::Ready => (),
            LogState::Indexing { done, of } => return Err(SubmitError::Indexing { done, of }),
            LogState::Frozen => return Err(SubmitError::Frozen),
            LogState::Stopped { .. } => return Err(SubmitError::Stopped),
        }
        let shared = self.reader.shared();
        if shared.counts.unstored_bytes.load(Ordering::Relaxed) > MAX_UNSTORED
            && shared.live().has_group()
        {
            return Err(SubmitError::Busy);
        }
        let inbox = self.inbox.as_ref().ok_or(SubmitError::Stopped)?;
        let identity = self.dialect.identity(&submission);
        let (answer, answered) = oneshot::channel();
        inbox.hand_in(Pending { submission, identity, answer })?;
        Ok(answered)
    }

    /// Signs a last checkpoint, after which the log never grows again.
    ///
    /// # Errors
    ///
    /// See [`FreezeError`].
    pub async fn freeze(&self) -> Result<Arc<Published>, FreezeError> {
        let inbox = self.inbox.as_ref().ok_or(FreezeError::Stopped)?;
        let (answer, answered) = oneshot::channel();
        inbox.commands.send(Command::Freeze(answer)).await.map_err(|_| FreezeError::Stopped)?;
        answered.await.unwrap_or(Err(FreezeError::Stopped))
    }

    /// Takes nothing more, finishes what waits, and ends the threads. Idempotent.
    pub async fn stop(&self) {
        self.reader.shared().ending.store(true, Ordering::Relaxed);
        if let Some(inbox) = &self.inbox {
            // If the owner has ended already, that is what was wanted.
            let _ = inbox.commands.send(Command::Stop).await;
        }
        let threads = self.take_threads();
        let joined = tokio::task::spawn_blocking(move || join(threads)).await;
        debug_assert!(joined.is_ok(), "waiting for a thread does not fail");
    }

    fn take_threads(&self) -> Vec<JoinHandle<()>> {
        std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<D: Dialect> Drop for Log<D> {
    fn drop(&mut self) {
        self.reader.shared().ending.store(true, Ordering::Relaxed);
        // Nobody can hand in anything any more, so the owner ends.
        self.inbox = None;
        join(self.take_threads());
    }
}

fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("a thread of a log has panicked");
        }
    }
}

/// Opens the storage and makes the two halves of the engine, without their threads.
pub(crate) fn parts<D: Dialect>(
    files: Arc<dyn Files>,
    indexes: Box<dyn Indexes>,
    options: &LogOptions,
    dialect: Arc<D>,
) -> Result<(Sequencer<D>, Follower), OpenError> {
    let meter = Meter::new(files);
    let files: Arc<dyn Files> = Arc::new(meter.clone());
    let opened = Store::open(&files, &options.settings())
        .map_err(|source| OpenError::Storage { origin: options.origin.clone(), source })?;
    let head = opened.recovered.head.clone();
    let identities = Identities::new(indexes, options.recent_identities);
    let shared = Arc::new(Shared::new(opened.archive, identities, meter, opened.recovered));
    let clock = Arc::clone(&options.clock);
    let sequencer = Sequencer::new(opened.store, dialect, Arc::clone(&shared), clock, &head);
    Ok((sequencer, Follower { shared, segments: opened.segments }))
}
