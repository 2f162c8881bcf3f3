//! The CT log as a whole, and its forms held against those of existing logs.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crypto::KeyKind;
use jiff::{SignedDuration, Timestamp};
use merkle::{Hash, TileKind, TilePath, verify_consistency, verify_inclusion};
use pki::chain::Purpose;
use pki::fulcio::{LeafContents, San};
use pki::issue::{self, Issuer, LeafRequest, Precertificate, Serial, Validity};
use pki::sct::{Entry, leaf_index_extension};
use pki::{DistinguishedName, oid};
use tempfile::TempDir;

use super::leaf::Metadata;
use super::*;

fn now() -> Timestamp {
    "2026-11-24T10:00:00.123Z".parse().unwrap()
}

fn key() -> Arc<SigningKey> {
    Arc::new(SigningKey::generate(KeyKind::EcdsaP256).unwrap())
}

/// An authority, and a log that accepts its root.
struct House {
    root: Certificate,
    issuer: Issuer,
    log_key: Arc<SigningKey>,
    directory: TempDir,
}

impl House {
    fn new() -> Self {
        let name = |common| DistinguishedName::new("sigstore.example", common).unwrap();
        let validity = Validity::starting(now(), SignedDuration::from_hours(24));
        let [root_key, issuer_key, log_key] = [(); 3].map(|()| key());
        let serial = Serial::from_random([1; 20]);
        let root = issue::root(&root_key, &name("root"), validity, serial).unwrap();
        let root_issuer = Issuer::new(root.clone(), root_key).unwrap();
        let certificate = root_issuer
            .intermediate(
                issuer_key.public_key(),
                &name("intermediate"),
                Purpose::CodeSigning,
                validity,
                serial,
            )
            .unwrap();
        let issuer = Issuer::new(certificate, issuer_key).unwrap();
        let house = Self { root, issuer, log_key, directory: TempDir::new().unwrap() };
        CtLog::create(&house.options(), house.log_key.clone()).unwrap();
        house
    }

    fn options(&self) -> LogOptions {
        let path = self.directory.path();
        let anchors = path.join("anchors");
        fs::create_dir_all(&anchors).unwrap();
        LogOptions::new(path.join("ct"), anchors, "ct.example/ct/1")
    }

    fn open(&self) -> CtLog {
        CtLog::open(Parts {
            options: self.options(),
            key: self.log_key.clone(),
            roots: vec![self.root.clone()],
            clock: Clock::fixed(now()),
        })
        .unwrap()
    }

    fn precertificate(&self, seed: u8) -> Precertificate {
        let contents = LeafContents {
            san: San::Email("alice@example.com".to_owned()),
            extensions: Vec::new(),
        };
        let key = key();
        let request = LeafRequest {
            key: key.public_key(),
            contents: &contents,
            serial: Serial::from_random([seed; 20]),
            validity: Validity::starting(now(), SignedDuration::from_mins(10)),
        };
        self.issuer.precertificate(&request).unwrap()
    }

    fn chain(&self, leaf: &Certificate) -> Vec<Vec<u8>> {
        [leaf, self.issuer.certificate(), &self.root].map(|c| c.der().to_vec()).to_vec()
    }
}

#[tokio::test]
async fn a_promise_is_kept_before_it_is_given() {
    let house = House::new();
    let log = house.open();
    for seed in 0..3 {
        let precertificate = house.precertificate(seed);
        let chain = house.chain(precertificate.certificate());
        let sct = log.add(Endpoint::AddPreChain, &chain).await.unwrap();
        assert_eq!(sct.leaf_index(), Some(u64::from(seed)));
        let verified = sct.verify(precertificate.entry(), log.public_key()).unwrap();
        let entry = precertificate.entry().clone();
        precertificate.finish(&verified).unwrap();

        // A client that has only the certificate and the SCT can find the leaf.
        let leaf = Hash::leaf(&entry.merkle_tree_leaf(sct.timestamp_ms, &sct.extensions));
        let checkpoint = log.reader().published().checkpoint.clone();
        let head =
            verify_checkpoint(checkpoint.as_bytes(), log.origin(), log.public_key()).unwrap();
        assert_eq!(head, log.signed_tree_head().unwrap());
        let (index, path) = log.proof_by_hash(leaf, head.size.get()).await.unwrap();
        verify_inclusion(leaf, index, &path, head.size, head.root).unwrap();
    }
    let consistency = log.consistency(1, 3).await.unwrap();
    let root = |size| log.reader().root_at(merkle::TreeSize::new(size));
    let (old, new) = (root(1).await.unwrap(), root(3).await.unwrap());
    let size = merkle::TreeSize::new;
    verify_consistency(size(1), old, size(3), new, &consistency).unwrap();
    log.log().stop().await;
}

#[tokio::test]
async fn a_repeat_gets_the_same_bytes_also_after_a_restart_and_with_another_chain() {
    let house = House::new();
    let precertificate = house.precertificate(1);
    let chain = house.chain(precertificate.certificate());
    let log = house.open();
    let first = log.add(Endpoint::AddPreChain, &chain).await.unwrap();
    assert_eq!(log.add(Endpoint::AddPreChain, &chain).await.unwrap(), first);
    assert_eq!(log.add(Endpoint::AddPreChain, &chain[..2]).await.unwrap(), first);
    log.log().stop().await;
    drop(log);

    let log = house.open();
    assert_eq!(log.add(Endpoint::AddPreChain, &chain).await.unwrap(), first);
    assert_eq!(log.reader().published().size.get(), 1);
    log.log().stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_submissions_of_one_certificate_are_one_leaf() {
    let house = House::new();
    let log = Arc::new(house.open());
    let chain = Arc::new(house.chain(house.precertificate(1).certificate()));
    let submissions: Vec<_> = (0..1000)
        .map(|_| {
            let (log, chain) = (Arc::clone(&log), Arc::clone(&chain));
            tokio::spawn(async move { log.add(Endpoint::AddPreChain, &chain).await.unwrap() })
        })
        .collect();
    let mut scts = HashSet::new();
    for submission in submissions {
        scts.insert(submission.await.unwrap().encode());
    }
    assert_eq!((scts.len(), log.reader().published().size.get()), (1, 1));
    log.log().stop().await;
}

#[tokio::test]
async fn a_final_certificate_is_another_entry_than_its_precertificate() {
    let house = House::new();
    let log = house.open();
    let precertificate = house.precertificate(1);
    let chain = house.chain(precertificate.certificate());
    let sct = log.add(Endpoint::AddPreChain, &chain).await.unwrap();
    let sct = sct.verify(precertificate.entry(), log.public_key()).unwrap();
    let certificate = precertificate.finish(&sct).unwrap();
    let chain = house.chain(&certificate);
    let of_final = log.add(Endpoint::AddChain, &chain).await.unwrap();
    assert_eq!(of_final.leaf_index(), Some(1));
    let entry = Entry::X509(certificate.der().to_vec());
    of_final.verify(&entry, log.public_key()).unwrap();

    let wrong = log.add(Endpoint::AddPreChain, &chain).await;
    assert!(matches!(wrong, Err(AddError::Refused(SubmissionError::WrongEndpoint))));
    log.log().stop().await;
}

#[tokio::test]
async fn tiles_and_entries_say_the_same() {
    let house = House::new();
    let log = house.open();
    for seed in 0..5 {
        let chain = house.chain(house.precertificate(seed).certificate());
        log.add(Endpoint::AddPreChain, &chain).await.unwrap();
    }
    let tile = |kind| TilePath::at_size(kind, 0, log.reader().published().size).unwrap();
    let data = log.tile(tile(TileKind::Data)).await.unwrap();
    let leaves = TileLeaf::read_tile(&data).unwrap();
    let hashes = log.tile(tile(TileKind::Hashes { level: 0 })).await.unwrap();
    let entries = log.entries(0, 1000).await.unwrap();
    assert_eq!((leaves.len(), entries.len()), (5, 5));
    for (at, (leaf, entry)) in leaves.iter().zip(&entries).enumerate() {
        assert_eq!(leaf.merkle_tree_leaf, entry.merkle_tree_leaf());
        assert_eq!(leaf.extensions, leaf_index_extension(at as u64));
        let hash = Hash::leaf(&leaf.merkle_tree_leaf);
        assert_eq!(hash.as_bytes()[..], hashes[at * 32..(at + 1) * 32]);
        let issuers = leaf.issuers.iter().map(|id| log.issuer(id).unwrap()).collect::<Vec<_>>();
        assert_eq!(issuers, [house.issuer.certificate().clone(), house.root.clone()]);
        assert!(log.extra_data(entry).unwrap().len() > leaf.certificate.len());
    }
    let beyond = TilePath::full(TileKind::Data, 0);
    assert!(matches!(log.tile(beyond).await, Err(ReadError::NotFound)));
    assert!(matches!(log.entries(5, 9).await, Err(ReadError::Range)));
    assert!(matches!(log.entries(3, 2).await, Err(ReadError::Range)));
    log.log().stop().await;
}

#[tokio::test]
async fn what_does_not_belong_into_the_log_is_refused() {
    let house = House::new();
    let log = house.open();
    let [good, stranger] = [&house, &House::new()].map(|house| {
        let leaf = house.precertificate(1);
        house.chain(leaf.certificate())
    });
    let refused = async |chain: &[Vec<u8>]| match log.add(Endpoint::AddPreChain, chain).await {
        Err(AddError::Refused(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&[]).await, SubmissionError::Empty);
    assert_eq!(refused(&stranger).await, SubmissionError::UnknownRoot);
    assert_eq!(refused(&good[..1]).await, SubmissionError::UnknownRoot);
    assert_eq!(refused(&vec![good[0].clone(); 11]).await, SubmissionError::TooLong);
    let swapped = [good[0].clone(), good[2].clone(), good[1].clone()];
    assert!(matches!(refused(&swapped).await, SubmissionError::Signature { position: 1 }));
    let extra = [good[0].clone(), good[1].clone(), stranger[1].clone(), good[2].clone()];
    assert!(matches!(refused(&extra).await, SubmissionError::Signature { .. }));
    let longer = [[good[0].as_slice(), &[0]].concat(), good[1].clone()];
    assert!(matches!(refused(&longer).await, SubmissionError::Certificate { position: 0, .. }));
    let leaf_of_another = [stranger[0].clone(), good[1].clone(), good[2].clone()];
    assert_eq!(refused(&leaf_of_another).await, SubmissionError::Signature { position: 0 });
    // Nothing of all that is in the tree; the twin that differs in one thing gets in.
    assert_eq!(log.reader().published().size.get(), 0);
    log.add(Endpoint::AddPreChain, &good).await.unwrap();
    log.log().stop().await;
}

/// Entries of which the existing log and ours make something else, and why that is safe.
const EXCEPTIONS: &[(&str, &str)] = &[(
    "precert-signing-certificate",
    "Precertificate signing certificates may be refused (static-ct-api). No authority of Sigstore has one \
     (fulcio pkg/ca/baseca), and to admit them would let a second key issue in the authority's name.",
)];

#[test]
fn golden_ct_entries_are_those_of_the_existing_log() {
    let Some(cases) = testdata::path("ct/entries") else { return };
    let (mut equal, mut exceptions) = (0, 0);
    for case in fs::read_dir(cases).unwrap() {
        let path = case.unwrap().path();
        if EXCEPTIONS.iter().any(|(name, _)| path.ends_with(name)) {
            exceptions += 1;
            continue;
        }
        check_entry(&path);
        equal += 1;
    }
    let cases = equal + exceptions;
    testdata::report(&format!(
        "golden ct/entries: {cases} cases, {equal} equal, {exceptions} exceptions"
    ));
}

fn check_entry(path: &Path) {
    let chain = fs::read(path.join("chain.pem")).unwrap();
    let chain = Certificate::chain_from_pem(&chain, 10).unwrap();
    let expect = fs::read(path.join("expect.json")).unwrap();
    let expect: serde_json::Value = serde_json::from_slice(&expect).unwrap();
    let hex_of = |value: &serde_json::Value| hex::decode(value.as_str().unwrap()).unwrap();
    let timestamp_ms = expect["timestamp"].as_u64().unwrap();
    let is_precertificate = expect["entryType"] == "precert_entry";
    let entry = if is_precertificate {
        Entry::of_precertificate(&chain[0], &chain[1]).unwrap()
    } else {
        Entry::X509(chain[0].der().to_vec())
    };
    let leaf = |index: Option<u64>| LogLeaf {
        index: index.unwrap_or_default(),
        time_ms: timestamp_ms,
        merkle_tree_leaf: entry
            .merkle_tree_leaf(timestamp_ms, &index.map(leaf_index_extension).unwrap_or_default()),
        metadata: Metadata {
            digitally_signed: Vec::new(),
            precertificate: is_precertificate.then(|| chain[0].der().to_vec()),
            issuers: chain[1..].iter().map(Certificate::fingerprint).collect(),
        },
    };
    let old = leaf(None);
    let issuers: Vec<&[u8]> = chain[1..].iter().map(Certificate::der).collect();
    assert_eq!(old.merkle_tree_leaf(), hex_of(&expect["rfc6962"]["merkleTreeLeaf"]));
    assert_eq!(old.extra_data(&issuers), hex_of(&expect["rfc6962"]["extraData"]));
    let hash = Hash::leaf(old.merkle_tree_leaf());
    assert_eq!(hash.as_bytes()[..], hex_of(&expect["rfc6962"]["leafHash"]));

    let new = leaf(expect["staticCt"]["leafIndex"].as_u64());
    assert_eq!(new.tile_leaf(), hex_of(&expect["staticCt"]["tileLeaf"]), "{}", path.display());
    let read = TileLeaf::read_tile(&new.tile_leaf()).unwrap().remove(0);
    assert_eq!(read.merkle_tree_leaf, new.merkle_tree_leaf());
    assert_eq!(read.certificate, chain[0].der());
    assert_eq!(read.issuers, new.issuers());
    let hash = Hash::leaf(new.merkle_tree_leaf());
    assert_eq!(hash.as_bytes()[..], hex_of(&expect["staticCt"]["leafHash"]));
}

#[test]
fn golden_tiles_of_the_existing_ct_log_are_read() {
    let Some(source) = testdata::path("tiles/tesseract") else { return };
    let directory = TempDir::new().unwrap();
    let archive = source.join("log.tar.gz");
    let status =
        Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(directory.path()).status();
    assert!(status.is_ok_and(|status| status.success()));
    let read = |name: &str| fs::read(directory.path().join(name)).unwrap();

    let key = PublicKey::from_pem(&fs::read(source.join("log.pub.pem")).unwrap()).unwrap();
    let head = verify_checkpoint(&read("checkpoint"), "ct-0.example.com/2026", &key).unwrap();
    let wrong = verify_checkpoint(&read("checkpoint"), "ct-0.example.com/2027", &key);
    assert_eq!(wrong, Err(CheckpointError::Origin));

    let mut edge = merkle::Edge::default();
    let roots = Certificate::from_pem(&fs::read(source.join("roots.pem")).unwrap()).unwrap();
    for tile in 0..head.size.get().div_ceil(merkle::TILE_WIDTH) {
        let path = |kind| TilePath::at_size(kind, tile, head.size).unwrap().to_string();
        let hashes = read(&path(TileKind::Hashes { level: 0 }));
        let leaves = TileLeaf::read_tile(&read(&path(TileKind::Data))).unwrap();
        assert_eq!(hashes.len(), leaves.len() * 32);
        for (leaf, hash) in leaves.iter().zip(hashes.chunks(32)) {
            let leaf_hash = Hash::leaf(&leaf.merkle_tree_leaf);
            assert_eq!(leaf_hash.as_bytes()[..], *hash);
            assert_eq!(leaf.extensions, leaf_index_extension(edge.size().get()));
            check_tile_leaf(leaf, &roots, &read);
            edge.append(leaf_hash);
        }
    }
    assert_eq!((edge.size(), edge.root()), (head.size, head.root));
    let size = head.size;
    testdata::report(&format!("golden tiles/tesseract: {size} cases, {size} equal, 0 exceptions"));
}

/// A logged chain is one that our log would take.
fn check_tile_leaf(leaf: &TileLeaf, root: &Certificate, read: &impl Fn(&str) -> Vec<u8>) {
    let certificate = Certificate::from_der(&leaf.certificate).unwrap();
    let issuers: Vec<Certificate> = leaf
        .issuers
        .iter()
        .map(|id| Certificate::from_der(&read(&format!("issuer/{}", hex::encode(id)))).unwrap())
        .collect();
    assert_eq!(issuers.last(), Some(root));
    let endpoint = if leaf.is_precertificate { Endpoint::AddPreChain } else { Endpoint::AddChain };
    let entry = submission::judge(endpoint, &certificate, &issuers).unwrap();
    let again = entry.merkle_tree_leaf(leaf.timestamp_ms, &leaf.extensions);
    assert_eq!(again, leaf.merkle_tree_leaf);
    assert_eq!(certificate.extension(oid::POISON).is_some(), leaf.is_precertificate);
}
