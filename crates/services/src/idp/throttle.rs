//! Against guessing: whoever fails too often waits longer and longer.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;

/// How many accounts, and how many addresses, are remembered. Past it, those that failed longest ago go.
const CAPACITY: usize = 10_000;

/// How long a failure counts.
const MEMORY: Duration = Duration::from_hours(1);

/// What is tolerated, and what happens after.
#[derive(Clone, Copy)]
struct Rule {
    /// How many failures cost nothing.
    free: u32,
    /// The longest wait.
    longest: Duration,
}

/// One account. The wait stays short, because anybody can make the owner of an account wait.
const ACCOUNT: Rule = Rule { free: 5, longest: Duration::from_secs(60) };

/// One address, behind which many people can be.
const ADDRESS: Rule = Rule { free: 20, longest: Duration::from_mins(15) };

/// How often who failed. Attempts are counted before they are made, so that many at once gain nothing.
pub(super) struct Throttles {
    accounts: Table,
    addresses: Table,
}

/// Too many failures: come back later.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Throttled {
    pub(super) retry_after: Duration,
}

impl Throttles {
    pub(super) fn new() -> Self {
        Self { accounts: Table::new(ACCOUNT), addresses: Table::new(ADDRESS) }
    }

    /// Counts an attempt on `account` from `address`.
    pub(super) fn attempt(
        &mut self,
        now: Timestamp,
        account: &str,
        address: IpAddr,
    ) -> Result<(), Throttled> {
        let (account, address) = (account_key(account), address_key(address));
        self.accounts.check(now, account)?;
        self.addresses.check(now, address)?;
        self.accounts.count(now, account);
        self.addresses.count(now, address);
        Ok(())
    }

    /// Takes an attempt back that succeeded. The account starts anew; the address may have guessed at others.
    pub(super) fn succeed(&mut self, account: &str, address: IpAddr) {
        self.accounts.failures.remove(&account_key(account));
        self.addresses.forgive(address_key(address));
    }

    /// Counts an attempt from `address` that has no account, such as a user code that is tried.
    pub(super) fn attempt_from(
        &mut self,
        now: Timestamp,
        address: IpAddr,
    ) -> Result<(), Throttled> {
        self.addresses.check(now, address_key(address))?;
        self.addresses.count(now, address_key(address));
        Ok(())
    }

    /// Takes it back.
    pub(super) fn succeed_from(&mut self, address: IpAddr) {
        self.addresses.forgive(address_key(address));
    }
}

type Key = [u8; 32];

/// A hash, so that no name that was typed stays in memory, however long.
fn account_key(account: &str) -> Key {
    crypto::sha256(account.to_lowercase().as_bytes())
}

/// IPv6 customers have a /64 at least.
pub(super) fn address_key(address: IpAddr) -> Key {
    match address.to_canonical() {
        IpAddr::V4(address) => crypto::sha256(&address.octets()),
        IpAddr::V6(address) => crypto::sha256(&address.octets()[..8]),
    }
}

struct Table {
    rule: Rule,
    failures: HashMap<Key, Failures>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl Table {
    fn new(rule: Rule) -> Self {
        Self { rule, failures: HashMap::new() }
    }

    fn check(&self, now: Timestamp, key: Key) -> Result<(), Throttled> {
        let Some(failures) = self.failures.get(&key) else { return Ok(()) };
        let over = failures.count.saturating_sub(self.rule.free);
        if over == 0 || failures.last + MEMORY <= now {
            return Ok(());
        }
        let wait = Duration::from_secs(2_u64.saturating_pow(over)).min(self.rule.longest);
        let until = failures.last + wait;
        if until <= now {
            return Ok(());
        }
        let retry_after = Duration::try_from(until.duration_since(now)).unwrap_or(wait);
        Err(Throttled { retry_after })
    }

    fn count(&mut self, now: Timestamp, key: Key) {
        if self.failures.len() >= CAPACITY && !self.failures.contains_key(&key) {
            self.forget_the_oldest();
        }
        let failures = self.failures.entry(key).or_insert(Failures { count: 0, last: now });
        if failures.last + MEMORY <= now {
            failures.count = 0;
        }
        *failures = Failures { count: failures.count.saturating_add(1), last: now };
    }

    fn forgive(&mut self, key: Key) {
        if let Some(failures) = self.failures.get_mut(&key) {
            failures.count = failures.count.saturating_sub(1);
        }
    }

    /// Makes room for many at once, so that it is rare.
    fn forget_the_oldest(&mut self) {
        let mut times: Vec<_> = self.failures.values().map(|failures| failures.last).collect();
        let (_, middle, _) = times.select_nth_unstable(CAPACITY / 4);
        let middle = *middle;
        self.failures.retain(|_, failures| failures.last > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn address(number: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(0x0a00_0000 + number).into()
    }

    #[test]
    fn an_account_waits_longer_after_each_failure_but_never_long() {
        let mut throttles = Throttles::new();
        for from in 0..ACCOUNT.free + 1 {
            throttles.attempt(at(0), "Alice@example.com", address(from)).unwrap();
        }
        let mut check =
            |second, from| throttles.attempt(at(second), "alice@EXAMPLE.com", address(from));
        assert_eq!(check(0, 99), Err(Throttled { retry_after: Duration::from_secs(2) }));
        assert_eq!(check(1, 99), Err(Throttled { retry_after: Duration::from_secs(1) }));
        assert_eq!(check(2, 99), Ok(()));
        assert_eq!(check(2, 98), Err(Throttled { retry_after: Duration::from_secs(4) }));
        for turn in 1..20 {
            check(2 + turn * 60, 98).unwrap();
        }
        assert_eq!(check(2 + 19 * 60, 97), Err(Throttled { retry_after: ACCOUNT.longest }));
    }

    #[test]
    fn an_address_that_tries_many_accounts_is_stopped_and_others_are_not() {
        let mut throttles = Throttles::new();
        let tried = (0..1000).take_while(|n| {
            throttles.attempt(at(0), &format!("user{n}@example.com"), HERE).is_ok()
        });
        assert_eq!(tried.count(), 21);
        throttles.attempt(at(0), "bob@example.com", address(1)).unwrap();
    }

    #[test]
    fn one_who_succeeds_is_not_held_up() {
        let mut throttles = Throttles::new();
        for _ in 0..1000 {
            throttles.attempt(at(0), "alice@example.com", HERE).unwrap();
            throttles.succeed("alice@example.com", HERE);
        }
    }

    #[test]
    fn failures_are_forgotten_after_an_hour() {
        let mut throttles = Throttles::new();
        while throttles.attempt(at(0), "alice@example.com", HERE).is_ok() {}
        throttles.attempt(at(3600), "alice@example.com", HERE).unwrap();
        throttles.attempt(at(3600), "alice@example.com", HERE).unwrap();
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one() {
        let key = |text: &str| address_key(text.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    }

    #[test]
    fn memory_is_bounded() {
        let mut throttles = Throttles::new();
        for n in 0..u32::try_from(CAPACITY * 3).unwrap() {
            let _ = throttles.attempt(at(n.into()), &n.to_string(), address(n));
        }
        assert!(throttles.accounts.failures.len() <= CAPACITY);
        assert!(throttles.addresses.failures.len() <= CAPACITY);
    }
}
