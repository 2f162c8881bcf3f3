//! Logs that existing servers wrote are read: their roots are rebuilt from tiles and from entries.
//!
//! The data are read in place, from `$BULLA_SHARED` or `../shared` beside the project.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::PublicKey;
use flate2::read::GzDecoder;
use merkle::note::{KeyId, Verifier};
use merkle::{
    Checkpoint, Edge, Hash, LeafIndex, Node, SignedNote, TILE_WIDTH, Tile, TileKind, TilePath,
    TreeSize, consistency_proof, inclusion_path, node_from_tiles, root_at, verify_consistency,
    verify_inclusion,
};

/// A log as its archive has it.
struct Log {
    files: BTreeMap<String, Vec<u8>>,
    note: SignedNote,
    checkpoint: Checkpoint,
    key: PublicKey,
}

fn read(name: &str) -> Option<Log> {
    let directory = testdata::path("tiles")?.join(name);
    let archive = File::open(directory.join("log.tar.gz")).unwrap();
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(GzDecoder::new(archive)).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.insert(name, bytes);
    }
    for name in ["entries.json", "log.pub.pem"] {
        files.extend(fs::read(directory.join(name)).map(|bytes| (name.to_owned(), bytes)));
    }
    let note = SignedNote::parse(&files["checkpoint"]).unwrap();
    let checkpoint = note.text().parse().unwrap();
    let key = PublicKey::from_pem(&files["log.pub.pem"]).unwrap();
    Some(Log { files, note, checkpoint, key })
}

impl Log {
    fn node(&self, node: Node) -> Result<Hash, String> {
        node_from_tiles(node, self.checkpoint.size, |path| {
            let bytes = self.files.get(&path.to_string()).ok_or(format!("{path} is not there"))?;
            Tile::from_bytes(bytes).map_err(|error| error.to_string())
        })?
        .ok_or_else(|| format!("{node:?} is not there"))
    }

    /// The bundles of all entries, in order.
    fn bundles(&self, kind: TileKind) -> impl Iterator<Item = &[u8]> {
        (0..self.checkpoint.size.get().div_ceil(TILE_WIDTH)).map(move |index| {
            let path = TilePath::at_size(kind, index, self.checkpoint.size).unwrap();
            self.files[&path.to_string()].as_slice()
        })
    }

    fn check_tree(&self, leaves: &[Hash]) -> usize {
        let size = self.checkpoint.size;
        assert_eq!(leaves.len() as u64, size.get());
        let mut edge = Edge::default();
        leaves.iter().for_each(|leaf| edge.append(*leaf));
        assert_eq!(edge.root(), self.checkpoint.root, "from the entries");
        assert_eq!(root_at(size, |node| self.node(node)), Ok(self.checkpoint.root), "from tiles");

        for (n, leaf) in (0..).zip(leaves) {
            let index = LeafIndex::new(n);
            let path = inclusion_path(index, size, |node| self.node(node)).unwrap().unwrap();
            verify_inclusion(*leaf, index, &path, size, self.checkpoint.root).unwrap();
        }
        for old in (1..=size.get()).map(TreeSize::new) {
            let root = root_at(old, |node| self.node(node)).unwrap();
            let proof = consistency_proof(old, size, |node| self.node(node)).unwrap().unwrap();
            verify_consistency(old, root, size, self.checkpoint.root, &proof).unwrap();
        }
        2 * leaves.len()
    }

    /// Every partial tile that the server left is a prefix of what is known of it now.
    fn check_partial_tiles(&self) -> usize {
        let names = self.files.keys().filter_map(|name| name.parse::<TilePath>().ok());
        let partial = names.filter(|path| !path.is_full() && path.kind() != TileKind::Data);
        partial
            .inspect(|path| {
                let now = TilePath::at_size(path.kind(), path.index(), self.checkpoint.size);
                let now = &self.files[&now.unwrap().to_string()];
                assert!(now.starts_with(&self.files[&path.to_string()]), "{path}");
            })
            .count()
    }
}

#[test]
fn the_log_of_rekor_tiles_is_read() {
    let Some(log) = read("rekor-tiles") else { return };
    Verifier::new(log.checkpoint.origin.clone(), log.key.clone()).verify(&log.note).unwrap();

    let mut leaves = Vec::new();
    for mut bundle in log.bundles(TileKind::Entries) {
        while let Some(entry) = prefixed::<2>(&mut bundle) {
            leaves.push(Hash::leaf(entry));
        }
    }
    let mut cases = 1 + log.check_tree(&leaves) + log.check_partial_tiles();

    let entries: Vec<serde_json::Value> =
        serde_json::from_slice(&log.files["entries.json"]).unwrap();
    for entry in &entries {
        let index = LeafIndex::new(entry["index"].as_str().unwrap().parse().unwrap());
        let leaf = leaves[usize::try_from(index.get()).unwrap()];
        assert_eq!(entry["leafHash"], leaf.to_hex());
        cases += 1;
        if let Some(proof) = entry.get("inclusionProof") {
            check_answer(&log, leaf, index, proof);
            cases += 1;
        }
    }
    println!("golden tiles/rekor-tiles: {cases} cases, {cases} equal, 0 exceptions");
}

/// A proof that the server gave when the log was smaller.
fn check_answer(log: &Log, leaf: Hash, index: LeafIndex, proof: &serde_json::Value) {
    let envelope = proof["checkpoint"]["envelope"].as_str().unwrap();
    let note = SignedNote::parse(envelope.as_bytes()).unwrap();
    Verifier::new(log.checkpoint.origin.clone(), log.key.clone()).verify(&note).unwrap();
    let checkpoint: Checkpoint = note.text().parse().unwrap();
    let hash = |text: &serde_json::Value| {
        Hash::from_bytes(&STANDARD.decode(text.as_str().unwrap()).unwrap()).unwrap()
    };
    let path: Vec<_> = proof["hashes"].as_array().into_iter().flatten().map(hash).collect();
    verify_inclusion(leaf, index, &path, checkpoint.size, checkpoint.root).unwrap();
    let ours = inclusion_path(index, checkpoint.size, |node| log.node(node)).unwrap();
    assert_eq!(ours, Some(path));
}

#[test]
fn the_log_of_tesseract_is_read() {
    let Some(log) = read("tesseract") else { return };
    check_tree_head(&log);

    let mut leaves = Vec::new();
    for mut bundle in log.bundles(TileKind::Data) {
        while !bundle.is_empty() {
            leaves.push(tile_leaf(&mut bundle).expect("a whole TileLeaf"));
        }
    }
    let cases = 1 + log.check_tree(&leaves) + log.check_partial_tiles();
    println!("golden tiles/tesseract: {cases} cases, {cases} equal, 0 exceptions");
}

/// The signature of a CT checkpoint is that of RFC 6962 §3.5 (C2SP static-ct-api, "Checkpoints").
fn check_tree_head(log: &Log) {
    let origin = &log.checkpoint.origin;
    let id = KeyId::of_rfc6962_log(origin, &crypto::sha256(log.key.spki_der()));
    let signature = log.note.signatures_by(origin, id.hint()).next().unwrap();
    let (time, signature) = signature.bytes.split_at(8);
    // ecdsa with SHA-256, and a length in two bytes
    let der = signature.strip_prefix(&[4, 3]).unwrap();
    let size = log.checkpoint.size.get().to_be_bytes();
    let signed = [&[0, 1], time, &size, log.checkpoint.root.as_bytes()].concat();
    let scheme = crypto::Scheme::default_for(log.key.kind());
    log.key.verify(scheme, &signed, &der[2..]).unwrap();
}

/// Reads a `TileLeaf` and answers with the hash of its `MerkleTreeLeaf` (C2SP static-ct-api, "Log Entries").
fn tile_leaf(bundle: &mut &[u8]) -> Option<Hash> {
    const PRECERTIFICATE: u8 = 1;
    let start = *bundle;
    let entry_type = take(bundle, 10)?[9];
    if entry_type == PRECERTIFICATE {
        take(bundle, 32)?;
    }
    prefixed::<3>(bundle)?;
    prefixed::<2>(bundle)?;
    let timestamped = &start[..start.len() - bundle.len()];
    if entry_type == PRECERTIFICATE {
        prefixed::<3>(bundle)?;
    }
    prefixed::<2>(bundle)?;
    Some(Hash::leaf(&[&[0, 0], timestamped].concat()))
}

/// Takes bytes after their length, which is `N` bytes.
fn prefixed<'a, const N: usize>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take(input, N)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    take(input, length)
}

fn take<'a>(input: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = input.split_at_checked(length)?;
    *input = rest;
    Some(taken)
}
