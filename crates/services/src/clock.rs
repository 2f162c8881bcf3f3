//! The one clock of a process: wall time at start, monotonic time since.
//!
//! A wall clock that is set back while the process runs does not move it, so that no part issues an earlier
//! time after a later one. What a log has issued before a restart is the log's own affair.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// How far the wall clock may fall behind the clock before time is no longer trusted.
///
/// Two seconds: twice the accuracy that a timestamp token claims.
const MAX_BEHIND: Duration = Duration::from_secs(2);

/// Tells the time, or refuses to.
#[derive(Clone)]
pub struct Clock(Arc<dyn Source>);

/// Why no time can be given. The operator's to fix.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ClockError {
    /// The wall clock was set back.
    #[error("the system clock is {behind_ms} ms behind the time already given out")]
    SetBack {
        /// How far it is behind.
        behind_ms: u64,
    },
    /// The kernel says that its clock is not synchronised, and the configuration demands that it is.
    #[error("the kernel says that the system clock is not synchronised")]
    NotSynchronised,
}

/// Where the time comes from. Tests put their own in.
pub trait Source: Send + Sync {
    /// The time now, never earlier than a time given before.
    ///
    /// # Errors
    ///
    /// See [`ClockError`].
    fn now(&self) -> Result<Timestamp, ClockError>;
}

impl Clock {
    /// The system's clock. `synchronised` says whether the kernel's clock is kept in step; pass a closure
    /// that always says yes where that is not demanded.
    #[must_use]
    pub fn system(synchronised: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(System {
            wall: Timestamp::now(),
            monotonic: Instant::now(),
            synchronised: Box::new(synchronised),
        }))
    }

    /// A clock that reads from `source`.
    #[must_use]
    pub fn from_source(source: Arc<dyn Source>) -> Self {
        Self(source)
    }

    /// A clock that stands still, for tests.
    #[must_use]
    pub fn fixed(now: Timestamp) -> Self {
        Self(Arc::new(Fixed(now)))
    }

    /// The time now.
    ///
    /// # Errors
    ///
    /// See [`ClockError`].
    pub fn now(&self) -> Result<Timestamp, ClockError> {
        self.0.now()
    }
}

/// The clock of a log's engine. The engine only needs a value: what asks for a time that can be trusted, asks
/// before it submits.
pub(crate) fn engine_clock(clock: Clock) -> tlog::Clock {
    Arc::new(move || clock.now().unwrap_or_else(|_| Timestamp::now()))
}

struct System {
    wall: Timestamp,
    monotonic: Instant,
    synchronised: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Source for System {
    fn now(&self) -> Result<Timestamp, ClockError> {
        if !(self.synchronised)() {
            return Err(ClockError::NotSynchronised);
        }
        judge(self.wall, self.monotonic.elapsed(), Timestamp::now())
    }
}

/// The time at `elapsed` after `start`, unless the wall clock says that it is much earlier.
///
/// A wall clock that is ahead was corrected forwards, for instance after a suspend, during which the
/// monotonic clock stands still: it is followed.
fn judge(start: Timestamp, elapsed: Duration, wall: Timestamp) -> Result<Timestamp, ClockError> {
    let now = start + elapsed;
    let behind = now.duration_since(wall);
    if behind.as_millis() > i128::from(u32::try_from(MAX_BEHIND.as_millis()).unwrap_or(u32::MAX)) {
        let behind_ms = u64::try_from(behind.as_millis()).unwrap_or(u64::MAX);
        return Err(ClockError::SetBack { behind_ms });
    }
    Ok(now.max(wall))
}

struct Fixed(Timestamp);

impl Source for Fixed {
    fn now(&self) -> Result<Timestamp, ClockError> {
        Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_clock_set_back_is_noticed_and_one_set_forward_is_followed() {
        let hour = Duration::from_secs(3600);
        assert_eq!(judge(at(0), hour, at(3600)), Ok(at(3600)));
        assert_eq!(judge(at(0), hour, at(3599)), Ok(at(3600)));
        assert_eq!(judge(at(0), hour, at(9000)), Ok(at(9000)));
        assert_eq!(judge(at(0), hour, at(3590)), Err(ClockError::SetBack { behind_ms: 10_000 }));
    }
}
