//! How much one client may write: a token bucket for each.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::client_address::subscriber;

/// How many clients are remembered: about 4 MB. A bucket is full again after two seconds of rest, and then need not be
/// remembered. Only a flood from more than half as many clients within these two seconds empties the table, which gives
/// each a full bucket again and bounds the memory.
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

    /// Takes one from the client's bucket. The addresses of one IPv6 network of 64 bits are one client.
    ///
    /// # Errors
    ///
    /// If the bucket is empty: how long to wait until it is not.
    pub fn take(&self, client: IpAddr, now: Instant) -> Result<(), Duration> {
        let client = subscriber(client);
        let mut buckets = self.buckets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if buckets.len() >= MAX_CLIENTS && !buckets.contains_key(&client) {
            self.forget(&mut buckets, now);
        }
        let bucket = buckets.entry(client).or_insert(Bucket { tokens: self.burst, filled: now });
        bucket.tokens = self.tokens(bucket, now);
        bucket.filled = now;
        if bucket.tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.tokens) / self.per_second));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }

    /// What is in the bucket by now.
    fn tokens(&self, bucket: &Bucket, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(bucket.filled).as_secs_f64();
        (bucket.tokens + passed * self.per_second).min(self.burst)
    }

    /// Makes room: for the price of one pass, at least half of the table.
    fn forget(&self, buckets: &mut HashMap<IpAddr, Bucket>, now: Instant) {
        buckets.retain(|_, bucket| self.tokens(bucket, now) < self.burst);
        if buckets.len() > MAX_CLIENTS / 2 {
            buckets.clear();
        }
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

    #[test]
    fn the_addresses_of_one_ipv6_network_share_a_bucket() {
        let rate = Rate::new(1);
        let start = Instant::now();
        rate.take("2001:db8::1".parse().unwrap(), start).unwrap();
        rate.take("2001:db8::2".parse().unwrap(), start).unwrap();
        rate.take("2001:db8::3".parse().unwrap(), start).unwrap_err();
        rate.take("2001:db8:0:1::1".parse().unwrap(), start).unwrap();
    }

    #[test]
    fn a_full_table_forgets_those_at_rest_and_no_others() {
        let rate = Rate::new(1);
        let client = |n: usize| IpAddr::from(u32::try_from(n).unwrap().to_be_bytes());
        let start = Instant::now();
        let later = start + Duration::from_secs(2);
        for n in 1..MAX_CLIENTS {
            rate.take(client(n), start).unwrap();
        }
        rate.take(client(0), later).unwrap();
        rate.take(client(0), later).unwrap();
        rate.take(client(MAX_CLIENTS), later).unwrap();
        rate.take(client(0), later).unwrap_err();
        assert_eq!(rate.buckets.lock().unwrap().len(), 2);
    }
}
