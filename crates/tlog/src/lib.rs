//! The engine of every log: it gives each entry its place and time, makes it durable, and proves it.
//!
//! One thread owns a log. It takes what has come in as one batch, gives each new entry the next index and a time
//! that never decreases, asks the log's [`Dialect`] to seal it and to sign a checkpoint, commits all of it with
//! one sync, and then answers with proofs. A batch begins as soon as the one before is durable and anything
//! waits.
//!
//! The crate refuses to know what an entry means: not JSON, not X.509, not HTTP. What differs between Rekor v1,
//! Rekor v2 and a CT log is the dialect.
//!
//! Start reading at [`Log::submit`], then [`Dialect`]; everything that is read without changing the log is in
//! [`Reader`].

mod dialect;
mod follower;
mod gather;
mod identities;
#[cfg(test)]
mod laws;
mod log;
mod options;
#[cfg(test)]
mod power;
mod reader;
mod receipt;
mod seal;
mod sequencer;
mod shared;
mod state;
#[cfg(test)]
mod testing;
mod threads;
mod tree;

pub use dialect::{Dialect, DialectError, Head, Identity, Place, Sealed};
pub use log::{FreezeError, Log, SubmitError};
pub use options::{Clock, CreateError, LogOptions, OpenError};
pub use reader::{ReadError, Reader};
pub use receipt::{Inclusion, LoggedEntry, Published, Receipt};
pub use state::{Counters, LogState};
