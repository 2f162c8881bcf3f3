//! One issuer's keys: when they were fetched, and when they may be fetched again.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{FRESH, KeySet, KeysError, MAX_PAUSE, PAUSE, USABLE};
use crate::ca::key_source::{IssuerAddress, KeySource, KnownBy};

/// What is remembered of one issuer.
pub(super) struct Entry {
    issuer: IssuerAddress,
    keys: RwLock<Option<(Arc<KeySet>, Instant)>>,
    /// Held while fetching, so that there is one fetch at a time.
    fetching: Arc<Mutex<Fetches>>,
}

/// What came of the fetches so far.
#[derive(Default)]
struct Fetches {
    /// Before this, there is no next one.
    not_before: Option<Instant>,
    failures: u32,
    last_error: Option<KeysError>,
}

impl Entry {
    pub(super) fn new(issuer: IssuerAddress) -> Self {
        Self { issuer, keys: RwLock::default(), fetching: Arc::default() }
    }

    pub(super) fn known(&self) -> KnownBy {
        self.issuer.known
    }

    /// The keys, if they were fetched a short while ago.
    pub(super) fn fresh(&self) -> Option<Arc<KeySet>> {
        self.not_older_than(FRESH)
    }

    fn not_older_than(&self, age: Duration) -> Option<Arc<KeySet>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.as_ref().filter(|(_, at)| at.elapsed() < age).map(|(keys, _)| Arc::clone(keys))
    }

    /// Fetches, unless somebody else has just done so, or the budget forbids it.
    ///
    /// The fetch runs in a task of its own: a client that goes away does not end it, and so cannot make
    /// the next one start another.
    pub(super) async fn refresh(
        self: Arc<Self>,
        source: Arc<dyn KeySource>,
        key_id: Option<String>,
    ) -> Result<Arc<KeySet>, KeysError> {
        let mut fetches = Arc::clone(&self.fetching).lock_owned().await;
        if let Some(keys) = self.fresh().filter(|keys| keys.may_hold(key_id.as_deref())) {
            return Ok(keys);
        }
        if fetches.not_before.is_some_and(|not_before| Instant::now() < not_before) {
            return self.without_fetch(&fetches);
        }
        let issuer = self.issuer.url.clone();
        let task = tokio::spawn(async move {
            self.fetch(source.as_ref(), &mut fetches).await;
            self.without_fetch(&fetches)
        });
        task.await.unwrap_or(Err(KeysError::Lost { issuer }))
    }

    async fn fetch(&self, source: &dyn KeySource, fetches: &mut Fetches) {
        let fetched = source.fetch(&self.issuer).await;
        let issuer = || self.issuer.url.clone();
        let outcome = match fetched {
            Err(error) => Err(KeysError::Fetch { issuer: issuer(), source: Arc::new(error) }),
            Ok(fetched) => KeySet::read(&fetched)
                .map_err(|error| KeysError::KeySet { issuer: issuer(), source: Arc::new(error) }),
        };
        match outcome {
            Ok(keys) => {
                let mut place = self.keys.write().unwrap_or_else(PoisonError::into_inner);
                *place = Some((Arc::new(keys), Instant::now()));
                *fetches = Fetches::default();
            }
            Err(error) => {
                tracing::warn!(issuer = self.issuer.url, error = chain(&error), "no keys");
                fetches.failures = fetches.failures.saturating_add(1);
                fetches.last_error = Some(error);
            }
        }
        fetches.not_before = Some(Instant::now() + pause(fetches.failures));
    }

    /// What can be said without another fetch.
    fn without_fetch(&self, fetches: &Fetches) -> Result<Arc<KeySet>, KeysError> {
        let lost = || KeysError::Lost { issuer: self.issuer.url.clone() };
        self.not_older_than(USABLE).ok_or_else(|| fetches.last_error.clone().unwrap_or_else(lost))
    }
}

/// How long to wait after so many failures in a row.
fn pause(failures: u32) -> Duration {
    // Six doublings are beyond the longest pause.
    let doublings = failures.saturating_sub(1).min(6);
    PAUSE.saturating_mul(1 << doublings).min(MAX_PAUSE)
}

/// The error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
