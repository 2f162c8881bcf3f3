//! What `init` makes is whole, closed to others, and made once.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test fail it by panicking")]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use pki::Certificate;
use services::init::{CertificatesError, InitError, InitOptions, Initialised, init};
use services::keys::{KeyDirectory, OfflineKey, OnlineKey, Passphrase};
use services::layout::Layout;
use services::repo::{self, TrustRepository};
use services::tls::ServerCertificate;
use wire::client_trust_config::ClientTrustConfig;
use wire::trusted_root::TrustedRoot;

struct Fixture {
    keep: tempfile::TempDir,
    options: InitOptions,
}

fn now() -> Timestamp {
    "2026-06-01T12:00:00.7Z".parse().unwrap()
}

impl Fixture {
    fn new() -> Self {
        let keep = tempfile::tempdir().unwrap();
        let options = InitOptions {
            directory: keep.path().join("sigstore"),
            url: "http://localhost:8700".parse().unwrap(),
            offline: None,
            passphrase_file: None,
            root_keys: 1,
            threshold: 1,
            organization: "Example".to_owned(),
            tls: false,
            anchors: keep.path().join("anchors"),
            dev: false,
        };
        Self { keep, options }
    }

    fn init(&self) -> Initialised {
        init(&self.options, now()).unwrap()
    }

    fn layout(&self) -> Layout {
        Layout::new(&self.options.directory)
    }

    fn online(&self) -> KeyDirectory<OnlineKey> {
        let passphrase = Passphrase::find(None, &self.options.directory).unwrap();
        KeyDirectory::open(&self.layout().keys(), &passphrase).unwrap()
    }

    fn offline(&self) -> KeyDirectory<OfflineKey> {
        let offline = self.layout().offline();
        KeyDirectory::open(&offline, &Passphrase::find(None, &offline).unwrap()).unwrap()
    }

    fn repository(&self) -> TrustRepository {
        let keys = self.online();
        let load = |role| keys.load(role).unwrap();
        let (snapshot, timestamp) = (load(OnlineKey::TufSnapshot), load(OnlineKey::TufTimestamp));
        TrustRepository::open(&self.layout().tuf(), snapshot, timestamp, now()).unwrap()
    }

    /// Every file below the fixture, with its contents.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut directories = vec![self.keep.path().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    files.insert(path.clone(), std::fs::read(&path).unwrap());
                }
            }
        }
        files
    }
}

#[test]
fn a_second_run_changes_nothing_and_says_so() {
    let fixture = Fixture::new();
    let first = fixture.init();
    assert!(first.made);
    let files = fixture.files();
    let second = init(&fixture.options, now() + SignedDuration::from_hours(1)).unwrap();
    assert!(!second.made);
    assert_eq!((second.fingerprint, second.instance), (first.fingerprint, first.instance));
    assert!(fixture.files() == files, "a file was changed");
}

#[test]
fn an_interrupted_run_is_finished_with_what_it_made() {
    let fixture = Fixture::new();
    let first = fixture.init();
    let key = fixture.online().load(OnlineKey::CtLog).unwrap().public_key().clone();
    // As if the power had failed before each of these was made.
    for lost in [
        vec!["tuf"],
        vec!["tuf", "certificates/tsa.pem"],
        vec!["tuf", "certificates", "keys/idp.pem"],
    ] {
        for path in lost {
            let path = fixture.options.directory.join(path);
            if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }
                .unwrap();
        }
        let again = fixture.init();
        assert!(again.made);
        assert_eq!(again.instance, first.instance);
        assert_eq!(*fixture.online().load(OnlineKey::CtLog).unwrap().public_key(), key);
        fixture.repository();
    }
}

#[test]
fn the_directory_of_another_url_is_refused() {
    let mut fixture = Fixture::new();
    fixture.init();
    fixture.options.url = "https://elsewhere.example".parse().unwrap();
    let refused = init(&fixture.options, now()).unwrap_err();
    assert!(
        matches!(refused, InitError::OtherUrl { made_for } if made_for == "http://localhost:8700")
    );
}

#[test]
fn more_signatures_than_holders_are_impossible_and_nothing_is_made() {
    for (root_keys, threshold) in [(1, 2), (0, 0), (3, 0), (17, 1)] {
        let mut fixture = Fixture::new();
        (fixture.options.root_keys, fixture.options.threshold) = (root_keys, threshold);
        let refused = init(&fixture.options, now()).unwrap_err();
        assert!(matches!(refused, InitError::Holders { .. }), "{refused:?}");
        assert!(!fixture.options.directory.exists());
    }
}

/// Was wrong: the name was written down first, so that the directory could never be finished.
#[test]
fn an_organisation_that_no_certificate_can_name_is_refused_and_nothing_is_made() {
    let mut fixture = Fixture::new();
    fixture.options.organization = "x".repeat(65);
    let refused = init(&fixture.options, now()).unwrap_err();
    assert!(matches!(refused, InitError::Certificates(CertificatesError::Name(_))), "{refused:?}");
    assert!(!fixture.options.directory.exists());
    fixture.options.organization = "Example".into();
    assert!(fixture.init().made);
}

#[test]
fn secrets_are_closed_to_others() {
    let fixture = Fixture::new();
    fixture.init();
    let layout = fixture.layout();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for directory in [layout.directory(), &layout.keys(), &layout.offline()] {
        assert_eq!(mode(directory), 0o700, "{}", directory.display());
    }
    for path in fixture.files().keys() {
        let secret = path.starts_with(layout.keys()) || path.starts_with(layout.offline());
        if secret || path.ends_with("passphrase") {
            assert_eq!(mode(path), 0o600, "{}", path.display());
        }
    }
}

/// The secret number or seed of a key, as bytes.
fn secret_of(key: &crypto::SigningKey) -> Vec<u8> {
    let der = key.to_pkcs8_der().unwrap();
    let find = |mark: &[u8]| der.windows(mark.len()).position(|window| window == mark);
    // P-256: `ECPrivateKey` version 1, 32 bytes (RFC 5915). Ed25519: 32 bytes in two octet strings (RFC 8410).
    let at = find(&[2, 1, 1, 4, 0x20])
        .map(|at| at + 5)
        .or_else(|| find(&[4, 0x22, 4, 0x20]).map(|at| at + 4));
    match at {
        Some(at) => der[at..at + 32].to_vec(),
        // RSA: the middle of the key, where its primes are.
        None => der[der.len() / 2..der.len() / 2 + 32].to_vec(),
    }
}

#[test]
fn no_file_holds_the_secret_of_a_key_in_any_spelling() {
    use base64::Engine;
    let mut fixture = Fixture::new();
    fixture.options.tls = true;
    fixture.init();
    let (online, offline) = (fixture.online(), fixture.offline());
    let mut keys: Vec<_> = OnlineKey::ALL.iter().map(|role| online.load(*role).unwrap()).collect();
    keys.push(online.load(OnlineKey::TlsAuthority).unwrap());
    for role in [OfflineKey::CertificateRoot, OfflineKey::TimestampRoot, OfflineKey::TufHolder(1)] {
        keys.push(offline.load(role).unwrap());
    }
    let spellings = |secret: &[u8]| -> Vec<Vec<u8>> {
        let mut all =
            vec![secret.to_vec(), hex::encode(secret).into(), hex::encode_upper(secret).into()];
        // A run of base64 depends on where it begins: each of the three ways, without its ragged ends.
        for skip in 0..3 {
            let whole = &secret[skip..skip + 27];
            all.push(base64::engine::general_purpose::STANDARD.encode(whole).into());
        }
        all
    };
    let holds =
        |contents: &[u8], needle: &[u8]| contents.windows(needle.len()).any(|w| w == needle);
    // The scan finds what it looks for.
    let plain = keys[0].to_pkcs8_pem().unwrap().replace('\n', "");
    assert!(spellings(&secret_of(&keys[0])).iter().any(|needle| holds(plain.as_bytes(), needle)));
    let files = fixture.files();
    for (path, contents) in &files {
        let joined: Vec<u8> = contents.iter().copied().filter(|byte| *byte != b'\n').collect();
        for key in &keys {
            for needle in spellings(&secret_of(key)) {
                assert!(
                    !holds(contents, &needle) && !holds(&joined, &needle),
                    "{}",
                    path.display()
                );
            }
        }
    }
    println!("{} files, {} keys", files.len(), keys.len());
}

#[test]
fn the_trust_root_says_what_was_made() {
    let fixture = Fixture::new();
    let made = fixture.init();
    let repository = fixture.repository();
    let config = ClientTrustConfig::parse(&repository.client_trust_config().unwrap()).unwrap();
    let root = &config.trusted_root;
    let created: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
    let online = fixture.online();
    let key = |role| online.load(role).unwrap().public_key().clone();

    let [v2, v1] = &root.tlogs[..] else { panic!("{:?}", root.tlogs) };
    assert_eq!(v2.public_key, key(OnlineKey::RekorV2).spki_der());
    assert_eq!(v1.public_key, key(OnlineKey::RekorV1).spki_der());
    assert_eq!(v1.log_id, key(OnlineKey::RekorV1).id());
    assert_eq!(root.ctlogs[0].log_id, key(OnlineKey::CtLog).id());
    assert_eq!(root.ctlogs[0].base_url, "http://localhost:8700/ct/1");
    let starts = [
        v1.valid_for,
        v2.valid_for,
        root.ctlogs[0].valid_for,
        root.certificate_authorities[0].valid_for,
    ];
    assert!(starts.iter().all(|range| range.start == created && range.end.is_none()));

    for (authority, role) in [
        (&root.certificate_authorities[0], OnlineKey::CertificateAuthority),
        (&root.timestamp_authorities[0], OnlineKey::TimestampAuthority),
    ] {
        let chain: Vec<_> =
            authority.chain.iter().map(|der| Certificate::from_der(der).unwrap()).collect();
        let [serving, authority_root] = &chain[..] else { panic!("{chain:?}") };
        assert_eq!(*serving.public_key(), key(role));
        assert!(
            authority_root.is_self_signed() && serving.not_after() <= authority_root.not_after()
        );
        assert_eq!(serving.not_before(), created);
        assert_eq!(authority.organization, "Example");
    }
    assert_eq!(config.signing_config.rekor_tlog_urls[0].major_api_version, 2);
    assert_eq!(config.signing_config.tsa_urls[0].url, "http://localhost:8700/api/v1/timestamp");
    assert_eq!(made.fingerprint, repo::fingerprint(&fixture.layout().tuf()).unwrap().unwrap());
}

#[test]
fn every_target_is_served_under_its_hash() {
    let mut fixture = Fixture::new();
    fixture.options.tls = true;
    fixture.init();
    let repository = fixture.repository();
    let targets = repository.file("1.targets.json").unwrap().contents;
    let targets: serde_json::Value = serde_json::from_slice(&targets).unwrap();
    let targets = targets["signed"]["targets"].as_object().unwrap();
    let names: Vec<&str> = targets.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "ctfe.pub",
            "fulcio.crt.pem",
            "fulcio_intermediate.crt.pem",
            "rekor.pub",
            "signing_config.v0.2.json",
            "signing_config_rekor_v1.v0.2.json",
            "tls_ca.pem",
            "trusted_root.json",
            "tsa_leaf.crt.pem",
            "tsa_root.crt.pem",
        ]
    );
    for (name, target) in targets {
        let hash = target["hashes"]["sha256"].as_str().unwrap();
        assert!(repository.file(&format!("targets/{hash}.{name}")).is_some(), "{name}");
    }
    assert_eq!(targets["rekor.pub"]["custom"]["sigstore"]["usage"], "Rekor");
    TrustedRoot::parse(
        &repository
            .file(&format!(
                "targets/{}.trusted_root.json",
                targets["trusted_root.json"]["hashes"]["sha256"].as_str().unwrap()
            ))
            .unwrap()
            .contents,
    )
    .unwrap();
}

#[test]
fn the_server_needs_nothing_of_the_offline_directory() {
    let mut fixture = Fixture::new();
    (fixture.options.root_keys, fixture.options.threshold) = (3, 2);
    fixture.init();
    for holder in 1..=3 {
        fixture.offline().load(OfflineKey::TufHolder(holder)).unwrap();
    }
    std::fs::remove_dir_all(fixture.layout().offline()).unwrap();
    let repository = fixture.repository();
    assert!(repository.renew(now() + SignedDuration::from_hours(24)).unwrap());
}

#[test]
fn a_passphrase_from_elsewhere_is_not_written_into_the_directory() {
    let mut fixture = Fixture::new();
    let passphrase = fixture.keep.path().join("secret");
    std::fs::write(&passphrase, "correct horse battery staple\n").unwrap();
    std::fs::set_permissions(&passphrase, std::fs::Permissions::from_mode(0o600)).unwrap();
    fixture.options.passphrase_file = Some(passphrase.clone());
    fixture.init();
    let layout = fixture.layout();
    assert!(!Passphrase::file_in(layout.directory()).exists());
    let found = Passphrase::find(Some(&passphrase), layout.directory()).unwrap();
    let keys: KeyDirectory = KeyDirectory::open(&layout.keys(), &found).unwrap();
    for role in OnlineKey::ALL {
        keys.load(*role).unwrap();
    }
}

#[test]
fn a_tls_certificate_names_the_host_and_is_signed_by_the_published_authority() {
    let mut fixture = Fixture::new();
    fixture.options.tls = true;
    fixture.options.url = "https://sigstore.example.com".parse().unwrap();
    let made = fixture.init();
    let authority = Arc::new(fixture.online().load(OnlineKey::TlsAuthority).unwrap());
    let further = ["localhost".to_owned()];
    let issue = |now| {
        let authority = Arc::clone(&authority);
        let issued =
            ServerCertificate::issue(&fixture.layout(), &made.instance, authority, &further, now);
        Certificate::from_pem(issued.unwrap().chain.as_bytes()).unwrap()
    };
    let certificate = issue(now());
    let names: Vec<_> = certificate.sans().iter().map(|name| format!("{name:?}")).collect();
    assert_eq!(names, [r#"Dns("sigstore.example.com")"#, r#"Dns("localhost")"#]);
    let ca = std::fs::read(fixture.layout().tls_ca()).unwrap();
    let ca = Certificate::from_pem(&ca).unwrap();
    assert_eq!(certificate.issuer_der(), ca.subject_der());
    assert!(certificate.not_after() < ca.not_after());
    // In the authority's last month a certificate ends with it.
    let month = SignedDuration::from_hours(30 * 24);
    assert_eq!(issue(ca.not_after() - month).not_after(), ca.not_after());
}

#[test]
fn a_directory_for_development_is_made_within_a_moment() {
    let mut fixture = Fixture::new();
    fixture.options.dev = true;
    let started = Instant::now();
    let made = fixture.init();
    println!("init --dev: {} ms", started.elapsed().as_millis());
    assert!(made.notes[0].contains("development"), "{:?}", made.notes);
}
