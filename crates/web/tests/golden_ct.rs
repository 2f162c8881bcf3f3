//! Requests to the existing CT log (TesseraCT), sent to ours. What it answers by its status is what ours must answer;
//! timestamps are made anew, and must verify.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test fail it by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use crypto::{KeyKind, SigningKey};
use http::Request;
use pki::Certificate;
use pki::sct::{Entry, Sct};
use serde_json::Value;
use services::clock::Clock;
use services::ct::{CtLog, Parts};
use tempfile::TempDir;
use tlog::LogOptions;
use tower::ServiceExt;

/// Where our answer differs in more than its words, and why that is right.
const EXCEPTIONS: &[(&str, &str)] = &[(
    "get-sth",
    "404 there: it has no reads of RFC 6962. Ours has, for the monitors that need them; no client relies on a 404.",
)];

struct Answer {
    status: u16,
    content_type: String,
    body: Vec<u8>,
}

/// A log that accepts the recorded root.
struct House {
    log: Arc<CtLog>,
    router: Router,
    _directory: TempDir,
}

impl House {
    fn new(roots: &Path) -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path();
        let anchors = path.join("anchors");
        fs::create_dir(&anchors).unwrap();
        let key = Arc::new(SigningKey::generate(KeyKind::EcdsaP256).unwrap());
        let options = LogOptions::new(path.join("ct"), anchors, "localhost/2026");
        CtLog::create(&options, key.clone()).unwrap();
        let roots = Certificate::chain_from_pem(&fs::read(roots).unwrap(), 10).unwrap();
        let log =
            CtLog::open(Parts { options, key, roots, clock: Clock::system(|| true) }).unwrap();
        let log = Arc::new(log);
        let api = web::rfc6962::routes(log.clone()).merge(web::static_ct::routes(log.clone()));
        Self { log, router: Router::new().nest("/2026", api), _directory: directory }
    }

    async fn send(&self, method: &str, path: &str, body: Vec<u8>) -> Answer {
        let request = Request::builder().method(method).uri(path).body(Body::from(body)).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let content_type = response.headers().get("content-type");
        let content_type = content_type.map_or("", |value| value.to_str().unwrap()).to_owned();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec();
        Answer { status, content_type, body }
    }
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The entry of a submission: its issuer may have been left out only if it is the root.
fn entry(request: &str, roots: &[Certificate]) -> Entry {
    use base64::Engine;
    let request: Value = serde_json::from_str(request).unwrap();
    let chain: Vec<Certificate> = request["chain"]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| {
            base64::engine::general_purpose::STANDARD.decode(text.as_str().unwrap()).unwrap()
        })
        .map(|der| Certificate::from_der(&der).unwrap())
        .collect();
    let issuer = chain.get(1).or(roots.first()).unwrap();
    Entry::of_precertificate(&chain[0], issuer).unwrap()
}

fn sct(body: &[u8], log_id: [u8; 32]) -> Sct {
    use base64::Engine;
    let answer: Value = serde_json::from_slice(body).unwrap();
    let bytes = |name: &str| {
        base64::engine::general_purpose::STANDARD.decode(answer[name].as_str().unwrap()).unwrap()
    };
    assert_eq!(answer["sct_version"], 0);
    assert_eq!(bytes("id"), log_id);
    Sct {
        log_id,
        timestamp_ms: answer["timestamp"].as_u64().unwrap(),
        extensions: bytes("extensions"),
        digitally_signed: bytes("signature"),
    }
}

#[tokio::test]
async fn golden_ct_requests_get_the_answers_of_the_existing_log() {
    let Some(cases) = testdata::path("ct/http") else { return };
    let house = House::new(&cases.join("roots.pem"));
    let mut names: Vec<PathBuf> = fs::read_dir(&cases)
        .unwrap()
        .map(|case| case.unwrap().path())
        .filter(|p| p.is_dir())
        .collect();
    names.sort();
    let (mut equal, mut exceptions) = (0, 0);
    for case in names {
        let name = case.file_name().unwrap().to_str().unwrap().to_owned();
        let request = read_json(&case.join("request.json"));
        let text = |member: &str| request[member].as_str().unwrap_or_default().to_owned();
        let answer = house.send(&text("method"), &text("path"), text("body").into_bytes()).await;
        let expected = read_json(&case.join("response.json"));
        if EXCEPTIONS.iter().any(|(exception, _)| *exception == name) {
            assert_ne!(answer.status, expected["status"], "{name} is no exception any more");
            exceptions += 1;
            continue;
        }
        assert_eq!(answer.status, expected["status"], "{name}");
        if name == "get-roots" {
            assert_eq!(
                serde_json::from_slice::<Value>(&answer.body).unwrap(),
                serde_json::from_str::<Value>(expected["body"].as_str().unwrap()).unwrap()
            );
        } else if answer.status == 200 {
            assert_eq!(answer.content_type, "application/json", "{name}");
            let key = house.log.public_key();
            let sct = sct(&answer.body, key.id());
            assert!(sct.leaf_index().is_some(), "{name}");
            sct.verify(&entry(&text("body"), house.log.roots()), key).unwrap();
        } else {
            assert_eq!(answer.content_type, "text/plain; charset=utf-8", "{name}");
            assert!(answer.body.starts_with(b"Bad Request\n"), "{name}");
        }
        equal += 1;
    }
    let cases = equal + exceptions;
    testdata::report(&format!(
        "golden ct/http: {cases} cases, {equal} equal, {exceptions} exceptions"
    ));
    house.log.log().stop().await;
}

#[tokio::test]
async fn a_repeat_is_answered_byte_for_byte_the_same() {
    let Some(cases) = testdata::path("ct/http") else { return };
    let house = House::new(&cases.join("roots.pem"));
    let mut answers = Vec::new();
    for name in ["duplicate-first", "duplicate-second"] {
        let request = read_json(&cases.join(name).join("request.json"));
        let body = request["body"].as_str().unwrap().as_bytes().to_vec();
        answers.push(house.send("POST", "/2026/ct/v1/add-pre-chain", body).await.body);
    }
    assert_eq!(answers[0], answers[1]);
    house.log.log().stop().await;
}

#[tokio::test]
async fn reads_answer_what_is_there_and_refuse_what_makes_no_sense() {
    let Some(cases) = testdata::path("ct/http") else { return };
    let house = House::new(&cases.join("roots.pem"));
    let request = read_json(&cases.join("add-pre-chain/request.json"));
    let body = request["body"].as_str().unwrap().as_bytes().to_vec();
    house.send("POST", "/2026/ct/v1/add-pre-chain", body).await;
    let issuer = hex::encode(house.log.roots()[0].fingerprint());
    let upper = issuer.to_ascii_uppercase();
    let statuses = [
        ("ct/v1/get-sth".to_owned(), 200),
        ("ct/v1/get-sth-consistency?first=0&second=1".to_owned(), 200),
        ("ct/v1/get-sth-consistency?first=1&second=0".to_owned(), 400),
        ("ct/v1/get-sth-consistency?first=1&second=2".to_owned(), 400),
        ("ct/v1/get-sth-consistency?first=1".to_owned(), 400),
        ("ct/v1/get-entries?start=0&end=0".to_owned(), 200),
        ("ct/v1/get-entries?start=0&end=18446744073709551615".to_owned(), 200),
        ("ct/v1/get-entries?start=-1&end=0".to_owned(), 400),
        ("ct/v1/get-entries?start=1&end=0".to_owned(), 400),
        ("ct/v1/get-entries?start=1&end=1".to_owned(), 400),
        ("ct/v1/get-entries?start=0&end=18446744073709551616".to_owned(), 400),
        ("ct/v1/get-entry-and-proof?leaf_index=0&tree_size=1".to_owned(), 200),
        ("ct/v1/get-entry-and-proof?leaf_index=1&tree_size=1".to_owned(), 400),
        ("ct/v1/get-proof-by-hash?hash=AAAA&tree_size=1".to_owned(), 400),
        (format!("ct/v1/get-proof-by-hash?hash={}&tree_size=1", "A".repeat(43) + "%3D"), 404),
        ("checkpoint".to_owned(), 200),
        ("tile/0/000.p/1".to_owned(), 200),
        ("tile/data/000.p/1".to_owned(), 200),
        ("tile/0/000".to_owned(), 404),
        ("tile/0/000.p/0".to_owned(), 404),
        ("tile/0/000.p/2".to_owned(), 404),
        ("tile/0/000.p/256".to_owned(), 404),
        ("tile/0/x000/000".to_owned(), 404),
        ("tile/entries/000.p/1".to_owned(), 404),
        ("tile/..%2F..%2Fcheckpoint".to_owned(), 404),
        (format!("issuer/{issuer}"), 200),
        (format!("issuer/{upper}"), 404),
        (format!("issuer/{}", "0".repeat(64)), 404),
        ("issuer/..".to_owned(), 404),
        ("ct/v1/add-chain".to_owned(), 405),
    ];
    for (path, status) in statuses {
        let answer = house.send("GET", &format!("/2026/{path}"), Vec::new()).await;
        assert_eq!(answer.status, status, "{path}");
    }
    house.log.log().stop().await;
}
