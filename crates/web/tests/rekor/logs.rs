//! Logs to ask, and asking them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::{HashAlgorithm, KeyDetails, KeyKind, SigningKey};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde_json::Value;
use services::clock::Clock;
use services::transparency::{Anyone, RekorV1, RekorV2, Shard};
use tempfile::TempDir;
use tlog::LogOptions;
use tower::ServiceExt as _;
use wire::rekor_v1::{TreeId, propose_hashedrekord};
use wire::rekor_v2::{
    CreateEntryRequest, HashedRekordRequest, Signature, Verifier, VerifierMaterial,
};

/// The name of both logs.
pub(crate) const HOST: &str = "rekor.example.com";
pub(crate) const TREE: u64 = 0x0102_0304_0506_0708;
/// When everything here happens.
pub(crate) const NOW: i64 = 1_764_000_000;

/// Two empty logs and the routes to them.
pub(crate) struct Logs {
    _directory: TempDir,
    pub(crate) v1: Arc<RekorV1>,
    pub(crate) v2: Arc<RekorV2>,
    router: Router,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Logs {
    pub(crate) fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(Timestamp::from_second(NOW).unwrap());
        let v1 = Arc::new(open_v1(directory.path(), clock.clone()));
        let v2 = Arc::new(open_v2(directory.path(), clock));
        let router = web::rekor_v1::routes(v1.clone()).merge(web::rekor_v2::routes(v2.clone()));
        Self { _directory: directory, v1, v2, router }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], Vec::new()).await
    }

    /// Posts JSON.
    pub(crate) async fn post(&self, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.ask(Method::POST, path, &[("content-type", "application/json")], body.into()).await
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Status, code and message of a refusal.
    pub(crate) fn refusal(&self) -> (u16, u64, String) {
        let json = self.json();
        let message = json["message"].as_str().unwrap().to_owned();
        (self.status.as_u16(), json["code"].as_u64().unwrap(), message)
    }
}

fn open_v1(directory: &Path, clock: Clock) -> RekorV1 {
    let shard =
        Shard { host: HOST.to_owned(), tree: TreeId::new(TREE).unwrap(), first_index: 1000 };
    let key = Arc::new(SigningKey::generate(KeyKind::EcdsaP256).unwrap());
    let options = options(directory, "v1", &shard.origin());
    RekorV1::create(&options, shard.clone(), key.clone()).unwrap();
    RekorV1::open(&options, shard, key, clock, Arc::new(Anyone)).unwrap()
}

fn open_v2(directory: &Path, clock: Clock) -> RekorV2 {
    let key = Arc::new(SigningKey::generate(KeyKind::Ed25519).unwrap());
    let options = options(directory, "v2", HOST);
    RekorV2::create(&options, HOST, key.clone()).unwrap();
    RekorV2::open(&options, key, clock, Arc::new(Anyone)).unwrap()
}

/// A directory and an anchor, and a clock that stands still from the first checkpoint on.
fn options(directory: &Path, name: &str, origin: &str) -> LogOptions {
    let options = LogOptions::new(directory.join(name), directory.join("anchors"), origin);
    LogOptions { clock: Arc::new(|| Timestamp::from_second(NOW).unwrap()), ..options }
}

/// A proposal of the API v1 that no other `number` makes.
pub(crate) fn proposal_v1(key: &SigningKey, number: u64) -> Value {
    let digest = HashAlgorithm::Sha256.digest(&number.to_be_bytes());
    let signature = key.sign(&number.to_be_bytes()).unwrap();
    propose_hashedrekord(&digest, &signature, &key.public_key().to_pem())
}

/// A request of the API v2 that no other `number` makes.
pub(crate) fn proposal_v2(key: &SigningKey, number: u64) -> Vec<u8> {
    let digest = HashAlgorithm::Sha256.digest(&number.to_be_bytes());
    CreateEntryRequest::hashed_rekord(HashedRekordRequest {
        digest: digest.as_bytes().to_vec(),
        signature: Some(Signature {
            content: key.sign(&number.to_be_bytes()).unwrap(),
            verifier: Some(Verifier {
                material: Some(VerifierMaterial::PublicKey(key.public_key().spki_der().to_vec())),
                key_details: KeyDetails::for_key(key.public_key()),
            }),
        }),
    })
    .to_json()
    .unwrap()
}

pub(crate) fn signing_key() -> SigningKey {
    SigningKey::generate(KeyKind::EcdsaP256).unwrap()
}

pub(crate) fn base64(text: &Value) -> Vec<u8> {
    STANDARD.decode(text.as_str().unwrap()).unwrap()
}

pub(crate) fn hash(hex: &Value) -> merkle::Hash {
    merkle::Hash::from_bytes(&hex::decode(hex.as_str().unwrap()).unwrap()).unwrap()
}

/// The cases of a set of reference data, sorted; none if the data are missing.
pub(crate) fn cases(set: &str) -> Vec<PathBuf> {
    let Some(directory) = testdata::path(set) else { return Vec::new() };
    let mut cases: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|case| case.unwrap().path()).collect();
    cases.sort();
    cases
}

pub(crate) fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}
