//! The contract of API v2, apart from what the golden cases say.

use http::Method;
use merkle::note::Verifier;
use merkle::{Checkpoint, Hash, LeafIndex, SignedNote, TreeSize};
use serde_json::Value;

use crate::logs::{HOST, Logs, base64, proposal_v2, signing_key};

const ENTRIES: &str = "/api/v2/log/entries";

async fn add(logs: &Logs, numbers: std::ops::Range<u64>) -> Vec<Value> {
    let key = signing_key();
    let mut answers = Vec::new();
    for number in numbers {
        let answer = logs.post(ENTRIES, proposal_v2(&key, number)).await;
        assert_eq!(answer.status, 201);
        answers.push(answer.json());
    }
    answers
}

/// The checkpoint in `note`, which the log must have signed under its name.
fn checkpoint(logs: &Logs, note: &[u8]) -> Checkpoint {
    let note = SignedNote::parse(note).unwrap();
    Verifier::new(HOST, logs.v2.public_key().clone()).verify(&note).unwrap();
    note.text().parse().unwrap()
}

#[tokio::test]
async fn every_answer_proves_its_entry_under_a_signed_checkpoint() {
    let logs = Logs::open();
    for (number, answer) in add(&logs, 0..5).await.into_iter().enumerate() {
        let proof = &answer["inclusionProof"];
        let envelope = proof["checkpoint"]["envelope"].as_str().unwrap();
        let checkpoint = checkpoint(&logs, envelope.as_bytes());
        assert_eq!(checkpoint.origin, HOST);
        assert_eq!(answer["logIndex"], number.to_string());
        assert_eq!(base64(&answer["logId"]["keyId"]), logs.v2.key_id().as_bytes());
        let leaf = Hash::leaf(&base64(&answer["canonicalizedBody"]));
        let hash = |hash: &Value| Hash::from_bytes(&base64(hash)).unwrap();
        let path: Vec<Hash> = proof["hashes"].as_array().unwrap().iter().map(hash).collect();
        let index = LeafIndex::new(number as u64);
        merkle::verify_inclusion(leaf, index, &path, checkpoint.size, checkpoint.root).unwrap();
    }
}

#[tokio::test]
async fn submitters_of_one_entry_share_one_leaf_and_one_answer() {
    let logs = Logs::open();
    let request = proposal_v2(&signing_key(), 0);
    let ask = || logs.post(ENTRIES, request.clone());
    let (a, b, c) = tokio::join!(ask(), ask(), ask());
    assert_eq!(logs.v2.reader().published().size, TreeSize::new(1));
    for answer in [a, b, c] {
        assert_eq!((answer.status.as_u16(), &answer.json()["logIndex"]), (201, &"0".into()));
    }
}

#[tokio::test]
async fn the_tree_can_be_read_back_from_checkpoint_tiles_and_bundles() {
    let logs = Logs::open();
    let bodies: Vec<Vec<u8>> =
        add(&logs, 0..260).await.iter().map(|entry| base64(&entry["canonicalizedBody"])).collect();
    let answer = logs.get("/api/v2/checkpoint").await;
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    let checkpoint = checkpoint(&logs, &answer.body);
    assert_eq!(checkpoint.size, TreeSize::new(260));

    let mut leaves = Vec::new();
    let mut read = Vec::new();
    for tile in ["000", "001.p/4"] {
        let hashes = logs.get(&format!("/api/v2/tile/0/{tile}")).await.body;
        leaves.extend(hashes.chunks(32).map(|hash| Hash::from_bytes(hash).unwrap()));
        let bundle = logs.get(&format!("/api/v2/tile/entries/{tile}")).await.body;
        let mut rest = bundle.as_slice();
        while let Some((length, tail)) = rest.split_first_chunk::<2>() {
            let (entry, tail) = tail.split_at(u16::from_be_bytes(*length).into());
            read.push(entry.to_vec());
            rest = tail;
        }
    }
    assert_eq!(read, bodies);
    assert_eq!(leaves, bodies.iter().map(|body| Hash::leaf(body)).collect::<Vec<_>>());
    let mut edge = merkle::Edge::default();
    for leaf in leaves {
        edge.append(leaf);
    }
    assert_eq!(edge.root(), checkpoint.root);
}

#[tokio::test]
async fn full_tiles_are_immutable_and_what_is_beyond_the_edge_is_not_there() {
    let logs = Logs::open();
    add(&logs, 0..257).await;
    let full = logs.get("/api/v2/tile/0/000").await;
    assert_eq!((full.status.as_u16(), full.body.len()), (200, 8192));
    assert_eq!(full.header("content-type"), "application/octet-stream");
    assert!(full.header("cache-control").contains("immutable"));
    let partial = logs.get("/api/v2/tile/1/000.p/1").await;
    assert_eq!((partial.status.as_u16(), partial.body.len()), (200, 32));
    assert!(!partial.header("cache-control").contains("immutable"));
    for path in [
        "0/001",
        "0/001.p/2",
        "0/002.p/1",
        "2/000.p/1",
        "0/1",
        "0/000.p/256",
        "entries/001",
        "0/x000/000",
        "0",
        "00/000",
        "data/000",
        "64/000",
        "0/000/",
        "0/../0/000",
    ] {
        let refusal = logs.get(&format!("/api/v2/tile/{path}")).await.refusal();
        assert_eq!(refusal, (404, 5, "Not Found".to_owned()), "{path}");
    }
    let head = logs.ask(Method::HEAD, "/api/v2/tile/0/000", &[], Vec::new()).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
}

#[tokio::test]
async fn a_refusal_of_content_says_the_existing_words_and_adds_the_reason() {
    let logs = Logs::open();
    let mut request: Value = serde_json::from_slice(&proposal_v2(&signing_key(), 0)).unwrap();
    let other = Value::from("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    request["hashedRekordRequestV002"]["digest"] = other;
    let answer = logs.post(ENTRIES, request.to_string()).await;
    assert_eq!(answer.refusal(), (400, 3, "invalid hashedrekord request".to_owned()));
    let reason = "the signature does not verify with the public key";
    assert_eq!(answer.json()["details"][0]["detail"], reason);
}

#[tokio::test]
async fn reads_are_for_every_web_page_and_writes_are_not() {
    let logs = Logs::open();
    let origin = [("origin", "https://search.example")];
    let read = logs.ask(Method::GET, "/api/v2/checkpoint", &origin, Vec::new()).await;
    assert_eq!(read.header("access-control-allow-origin"), "*");
    let write = logs.ask(Method::POST, ENTRIES, &origin, b"{}".to_vec()).await;
    assert_eq!(write.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn what_is_no_request_of_this_api_is_refused_in_its_form() {
    let logs = Logs::open();
    let put = logs.ask(Method::PUT, ENTRIES, &[], Vec::new()).await.refusal();
    assert_eq!(put, (501, 12, "Method Not Allowed".to_owned()));
    let post = logs.post("/api/v2/checkpoint", "{}").await.refusal();
    assert_eq!((post.0, post.1), (501, 12));
    assert_eq!(logs.get("/api/v2/log/other").await.refusal().0, 404);
}
