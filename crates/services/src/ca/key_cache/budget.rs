//! A budget that is spent at once or over time.

use std::time::Duration;

use tokio::time::Instant;

/// How many first fetches may follow one another without a pause.
const BURST: u32 = 20;
/// After how long one more is allowed.
const REFILL: Duration = Duration::from_secs(1);

/// A token bucket.
pub(super) struct Budget {
    left: u32,
    since: Instant,
}

impl Budget {
    /// A budget of which nothing is spent.
    pub(super) const fn full(now: Instant) -> Self {
        Self { left: BURST, since: now }
    }

    /// Spends one; `false` if none is left.
    pub(super) fn spend(&mut self, now: Instant) -> bool {
        while self.left < BURST && now.duration_since(self.since) >= REFILL {
            self.left += 1;
            self.since += REFILL;
        }
        if self.left == BURST {
            self.since = now;
        }
        let allowed = self.left > 0;
        self.left = self.left.saturating_sub(1);
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_budget_is_refilled_slowly() {
        let start = Instant::now();
        let mut budget = Budget::full(start);
        let spend = |budget: &mut Budget, now| (0..100).filter(|_| budget.spend(now)).count();
        assert_eq!(spend(&mut budget, start), 20);
        assert_eq!(spend(&mut budget, start + Duration::from_millis(3500)), 3);
        assert_eq!(spend(&mut budget, start + Duration::from_secs(3600)), 20);
    }
}
