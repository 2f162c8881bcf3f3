//! No client fills the memory with long bodies: they are in it from their first byte until they are answered.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::client_address::subscriber;

/// A body up to this many bytes is not counted. Of these a client's rate allows some hundred megabytes at a time.
const SHORT: u64 = 64 * 1024;
/// The longest that is read anywhere, in bytes: what a body counts that does not say how long it is.
const LONGEST: u64 = 8 * 1024 * 1024;
/// How many bytes all long bodies may have at a time.
const MAX_OF_ALL: u64 = 512 * 1024 * 1024;
/// The same for those of one client: four such clients are needed to take all.
const MAX_OF_CLIENT: u64 = 128 * 1024 * 1024;

/// How many bytes of long bodies there are, of each client. Whoever has none is not in it.
#[derive(Clone, Default)]
pub(super) struct Bodies(Arc<Mutex<HashMap<IpAddr, u64>>>);

/// A body that is counted; it is no longer when this is dropped.
pub(super) struct Held {
    client: IpAddr,
    bytes: u64,
    bodies: Bodies,
}

/// There are too many long bodies already.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct TooMany;

impl Bodies {
    /// Counts a body of the client of at most `bytes`, if that is known. A short one is not counted.
    pub(super) fn take(&self, client: IpAddr, bytes: Option<u64>) -> Result<Option<Held>, TooMany> {
        // A longer one is refused when so much of it was read.
        let bytes = bytes.unwrap_or(LONGEST).min(LONGEST);
        if bytes <= SHORT {
            return Ok(None);
        }
        let client = subscriber(client);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Few enough to be added up: each has more than 64 KiB.
        let of_all: u64 = held.values().sum();
        let of_client = held.get(&client).copied().unwrap_or_default();
        if of_all + bytes > MAX_OF_ALL || of_client + bytes > MAX_OF_CLIENT {
            return Err(TooMany);
        }
        held.insert(client, of_client + bytes);
        Ok(Some(Held { client, bytes, bodies: self.clone() }))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = self.bodies.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(of_client) = held.get_mut(&self.client) else { return };
        *of_client -= self.bytes;
        if *of_client == 0 {
            held.remove(&self.client);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn a_client_has_its_share_and_others_have_theirs_until_all_is_taken() {
        let bodies = Bodies::default();
        let take = |last| -> Vec<_> {
            std::iter::from_fn(|| bodies.take(client(last), None).ok().flatten()).collect()
        };
        let mut held: Vec<_> = (1..=4).map(take).collect();
        assert!(held.iter().all(|held| held.len() as u64 == MAX_OF_CLIENT / LONGEST));
        assert_eq!(take(5).len(), 0, "all is taken");
        assert!(bodies.take(client(5), Some(SHORT)).unwrap().is_none());
        held[0].pop();
        assert_eq!(take(5).len(), 1);
        drop(held);
        assert!(bodies.0.lock().unwrap().is_empty());
    }

    #[test]
    fn a_body_counts_what_it_says_and_at_most_the_longest() {
        let bodies = Bodies::default();
        let bytes = |said| bodies.take(client(1), said).unwrap().map(|held| held.bytes);
        assert_eq!(bytes(Some(SHORT)), None);
        assert_eq!(bytes(Some(SHORT + 1)), Some(SHORT + 1));
        assert_eq!(bytes(Some(u64::MAX)), Some(LONGEST));
        assert_eq!(bytes(None), Some(LONGEST));
    }
}
