//! The runtime of commands that talk to servers. Nothing else makes one: starting it costs more than
//! verifying a bundle.

use std::future::Future;

use tokio::runtime::Builder;

use crate::failure::{Failure, OrFail};

/// Runs `work` to its end on a runtime of its own.
pub(crate) fn run<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    Builder::new_multi_thread()
        .enable_all()
        .build()
        .or_undecided("the asynchronous runtime cannot be started")?
        .block_on(work)
}
