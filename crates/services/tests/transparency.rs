//! What the two transparency logs promise, apart from HTTP.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic, in its helpers too")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crypto::{HashAlgorithm, KeyDetails, KeyKind, Scheme, SigningKey};
use entries::Entry;
use jiff::Timestamp;
use merkle::note::{KeyId, Verifier};
use merkle::{Checkpoint, SignedNote};
use services::clock::{Clock, ClockError, Source};
use services::transparency::{Anyone, NotAllowed, RekorV1, RekorV2, Shard, SubmitError, Writers};
use tlog::LogOptions;
use wire::rekor_v1::{LogEntry, TreeId, propose_hashedrekord, set_payload};
use wire::rekor_v2::{CreateEntryRequest, HashedRekordRequest, Signature, VerifierMaterial};

const HOST: &str = "rekor.example.com";

/// A clock that is set by the test, and may refuse.
struct Hands(AtomicI64);

const NO_TIME: i64 = i64::MIN;

impl Hands {
    fn at(second: i64) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(second)))
    }

    fn set(&self, second: i64) {
        self.0.store(second, Ordering::SeqCst);
    }
}

impl Source for Hands {
    fn now(&self) -> Result<Timestamp, ClockError> {
        match self.0.load(Ordering::SeqCst) {
            NO_TIME => Err(ClockError::NotSynchronised),
            second => Ok(Timestamp::from_second(second).unwrap()),
        }
    }
}

fn shard() -> Shard {
    Shard { host: HOST.to_owned(), tree: TreeId::new(42).unwrap(), first_index: 7 }
}

/// Options for a log whose first checkpoint is from the beginning of time.
fn options(directory: &Path, origin: &str) -> LogOptions {
    let options = LogOptions::new(directory.join("log"), directory.join("anchors"), origin);
    LogOptions { clock: Arc::new(|| Timestamp::UNIX_EPOCH), ..options }
}

fn open_v1(directory: &Path, key: &Arc<SigningKey>, hands: &Arc<Hands>) -> RekorV1 {
    let options = options(directory, &shard().origin());
    let clock = Clock::from_source(hands.clone());
    RekorV1::open(&options, shard(), key.clone(), clock, Arc::new(Anyone)).unwrap()
}

fn new_v1(directory: &Path, hands: &Arc<Hands>) -> (RekorV1, Arc<SigningKey>) {
    let key = Arc::new(SigningKey::generate(KeyKind::EcdsaP256).unwrap());
    RekorV1::create(&options(directory, &shard().origin()), shard(), key.clone()).unwrap();
    (open_v1(directory, &key, hands), key)
}

fn new_v2(directory: &Path, hands: &Arc<Hands>, writers: Arc<dyn Writers>) -> RekorV2 {
    let key = Arc::new(SigningKey::generate(KeyKind::Ed25519).unwrap());
    let options = options(directory, HOST);
    RekorV2::create(&options, HOST, key.clone()).unwrap();
    RekorV2::open(&options, key, Clock::from_source(hands.clone()), writers).unwrap()
}

fn proposal_v1() -> Vec<u8> {
    let key = SigningKey::generate(KeyKind::EcdsaP256).unwrap();
    let digest = HashAlgorithm::Sha256.digest(b"artifact");
    let signature = key.sign(b"artifact").unwrap();
    propose_hashedrekord(&digest, &signature, &key.public_key().to_pem()).to_string().into()
}

fn proposal_v2() -> Vec<u8> {
    let key = SigningKey::generate(KeyKind::EcdsaP256).unwrap();
    let verifier = wire::rekor_v2::Verifier {
        material: Some(VerifierMaterial::PublicKey(key.public_key().spki_der().to_vec())),
        key_details: KeyDetails::for_key(key.public_key()),
    };
    let content = key.sign(b"artifact").unwrap();
    CreateEntryRequest::hashed_rekord(HashedRekordRequest {
        digest: HashAlgorithm::Sha256.digest(b"artifact").as_bytes().to_vec(),
        signature: Some(Signature { content, verifier: Some(verifier) }),
    })
    .to_json()
    .unwrap()
}

/// The promise in an entry, which must be the log's over this body, time and index.
fn promise(entry: &LogEntry, key: &SigningKey) -> Vec<u8> {
    let promise = entry.verification.as_ref().unwrap().signed_entry_timestamp.clone();
    let public = key.public_key();
    let payload = set_payload(&entry.body, entry.integrated_time, &public.id(), entry.log_index);
    public.verify(Scheme::default_for(public.kind()), &payload, &promise).unwrap();
    promise
}

#[tokio::test]
async fn a_repeat_has_the_time_and_promise_of_the_first_even_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let hands = Hands::at(1_000);
    let (log, key) = new_v1(directory.path(), &hands);
    let proposal = proposal_v1();
    let first = log.submit(&proposal).await.unwrap();
    assert!(first.fresh);
    assert_eq!((first.entry.integrated_time, first.entry.log_index), (1_000, 7));
    let promised = promise(&first.entry, &key);

    hands.set(2_000);
    let second = log.submit(&proposal).await.unwrap();
    log.log().stop().await;
    drop(log);
    let log = open_v1(directory.path(), &key, &hands);
    let third = loop {
        match log.submit(&proposal).await {
            Err(SubmitError::Log(tlog::SubmitError::Indexing { .. })) => {
                tokio::task::yield_now().await;
            }
            answer => break answer.unwrap(),
        }
    };
    for repeat in [second, third] {
        assert!(!repeat.fresh);
        assert_eq!((repeat.id, repeat.entry.integrated_time), (first.id, 1_000));
        // ECDSA makes another signature each time: this is the one that was kept.
        assert_eq!(promise(&repeat.entry, &key), promised);
    }
}

#[tokio::test]
async fn a_log_without_a_time_that_can_be_trusted_takes_nothing_and_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let hands = Hands::at(1_000);
    let (log, _) = new_v1(directory.path(), &hands);
    let logged = log.submit(&proposal_v1()).await.unwrap();
    hands.set(NO_TIME);
    let refused = log.submit(&proposal_v1()).await.unwrap_err();
    assert!(matches!(refused, SubmitError::Clock(ClockError::NotSynchronised)), "{refused:?}");
    assert_eq!(log.entry_by_id(&logged.id).await.unwrap().unwrap().id, logged.id);
    hands.set(1_001);
    assert!(log.submit(&proposal_v1()).await.unwrap().fresh);
}

/// A log that takes nothing from anyone.
struct Nobody;

impl Writers for Nobody {
    fn allow(&self, _: &Entry) -> Result<(), NotAllowed> {
        Err(NotAllowed { reason: "it is ours alone".to_owned() })
    }
}

#[tokio::test]
async fn who_may_not_write_is_told_so_and_only_once_the_entry_is_good() {
    let directory = tempfile::tempdir().unwrap();
    let log = new_v2(directory.path(), &Hands::at(0), Arc::new(Nobody));
    let refused = log.submit(&proposal_v2()).await.unwrap_err();
    assert!(matches!(refused, SubmitError::NotAllowed(_)), "{refused:?}");
    let refused = log.submit(b"{}").await.unwrap_err();
    assert!(matches!(refused, SubmitError::NotAdmitted(_)), "{refused:?}");

    let directory = tempfile::tempdir().unwrap();
    let log = new_v2(directory.path(), &Hands::at(0), Arc::new(Anyone));
    assert!(log.submit(&proposal_v2()).await.unwrap().is_fresh());
}

fn checkpoint(note: &str, verifier: &Verifier) -> Checkpoint {
    let note = SignedNote::parse(note.as_bytes()).unwrap();
    verifier.verify(&note).unwrap();
    note.text().parse().unwrap()
}

#[tokio::test]
async fn the_last_checkpoint_of_a_frozen_log_says_that_it_is() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let hands = Hands::at(1_764_000_000);
    let (v1, key) = new_v1(one.path(), &hands);
    let v2 = new_v2(other.path(), &hands, Arc::new(Anyone));
    let v1_id = KeyId::of_key(key.public_key());
    let v1_verifier = Verifier::with_id(HOST, v1_id, key.public_key().clone());
    let v2_verifier = Verifier::new(HOST, v2.public_key().clone());
    assert_eq!(checkpoint(&v1.info().signed_tree_head, &v1_verifier).extensions, [""; 0]);
    for (note, verifier, origin) in [
        (v1.log().freeze().await.unwrap(), v1_verifier, "rekor.example.com - 42"),
        (v2.log().freeze().await.unwrap(), v2_verifier, HOST),
    ] {
        let last = checkpoint(&note.checkpoint, &verifier);
        assert_eq!(last.origin, origin);
        assert_eq!(last.extensions, ["Log frozen — Mon Nov 24 16:00:00 UTC 2025"]);
    }
    let refused = v2.submit(&proposal_v2()).await.unwrap_err();
    assert!(matches!(refused, SubmitError::Log(tlog::SubmitError::Frozen)), "{refused:?}");
}
