//! Trusting an instance by its fingerprint, keeping it, and what happens when something is in between.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test fail it by panicking")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::num::NonZeroU64;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use client::trust::{PUBLIC_GOOD, TrustChoice, TrustEntry, TrustError, TrustStore};
use crypto::{KeyKind, SigningKey};
use jiff::{SignedDuration, Timestamp};
use tuf::publish::{self, RootKeys};
use tuf::{MetaFile, TargetFile, TargetName};
use url::Url;
use wire::trusted_root::TrustedRoot;

type Files = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A TUF repository behind a web server on loopback.
struct Server {
    url: Url,
    files: Files,
    key: SigningKey,
    asked: Arc<Mutex<Vec<String>>>,
}

fn days(days: i64) -> Timestamp {
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    start + SignedDuration::from_hours(24 * days)
}

/// Answers one request after another with files, or 404.
fn serve(files: &Files, asked: &Arc<Mutex<Vec<String>>>) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let (files, asked) = (Arc::clone(files), Arc::clone(asked));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let Some(Ok(request)) = lines.next() else { continue };
            while lines.next().is_some_and(|line| !line.unwrap_or_default().is_empty()) {}
            let path =
                request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
            asked.lock().unwrap().push(path.clone());
            let found = files.lock().unwrap().get(&path).cloned();
            let status = if found.is_some() { "200 OK" } else { "404 Not Found" };
            let body = found.unwrap_or_default();
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    url
}

impl Server {
    fn new() -> Self {
        let (files, asked): (Files, Arc<Mutex<Vec<String>>>) = Default::default();
        let key = SigningKey::generate(KeyKind::EcdsaP256).unwrap();
        let server = Self { url: serve(&files, &asked), files, key, asked };
        let public = server.key.public_key();
        let keys = RootKeys {
            holders: vec![public.clone()],
            threshold: NonZeroU64::MIN,
            snapshot: public.clone(),
            timestamp: public.clone(),
        };
        let root = publish::root(NonZeroU64::MIN, &keys, days(0)).unwrap();
        server.put("1.root.json", publish::sign(&root, &[&server.key]).unwrap());
        server.publish(1, "one", days(0));
        server
    }

    fn put(&self, path: &str, bytes: Vec<u8>) {
        self.files.lock().unwrap().insert(format!("tuf/{path}"), bytes);
    }

    fn get(&self, path: &str) -> Vec<u8> {
        self.files.lock().unwrap()[&format!("tuf/{path}")].clone()
    }

    /// Publishes version `version` of everything; the TLS authority says `text`, so that it can be told apart.
    fn publish(&self, version: u64, text: &str, now: Timestamp) {
        let number = NonZeroU64::new(version).unwrap();
        let mut targets = BTreeMap::new();
        let contents = [
            ("trusted_root.json", TrustedRoot::default().to_json()),
            ("tls_ca.pem", text.to_owned()),
        ];
        for (name, contents) in contents {
            let target = TargetFile::of(contents.as_bytes(), None);
            let path = TargetName::new(name).unwrap().with_hash(&target.hashes["sha256"]);
            self.put(&format!("targets/{path}"), contents.into_bytes());
            targets.insert(name.to_owned(), target);
        }
        let sign = |bytes: Result<Vec<u8>, _>| -> Vec<u8> {
            bytes.map_err(|e: publish::PublishError| e).unwrap()
        };
        let targets = publish::targets(number, targets, now).unwrap();
        let targets = sign(publish::sign(&targets, &[&self.key]));
        let snapshot = publish::snapshot(number, MetaFile::of(number, &targets), now).unwrap();
        let snapshot = sign(publish::sign(&snapshot, &[&self.key]));
        let timestamp = publish::timestamp(number, MetaFile::of(number, &snapshot), now).unwrap();
        let timestamp = sign(publish::sign(&timestamp, &[&self.key]));
        self.put(&format!("{version}.targets.json"), targets);
        self.put(&format!("{version}.snapshot.json"), snapshot);
        self.put("timestamp.json", timestamp);
    }

    fn fingerprint(&self) -> String {
        format!("SHA256:{}", hex::encode(crypto::sha256(&self.get("1.root.json"))))
    }

    /// The instance's name: host and port.
    fn name(&self) -> String {
        format!("127.0.0.1:{}", self.url.port().unwrap())
    }
}

fn store() -> (tempfile::TempDir, TrustStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = TrustStore::at(directory.path().join("trust"));
    (directory, store)
}

async fn add(store: &TrustStore, server: &Server) -> TrustEntry {
    store.add(&server.url, &server.fingerprint(), days(1)).await.unwrap()
}

/// The text by which a version is told apart.
fn text(store: &TrustStore, choice: &TrustChoice, now: Timestamp) -> String {
    let trust = store.load(choice, now).unwrap();
    String::from_utf8(trust.tls_ca.unwrap().to_vec()).unwrap()
}

/// The one file of a store with one instance.
fn record(directory: &Path) -> PathBuf {
    let files =
        std::fs::read_dir(directory.join("trust")).unwrap().map(|entry| entry.unwrap().path());
    files.into_iter().find(|path| path.extension().is_some_and(|e| e == "json")).unwrap()
}

#[tokio::test]
async fn what_was_added_is_the_default_and_is_read_without_the_server() {
    let (directory, first) = store();
    let server = Server::new();
    let entry = add(&first, &server).await;
    assert_eq!((entry.name.as_str(), entry.default), (server.name().as_str(), true));
    let asked = server.asked.lock().unwrap().len();
    let again = TrustStore::at(directory.path().join("trust"));
    assert_eq!(text(&again, &TrustChoice::Default, days(1)), "one");
    assert_eq!(again.load(&TrustChoice::Default, days(1)).unwrap().warnings, [""; 0]);
    assert_eq!(server.asked.lock().unwrap().len(), asked, "a socket was opened");
    let mode = std::fs::metadata(record(directory.path())).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn the_url_may_be_that_of_the_repository_and_the_fingerprint_in_capitals() {
    let (_keep, store) = store();
    let server = Server::new();
    let fingerprint = server.fingerprint().to_uppercase();
    let url = server.url.join("tuf").unwrap();
    let entry = store.add(&url, &fingerprint, days(1)).await.unwrap();
    assert_eq!(entry.url, server.url.join("tuf/").unwrap());
}

#[tokio::test]
async fn another_root_than_the_one_that_was_announced_is_refused() {
    let (_keep, store) = store();
    let (server, other) = (Server::new(), Server::new());
    let refused = store.add(&server.url, &other.fingerprint(), days(1)).await.unwrap_err();
    assert!(
        matches!(refused, TrustError::Fingerprint { found, .. } if found == server.fingerprint())
    );
    for malformed in ["", "SHA256:", "SHA256:00", "MD5:00", &server.fingerprint()[7..]] {
        let refused = store.add(&server.url, malformed, days(1)).await.unwrap_err();
        assert!(matches!(refused, TrustError::FingerprintForm(_)), "{malformed}");
    }
    assert_eq!(store.list().unwrap(), []);
}

#[tokio::test]
async fn where_there_is_no_repository_nothing_is_added() {
    let (_keep, store) = store();
    let server = Server::new();
    let url = server.url.join("elsewhere/").unwrap();
    let refused = store.add(&url, &server.fingerprint(), days(1)).await.unwrap_err();
    assert!(matches!(refused, TrustError::NoRepository { .. }));
}

#[tokio::test]
async fn an_update_after_a_month_brings_what_is_new() {
    let (_keep, store) = store();
    let server = Server::new();
    add(&store, &server).await;
    for day in 2..=30 {
        server.publish(u64::try_from(day).unwrap(), "two", days(day));
    }
    let warnings = store.load(&TrustChoice::Default, days(31)).unwrap().warnings;
    assert!(warnings[0].contains("updated 30 days ago"), "{warnings:?}");
    assert_eq!(text(&store, &TrustChoice::Default, days(31)), "one");
    let entry = store.update(None, days(31)).await.unwrap();
    assert!(entry.roles.iter().all(|(role, version, _)| role == "root" || *version == 30));
    assert_eq!(text(&store, &TrustChoice::Default, days(31)), "two");
    assert_eq!(store.load(&TrustChoice::Default, days(31)).unwrap().warnings, [""; 0]);
}

#[tokio::test]
async fn an_update_that_goes_back_or_stands_still_leaves_what_was_trusted() {
    let (_keep, store) = store();
    let server = Server::new();
    let old = server.get("timestamp.json");
    server.publish(2, "two", days(1));
    add(&store, &server).await;
    server.put("timestamp.json", old);
    let refused = store.update(None, days(1)).await.unwrap_err();
    assert!(matches!(refused, TrustError::Update { .. }), "{refused:?}");
    server.publish(3, "three", days(1));
    let refused = store.update(None, days(20)).await.unwrap_err();
    assert!(matches!(refused, TrustError::Update { .. }), "{refused:?}");
    assert_eq!(text(&store, &TrustChoice::Default, days(1)), "two");
}

#[tokio::test]
async fn what_was_changed_on_disk_is_not_trusted() {
    let (directory, store) = store();
    let server = Server::new();
    add(&store, &server).await;
    let path = record(directory.path());
    let good = std::fs::read_to_string(&path).unwrap();
    let other = Server::new();
    let forged = [
        // Another target, another fingerprint, another root, cut short, of a newer program.
        good.replace("\"one\"", "\"two\""),
        good.replace(&server.fingerprint(), &other.fingerprint()),
        good.replace(
            &serde_json::to_string(&String::from_utf8(server.get("1.root.json")).unwrap()).unwrap(),
            &serde_json::to_string(&String::from_utf8(other.get("1.root.json")).unwrap()).unwrap(),
        ),
        good[..good.len() / 2].to_owned(),
        good.replace("{\"format\":1", "{\"format\":2"),
    ];
    for (number, forged) in forged.into_iter().enumerate() {
        assert_ne!(forged, good, "forgery {number}");
        std::fs::write(&path, forged).unwrap();
        let refused = store.load(&TrustChoice::Default, days(1));
        assert!(
            matches!(refused, Err(TrustError::Damaged { .. } | TrustError::Fingerprint { .. })),
            "forgery {number}: {refused:?}"
        );
    }
    std::fs::write(&path, good).unwrap();
    assert_eq!(text(&store, &TrustChoice::Default, days(1)), "one");
}

#[tokio::test]
async fn several_instances_stand_side_by_side() {
    let (_keep, store) = store();
    let (one, two) = (Server::new(), Server::new());
    two.publish(2, "two", days(1));
    add(&store, &one).await;
    add(&store, &two).await;
    let names = |entries: Vec<TrustEntry>| -> Vec<(String, bool)> {
        entries.into_iter().map(|entry| (entry.name, entry.default)).collect()
    };
    assert_eq!(names(store.list().unwrap()), [(two.name(), true), (one.name(), false)]);
    assert_eq!(text(&store, &TrustChoice::Named(one.name()), days(1)), "one");
    store.remove(&two.name()).unwrap();
    assert!(matches!(store.remove(&two.name()), Err(TrustError::Unknown(_))));
    assert_eq!(store.load(&TrustChoice::Default, days(1)).unwrap().name, PUBLIC_GOOD);
    assert!(matches!(
        store.load(&TrustChoice::Named(two.name()), days(1)),
        Err(TrustError::Unknown(name)) if name == two.name()
    ));
}

#[tokio::test]
async fn where_nothing_can_be_written_trust_lasts_as_long_as_the_process() {
    let directory = tempfile::tempdir().unwrap();
    // A file where the directory would be: nobody can write there, not even root.
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let store = TrustStore::at(file.join("trust"));
    let server = Server::new();
    add(&store, &server).await;
    assert_eq!(text(&store, &TrustChoice::Default, days(1)), "one");
    let other = TrustStore::at(file.join("trust"));
    assert_eq!(other.load(&TrustChoice::Default, days(1)).unwrap().name, PUBLIC_GOOD);
}

#[test]
fn the_public_good_instance_is_embedded_and_says_when_it_is_old() {
    let (_keep, store) = store();
    let at = |now: &str| store.load(&TrustChoice::Default, now.parse().unwrap()).unwrap();
    let trust = at("2026-11-24T00:00:00Z");
    TrustedRoot::parse(&trust.trusted_root).unwrap();
    assert_eq!((trust.name.as_str(), trust.warnings.len()), (PUBLIC_GOOD, 0));
    let old = at("2028-01-01T00:00:00Z").warnings;
    assert!(old[0].contains("435 days old"), "{old:?}");
}

#[test]
fn the_public_good_root_is_known_by_its_fingerprint() {
    let path = "trust/tuf-public-good/root_history/15.root.json";
    let Some(path) = testdata::path(path) else { return };
    let root = std::fs::read(path).unwrap();
    assert_eq!(
        client::trust::PUBLIC_GOOD_ROOT,
        format!("SHA256:{}", hex::encode(crypto::sha256(&root)))
    );
}

#[test]
fn a_file_is_what_its_media_type_says() {
    let (directory, store) = store();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        TrustChoice::File(path)
    };
    let root = TrustedRoot::default().to_json();
    let bare = store.load(&write("root.json", &root), days(0)).unwrap();
    assert_eq!((bare.trusted_root.as_ref(), bare.signing_config), (root.as_bytes(), None));

    let config = wire::signing_config::SigningConfig::default().to_json();
    let kind = wire::client_trust_config::CLIENT_TRUST_CONFIG;
    let both =
        format!(r#"{{"mediaType": "{kind}", "trustedRoot": {root}, "signingConfig": {config}}}"#);
    let both = store.load(&write("both.json", &both), days(0)).unwrap();
    assert_eq!(both.trusted_root.as_ref(), root.as_bytes());
    assert_eq!(both.signing_config.unwrap().as_ref(), config.as_bytes());

    for (name, text) in
        [("empty", ""), ("config", config.as_str()), ("other", r#"{"mediaType": "x"}"#)]
    {
        let refused = store.load(&write(name, text), days(0));
        assert!(matches!(refused, Err(TrustError::NotTrustMaterial { .. })), "{name}");
    }
    let half = format!(r#"{{"mediaType": "{kind}", "trustedRoot": {root}}}"#);
    assert!(store.load(&write("half.json", &half), days(0)).is_err());
}
