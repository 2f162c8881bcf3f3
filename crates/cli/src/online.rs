//! The runtime of commands that talk to servers. Nothing else makes one: starting it costs more than
//! verifying a bundle.

use std::future::Future;

use tokio::runtime::Builder;

use crate::failure::{Failure, OrFail};
use crate::serve::terminated;

/// How many threads a runtime has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Threads {
    /// One: what waits for one answer after the other gets each without waking a second thread.
    One,
    /// One for each processor: for servers, and for work on many things.
    PerProcessor,
}

impl Threads {
    /// For work on so many things.
    pub(crate) const fn for_things(count: usize) -> Self {
        if count > 1 { Self::PerProcessor } else { Self::One }
    }
}

/// Runs `work` to its end on a runtime of its own.
pub(crate) fn run<T>(
    threads: Threads,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut builder = match threads {
        Threads::One => Builder::new_current_thread(),
        Threads::PerProcessor => Builder::new_multi_thread(),
    };
    builder
        .enable_all()
        .build()
        .or_undecided("the asynchronous runtime cannot be started")?
        .block_on(work)
}

/// Does `work` until it is done or somebody stops it. Files that it has half written go then, too; `what` was to happen.
pub(crate) async fn until_stopped<T>(
    what: &str,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let stopped = || Failure::undecided(format!("stopped before {what}")).hint("run it again");
    tokio::select! {
        biased;
        signal = terminated() => Err(signal.err().unwrap_or_else(stopped)),
        done = work => done,
    }
}
