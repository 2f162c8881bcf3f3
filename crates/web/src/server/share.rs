//! No client takes more than its share of the connections.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::client_address::{Network, any_contains, subscriber};

/// How many connections one client may have open: eight such clients are needed to take all. Behind one address may
/// be a whole company, but its clients ask for little and are gone after seconds.
const MAX_PER_CLIENT: usize = 1024;

/// Who has how many connections open. Never larger than the number of connections.
#[derive(Clone, Default)]
pub(super) struct Shares {
    exempt: Arc<[Network]>,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One connection of a client; it is given back when this is dropped.
pub(super) struct Share {
    client: IpAddr,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Shares {
    /// Shares that do not bind the clients in `exempt`. Those on this machine they never do.
    pub(super) fn new(exempt: Vec<Network>) -> Self {
        Self { exempt: exempt.into(), open: Arc::default() }
    }

    /// Counts one more connection of the client at `address`, or refuses it.
    pub(super) fn take(&self, address: IpAddr) -> Option<Share> {
        let client = subscriber(address);
        let exempt = address.to_canonical().is_loopback() || any_contains(&self.exempt, address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(client).or_default();
        if !exempt && *count >= MAX_PER_CLIENT {
            return None;
        }
        *count += 1;
        Some(Share { client, open: Arc::clone(&self.open) })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(count) = open.get_mut(&self.client) else { return };
        *count -= 1;
        if *count == 0 {
            open.remove(&self.client);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(shares: &Shares, address: &str, count: usize) -> Vec<Share> {
        (0..count).map_while(|_| shares.take(address.parse().unwrap())).collect()
    }

    #[test]
    fn a_client_has_its_share_and_no_more_until_it_gives_back() {
        let shares = Shares::default();
        let mut held = take(&shares, "192.0.2.1", 2 * MAX_PER_CLIENT);
        assert_eq!(held.len(), MAX_PER_CLIENT);
        assert_eq!(take(&shares, "192.0.2.2", 1).len(), 1);
        held.pop();
        held.extend(take(&shares, "192.0.2.1", 2));
        assert_eq!(held.len(), MAX_PER_CLIENT);
        drop(held);
        assert!(shares.open.lock().unwrap().is_empty());
    }

    #[test]
    fn this_machine_and_the_proxies_are_not_bound() {
        let shares = Shares::new(vec!["10.0.0.0/8".parse().unwrap()]);
        for address in ["127.0.0.1", "::1", "::ffff:10.0.0.1"] {
            assert_eq!(take(&shares, address, MAX_PER_CLIENT + 1).len(), MAX_PER_CLIENT + 1);
        }
    }
}
