//! When to try again.

use std::time::Duration;

/// How often a request is tried, and how long to wait in between.
///
/// A connection that cannot be made, a timeout, and the statuses 429, 502, 503 and 504 are tried again. The wait doubles
/// each time, with jitter; a `Retry-After` of the server is followed up to [`Retry::longest`].
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// How often in all; 1 is "do not try again".
    pub attempts: u32,
    /// The first wait.
    pub first: Duration,
    /// The longest wait, whatever the server asks for.
    pub longest: Duration,
}

impl Retry {
    /// One attempt.
    pub const NEVER: Self = Self { attempts: 1, first: Duration::ZERO, longest: Duration::ZERO };
    /// Four attempts within some seconds: for requests that may be repeated.
    pub const SOME: Self =
        Self { attempts: 4, first: Duration::from_millis(250), longest: Duration::from_secs(10) };
}
