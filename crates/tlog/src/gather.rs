//! Gathering a batch: those who were answered together come back together.
//!
//! A commit costs the same for one entry as for fifty. Under load the next batch therefore waits, for a moment, until it
//! has as many entries as the one before had. A log that one client writes to never waits, nor does the first of many.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// The longest that a batch waits for more: some commits' time. Beyond, larger batches save little.
const MOST: Duration = Duration::from_millis(3);

/// What the owner of a log is waiting for. Those who hand in tell when it is there.
#[derive(Debug)]
pub(crate) struct Gathering {
    /// How many must have been handed in; [`NOTHING`] when the owner is not waiting.
    wanted: AtomicUsize,
    owner: OnceLock<Thread>,
}

const NOTHING: usize = usize::MAX;

impl Gathering {
    pub(crate) const fn new() -> Self {
        Self { wanted: AtomicUsize::new(NOTHING), owner: OnceLock::new() }
    }

    /// The owner waits until `waiting` says that there are `wanted`, or for long enough.
    pub(crate) fn wait(&self, wanted: usize, waiting: impl Fn() -> usize) {
        if waiting() >= wanted {
            return;
        }
        self.owner.get_or_init(thread::current);
        self.wanted.store(wanted, Ordering::SeqCst);
        let end = Instant::now() + MOST;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || waiting() >= wanted {
                break;
            }
            thread::park_timeout(left);
        }
        self.wanted.store(NOTHING, Ordering::Relaxed);
    }

    /// `waiting` have been handed in.
    pub(crate) fn handed_in(&self, waiting: usize) {
        if waiting >= self.wanted.load(Ordering::SeqCst)
            && let Some(owner) = self.owner.get()
        {
            owner.unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn who_completes_the_batch_wakes_the_owner() {
        let (gathering, count) = (Arc::new(Gathering::new()), Arc::new(AtomicUsize::new(1)));
        let (theirs, counted) = (Arc::clone(&gathering), Arc::clone(&count));
        let submitter = thread::spawn(move || {
            for _ in 0..2 {
                let waiting = counted.fetch_add(1, Ordering::SeqCst) + 1;
                theirs.handed_in(waiting);
            }
        });
        gathering.wait(3, || count.load(Ordering::SeqCst));
        submitter.join().unwrap();
        gathering.wait(3, || count.load(Ordering::SeqCst));
        assert_eq!(count.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn nobody_is_waited_for_for_ever() {
        Gathering::new().wait(2, || 1);
    }
}
