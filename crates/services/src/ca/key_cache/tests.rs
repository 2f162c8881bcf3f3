//! A source that counts how often it is asked.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::ca::key_source::FetchedKeys;

#[derive(Default)]
struct Counted {
    fetches: AtomicUsize,
    fails: AtomicBool,
}

#[async_trait::async_trait]
impl KeySource for Counted {
    async fn fetch(&self, issuer: &IssuerAddress) -> Result<FetchedKeys, FetchKeysError> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(100)).await;
        if self.fails.load(Ordering::SeqCst) {
            let issuer = issuer.url.clone();
            return Err(FetchKeysError::Discovery { issuer, reason: "it is a test" });
        }
        let jwks = br#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        Ok(FetchedKeys { algorithms: vec!["EdDSA".into()], jwks: jwks.to_vec() })
    }
}

impl Counted {
    fn count(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

fn address(url: &str, known: KnownBy) -> IssuerAddress {
    IssuerAddress { url: url.to_owned(), known, ca_certificates: None }
}

fn exact() -> IssuerAddress {
    address("https://issuer.example", KnownBy::ExactUrl)
}

fn cache() -> (Arc<Counted>, Arc<KeyCache>) {
    let source = Arc::new(Counted::default());
    (Arc::clone(&source), Arc::new(KeyCache::new(source)))
}

async fn ask_at_once(cache: &Arc<KeyCache>, times: usize, name: impl Fn(usize) -> String) {
    let asked: Vec<_> = (0..times)
        .map(|number| {
            let (cache, key_id) = (Arc::clone(cache), name(number));
            tokio::spawn(async move { cache.keys(&exact(), Some(&key_id)).await })
        })
        .collect();
    for answer in asked {
        answer.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_requests_at_once_are_one_fetch() {
    let (source, cache) = cache();
    ask_at_once(&cache, 1000, |_| "k1".to_owned()).await;
    assert_eq!(source.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stampede_with_random_key_names_stays_within_the_budget() {
    let (source, cache) = cache();
    ask_at_once(&cache, 1000, |number| format!("random-{number}")).await;
    assert_eq!(source.count(), 1);
    for second in 0..60 {
        ask_at_once(&cache, 10, |number| format!("random-{second}-{number}")).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(source.count() <= 8, "{} fetches in a minute", source.count());
}

#[tokio::test(start_paused = true)]
async fn a_new_key_is_found_after_the_pause() {
    let (source, cache) = cache();
    cache.keys(&exact(), Some("k1")).await.unwrap();
    cache.keys(&exact(), Some("k2")).await.unwrap();
    assert_eq!(source.count(), 1);
    tokio::time::sleep(PAUSE).await;
    cache.keys(&exact(), Some("k2")).await.unwrap();
    assert_eq!(source.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn failures_are_remembered_and_the_pauses_grow() {
    let (source, cache) = cache();
    source.fails.store(true, Ordering::SeqCst);
    for _ in 0..600 {
        cache.keys(&exact(), None).await.unwrap_err();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(source.count() <= 7, "{} fetches in ten minutes", source.count());
}

#[tokio::test(start_paused = true)]
async fn keys_outlive_an_outage_but_not_for_ever() {
    let (source, cache) = cache();
    cache.keys(&exact(), None).await.unwrap();
    source.fails.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_mins(30)).await;
    cache.keys(&exact(), None).await.unwrap();
    tokio::time::sleep(Duration::from_mins(31)).await;
    cache.keys(&exact(), None).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_does_not_end_the_fetch() {
    let (source, cache) = cache();
    let issuer = exact();
    let impatient = cache.keys(&issuer, None);
    tokio::time::timeout(Duration::from_millis(10), impatient).await.err().unwrap();
    cache.keys(&exact(), None).await.unwrap();
    assert_eq!(source.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn issuers_of_a_pattern_share_a_budget_and_memory_is_bounded() {
    let (source, cache) = cache();
    let mut refused = 0;
    for number in 0..1000 {
        let issuer = address(&format!("https://issuer.example/{number}"), KnownBy::Pattern);
        refused += usize::from(cache.keys(&issuer, None).await.is_err());
    }
    // A fetch takes 100 ms, so 1000 of them would take 100 s.
    assert!(source.count() <= 20 + 100 && refused >= 880, "{} fetches", source.count());
    assert!(cache.issuers.lock().unwrap().len() <= MAX_ISSUERS);
    cache.keys(&exact(), None).await.unwrap();
}
