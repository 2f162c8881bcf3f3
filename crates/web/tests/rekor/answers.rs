//! Full answers of an existing v2 server, and ours to the same requests.

use std::fs;

use merkle::note::{KeyId, Verifier};
use serde_json::Value;

use crate::logs::{HOST, Logs, base64, cases, read_json};

/// The name of a value's type, and of all that is in it.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), shape(value))).collect()
        }
        // Lists of hashes have any length.
        Value::Array(_) => "list".into(),
        Value::String(_) => "string".into(),
        Value::Null => Value::Null,
        Value::Bool(_) | Value::Number(_) => "number or boolean".into(),
    }
}

#[tokio::test]
async fn golden_rekor_v2_an_answer_has_the_members_of_the_existing_servers() {
    let Some(directory) = testdata::path("rekor-v2/answers/created") else { return };
    let logs = Logs::open();
    let request = fs::read(directory.join("request.json")).unwrap();
    let theirs = read_json(&directory.join("response.json"));
    let answer = logs.post("/api/v2/log/entries", request).await;
    let ours = answer.json();
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (201, "application/json"));
    assert_eq!(shape(&ours), shape(&theirs));
    for member in ["canonicalizedBody", "kindVersion", "integratedTime", "inclusionPromise"] {
        assert_eq!(ours[member], theirs[member], "{member}");
    }
}

#[test]
fn golden_rekor_v2_an_existing_servers_answer_verifies_under_its_key_and_name() {
    let Some(directory) = testdata::path("rekor-v2/answers/created") else { return };
    let theirs = read_json(&directory.join("response.json"));
    let pem = fs::read(directory.join("log.pub.pem")).unwrap();
    let key = crypto::PublicKey::from_pem(&pem).unwrap();
    assert_eq!(base64(&theirs["logId"]["keyId"]), KeyId::for_key(HOST, &key).as_bytes());
    let proof = &theirs["inclusionProof"];
    let envelope = proof["checkpoint"]["envelope"].as_str().unwrap();
    let note = merkle::SignedNote::parse(envelope.as_bytes()).unwrap();
    Verifier::new(HOST, key).verify(&note).unwrap();
}

#[tokio::test]
async fn golden_rekor_v2_a_repeat_is_answered_with_the_entry_in_full() {
    // The existing server answers 409 with the index alone, from which no client can make a bundle; its Go client
    // takes no other status than 201.
    let Some(directory) = testdata::path("rekor-v2/answers/duplicate") else { return };
    let logs = Logs::open();
    let request = fs::read(directory.join("request.json")).unwrap();
    let first = logs.post("/api/v2/log/entries", request.clone()).await;
    let second = logs.post("/api/v2/log/entries", request).await;
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201));
    assert_eq!(first.json()["logIndex"], second.json()["logIndex"]);
    assert_eq!(first.json()["canonicalizedBody"], second.json()["canonicalizedBody"]);
    assert_eq!(logs.v2.reader().published().size.get(), 1);
}

#[tokio::test]
async fn golden_rekor_v2_a_frozen_log_says_so_as_the_existing_server_does() {
    let Some(directory) = testdata::path("rekor-v2/answers/read-only") else { return };
    let logs = Logs::open();
    logs.v2.log().freeze().await.unwrap();
    let request = fs::read(directory.join("request.json")).unwrap();
    let answer = logs.post("/api/v2/log/entries", request).await;
    let headers = read_json(&directory.join("headers.json"));
    assert_eq!(headers["status"], answer.status.as_u16());
    assert_eq!(headers["Content-Type"], answer.header("content-type"));
    let text = fs::read_to_string(directory.join("response.json")).unwrap();
    assert_eq!(String::from_utf8(answer.body).unwrap().trim_end(), text.trim_end());
    testdata::report(&format!(
        "golden rekor-v2/answers: {} cases, 2 equal, 1 exceptions",
        cases("rekor-v2/answers").len()
    ));
}
