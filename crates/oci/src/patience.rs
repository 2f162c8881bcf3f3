//! When something is tried again.

use std::future::Future;
use std::time::Duration;

use net::Retry;

use crate::{AccessError, FetchError, PushError};

/// How often a registry is asked, and how long is waited in between: five times within half a minute. Registries that are
/// busy ask for seconds; whoever asks for more is told that it did not work.
pub(crate) const PATIENCE: Retry =
    Retry { attempts: 5, first: Duration::from_millis(200), longest: Duration::from_secs(10) };

/// An error that another attempt may not meet.
pub(crate) trait Passing {
    /// Whether it may pass, and how long the registry asks to be left alone.
    fn may_pass(&self) -> Option<Duration>;
}

/// Does `work` until it succeeds, fails for good, or failed too often. It must be such that it may be done again.
pub(crate) async fn patiently<T, E, F>(mut work: impl FnMut() -> F) -> Result<T, E>
where
    E: Passing + std::error::Error,
    F: Future<Output = Result<T, E>>,
{
    let mut attempt = 1;
    loop {
        let error = match work().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let wait = error.may_pass().and_then(|asked| {
            Some(PATIENCE.after_failure(attempt)?.max(asked).min(PATIENCE.longest))
        });
        let Some(wait) = wait else { return Err(error) };
        tracing::debug!(%error, attempt, ?wait, "will be tried again");
        tokio::time::sleep(wait).await;
        attempt += 1;
    }
}

impl Passing for AccessError {
    fn may_pass(&self) -> Option<Duration> {
        match self {
            Self::Request { source, .. } => source.may_pass().then_some(Duration::ZERO),
            Self::Busy { retry_after, .. } => Some(*retry_after),
            // Registries say 500 when their storage hiccups, and 408 when it is slow.
            Self::Refused { status: 408 | 500 | 502..=504, .. } => Some(Duration::ZERO),
            // While someone stores the same blob again, some registries do not find it.
            Self::Incomplete { .. } | Self::Forgotten { .. } => Some(Duration::ZERO),
            Self::Token { source, .. } => source.may_pass(),
            _ => None,
        }
    }
}

impl Passing for crate::TokenError {
    fn may_pass(&self) -> Option<Duration> {
        match self {
            Self::Request(source) => source.may_pass().then_some(Duration::ZERO),
            Self::Refused { status: 408 | 429 | 500 | 502..=504, .. } => Some(Duration::ZERO),
            _ => None,
        }
    }
}

impl Passing for FetchError {
    fn may_pass(&self) -> Option<Duration> {
        match self {
            Self::Access(error) => error.may_pass(),
            // What a broken cache in between does; if it is a lie, it is told again, and reported.
            Self::OtherDigest { .. } | Self::OtherSize { more: false, .. } => Some(Duration::ZERO),
            _ => None,
        }
    }
}

impl Passing for PushError {
    fn may_pass(&self) -> Option<Duration> {
        match self {
            Self::Access(error) => error.may_pass(),
            Self::OtherDigest { .. } => Some(Duration::ZERO),
            Self::Source(error) => error.may_pass(),
        }
    }
}
