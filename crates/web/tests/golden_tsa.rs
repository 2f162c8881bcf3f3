//! Requests to the existing timestamp authority, sent to ours. Tokens are made anew: they are compared field for
//! field, and verified.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test fail it by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use crypto::{HashAlgorithm, KeyKind, SigningKey};
use http::Request;
use jiff::{SignedDuration, Timestamp};
use pki::chain::Purpose;
use pki::issue::{self, Issuer, Serial, Validity};
use pki::tsp::{Authority, Policy, Token, TokenSigner};
use pki::{Certificate, DistinguishedName};
use serde_json::Value;
use services::clock::Clock;
use services::tsa::{DEFAULT_POLICY, Rules, TimestampAuthority};
use tower::ServiceExt;
use web::timestamp::Granted;

/// Where our answer differs, and why that is right. Statuses are equal in all of them.
const EXCEPTIONS: &[(Difference, &str)] = &[
    (
        Difference::RefusalInDer,
        "A query in DER is refused in DER with failInfo, where the existing server sends JSON that says it is a \
         timestamp-reply. RFC 3161 asks for it; sigstore-go, -python and cosign look at the status only.",
    ),
    (
        Difference::RefusalSaysJson,
        "A refusal in JSON says application/json, where the existing server says application/timestamp-reply. No \
         client looks at the type of a refusal.",
    ),
    (
        Difference::ChainOfOurs,
        "The chain is our own; its form (leaf first, root last, PEM) is compared.",
    ),
    (
        Difference::RouterOfAll,
        "Unknown paths are answered by the router of the whole server; no client asks for them.",
    ),
];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Difference {
    RefusalInDer,
    RefusalSaysJson,
    ChainOfOurs,
    RouterOfAll,
}

struct Answer {
    status: u16,
    content_type: String,
    caching: String,
    body: Vec<u8>,
}

/// An authority with the options of one recorded configuration.
struct House {
    router: Router,
    chain: Vec<Certificate>,
}

fn flags(directory: &Path) -> Vec<String> {
    serde_json::from_slice(&fs::read(directory.join("flags.json")).unwrap()).unwrap()
}

fn value<'f>(flags: &'f [String], name: &str) -> Option<&'f str> {
    let at = flags.iter().position(|flag| flag == name)?;
    flags.get(at + 1).map(String::as_str)
}

impl House {
    /// Reads `flags.json` as the existing server does; the kinds of the keys are those of the recorded chain.
    fn new(directory: &Path) -> Self {
        let flags = flags(directory);
        let has = |name: &str| flags.iter().any(|flag| flag == name);
        let policy = |text: &str| Policy::from_dotted(text).unwrap();
        let recorded = fs::read(directory.join("chain.pem")).unwrap();
        let recorded = Certificate::chain_from_pem(&recorded, 5).unwrap();
        let kinds: Vec<KeyKind> = recorded.iter().map(|c| c.public_key().kind()).collect();
        let (key, chain) = chain(&kinds);
        let hash = value(&flags, "--timestamp-signer-hash").unwrap_or("sha256");
        let hash = HashAlgorithm::by_name(hash);
        let include_chain = has("--include-chain-in-response");
        let signer =
            TokenSigner::new(key, chain.clone(), hash, include_chain, Timestamp::now()).unwrap();
        let accepted = value(&flags, "--accepted-policy-oids").unwrap_or_default();
        let rules = Rules {
            default_policy: policy(value(&flags, "--default-policy-oid").unwrap_or(DEFAULT_POLICY)),
            accepted_policies: accepted.split_terminator(',').map(policy).collect(),
            allow_extensions: has("--allow-custom-extensions"),
        };
        let authority = TimestampAuthority::new(signer, rules, Clock::system(|| true));
        let granted = if has("--use-http-201") { Granted::Created } else { Granted::Ok };
        Self { router: web::timestamp::routes(Arc::new(authority), granted), chain }
    }

    async fn send(&self, method: &str, path: &str, content_type: &str, body: Vec<u8>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        let request = request.body(Body::from(body)).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let header = |name: &str| {
            let value = response.headers().get(name);
            value.map_or("", |value| value.to_str().unwrap()).to_owned()
        };
        let (content_type, caching) = (header("content-type"), header("cache-control"));
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec();
        Answer { status, content_type, caching, body }
    }
}

/// Keys of these kinds, and their chain, leaf first.
fn chain(kinds: &[KeyKind]) -> (Arc<SigningKey>, Vec<Certificate>) {
    let name = |common: &str| DistinguishedName::new("tsa.example", common).unwrap();
    let validity = Validity::starting(
        Timestamp::now() - SignedDuration::from_hours(1),
        SignedDuration::from_hours(24),
    );
    let serial = Serial::from_random([9; 20]);
    let keys: Vec<_> =
        kinds.iter().map(|kind| Arc::new(SigningKey::generate(*kind).unwrap())).collect();
    let (root_key, rest) = keys.split_last().unwrap();
    let root = issue::root(root_key, &name("root"), validity, serial).unwrap();
    let mut issuer = Issuer::new(root.clone(), root_key.clone()).unwrap();
    let mut chain = vec![root];
    let (leaf_key, intermediates) = rest.split_first().unwrap();
    for key in intermediates.iter().rev() {
        let subject = name("intermediate");
        let certificate = issuer
            .intermediate(key.public_key(), &subject, Purpose::TimeStamping, validity, serial)
            .unwrap();
        chain.insert(0, certificate.clone());
        issuer = Issuer::new(certificate, key.clone()).unwrap();
    }
    let leaf =
        issuer.timestamp_signer(leaf_key.public_key(), &name("tsa"), validity, serial).unwrap();
    chain.insert(0, leaf);
    (leaf_key.clone(), chain)
}

#[tokio::test]
async fn golden_tsa_requests_get_the_answers_of_the_existing_server() {
    let Some(configurations) = testdata::path("tsa") else { return };
    for configuration in ["p256", "p384-chain", "rsa"] {
        let directory = configurations.join(configuration);
        let house = House::new(&directory);
        let (mut equal, mut exceptions) = (0, 0);
        for case in cases(&directory) {
            match check(&house, &case).await {
                None => equal += 1,
                Some(difference) => {
                    assert!(EXCEPTIONS.iter().any(|(known, _)| *known == difference));
                    exceptions += 1;
                }
            }
        }
        let cases = equal + exceptions;
        testdata::report(&format!(
            "golden tsa/{configuration}: {cases} cases, {equal} equal, {exceptions} exceptions"
        ));
    }
}

fn cases(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    cases.sort();
    cases
}

/// Sends one request and holds the answer against the recorded one; says how it differs where it may.
async fn check(house: &House, case: &Path) -> Option<Difference> {
    let name = case.display();
    let expect: Value =
        serde_json::from_slice(&fs::read(case.join("expect.json")).unwrap()).unwrap();
    let request = |member: &str| expect["request"][member].as_str().unwrap_or_default().to_owned();
    let body = fs::read(case.join("request.der")).or_else(|_| fs::read(case.join("request.json")));
    // The one body that is only described: "1048577 bytes of 0x30".
    let described = expect["request"]["body"].as_str().and_then(|text| text.split_once(' '));
    let described = described.map(|(length, _)| vec![0x30; length.parse().unwrap()]);
    let (method, path) = (request("method"), request("path"));
    let answer = house
        .send(&method, &path, &request("contentType"), described.or(body.ok()).unwrap_or_default())
        .await;

    // The main branch of the existing server is the one to match.
    let newest = expect.get("head").unwrap_or(&expect);
    assert_eq!(answer.status, newest["status"], "{name}");
    if let Some(caching) = expect["cacheControl"].as_str() {
        assert_eq!(answer.caching, caching, "{name}");
    }
    if answer.status < 300 && path.ends_with("/timestamp") {
        assert_eq!(answer.content_type, newest["contentType"], "{name}");
        check_token(house, case, &expect, &answer.body);
        return None;
    }
    let refused_by_the_authority = expect["contentType"] == "application/timestamp-reply";
    if answer.status == 404 {
        return Some(Difference::RouterOfAll);
    }
    if refused_by_the_authority && answer.content_type == "application/timestamp-reply" {
        // PKIStatusInfo with status 2, a text and failInfo.
        assert_eq!(answer.body[2..7], [0x30, answer.body[3], 2, 1, 2], "{name}");
        return Some(Difference::RefusalInDer);
    }
    if path.ends_with("/certchain") && answer.status == 200 {
        assert_eq!(answer.content_type, expect["contentType"], "{name}");
        let chain = Certificate::chain_from_pem(&answer.body, 5).unwrap();
        assert_eq!(chain, house.chain, "{name}");
        return Some(Difference::ChainOfOurs);
    }
    assert_eq!(String::from_utf8(answer.body).unwrap(), expect["body"].as_str().unwrap(), "{name}");
    if refused_by_the_authority {
        assert_eq!(answer.content_type, "application/json", "{name}");
        return Some(Difference::RefusalSaysJson);
    }
    assert_eq!(answer.content_type, expect["contentType"], "{name}");
    None
}

fn check_token(house: &House, case: &Path, expect: &Value, body: &[u8]) {
    let name = case.display();
    let token = Token::from_der(body).unwrap();
    let authority = Authority::from_chain(&house.chain).unwrap();
    let timestamp = token.verify_digest(token.imprint(), &authority).unwrap();
    let age = Timestamp::now().duration_since(timestamp.time);
    assert!(age < SignedDuration::from_mins(1), "{name}");

    let Some(expected) = expect.get("token") else { return };
    let hash = token.imprint().algorithm().name().to_uppercase().replacen("SHA", "SHA-", 1);
    assert_eq!(hash, expected["hashAlgorithm"], "{name}");
    assert_eq!(token.imprint().to_hex(), expected["hashedMessage"], "{name}");
    assert_eq!(token.policy().to_string(), expected["policy"], "{name}");
    let nonce = token.nonce().map(ToString::to_string);
    assert_eq!(nonce.as_deref(), expected["nonce"].as_str(), "{name}");
    assert_eq!(token.certificates().len() as u64, expected["certificates"], "{name}");
    assert_eq!(!token.certificates().is_empty(), expected["hasTsaCertificate"], "{name}");
    assert_eq!(token.has_ordering(), expected["ordering"], "{name}");
    let accuracy = token.accuracy_seconds().map(|seconds| format!("{seconds}s"));
    assert_eq!(accuracy.as_deref(), expected["accuracy"].as_str(), "{name}");
    // 20 random bytes: one in 256 begins with a zero.
    let serial = token.serial().content();
    assert!((15..=21).contains(&serial.len()), "{name}");

    let Ok(recorded) = fs::read(case.join("reply.der")) else { return };
    let recorded = Token::from_der(&recorded).unwrap();
    assert_eq!(token.extensions(), recorded.extensions(), "{name}");
    assert_eq!(token.signature_hash(), recorded.signature_hash(), "{name}");
}
