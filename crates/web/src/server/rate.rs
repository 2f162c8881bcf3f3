//! How much one client may write: a token bucket for each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How many clients are remembered. 64 Ki addresses take about 4 MB; a flood from more than these empties the
/// table, which for a moment gives every address a full bucket again and bounds the memory.
const MAX_CLIENTS: usize = 1 << 16;

/// Limits the rate of each client.
pub struct Rate {
    per_second: f64,
    burst: f64,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Rate {
    /// At most `per_second` on average, and twice as many in a burst.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        let per_second = f64::from(per_second);
        Self { per_second, burst: 2.0 * per_second, buckets: Mutex::default() }
    }

    /// Takes one from the client's bucket.
    ///
    /// # Errors
    ///
    /// If the bucket is empty: how long to wait until it is not.
    pub fn take(&self, client: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if buckets.len() >= MAX_CLIENTS && !buckets.contains_key(&client) {
            buckets.clear();
        }
        let bucket = buckets.entry(client).or_insert(Bucket { tokens: self.burst, filled: now });
        let passed = now.saturating_duration_since(bucket.filled).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * self.per_second).min(self.burst);
        bucket.filled = now;
        if bucket.tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.tokens) / self.per_second));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_let_through_and_then_the_rate_holds() {
        let rate = Rate::new(1);
        let (client, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let start = Instant::now();
        rate.take(client, start).unwrap();
        rate.take(client, start).unwrap();
        assert_eq!(rate.take(client, start), Err(Duration::from_secs(1)));
        rate.take(other, start).unwrap();
        rate.take(client, start + Duration::from_secs(1)).unwrap();
        rate.take(client, start + Duration::from_secs(1)).unwrap_err();
    }
}
