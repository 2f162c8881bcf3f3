//! The one clock of a process: wall time at start, monotonic time since, and never before what it has told.
//!
//! A wall clock that is set back while the process runs does not move it, so that no part issues an earlier
//! time after a later one. What a log has issued before a restart is the log's own affair.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// How far the wall clock may fall behind the clock before time is no longer trusted.
///
/// Two seconds: twice the accuracy that a timestamp token claims.
const MAX_BEHIND_MS: u32 = 2000;

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
            latest_ns: AtomicI64::new(i64::MIN),
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
    /// The latest time that was told, in nanoseconds since 1970: until 2262.
    latest_ns: AtomicI64,
    synchronised: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Source for System {
    fn now(&self) -> Result<Timestamp, ClockError> {
        if !(self.synchronised)() {
            return Err(ClockError::NotSynchronised);
        }
        self.judge(self.monotonic.elapsed(), Timestamp::now())
    }
}

impl System {
    /// The time at `elapsed` after the start, unless the wall clock says that it is much earlier.
    ///
    /// A wall clock that is ahead was corrected forwards, for instance after a suspend, during which the
    /// monotonic clock stands still: it is followed. If that was a mistake and is taken back, the time stands still or is
    /// refused until the wall clock has come as far again.
    fn judge(&self, elapsed: Duration, wall: Timestamp) -> Result<Timestamp, ClockError> {
        let latest = Timestamp::from_nanosecond(self.latest_ns.load(Ordering::Relaxed).into());
        let reached = (self.wall + elapsed).max(latest.unwrap_or(Timestamp::MIN));
        let behind_ms = reached.duration_since(wall).as_millis();
        if behind_ms > i128::from(MAX_BEHIND_MS) {
            let behind_ms = u64::try_from(behind_ms).unwrap_or(u64::MAX);
            return Err(ClockError::SetBack { behind_ms });
        }
        let now = reached.max(wall);
        let now_ns = i64::try_from(now.as_nanosecond()).unwrap_or(i64::MAX);
        self.latest_ns.fetch_max(now_ns, Ordering::Relaxed);
        Ok(now)
    }
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

    fn started_at(second: i64) -> System {
        System {
            wall: at(second),
            monotonic: Instant::now(),
            latest_ns: AtomicI64::new(i64::MIN),
            synchronised: Box::new(|| true),
        }
    }

    #[test]
    fn a_clock_set_back_is_noticed_and_one_set_forward_is_followed() {
        let hour = Duration::from_secs(3600);
        let judge = |wall| started_at(0).judge(hour, at(wall));
        assert_eq!(judge(3600), Ok(at(3600)));
        assert_eq!(judge(3599), Ok(at(3600)));
        assert_eq!(judge(9000), Ok(at(9000)));
        assert_eq!(judge(3590), Err(ClockError::SetBack { behind_ms: 10_000 }));
    }

    #[test]
    fn a_clock_set_forward_and_back_again_tells_no_time_before_one_that_it_told() {
        let clock = started_at(0);
        let tell = |elapsed, wall| clock.judge(Duration::from_secs(elapsed), at(wall));
        assert_eq!(tell(10, 20), Ok(at(20)));
        assert_eq!(tell(11, 19), Ok(at(20)));
        assert_eq!(tell(12, 12), Err(ClockError::SetBack { behind_ms: 8000 }));
        assert_eq!(tell(18, 18), Ok(at(20)));
        assert_eq!(tell(21, 21), Ok(at(21)));
    }
}
