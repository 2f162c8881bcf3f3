//! A clock for waits that are too long for a test.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

/// How long a second takes: enough for what is on its way over the loopback.
const SECOND: Duration = Duration::from_millis(4);

/// What comes of `work`, and how long it took, on a clock that runs some hundred times as fast. The test's clock must be
/// paused. By itself such a clock goes on as soon as everybody waits, even for bytes that are on their way.
pub(crate) async fn hurried<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let begun = Instant::now();
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return (done, begun.elapsed()),
            // As long as a thread is busy, the clock stands still.
            _ = tokio::task::spawn_blocking(|| std::thread::sleep(SECOND)) => {
                tokio::time::advance(Duration::from_secs(1)).await;
            }
        }
    }
}
