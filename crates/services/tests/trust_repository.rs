//! The trust repository over time: it renews itself, survives interruptions, and takes changes of trust.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test fail it by panicking")]

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::Path;

use crypto::{KeyKind, SigningKey};
use jiff::{SignedDuration, Timestamp};
use services::repo::change::{self, ChangeError, Signatures};
use services::repo::{self, RepositoryError, Target, TrustRepository};
use tuf::publish::RootKeys;
use tuf::{Fetch, MemoryStore, TargetName};

/// The keys of a repository, and where it is.
struct Fixture {
    directory: tempfile::TempDir,
    holders: Vec<SigningKey>,
    snapshot: Vec<u8>,
    timestamp: Vec<u8>,
}

/// A repository, read as a client reads it.
struct Served<'a>(&'a TrustRepository);

impl Fetch for Served<'_> {
    type Error = std::convert::Infallible;

    async fn fetch(&self, path: &str, _limit: u64) -> Result<Option<Vec<u8>>, Self::Error> {
        Ok(self.0.file(path).map(|file| file.contents.to_vec()))
    }
}

fn key() -> SigningKey {
    SigningKey::generate(KeyKind::EcdsaP256).unwrap()
}

fn days(days: i64) -> Timestamp {
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    start + SignedDuration::from_hours(24 * days)
}

impl Fixture {
    fn new(holders: usize, threshold: u64) -> Self {
        let holders: Vec<_> = (0..holders).map(|_| key()).collect();
        let [snapshot, timestamp] = [key(), key()];
        let keys = RootKeys {
            holders: holders.iter().map(|key| key.public_key().clone()).collect(),
            threshold: NonZeroU64::new(threshold).unwrap(),
            snapshot: snapshot.public_key().clone(),
            timestamp: timestamp.public_key().clone(),
        };
        let directory = tempfile::tempdir().unwrap();
        let targets = BTreeMap::from([("a.txt".to_owned(), Target::plain("first"))]);
        let signers: Vec<_> = holders.iter().collect();
        repo::create(directory.path(), &keys, &signers, &targets, days(0)).unwrap();
        let der = |key: &SigningKey| key.to_pkcs8_der().unwrap().to_vec();
        let (snapshot, timestamp) = (der(&snapshot), der(&timestamp));
        Self { directory, holders, snapshot, timestamp }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn try_open(&self, now: Timestamp) -> Result<TrustRepository, RepositoryError> {
        let key = |der: &[u8]| SigningKey::from_pkcs8_der(der).unwrap();
        TrustRepository::open(self.path(), key(&self.snapshot), key(&self.timestamp), now)
    }

    fn open(&self, now: Timestamp) -> TrustRepository {
        self.try_open(now).unwrap()
    }

    /// Proposes that `a.txt` holds `text`, lets the holders with these numbers sign, and publishes.
    fn change(&self, text: &str, signers: &[usize], now: Timestamp) -> Result<(), ChangeError> {
        let proposal = tempfile::tempdir().unwrap();
        let changes = BTreeMap::from([("a.txt".to_owned(), Some(Target::plain(text)))]);
        change::propose_targets(self.path(), proposal.path(), &changes, now)?;
        for signer in signers {
            change::sign(proposal.path(), std::slice::from_ref(&self.holders[*signer]))?;
        }
        change::publish(proposal.path(), self.path()).map(|_| ())
    }
}

/// What a client that keeps `store` downloads as `a.txt`.
async fn download(repository: &TrustRepository, store: &MemoryStore, now: Timestamp) -> String {
    let root = repository.file("1.root.json").unwrap().contents;
    let fetch = Served(repository);
    let mut set = tuf::refresh(&root, &fetch, store, now).await.unwrap();
    let name = TargetName::new("a.txt").unwrap();
    let target = tuf::find_target(&mut set, &name, &fetch, store).await.unwrap().unwrap();
    String::from_utf8(tuf::download(&set, &name, &target, &fetch).await.unwrap()).unwrap()
}

fn versions(repository: &TrustRepository, now: Timestamp) -> Vec<u64> {
    repository.state(now).iter().map(|role| role.version).collect()
}

#[tokio::test]
async fn for_a_month_it_renews_itself_every_day_without_an_offline_key() {
    let fixture = Fixture::new(1, 1);
    let repository = fixture.open(days(0));
    let behind = MemoryStore::default();
    download(&repository, &behind, days(0)).await;
    for day in 1..=30 {
        assert!(!repository.renew(days(day) - SignedDuration::from_secs(1)).unwrap());
        assert!(repository.renew(days(day)).unwrap());
        let version = u64::try_from(day).unwrap() + 1;
        assert_eq!(versions(&repository, days(day)), [1, 1, version, version]);
        // A client that is new, and so has no history, reads each version.
        assert_eq!(download(&repository, &MemoryStore::default(), days(day)).await, "first");
    }
    // And so does one that was away all the time.
    assert_eq!(download(&repository, &behind, days(30)).await, "first");
}

#[tokio::test]
async fn a_server_that_was_off_for_a_month_serves_what_is_fresh_at_once() {
    let fixture = Fixture::new(1, 1);
    fixture.open(days(0));
    let repository = fixture.open(days(40));
    assert_eq!(download(&repository, &MemoryStore::default(), days(40)).await, "first");
    let left = |role: &str| {
        let state = repository.state(days(40));
        state.iter().find(|row| row.role == role).unwrap().expires_in_seconds / 86_400
    };
    assert_eq!((left("timestamp"), left("snapshot"), left("root")), (7, 30, 325));
}

#[test]
fn opening_it_again_the_same_day_changes_nothing() {
    let fixture = Fixture::new(1, 1);
    let first = fixture.open(days(0)).file("timestamp.json").unwrap().contents;
    let again = fixture.open(days(0)).file("timestamp.json").unwrap().contents;
    assert_eq!(first, again);
}

#[tokio::test]
async fn a_change_of_trust_is_served_once_enough_holders_have_signed_it() {
    let fixture = Fixture::new(3, 2);
    let repository = fixture.open(days(0));
    let refused = fixture.change("second", &[1], days(1)).unwrap_err();
    assert!(matches!(
        refused,
        ChangeError::Files(RepositoryError::Signature { source, .. }) if source.valid == 1 && source.threshold == 2
    ));
    assert_eq!(download(&repository, &MemoryStore::default(), days(0)).await, "first");

    let store = MemoryStore::default();
    download(&repository, &store, days(0)).await;
    fixture.change("second", &[2, 0], days(0)).unwrap();
    // Published files are seen the next time the server looks, renewal or not.
    assert!(repository.renew(days(0)).unwrap());
    assert_eq!(download(&repository, &store, days(0)).await, "second");
    assert!(!repository.renew(days(0)).unwrap());
}

#[tokio::test]
async fn a_holder_is_replaced_and_clients_follow() {
    let mut fixture = Fixture::new(3, 2);
    let repository = fixture.open(days(0));
    let store = MemoryStore::default();
    download(&repository, &store, days(0)).await;

    let proposal = tempfile::tempdir().unwrap();
    let mut keys = change::root_keys(fixture.path()).unwrap();
    let newcomer = key();
    keys.holders[2] = newcomer.public_key().clone();
    change::propose_root(fixture.path(), proposal.path(), &keys, days(1)).unwrap();
    let stranger = change::sign(proposal.path(), &[key()]).unwrap_err();
    assert!(matches!(stranger, ChangeError::NotAHolder { .. }));
    change::sign(proposal.path(), std::slice::from_ref(&fixture.holders[0])).unwrap();
    let standing = change::standing(proposal.path()).unwrap();
    assert_eq!(standing, [Signatures { role: "root", version: 2, signed: 1, threshold: 2 }]);
    // One old holder and the new one: two of the new root's three, but one of the old root's.
    change::sign(proposal.path(), std::slice::from_ref(&newcomer)).unwrap();
    change::publish(proposal.path(), fixture.path()).unwrap_err();
    change::sign(proposal.path(), std::slice::from_ref(&fixture.holders[1])).unwrap();
    change::publish(proposal.path(), fixture.path()).unwrap();

    fixture.holders[2] = newcomer;
    fixture.change("second", &[0, 2], days(1)).unwrap();
    assert!(repository.renew(days(1)).unwrap());
    assert_eq!(download(&repository, &store, days(1)).await, "second");
    assert_eq!(versions(&repository, days(1)), [2, 2, 2, 2]);
}

impl Fixture {
    /// Proposes that there are `holders`, of whom `threshold` must sign.
    fn propose_holders(&self, proposal: &Path, holders: &[&SigningKey], threshold: u64) {
        let mut keys = change::root_keys(self.path()).unwrap();
        keys.holders = holders.iter().map(|key| key.public_key().clone()).collect();
        keys.threshold = NonZeroU64::new(threshold).unwrap();
        change::propose_root(self.path(), proposal, &keys, days(0)).unwrap();
    }
}

/// Was wrong: the new root made the targets void, no client could update any more, and no server start.
#[tokio::test]
async fn new_holders_sign_the_targets_with_the_root_that_names_them() {
    let fixture = Fixture::new(1, 1);
    let repository = fixture.open(days(0));
    let store = MemoryStore::default();
    download(&repository, &store, days(0)).await;
    let (proposal, newcomer) = (tempfile::tempdir().unwrap(), key());
    fixture.propose_holders(proposal.path(), &[&newcomer], 1);
    change::sign(proposal.path(), std::slice::from_ref(&fixture.holders[0])).unwrap();
    change::sign(proposal.path(), std::slice::from_ref(&newcomer)).unwrap();

    // Without the targets it is refused, whoever has signed the root.
    let targets = proposal.path().join("2.targets.json");
    let aside = proposal.path().join("aside");
    std::fs::rename(&targets, &aside).unwrap();
    let refused = change::publish(proposal.path(), fixture.path()).unwrap_err();
    assert!(matches!(
        refused,
        ChangeError::TargetsVoid { source } if source.valid == 0 && source.threshold == 1
    ));
    std::fs::rename(&aside, &targets).unwrap();
    assert_eq!(change::publish(proposal.path(), fixture.path()).unwrap(), ["targets", "root"]);

    for repository in [fixture.open(days(0)), repository] {
        repository.renew(days(0)).unwrap();
        assert_eq!(versions(&repository, days(0))[..2], [2, 2]);
        assert_eq!(download(&repository, &store, days(0)).await, "first");
    }
}

#[tokio::test]
async fn a_publication_that_was_cut_off_before_the_root_changes_nothing_and_can_be_made_again() {
    let fixture = Fixture::new(1, 1);
    fixture.open(days(0));
    let (proposal, newcomer) = (tempfile::tempdir().unwrap(), key());
    fixture.propose_holders(proposal.path(), &[&newcomer], 1);
    let targets = proposal.path().join("2.targets.json");
    let unsigned = std::fs::read(&targets).unwrap();
    change::sign(proposal.path(), std::slice::from_ref(&fixture.holders[0])).unwrap();
    // The holder of today has signed the root only.
    std::fs::write(&targets, unsigned).unwrap();
    change::sign(proposal.path(), std::slice::from_ref(&newcomer)).unwrap();
    std::fs::copy(&targets, fixture.path().join("2.targets.json")).unwrap();

    let repository = fixture.open(days(0));
    assert_eq!(versions(&repository, days(0)), [1, 1, 1, 1]);
    change::publish(proposal.path(), fixture.path()).unwrap();
    assert!(repository.renew(days(0)).unwrap());
    assert_eq!(download(&repository, &MemoryStore::default(), days(0)).await, "first");
}

/// Was wrong: it waited for the next daily renewal.
#[test]
fn a_new_root_alone_is_served_as_soon_as_it_is_seen() {
    let fixture = Fixture::new(1, 1);
    let repository = fixture.open(days(0));
    let proposal = tempfile::tempdir().unwrap();
    fixture.propose_holders(proposal.path(), &[&fixture.holders[0]], 1);
    change::sign(proposal.path(), std::slice::from_ref(&fixture.holders[0])).unwrap();
    assert_eq!(change::publish(proposal.path(), fixture.path()).unwrap(), ["root"]);
    assert!(repository.file("2.root.json").is_none());
    assert!(repository.renew(days(0)).unwrap());
    assert!(repository.file("2.root.json").is_some());
    assert!(!repository.renew(days(0)).unwrap());
}

/// Was wrong: a server looked every five minutes only.
#[tokio::test(start_paused = true)]
async fn what_was_published_is_served_within_a_minute() {
    let fixture = Fixture::new(1, 1);
    let repository = std::sync::Arc::new(fixture.open(days(0)));
    let clock = services::clock::Clock::fixed(days(0));
    let keeping = tokio::spawn(std::sync::Arc::clone(&repository).keep_fresh(clock));
    fixture.change("second", &[0], days(0)).unwrap();
    let begun = tokio::time::Instant::now();
    while repository.file("2.targets.json").is_none() {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        assert!(begun.elapsed().as_secs() < 70, "it is not served");
    }
    assert!(begun.elapsed().as_secs() >= 59);
    keeping.abort();
}

#[test]
fn what_would_break_every_client_is_not_proposed() {
    let fixture = Fixture::new(1, 1);
    let propose = |name: &str, contents: Option<&str>| {
        let proposal = tempfile::tempdir().unwrap();
        let change = contents.map(Target::plain);
        let changes = BTreeMap::from([(name.to_owned(), change)]);
        change::propose_targets(fixture.path(), proposal.path(), &changes, days(0))
    };
    for (name, contents) in [
        (repo::TRUSTED_ROOT, Some("{}")),
        (
            repo::TRUSTED_ROOT,
            Some(r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}"#),
        ),
        (repo::SIGNING_CONFIG, Some("{}")),
        (repo::SIGNING_CONFIG_REKOR_V1, Some("")),
        (repo::TLS_CA, Some("no certificate")),
        ("b.txt", None),
    ] {
        let refused = propose(name, contents).unwrap_err();
        assert!(matches!(refused, ChangeError::Known(_)), "{name}: {refused:?}");
    }
    propose("b.txt", Some("{}")).unwrap();
    propose("a.txt", None).unwrap();
}

#[test]
fn a_target_that_is_replaced_keeps_what_older_clients_find_it_by() {
    let fixture = Fixture::new(1, 1);
    let custom = serde_json::json!({"sigstore": {"usage": "Fulcio"}});
    let change = |target: Target| {
        let proposal = tempfile::tempdir().unwrap();
        let changes = BTreeMap::from([("a.txt".to_owned(), Some(target))]);
        change::propose_targets(fixture.path(), proposal.path(), &changes, days(0)).unwrap();
        change::sign(proposal.path(), std::slice::from_ref(&fixture.holders[0])).unwrap();
        change::publish(proposal.path(), fixture.path()).unwrap();
    };
    change(Target { contents: b"second".to_vec(), custom: Some(custom.clone()) });
    change(Target::plain("third"));
    let text = std::fs::read(fixture.path().join("3.targets.json")).unwrap();
    let targets: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(targets["signed"]["targets"]["a.txt"]["custom"], custom);
}

#[test]
fn a_proposal_for_an_older_version_is_refused() {
    let fixture = Fixture::new(1, 1);
    let [one, other] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for (proposal, text) in [(&one, "one"), (&other, "other")] {
        let changes = BTreeMap::from([("a.txt".to_owned(), Some(Target::plain(text)))]);
        change::propose_targets(fixture.path(), proposal.path(), &changes, days(0)).unwrap();
        change::sign(proposal.path(), std::slice::from_ref(&fixture.holders[0])).unwrap();
    }
    change::publish(one.path(), fixture.path()).unwrap();
    let stale = change::publish(other.path(), fixture.path()).unwrap_err();
    assert!(matches!(stale, ChangeError::Stale { role: "targets", expected: 3, found: 2 }));
}

#[tokio::test]
async fn whatever_is_lost_of_snapshot_and_timestamp_is_made_again() {
    let fixture = Fixture::new(1, 1);
    let repository = fixture.open(days(0));
    repository.renew(days(1)).unwrap();
    let store = MemoryStore::default();
    download(&repository, &store, days(1)).await;
    for name in ["timestamp.json", "2.snapshot.json"] {
        let path = fixture.path().join(name);
        let good = std::fs::read(&path).unwrap();
        for damage in [&b""[..], b"{}", &good[..good.len() / 2]] {
            std::fs::write(&path, damage).unwrap();
            let repository = fixture.open(days(1));
            assert_eq!(download(&repository, &store, days(1)).await, "first", "{name}");
        }
    }
}

#[tokio::test]
async fn a_power_failure_between_snapshot_and_timestamp_leaves_the_old_repository() {
    let fixture = Fixture::new(1, 1);
    let repository = fixture.open(days(0));
    let old = repository.file("timestamp.json").unwrap().contents;
    repository.renew(days(1)).unwrap();
    // The timestamp was not written.
    std::fs::write(fixture.path().join("timestamp.json"), &old).unwrap();
    let repository = fixture.open(days(0));
    assert_eq!(versions(&repository, days(0)), [1, 1, 1, 1]);
    // The name of the snapshot that was left behind is not used for other bytes.
    repository.renew(days(1)).unwrap();
    assert_eq!(versions(&repository, days(1)), [1, 1, 3, 3]);
    assert_eq!(download(&repository, &MemoryStore::default(), days(1)).await, "first");
}

#[test]
fn a_damaged_offline_file_is_refused_and_named() {
    let fixture = Fixture::new(1, 1);
    fixture.open(days(0));
    let hash = hex::encode(crypto::sha256(b"first"));
    let target = fixture.path().join(format!("targets/{hash}.a.txt"));
    std::fs::write(&target, "fjrst").unwrap();
    assert!(
        matches!(fixture.try_open(days(0)), Err(RepositoryError::Target { path, .. }) if path == target)
    );
    std::fs::write(&target, "first").unwrap();

    let targets = fixture.path().join("1.targets.json");
    let text = std::fs::read_to_string(&targets).unwrap();
    std::fs::write(&targets, text.replace("\"length\": 5", "\"length\": 6")).unwrap();
    assert!(
        matches!(fixture.try_open(days(0)), Err(RepositoryError::Signature { path, .. }) if path == targets)
    );
}

#[test]
fn a_server_with_the_keys_of_another_does_not_sign() {
    let fixture = Fixture::new(1, 1);
    let refused = TrustRepository::open(fixture.path(), key(), key(), days(0)).err();
    assert!(matches!(refused, Some(RepositoryError::KeyNotNamed { role: "snapshot" })));
}

#[test]
fn no_path_leads_out_of_the_repository() {
    let fixture = Fixture::new(1, 1);
    let repository = fixture.open(days(0));
    for path in [
        "",
        "/",
        "../1.root.json",
        "targets/../1.root.json",
        "//1.root.json",
        "2.root.json",
        "targets",
    ] {
        assert!(repository.file(path).is_none(), "{path}");
    }
    assert!(repository.file("1.root.json").unwrap().immutable);
    assert!(!repository.file("timestamp.json").unwrap().immutable);
    assert!(!repository.file("root.json").unwrap().immutable);
}
