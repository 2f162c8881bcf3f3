//! The golden cases of API v1 as requests: statuses, bodies, ids, stored attestations.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::logs::{Answer, Logs, NOW, base64, cases, hash, read_json};

const SETS: &[&str] = &["hashedrekord", "dsse", "intoto", "request"];

/// Cases that are answered with another status than by the existing server.
///
/// The reason is the same for all: it says 500, "my fault", to a request that is malformed, and clients repeat what
/// got a 500; 400 tells them that repeating is of no use. No client sends such requests: cosign 3.1.3, sigstore-go,
/// sigstore-python 4.5.1 and sigstore-js 5.0.1 build their bodies with JSON libraries from typed values, and give
/// intoto 0.0.2 a `hash`.
const EXCEPTIONS: &[&str] = &[
    "intoto/refused-v2-hash-missing",
    "request/refused-json-array",
    "request/refused-json-string",
    "request/refused-kind-number",
    "request/refused-not-json",
    "request/refused-single-quotes",
    "request/refused-trailing-comma",
    "request/refused-truncated-json",
    "request/refused-unknown-field-nested-10001-deep",
];

#[tokio::test]
async fn golden_rekor_requests_are_answered_as_by_the_existing_server() {
    let logs = Logs::open();
    let mut logged = HashSet::new();
    let mut wrong = Vec::new();
    for set in SETS {
        let cases = cases(&format!("rekor/{set}"));
        let (mut equal, mut exceptions, mut intoto_001) = (0, 0, 0);
        for case in &cases {
            let name = format!("{set}/{}", case.file_name().unwrap().to_string_lossy());
            let proposed = fs::read(case.join("proposed.json")).unwrap();
            let expect = read_json(&case.join("expect.json"));
            let answer = logs.post("/api/v1/log/entries", proposed.clone()).await;
            if is_intoto_001(&proposed) {
                assert_eq!(answer.status, 400, "{name}");
                intoto_001 += 1;
            } else if EXCEPTIONS.contains(&name.as_str()) {
                assert_eq!((expect["status"].as_u64(), answer.status.as_u16()), (Some(500), 400));
                exceptions += 1;
            } else {
                let problem = check(&logs, case, &expect, &answer, &mut logged).await;
                equal += usize::from(problem.is_none());
                wrong.extend(problem.map(|problem| format!("{name}: {problem}")));
            }
        }
        testdata::report(&format!(
            "golden rekor/{set}: {} cases, {equal} equal, {exceptions} exceptions, {intoto_001} of intoto 0.0.1 refused",
            cases.len()
        ));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `intoto` 0.0.1 is not built, and refused as a version that there is not.
fn is_intoto_001(proposed: &[u8]) -> bool {
    serde_json::from_slice::<Value>(proposed)
        .is_ok_and(|proposed| proposed["kind"] == "intoto" && proposed["apiVersion"] == "0.0.1")
}

async fn check(
    logs: &Logs,
    case: &Path,
    expect: &Value,
    answer: &Answer,
    logged: &mut HashSet<String>,
) -> Option<String> {
    if expect["status"] != 201 {
        return check_refusal(expect, answer);
    }
    let leaf_hash = expect["leafHash"].as_str().unwrap();
    let id = format!("{:016x}{leaf_hash}", crate::logs::TREE);
    // Cases that differ only in the form of the input have one body.
    let status = if logged.insert(leaf_hash.to_owned()) { 201 } else { 409 };
    if answer.status != status || answer.header("location") != format!("/api/v1/log/entries/{id}") {
        return Some(format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body)));
    }
    let found = logs.get(&format!("/api/v1/log/entries/{id}")).await.json();
    let entry = &found[&id];
    if base64(&entry["body"]) != fs::read(case.join("canonical.json")).unwrap() {
        return Some("another body".to_owned());
    }
    let stored = entry["attestation"]["data"].as_str().map_or(Value::Null, |_| {
        hex::encode(crypto::sha256(&base64(&entry["attestation"]["data"]))).into()
    });
    (stored != expect["attestation"]["sha256"]).then(|| format!("attestation {stored}"))
}

/// The status decides, and the code where it is not the status. Texts are compared where they are no parser's.
fn check_refusal(expect: &Value, answer: &Answer) -> Option<String> {
    let (status, code, message) = answer.refusal();
    let expected_status = expect["status"].as_u64().unwrap();
    let expected_code = expect["code"].as_u64().unwrap_or(expected_status);
    let is_text_compared = expected_status == 422 && expected_code != 605;
    let equal = u64::from(status) == expected_status
        && code == expected_code
        && (!is_text_compared || expect["message"] == message);
    (!equal).then(|| format!("{status} {code} {message} instead of {expect}"))
}

#[tokio::test]
async fn every_golden_entry_comes_with_a_promise_and_a_proof() {
    let logs = Logs::open();
    let key = logs.v1.public_key();
    let mut entries = 0;
    for case in cases("rekor/dsse") {
        let proposed = fs::read(case.join("proposed.json")).unwrap();
        let answer = logs.post("/api/v1/log/entries", proposed).await;
        if answer.status != 201 {
            continue;
        }
        let json = answer.json();
        let (id, entry) = json.as_object().unwrap().iter().next().unwrap();
        assert_eq!(answer.header("etag"), id);
        let body = base64(&entry["body"]);
        assert_eq!(entry["logIndex"], 1000 + entries);
        assert_eq!(entry["integratedTime"], NOW);
        let payload = wire::rekor_v1::set_payload(&body, NOW, &key.id(), 1000 + entries);
        let promise = base64(&entry["verification"]["signedEntryTimestamp"]);
        let scheme = crypto::Scheme::default_for(key.kind());
        key.verify(scheme, &payload, &promise).unwrap();
        verify_proof(&body, &entry["verification"]["inclusionProof"], key);
        entries += 1;
    }
    assert!(entries > 0 || testdata::path("rekor/dsse").is_none());
}

/// The proof leads to the root of a checkpoint that the log signed under its host's name.
fn verify_proof(body: &[u8], proof: &Value, key: &crypto::PublicKey) {
    let note = merkle::SignedNote::parse(proof["checkpoint"].as_str().unwrap().as_bytes()).unwrap();
    let id = merkle::note::KeyId::of_key(key);
    merkle::note::Verifier::with_id(crate::logs::HOST, id, key.clone()).verify(&note).unwrap();
    let checkpoint: merkle::Checkpoint = note.text().parse().unwrap();
    assert_eq!(checkpoint.origin, format!("{} - {}", crate::logs::HOST, crate::logs::TREE));
    assert_eq!(checkpoint.size.get(), proof["treeSize"].as_u64().unwrap());
    assert_eq!(checkpoint.root, hash(&proof["rootHash"]));
    let path: Vec<_> = proof["hashes"].as_array().unwrap().iter().map(hash).collect();
    let index = merkle::LeafIndex::new(proof["logIndex"].as_u64().unwrap());
    let leaf = merkle::Hash::leaf(body);
    merkle::verify_inclusion(leaf, index, &path, checkpoint.size, checkpoint.root).unwrap();
}
