//! The keys of token issuers, kept for a while.
//!
//! Requests come from anyone, and each names an issuer and a key. So that they cannot make this server
//! fetch, an issuer has one budget, however many requests there are (invariant I7 of ARCHITECTURE.md):
//! concurrent fetches are one, a fetch is followed by a pause, and a failure by a longer one. Where only a
//! pattern names the issuers, all of its issuers share a budget for first fetches, too.

mod budget;
mod entry;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::jwk::{KeySet, KeySetError};
use super::key_source::{FetchKeysError, IssuerAddress, KeySource, KnownBy};
use budget::Budget;
use entry::Entry;

/// The most issuers that are remembered. Those named exactly are few; beyond them the ones that were asked
/// for longest ago are forgotten.
const MAX_ISSUERS: usize = 256;

/// Why an issuer's keys are not at hand.
#[derive(Clone, Debug, thiserror::Error)]
pub enum KeysError {
    /// The last fetch failed, and it is too early for the next. The operator's or the issuer's to fix.
    #[error("the keys of {issuer} cannot be had")]
    Fetch {
        /// The issuer.
        issuer: String,
        /// What went wrong.
        #[source]
        source: Arc<FetchKeysError>,
    },
    /// What was fetched is not a key set. The issuer's to fix.
    #[error("the keys of {issuer} cannot be read")]
    KeySet {
        /// The issuer.
        issuer: String,
        /// What is wrong with it.
        #[source]
        source: Arc<KeySetError>,
    },
    /// Too many unknown issuers were named in a short time. The client's to repeat later.
    #[error("too many issuers were named for the first time")]
    TooManyIssuers,
    /// The task that fetched has died. A mistake of ours.
    #[error("the fetch of the keys of {issuer} was lost")]
    Lost {
        /// The issuer.
        issuer: String,
    },
}

/// Remembers issuers' keys, and fetches them within a budget.
pub(super) struct KeyCache {
    source: Arc<dyn KeySource>,
    issuers: Mutex<HashMap<String, Remembered>>,
    first_fetches: Mutex<Budget>,
}

struct Remembered {
    entry: Arc<Entry>,
    asked: Instant,
}

impl KeyCache {
    pub(super) fn new(source: Arc<dyn KeySource>) -> Self {
        Self {
            source,
            issuers: Mutex::new(HashMap::new()),
            first_fetches: Mutex::new(Budget::full(Instant::now())),
        }
    }

    /// The keys of an issuer, among them one of that name, if the issuer has it and the budget allows to
    /// find out.
    pub(super) async fn keys(
        &self,
        issuer: &IssuerAddress,
        key_id: Option<&str>,
    ) -> Result<Arc<KeySet>, KeysError> {
        let entry = self.entry(issuer)?;
        if let Some(keys) = entry.fresh()
            && keys.may_hold(key_id)
        {
            return Ok(keys);
        }
        Arc::clone(&entry).refresh(Arc::clone(&self.source), key_id.map(str::to_owned)).await
    }

    fn entry(&self, issuer: &IssuerAddress) -> Result<Arc<Entry>, KeysError> {
        let now = Instant::now();
        let mut issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(remembered) = issuers.get_mut(&issuer.url) {
            remembered.asked = now;
            return Ok(Arc::clone(&remembered.entry));
        }
        if issuer.known == KnownBy::Pattern {
            let mut budget = self.first_fetches.lock().unwrap_or_else(PoisonError::into_inner);
            if !budget.spend(now) {
                return Err(KeysError::TooManyIssuers);
            }
        }
        if issuers.len() >= MAX_ISSUERS {
            forget_oldest(&mut issuers);
        }
        let entry = Arc::new(Entry::new(issuer.clone()));
        let remembered = Remembered { entry: Arc::clone(&entry), asked: now };
        issuers.insert(issuer.url.clone(), remembered);
        Ok(entry)
    }
}

/// Makes room. An issuer that the operator named is forgotten only if there is nothing else.
fn forget_oldest(issuers: &mut HashMap<String, Remembered>) {
    let by_age = |(_, remembered): &(&String, &Remembered)| {
        (remembered.entry.known() == KnownBy::ExactUrl, remembered.asked)
    };
    if let Some(oldest) = issuers.iter().min_by_key(by_age).map(|(url, _)| url.clone()) {
        issuers.remove(&oldest);
    }
}

/// How long keys are used without asking again. Issuers announce a key at least this long before its use.
const FRESH: Duration = Duration::from_mins(10);
/// How long keys are used when asking again fails: an issuer may be down for a while, but a key that it
/// has withdrawn must not be taken for ever.
const USABLE: Duration = Duration::from_hours(1);
/// The pause after a fetch, whatever came of it.
const PAUSE: Duration = Duration::from_secs(10);
/// The longest pause after failures; it doubles from [`PAUSE`].
const MAX_PAUSE: Duration = Duration::from_mins(5);

#[cfg(test)]
mod tests;
