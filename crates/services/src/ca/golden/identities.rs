//! Claims and a configuration in, the contents of a certificate out.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::{KeyKind, Scheme, SigningKey};
use jiff::Timestamp;
use serde_json::{Value, json};

use testdata::Exception;

use super::{cases, json, judge, name};
use crate::ca::issuer::{ContentsError, Identity, IdentityError};
use crate::ca::jwk::KeySet;
use crate::ca::token::UnverifiedToken;
use crate::ca::{Config, FetchedKeys, TokenError};

const EXCEPTIONS: &[Exception] = &[];

/// The key that signs the tokens of these cases.
static KEY: LazyLock<(SigningKey, Arc<KeySet>)> = LazyLock::new(|| {
    let key = SigningKey::generate(KeyKind::Rsa { bits: 2048 }).unwrap();
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let modulus = encode(key.public_key().rsa_modulus().unwrap());
    let jwks = json!({ "keys": [{ "kty": "RSA", "kid": "k1", "n": modulus, "e": "AQAB" }] });
    let fetched = FetchedKeys { algorithms: Vec::new(), jwks: jwks.to_string().into_bytes() };
    (key, Arc::new(KeySet::read(&fetched).unwrap()))
});

fn sign(claims: &[u8]) -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let signed = format!("{}.{}", encode(br#"{"alg":"RS256","kid":"k1"}"#), encode(claims));
    let scheme = Scheme::RsaPkcs1(crypto::HashAlgorithm::Sha256);
    let signature = KEY.0.sign_with(scheme, signed.as_bytes()).unwrap();
    format!("{signed}.{}", encode(&signature))
}

/// Where a case ended.
#[derive(Debug)]
enum Stage {
    Config(String),
    Token(String),
    Known(Identity),
}

/// As [`super::super::CertificateAuthority`] does it, but for the fetching of keys.
fn run(case: &Path) -> (Option<Config>, Stage) {
    let text = std::fs::read(case.join("config.yaml")).unwrap();
    let config = match Config::read(&text) {
        Ok(config) => config,
        Err(error) => return (None, Stage::Config(error.to_string())),
    };
    let token = sign(&std::fs::read(case.join("claims.json")).unwrap());
    let stage = match identify(&config, &token) {
        Ok(identity) => Stage::Known(identity),
        Err(error) => Stage::Token(error),
    };
    (Some(config), stage)
}

fn identify(config: &Config, token: &str) -> Result<Identity, String> {
    let refused = |error: TokenError| format!("{error:?}");
    let token = UnverifiedToken::parse(token).map_err(refused)?;
    let issuer = config.find(token.claimed_issuer()).ok_or("unknown issuer")?.issuer;
    let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    let token = token.verify(&KEY.1, &issuer.audience, now).map_err(refused)?;
    let issuer_type = issuer.issuer_type.ok_or("unknown type")?;
    issuer_type.identify(&token, issuer).map_err(|error: IdentityError| format!("{error:?}"))
}

fn compare(case: &Path) -> Result<(), String> {
    let expected = json(&case.join("expect.json"));
    let (config, stage) = run(case);
    if let Some(config) = config {
        let told = serde_json::to_value(config.describe()).unwrap();
        let claim = &told["issuers"][0]["challengeClaim"];
        equal("challengeClaim", claim, &expected["challengeClaim"])?;
    }
    match (expected["stage"].as_str(), stage) {
        (Some("config"), Stage::Config(_)) => Ok(()),
        (Some("token"), Stage::Token(_)) => Ok(()),
        (Some("certificate"), Stage::Known(Identity { contents: Err(error), .. })) => {
            let message = &expected["response"]["message"];
            equal("message", &Value::String(error.to_string()), message)
        }
        (None, Stage::Known(Identity { challenge, contents: Ok(contents) })) => {
            equal("challenge", &Value::String(challenge), &expected["challengeSubject"])?;
            let san = contents.san.extension_value().map_err(|error| error.to_string())?;
            equal("san", &hex::encode(san).into(), &expected["sanExtension"]["der"])?;
            let extensions: Vec<Value> = contents
                .extensions
                .iter()
                .map(|(oid, value)| json!([oid.to_string(), hex::encode(value)]))
                .collect();
            let wanted: Vec<Value> = expected["extensions"]
                .as_array()
                .unwrap()
                .iter()
                .map(|extension| json!([extension["oid"], extension["der"]]))
                .collect();
            equal("extensions", &extensions.into(), &wanted.into())
        }
        (_, Stage::Config(error) | Stage::Token(error)) => {
            Err(format!("was refused with {error}, not {}", expected["error"]))
        }
        (stage, Stage::Known(found)) => {
            Err(format!("is {found:?}, not refused at {stage:?} with {}", expected["error"]))
        }
    }
}

fn equal(what: &str, found: &Value, expected: &Value) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found}, not {expected}")) }
}

fn check(set: &str) {
    let outcomes: Vec<_> = cases(set).iter().map(|case| (name(case), compare(case))).collect();
    judge(set, &outcomes, EXCEPTIONS);
}

#[test]
fn golden_fulcio_token() {
    check("token");
}

#[test]
fn golden_fulcio_email() {
    check("email");
}

#[test]
fn golden_fulcio_uri() {
    check("uri");
}

#[test]
fn golden_fulcio_username() {
    check("username");
}

#[test]
fn golden_fulcio_ci_provider() {
    check("ci-provider");
}

#[test]
fn golden_fulcio_ci_templates() {
    check("ci-templates");
}

/// The other types are not made here: their tokens must be refused, and the operator told when it starts.
#[test]
fn types_of_issuers_that_are_not_supported_make_no_certificate() {
    for set in [
        "buildkite-job",
        "chainguard-identity",
        "codefresh-workflow",
        "github-workflow",
        "gitlab-pipeline",
        "kubernetes",
        "spiffe",
    ] {
        for case in cases(set) {
            let (config, stage) = run(&case);
            assert!(!matches!(stage, Stage::Known(_)), "{}", case.display());
            let concerns = config.map(|config| config.concerns());
            assert!(concerns.is_none_or(|concerns| !concerns.is_empty()), "{}", case.display());
        }
    }
}

/// The message of an error is the existing server's, and its variant is ours.
#[test]
fn contents_errors_say_what_the_existing_server_says() {
    let error = ContentsError::NotIa5 { name: "ä@b.co".to_owned() };
    assert_eq!(error.to_string(), "x509: \"ä@b.co\" cannot be encoded as an IA5String");
}
