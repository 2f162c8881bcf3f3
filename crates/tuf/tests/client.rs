//! A client and a repository of ours, and everything that somebody between them could try.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test fail it by panicking")]

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::Mutex;

use crypto::{KeyKind, SigningKey};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tuf::publish::{self, RootKeys};
use tuf::{
    Fetch, MemoryStore, MetaFile, MetadataStore, ParseError, Root, Snapshot, TargetFile,
    TargetName, Targets, TrustError, TrustedSet, Unverified, UpdateError,
};

/// A repository, its keys, and what it serves.
struct Repository {
    holders: Vec<SigningKey>,
    threshold: u64,
    snapshot: SigningKey,
    timestamp: SigningKey,
    files: Mutex<BTreeMap<String, Vec<u8>>>,
}

#[derive(Debug, thiserror::Error)]
#[error("the answer is longer than {0} bytes")]
struct TooLong(u64);

impl Fetch for Repository {
    type Error = TooLong;

    async fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, TooLong> {
        match self.files.lock().unwrap().get(path) {
            Some(bytes) if bytes.len() as u64 > limit => Err(TooLong(limit)),
            bytes => Ok(bytes.cloned()),
        }
    }
}

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn days(days: i64) -> Timestamp {
    start() + SignedDuration::from_hours(24 * days)
}

fn version(version: u64) -> NonZeroU64 {
    NonZeroU64::new(version).unwrap()
}

fn key() -> SigningKey {
    SigningKey::generate(KeyKind::EcdsaP256).unwrap()
}

impl Repository {
    /// A repository of `holders` holders with one version of each role, one target, made at [`start`].
    fn new(holders: usize, threshold: u64) -> Self {
        let repository = Self {
            holders: (0..holders).map(|_| key()).collect(),
            threshold,
            snapshot: key(),
            timestamp: SigningKey::generate(KeyKind::Ed25519).unwrap(),
            files: Mutex::default(),
        };
        repository.put_root(1, &repository.signers());
        repository.put_targets(1, b"first", start());
        repository.put_snapshot(1, 1, start());
        repository.put_timestamp(1, 1, start());
        repository
    }

    /// As many holders as must sign.
    fn signers(&self) -> Vec<&SigningKey> {
        self.holders.iter().take(usize::try_from(self.threshold).unwrap()).collect()
    }

    fn put(&self, path: &str, bytes: Vec<u8>) {
        self.files.lock().unwrap().insert(path.to_owned(), bytes);
    }

    fn get(&self, path: &str) -> Vec<u8> {
        self.files.lock().unwrap()[path].clone()
    }

    fn root(&self, number: u64) -> Root {
        let keys = RootKeys {
            holders: self.holders.iter().map(|key| key.public_key().clone()).collect(),
            threshold: version(self.threshold),
            snapshot: self.snapshot.public_key().clone(),
            timestamp: self.timestamp.public_key().clone(),
        };
        publish::root(version(number), &keys, start()).unwrap()
    }

    fn put_root(&self, number: u64, signers: &[&SigningKey]) {
        let bytes = publish::sign(&self.root(number), signers).unwrap();
        self.put(&format!("{number}.root.json"), bytes);
    }

    fn put_targets(&self, number: u64, contents: &[u8], now: Timestamp) {
        let target = TargetFile::of(contents, None);
        let name = TargetName::new("a.txt").unwrap();
        self.put(
            &format!("targets/{}", name.with_hash(&target.hashes["sha256"])),
            contents.to_vec(),
        );
        let all = BTreeMap::from([("a.txt".to_owned(), target)]);
        let targets = publish::targets(version(number), all, now).unwrap();
        let bytes = publish::sign(&targets, &self.signers()).unwrap();
        self.put(&format!("{number}.targets.json"), bytes);
    }

    fn put_snapshot(&self, number: u64, targets: u64, now: Timestamp) {
        let meta = MetaFile::of(version(targets), &self.get(&format!("{targets}.targets.json")));
        let snapshot = publish::snapshot(version(number), meta, now).unwrap();
        let bytes = publish::sign(&snapshot, &[&self.snapshot]).unwrap();
        self.put(&format!("{number}.snapshot.json"), bytes);
    }

    fn put_timestamp(&self, number: u64, snapshot: u64, now: Timestamp) {
        let meta = MetaFile::of(version(snapshot), &self.get(&format!("{snapshot}.snapshot.json")));
        let timestamp = publish::timestamp(version(number), meta, now).unwrap();
        self.put("timestamp.json", publish::sign(&timestamp, &[&self.timestamp]).unwrap());
    }

    /// Snapshot and timestamp of this version, over targets of version `targets`.
    fn renew(&self, number: u64, targets: u64, now: Timestamp) {
        self.put_snapshot(number, targets, now);
        self.put_timestamp(number, number, now);
    }
}

/// A client that was given the first root.
struct Client {
    root: Vec<u8>,
    store: MemoryStore,
}

impl Client {
    fn of(repository: &Repository) -> Self {
        Self { root: repository.get("1.root.json"), store: MemoryStore::default() }
    }

    async fn refresh(
        &self,
        repository: &Repository,
        now: Timestamp,
    ) -> Result<TrustedSet, UpdateError<TooLong>> {
        tuf::refresh(&self.root, repository, &self.store, now).await
    }

    /// The reason why an update is refused.
    async fn refused(&self, repository: &Repository, now: Timestamp) -> TrustError {
        match self.refresh(repository, now).await {
            Err(UpdateError::Refused(reason)) => reason,
            other => panic!("not refused: {other:?}"),
        }
    }

    async fn target(&self, repository: &Repository, now: Timestamp) -> Vec<u8> {
        let mut set = self.refresh(repository, now).await.unwrap();
        let name = TargetName::new("a.txt").unwrap();
        let target = tuf::find_target(&mut set, &name, repository, &self.store).await.unwrap();
        tuf::download(&set, &name, &target.unwrap(), repository).await.unwrap()
    }
}

/// Signs `change`d metadata of an existing file with `signer`, without asking whether they make sense.
fn forge(bytes: &[u8], signer: &SigningKey, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut envelope: Value = serde_json::from_slice(bytes).unwrap();
    change(&mut envelope["signed"]);
    let canonical = tuf::canonical_json(&envelope["signed"]).unwrap();
    let keyid = publish::key_id(signer.public_key()).unwrap();
    envelope["signatures"] = json!([{
        "keyid": keyid.as_str(),
        "sig": hex::encode(signer.sign(&canonical).unwrap()),
    }]);
    serde_json::to_vec(&envelope).unwrap()
}

#[tokio::test]
async fn a_target_comes_down_and_a_second_time_nothing_has_changed() {
    let repository = Repository::new(1, 1);
    let client = Client::of(&repository);
    assert_eq!(client.target(&repository, days(1)).await, b"first");
    assert_eq!(client.target(&repository, days(2)).await, b"first");
    let roles = tuf::load(&client.root, &client.store).unwrap().roles();
    assert_eq!(roles.iter().map(|role| role.version).collect::<Vec<_>>(), [1, 1, 1, 1]);
}

#[tokio::test]
async fn a_client_a_month_behind_updates() {
    let repository = Repository::new(1, 1);
    let client = Client::of(&repository);
    client.refresh(&repository, days(0)).await.unwrap();
    for day in 1..=30_u64 {
        let now = days(i64::try_from(day).unwrap());
        repository.renew(day + 1, 1, now);
    }
    repository.put_targets(2, b"second", days(30));
    repository.renew(32, 2, days(30));
    assert_eq!(client.target(&repository, days(31)).await, b"second");
}

#[tokio::test]
async fn two_of_three_holders_are_enough_and_one_is_not() {
    let repository = Repository::new(3, 2);
    Client::of(&repository).refresh(&repository, days(1)).await.unwrap();
    for pair in [[0, 2], [1, 2]] {
        let signers = pair.map(|holder| &repository.holders[holder]);
        repository.put_root(2, &signers);
        Client::of(&repository).refresh(&repository, days(1)).await.unwrap();
    }
    let one = &repository.holders[0];
    repository.put_root(2, &[one]);
    let refused = Client::of(&repository).refused(&repository, days(1)).await;
    assert!(
        matches!(&refused, TrustError::Signature { source, .. } if source.valid == 1 && source.threshold == 2),
        "{refused:?}"
    );
    // One holder who signs twice is not two.
    repository.put_root(2, &[one, one]);
    let refused = Client::of(&repository).refused(&repository, days(1)).await;
    assert!(
        matches!(&refused, TrustError::Parse { source: ParseError::SignedTwice(_), .. }),
        "{refused:?}"
    );
}

#[tokio::test]
async fn one_key_under_two_ids_counts_once() {
    let repository = Repository::new(2, 2);
    let signer = &repository.holders[0];
    let mut root = serde_json::to_value(repository.root(1)).unwrap();
    let id = publish::key_id(signer.public_key()).unwrap().as_str().to_owned();
    root["keys"]["again"] = root["keys"][&id].clone();
    root["roles"]["root"]["keyids"] = json!([id, "again"]);
    let signature = hex::encode(signer.sign(&tuf::canonical_json(&root).unwrap()).unwrap());
    let file = json!({"signed": root, "signatures": [
        {"keyid": id, "sig": signature}, {"keyid": "again", "sig": signature},
    ]});
    let parsed = Unverified::<Root>::parse(&serde_json::to_vec(&file).unwrap()).unwrap();
    assert_eq!(parsed.trust_first().unwrap_err().valid, 1);
}

#[tokio::test]
async fn keys_are_replaced_only_by_old_and_new_together() {
    let mut repository = Repository::new(1, 1);
    let client = Client::of(&repository);
    client.refresh(&repository, days(1)).await.unwrap();
    let old = std::mem::replace(&mut repository.holders, vec![key()]).remove(0);

    repository.put_root(2, &[&repository.holders[0]]);
    assert!(matches!(client.refused(&repository, days(1)).await, TrustError::Signature { .. }));
    repository.put_root(2, &[&old]);
    assert!(matches!(client.refused(&repository, days(1)).await, TrustError::Signature { .. }));

    repository.put_root(2, &[&old, &repository.holders[0]]);
    repository.put_targets(2, b"second", days(1));
    repository.renew(2, 2, days(1));
    assert_eq!(client.target(&repository, days(1)).await, b"second");
    // The old holder has no say any more, neither over roots nor over targets.
    let targets = publish::targets(version(3), BTreeMap::new(), days(1)).unwrap();
    repository.put("3.targets.json", publish::sign(&targets, &[&old]).unwrap());
    repository.renew(3, 3, days(1));
    let refused = client.refused(&repository, days(1)).await;
    assert!(
        matches!(&refused, TrustError::Signature { role, .. } if role == "targets"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_new_timestamp_key_lets_a_client_recover_from_a_version_too_high() {
    let mut repository = Repository::new(1, 1);
    let client = Client::of(&repository);
    // Whoever had the online keys has driven the versions up.
    repository.put_snapshot(1_000_000, 1, start());
    repository.put_timestamp(1_000_000, 1_000_000, start());
    client.refresh(&repository, days(1)).await.unwrap();
    repository.renew(2, 1, days(1));
    let refused = client.refused(&repository, days(1)).await;
    assert!(matches!(refused, TrustError::Rollback { trusted: 1_000_000, found: 2, .. }));

    repository.timestamp = key();
    repository.snapshot = key();
    repository.put_root(2, &repository.signers());
    repository.renew(2, 1, days(1));
    client.refresh(&repository, days(1)).await.unwrap();
}

#[tokio::test]
async fn nothing_goes_back() {
    let repository = Repository::new(1, 1);
    let client = Client::of(&repository);
    repository.put_targets(2, b"second", days(1));
    repository.renew(2, 2, days(1));
    client.refresh(&repository, days(1)).await.unwrap();

    let check = |refused: &TrustError, expected: &str| match refused {
        TrustError::Rollback { role, trusted: 2, found: 1 } => assert_eq!(role, expected),
        other => panic!("{other:?}"),
    };
    // The whole repository as it was.
    repository.put_timestamp(1, 1, days(1));
    check(&client.refused(&repository, days(1)).await, "timestamp");
    // A newer timestamp with the older snapshot.
    repository.put_timestamp(3, 1, days(1));
    check(&client.refused(&repository, days(1)).await, "snapshot");
    // A newer snapshot with the older targets.
    repository.renew(4, 1, days(1));
    check(&client.refused(&repository, days(1)).await, "targets.json");
}

#[tokio::test]
async fn a_snapshot_that_leaves_a_role_out_is_refused() {
    let repository = Repository::new(1, 1);
    let client = Client::of(&repository);
    client.refresh(&repository, days(1)).await.unwrap();
    let bytes = forge(&repository.get("1.snapshot.json"), &repository.snapshot, |signed| {
        signed["version"] = json!(2);
        signed["meta"] = json!({});
    });
    repository.put("2.snapshot.json", bytes);
    repository.put_timestamp(2, 2, days(1));
    let refused = client.refused(&repository, days(1)).await;
    assert!(matches!(refused, TrustError::Rollback { found: 0, .. }), "{refused:?}");
}

#[tokio::test]
async fn a_repository_that_stands_still_is_noticed() {
    let repository = Repository::new(1, 1);
    let client = Client::of(&repository);
    client.refresh(&repository, days(6)).await.unwrap();
    for (day, expected) in [(7, "timestamp"), (40, "timestamp"), (366, "root")] {
        let refused = client.refused(&repository, days(day)).await;
        assert!(
            matches!(&refused, TrustError::Expired { role, .. } if role == expected),
            "{refused:?}"
        );
    }
    repository.put_timestamp(2, 1, days(30));
    let refused = client.refused(&repository, days(30)).await;
    assert!(
        matches!(&refused, TrustError::Expired { role, .. } if role == "snapshot"),
        "{refused:?}"
    );
    // Offline, it is used all the same, and its age is known.
    assert_eq!(tuf::load(&client.root, &client.store).unwrap().roles().len(), 4);
}

#[tokio::test]
async fn metadata_of_different_times_cannot_be_mixed() {
    let repository = Repository::new(1, 1);
    repository.put_targets(2, b"second", days(1));
    repository.renew(2, 2, days(1));
    let check = async |of: &str| {
        let result = Client::of(&repository).refresh(&repository, days(1)).await;
        // Where the other file happens to be longer, it is not even read to its end.
        let other_file = match &result {
            Err(UpdateError::Refused(TrustError::Mismatch { role, .. })) => role == of,
            Err(UpdateError::Fetch { path, .. }) => path.contains(of),
            _ => false,
        };
        assert!(other_file, "{result:?}");
    };
    let (old, new) = (repository.get("1.targets.json"), repository.get("2.targets.json"));
    repository.put("2.targets.json", old);
    check("targets").await;
    repository.put("2.targets.json", new);
    repository.put("2.snapshot.json", repository.get("1.snapshot.json"));
    check("snapshot").await;
}

#[tokio::test]
async fn a_version_counts_even_where_there_are_no_hashes() {
    let repository = Repository::new(1, 1);
    let strip = |signed: &mut Value| {
        for meta in signed["meta"].as_object_mut().unwrap().values_mut() {
            *meta = json!({"version": 2});
        }
    };
    // The timestamp announces version 2 of the snapshot; the file of that name is version 1.
    repository.put("2.snapshot.json", repository.get("1.snapshot.json"));
    repository.put(
        "timestamp.json",
        forge(&repository.get("timestamp.json"), &repository.timestamp, strip),
    );
    let refused = Client::of(&repository).refused(&repository, days(1)).await;
    assert!(matches!(refused, TrustError::Version { expected: 2, found: 1, .. }), "{refused:?}");
}

#[tokio::test]
async fn a_changed_bit_is_noticed_in_every_file() {
    let repository = Repository::new(1, 1);
    let paths: Vec<String> = repository.files.lock().unwrap().keys().cloned().collect();
    for path in paths.iter().filter(|path| *path != "1.root.json") {
        let good = repository.get(path);
        let mut bad = good.clone();
        let middle = bad.len() * 3 / 4;
        bad[middle] ^= 1;
        repository.put(path, bad);
        let client = Client::of(&repository);
        let came = match client.refresh(&repository, days(1)).await {
            Err(_) => false,
            Ok(mut set) => {
                let name = TargetName::new("a.txt").unwrap();
                let found = tuf::find_target(&mut set, &name, &repository, &client.store).await;
                tuf::download(&set, &name, &found.unwrap().unwrap(), &repository).await.is_ok()
            }
        };
        assert!(!came, "{path}");
        repository.put(path, good);
    }
    assert_eq!(Client::of(&repository).target(&repository, days(1)).await, b"first");
}

#[tokio::test]
async fn a_chain_of_roots_without_end_is_given_up() {
    let repository = Repository::new(1, 1);
    for number in 2..=300 {
        repository.put_root(number, &repository.signers());
    }
    let result = Client::of(&repository).refresh(&repository, days(1)).await;
    assert!(matches!(result, Err(UpdateError::TooManyRoots)));
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let repository = Repository::new(1, 1);
    repository.put("timestamp.json", vec![b' '; 1 << 20]);
    let result = Client::of(&repository).refresh(&repository, days(1)).await;
    assert!(
        matches!(result, Err(UpdateError::Fetch { source: TooLong(16_384), .. })),
        "{result:?}"
    );
}

#[tokio::test]
async fn a_damaged_store_is_fetched_again() {
    let repository = Repository::new(1, 1);
    repository.put_root(2, &repository.signers());
    let client = Client::of(&repository);
    client.refresh(&repository, days(1)).await.unwrap();
    for name in ["2.root.json", "timestamp.json", "snapshot.json", "targets.json"] {
        client.store.save(name, b"{").unwrap();
        assert_eq!(client.target(&repository, days(1)).await, b"first");
        tuf::load(&client.root, &client.store).unwrap();
    }
}

#[test]
fn hostile_json_is_refused_and_nothing_panics() {
    let repository = Repository::new(1, 1);
    let good: Value = serde_json::from_slice(&repository.get("1.root.json")).unwrap();
    Unverified::<Root>::parse(&serde_json::to_vec(&good).unwrap()).unwrap();
    let changes: &[fn(&mut Value)] = &[
        |root| root["signed"] = Value::Null,
        |root| root["signatures"] = Value::Null,
        |root| root["signed"]["keys"] = Value::Null,
        |root| root["signed"]["roles"]["root"]["threshold"] = json!(0),
        |root| root["signed"]["roles"]["root"]["threshold"] = json!(-1),
        |root| root["signed"]["roles"]["timestamp"] = Value::Null,
        |root| root["signed"]["version"] = json!(0),
        |root| root["signed"]["version"] = json!(1.5),
        |root| root["signed"]["expires"] = json!("tomorrow"),
        |root| root["signed"]["_type"] = json!("targets"),
        |root| root["signed"]["spec_version"] = json!("2.0.0"),
        |root| root["signed"]["x"] = json!(0.5),
        |root| {
            let many = |n: u32| json!({"keyid": n.to_string(), "sig": ""});
            root["signatures"] = (0..100_000).map(many).collect();
        },
        |root| {
            let again = root["signatures"][0].clone();
            root["signatures"].as_array_mut().unwrap().push(again);
        },
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut bad = good.clone();
        change(&mut bad);
        let result = Unverified::<Root>::parse(&serde_json::to_vec(&bad).unwrap());
        assert!(result.is_err(), "change {number}");
    }
    Unverified::<Targets>::parse(&repository.get("1.root.json")).unwrap_err();
    Unverified::<Snapshot>::parse(&[b'['; 100_000]).unwrap_err();
}

#[test]
fn a_proposal_is_signed_by_one_holder_after_another() {
    let repository = Repository::new(3, 2);
    let first =
        Unverified::<Root>::parse(&repository.get("1.root.json")).unwrap().trust_first().unwrap();
    let mut proposal = publish::sign(&repository.root(2), &[]).unwrap();
    let check = |bytes: &[u8]| {
        Unverified::<Root>::parse(bytes).unwrap().verify_successor(&first).map(|_| ())
    };
    assert_eq!(check(&proposal).unwrap_err().valid, 0);
    proposal = publish::add_signature::<Root>(&proposal, &repository.holders[2]).unwrap();
    proposal = publish::add_signature::<Root>(&proposal, &repository.holders[2]).unwrap();
    assert_eq!(check(&proposal).unwrap_err().valid, 1);
    proposal = publish::add_signature::<Root>(&proposal, &repository.holders[0]).unwrap();
    assert_eq!(check(&proposal), Ok(()));
}
