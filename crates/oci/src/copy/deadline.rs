//! How long copying may take.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::CopyError;
use crate::host::SLOWEST;

/// How long documents may take, all together. The largest releases have some hundreds, which take a minute or two.
pub(super) const DOCUMENTS: Duration = Duration::from_secs(1800);

/// The end of a copy: for its documents, and later with each blob that is found to be needed, by the time that one may take.
/// A registry that always goes on, and hardly so, comes to an end as well.
pub(super) struct Deadline {
    begun: Instant,
    bytes: AtomicU64,
}

impl Deadline {
    pub(super) fn new() -> Self {
        Self { begun: Instant::now(), bytes: AtomicU64::new(0) }
    }

    /// So many bytes of blobs are needed as well.
    pub(super) fn allow(&self, bytes: u64) {
        // Documents say what they like: more than all there is cannot be needed.
        let add = |known: u64| Some(known.saturating_add(bytes));
        let _ = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    fn allowed(&self) -> Duration {
        DOCUMENTS + Duration::from_secs(self.bytes.load(Ordering::Relaxed) / SLOWEST)
    }

    /// Does `work`, and ends it when it is time.
    pub(super) async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, CopyError>>,
    ) -> Result<T, CopyError> {
        let mut work = pin!(work);
        loop {
            let allowed = self.allowed();
            if let Ok(outcome) = timeout_at(self.begun + allowed, &mut work).await {
                return outcome;
            }
            if self.allowed() == allowed {
                return Err(CopyError::Timeout { after: allowed });
            }
        }
    }
}
