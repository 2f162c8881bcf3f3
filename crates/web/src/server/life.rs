//! How long a connection lives.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// How long a connection may be without a request, from its first moment on.
const IDLE: Duration = Duration::from_secs(60);
/// How old a connection may be before its client is asked to open another: long for a client at work, and the bound
/// of one that asks now and then so as not to be idle.
const AGE: Duration = Duration::from_secs(600);

/// The requests under way on one connection.
pub(super) struct Requests(Shared);

/// One request under way, until this is dropped.
pub(super) struct UnderWay(Shared);

type Shared = Arc<Mutex<State>>;

struct State {
    under_way: usize,
    /// When the last of them ended.
    quiet_since: Instant,
}

impl Requests {
    /// None yet.
    pub(super) fn new() -> Self {
        let state = State { under_way: 0, quiet_since: Instant::now() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// One more.
    pub(super) fn begin(&self) -> UnderWay {
        lock(&self.0).under_way += 1;
        UnderWay(Arc::clone(&self.0))
    }

    /// Ready when the connection has been idle for too long, or is too old. Begins to count when it is called.
    ///
    /// Nobody wakes this when a request begins or ends: it looks when the connection may have become idle.
    pub(super) fn end_of_life(&self) -> impl Future<Output = ()> + use<> {
        let state = Arc::clone(&self.0);
        let end = Instant::now() + AGE;
        async move {
            loop {
                let now = Instant::now();
                let next = lock(&state).may_be_idle(now);
                if next <= now || end <= now {
                    return;
                }
                sleep_until(next.min(end)).await;
            }
        }
    }
}

impl State {
    /// The earliest time at which there will have been no request for as long as that may be.
    fn may_be_idle(&self, now: Instant) -> Instant {
        let quiet = if self.under_way == 0 { self.quiet_since } else { now };
        quiet + IDLE
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.under_way -= 1;
        state.quiet_since = Instant::now();
    }
}

fn lock(state: &Shared) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_ends_when_nothing_has_been_asked_for_a_while() {
        let (requests, start) = (Requests::new(), Instant::now());
        requests.end_of_life().await;
        assert_eq!(start.elapsed().as_secs(), IDLE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_from_the_end_of_its_last_request_on() {
        let (requests, start) = (Requests::new(), Instant::now());
        let end = requests.end_of_life();
        let under_way = requests.begin();
        tokio::time::sleep(Duration::from_secs(70)).await;
        drop(under_way);
        end.await;
        assert_eq!(start.elapsed().as_secs(), 70 + IDLE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_under_way_is_not_idle_but_ages() {
        let (requests, start) = (Requests::new(), Instant::now());
        let end = requests.end_of_life();
        let _under_way = requests.begin();
        end.await;
        assert_eq!(start.elapsed().as_secs(), AGE.as_secs());
    }
}
