//! Sealing a batch: on this thread, or on several where signatures are made.

use std::num::NonZero;
use std::sync::{Arc, LazyLock};
use std::thread;

use jiff::Timestamp;
use merkle::{Hash, LeafIndex};
use storage::{Leaf, MAX_METADATA};

use crate::{Dialect, Identity, Place, SubmitError};

/// From this many signatures on, another thread is worth its start.
const WORTH_A_THREAD: usize = 32;

/// How many threads may run at once. To ask costs a dozen system calls, which a batch has not to spare.
static CORES: LazyLock<usize> =
    LazyLock::new(|| thread::available_parallelism().map_or(1, NonZero::get));

/// An entry that leaves the batch.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) position: usize,
    pub(crate) error: SubmitError,
}

/// Seals all submissions at consecutive places from `first` on, or says which cannot be.
pub(crate) fn seal_all<D: Dialect>(
    dialect: &D,
    submissions: &[(&D::Submission, Identity)],
    first: LeafIndex,
    time: Timestamp,
    max_entry: usize,
) -> Result<Vec<Leaf>, Vec<Refusal>> {
    let seal = |position: usize| {
        let (submission, identity) = submissions[position];
        let place = Place { index: LeafIndex::new(first.get() + position as u64), time };
        seal_one(dialect, submission, identity, place, max_entry)
            .map_err(|error| Refusal { position, error })
    };
    let threads = if D::SIGNS_ENTRIES { submissions.len() / WORTH_A_THREAD } else { 1 };
    let threads = threads.clamp(1, *CORES);
    let results = if threads == 1 {
        (0..submissions.len()).map(seal).collect()
    } else {
        on_threads(threads, submissions.len(), &seal)
    };
    sort(results)
}

/// Calls `seal` for every position, each thread with a stretch of its own.
fn on_threads<T: Send>(
    threads: usize,
    count: usize,
    seal: &(impl Fn(usize) -> T + Sync),
) -> Vec<T> {
    let each = count.div_ceil(threads);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|n| {
                let stretch = n * each..((n + 1) * each).min(count);
                scope.spawn(move || stretch.map(seal).collect::<Vec<_>>())
            })
            .collect();
        let results = workers.into_iter().map(|worker| match worker.join() {
            Ok(results) => results,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        results.flatten().collect()
    })
}

fn sort(results: Vec<Result<Leaf, Refusal>>) -> Result<Vec<Leaf>, Vec<Refusal>> {
    if results.iter().all(Result::is_ok) {
        Ok(results.into_iter().flatten().collect())
    } else {
        Err(results.into_iter().filter_map(Result::err).collect())
    }
}

fn seal_one<D: Dialect>(
    dialect: &D,
    submission: &D::Submission,
    identity: Identity,
    place: Place,
    max_entry: usize,
) -> Result<Leaf, SubmitError> {
    let sealed = dialect
        .seal(submission, place)
        .map_err(|error| SubmitError::NotSealed(Arc::from(error)))?;
    for (length, limit) in [(sealed.entry.len(), max_entry), (sealed.metadata.len(), MAX_METADATA)]
    {
        if length > limit {
            return Err(SubmitError::TooLong { length, limit });
        }
    }
    let (hash, identity) = match identity {
        // Hashing it again would cost as much as the rest of the leaf's way together.
        Identity::Leaf(hash) => (hash, None),
        Identity::Own(identity) => (Hash::leaf(&sealed.entry), Some(identity)),
    };
    debug_assert_eq!(hash, Hash::leaf(&sealed.entry), "an identity that says it is the leaf's is");
    let time_ms = place.time.as_millisecond();
    Ok(Leaf { hash, identity, time_ms, entry: sealed.entry, metadata: sealed.metadata })
}
