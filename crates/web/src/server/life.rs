//! How long a connection lives.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// How long a connection may be without a request, from its first moment on.
const IDLE: Duration = Duration::from_secs(60);
/// How old a connection may be before its client is asked to open another: long for a client at work, and the bound
/// of one that asks now and then so as not to be idle.
const AGE: Duration = Duration::from_secs(600);

/// The requests under way on one connection.
pub(super) struct Requests(watch::Sender<usize>);

/// One request under way, until this is dropped.
pub(super) struct UnderWay(watch::Sender<usize>);

impl Requests {
    /// None yet.
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// One more.
    pub(super) fn begin(&self) -> UnderWay {
        self.0.send_modify(|count| *count += 1);
        UnderWay(self.0.clone())
    }

    /// Ready when the connection has been idle for too long, or is too old. Begins to count when it is called.
    pub(super) fn end_of_life(&self) -> impl Future<Output = ()> + use<> {
        let idle = idle(self.0.subscribe());
        let age = sleep(AGE);
        async move {
            tokio::select! {
                () = idle => {}
                () = age => {}
            }
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Ready when there was no request for as long as that may be.
async fn idle(mut requests: watch::Receiver<usize>) {
    loop {
        let quiet = *requests.borrow_and_update() == 0;
        match timeout(IDLE, requests.changed()).await {
            Err(_) if quiet => return,
            // No request can come any more.
            Ok(Err(_)) => return,
            Err(_) | Ok(Ok(())) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn a_connection_ends_when_nothing_has_been_asked_for_a_while() {
        let (requests, start) = (Requests::new(), Instant::now());
        requests.end_of_life().await;
        assert_eq!(start.elapsed().as_secs(), IDLE.as_secs());
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
