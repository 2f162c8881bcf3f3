//! When to try again.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use http::{HeaderMap, StatusCode, header::RETRY_AFTER};

/// How often a request is tried, and how long to wait in between.
///
/// A connection that cannot be made or breaks, a timeout, and the statuses 429, 502, 503 and 504 are tried again. The wait
/// doubles each time, with jitter; a `Retry-After` of the server is followed up to [`Retry::longest`].
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

    /// How long to wait after attempt number `attempt` (from 1) got `status`; `None` when it is an answer to
    /// keep.
    pub(crate) fn after_status(
        self,
        attempt: u32,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Option<Duration> {
        let again = matches!(status.as_u16(), 429 | 502..=504);
        if !again || attempt >= self.attempts {
            return None;
        }
        Some(self.wait(attempt).max(Self::asked(headers).unwrap_or_default()).min(self.longest))
    }

    /// How long a server asks to be left alone, in the form of seconds (RFC 9110 §10.2.3). The form as a date is left
    /// out: the clocks of two machines need not agree.
    #[must_use]
    pub fn asked(headers: &HeaderMap) -> Option<Duration> {
        let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
        value.trim().parse().ok().map(Duration::from_secs)
    }

    /// How long to wait after attempt number `attempt` (from 1) got no answer; `None` when that is final.
    #[must_use]
    pub fn after_failure(self, attempt: u32) -> Option<Duration> {
        (attempt < self.attempts).then(|| self.wait(attempt))
    }

    /// Between half and all of the doubled wait, so that clients which failed together do not come back
    /// together.
    fn wait(self, attempt: u32) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(attempt - 1));
        let whole = doubled.min(self.longest);
        whole / 2 + jitter(whole / 2)
    }
}

/// Some time up to `longest`, so that those who were in each other's way do not meet again.
#[must_use]
pub fn jitter(longest: Duration) -> Duration {
    let part = RandomState::new().hash_one(0) % 1024;
    longest.mul_f64(f64::from(u32::try_from(part).unwrap_or(0)) / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(status: u16, attempt: u32, retry_after: Option<&str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(RETRY_AFTER, value.parse().unwrap());
        }
        Retry::SOME.after_status(attempt, StatusCode::from_u16(status).unwrap(), &headers)
    }

    #[test]
    fn a_server_that_is_busy_is_asked_again_and_one_that_says_no_is_not() {
        for status in [429, 502, 503, 504] {
            assert!(after(status, 1, None).is_some(), "{status}");
        }
        for status in [200, 400, 401, 404, 409, 500, 501] {
            assert_eq!(after(status, 1, None), None, "{status}");
        }
    }

    #[test]
    fn the_wait_grows_and_has_an_end() {
        let [one, three] = [1, 3].map(|attempt| Retry::SOME.after_failure(attempt).unwrap());
        assert!(one <= Retry::SOME.first && one >= Retry::SOME.first / 2);
        assert!(three <= Retry::SOME.first * 4 && three >= Retry::SOME.first * 2);
        assert_eq!(Retry::SOME.after_failure(4), None);
        assert_eq!(Retry::NEVER.after_failure(1), None);
    }

    #[test]
    fn a_server_is_given_the_time_it_asks_for_but_not_any_time() {
        assert_eq!(after(503, 1, Some("3")), Some(Duration::from_secs(3)));
        assert_eq!(after(503, 1, Some("1000000000")), Some(Retry::SOME.longest));
        assert!(
            after(503, 1, Some("Fri, 31 Dec 1999 23:59:59 GMT")).unwrap() < Duration::from_secs(1)
        );
    }
}
