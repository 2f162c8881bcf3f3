//! What an existing Fulcio was seen to answer over HTTP (`data/fulcio/http`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use testdata::Exception;
use tower::ServiceExt;
use web::operations::{Readiness, public_routes};

use crate::authority::{PlayedIssuer, World, config};

const EXCEPTIONS: &[Exception] = &[
    Exception {
        case: "root-path",
        reason: "at / there is a page that says what runs here",
        clients: "cosign, sigstore-python and sigstore-js ask for no such path",
    },
    Exception {
        case: "healthz",
        reason: "pages of other origins need not know how the server is, so that nothing varies by origin",
        clients: "no client asks for it; probes send no origin",
    },
    Exception {
        case: "v1-content-not-base64",
        reason: "base64 with stray bits is refused as such, with the same status and code: one text has one value",
        clients: "cosign 2 and sigstore-rs write canonical base64",
    },
];

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// The recorded server's issuer and its keys, in front of our certificate authority.
///
/// There were two servers, whose keys have the same name: one with a log and one without.
pub(crate) fn recorded_world(server: &str) -> Option<World> {
    let path = testdata::path(&format!("fulcio/issued/{server}/jwks.json"))?;
    let jwks = std::fs::read(path).unwrap();
    let issuer = "http://127.0.0.1:18911";
    let config = config(&json!({ issuer: { "ClientID": "sigstore", "Type": "email" } }));
    Some(World::with(config, PlayedIssuer::with(&["RS256"], jwks)))
}

pub(crate) fn router(world: &World) -> Router {
    web::fulcio_v1::routes(Arc::clone(&world.authority))
        .merge(web::fulcio_v2::routes(Arc::clone(&world.authority)))
        .merge(public_routes(Arc::new(Readiness::default())))
}

/// The cases of a set, each in its directory, by name.
pub(crate) fn cases(set: &str) -> Vec<PathBuf> {
    let Some(path) = testdata::path(&format!("fulcio/{set}")) else { return Vec::new() };
    let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> =
        entries.filter(|case| case.join("request.json").exists()).collect();
    cases.sort();
    cases
}

pub(crate) fn name(case: &Path) -> String {
    case.file_name().unwrap().to_string_lossy().into_owned()
}

pub(crate) fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Sends a recorded request.
pub(crate) async fn replay(router: &Router, case: &Path) -> Answer {
    let recorded = json_of(&case.join("request.json"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut request =
        Request::builder().method(text(&recorded["method"]).as_str()).uri(text(&recorded["path"]));
    for (name, value) in recorded["headers"].as_object().into_iter().flatten() {
        request = request.header(name, text(value));
    }
    let mut body = text(&recorded["body"]);
    if let Some(length) =
        body.strip_suffix(" bytes of JSON)").and_then(|body| body.strip_prefix('('))
    {
        body = "x".repeat(length.parse().unwrap());
    }
    let response = router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

pub(crate) fn equal(what: &str, found: &Value, expected: &Value) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found}, not {expected}")) }
}

/// Counts the cases, and fails on what is neither equal nor an exception.
pub(crate) fn judge(
    set: &str,
    outcomes: &[(String, Result<(), String>)],
    exceptions: &[Exception],
) {
    let wrong = testdata::judge(&format!("fulcio/{set}"), outcomes, exceptions);
    assert_eq!(wrong, [""; 0], "{}", wrong.join("\n"));
}

/// All headers that were recorded but the length, which depends on the spacing of JSON.
pub(crate) fn compare_headers(answer: &Answer, recorded: &Value) -> Result<(), String> {
    for (name, expected) in recorded.as_object().unwrap() {
        if name != "Content-Length" {
            let found = answer.headers.get(name).map(|value| value.to_str().unwrap());
            equal(name, &json!(found), expected)?;
        }
    }
    Ok(())
}

async fn compare(router: &Router, case: &Path) -> Result<(), String> {
    let answer = replay(router, case).await;
    let recorded = json_of(&case.join("response.json"));
    equal("status", &json!(answer.status.as_u16()), &recorded["status"])?;
    compare_headers(&answer, &recorded["headers"])?;
    let found = String::from_utf8(answer.body).unwrap();
    compare_bodies(&found, recorded["body"].as_str().unwrap())
}

fn compare_bodies(found: &str, expected: &str) -> Result<(), String> {
    match (serde_json::from_str::<Value>(found), serde_json::from_str::<Value>(expected)) {
        (Ok(found), Ok(expected)) if is_parser_text(&expected) => {
            equal("code", &found["code"], &expected["code"])
        }
        (Ok(found), Ok(expected)) => equal("body", &shape(found), &shape(expected)),
        (Err(_), Err(_)) => {
            equal("body", &json!(without_base64(found)), &json!(without_base64(expected)))
        }
        _ => Err(format!("body: {found}, not {expected}")),
    }
}

/// The texts of Go's JSON parsers are not compared.
fn is_parser_text(body: &Value) -> bool {
    let message = body["message"].as_str().unwrap_or_default();
    message.starts_with("proto:") || message == "unexpected EOF"
}

/// A JSON body with its certificates, which are others, reduced to their form.
fn shape(mut body: Value) -> Value {
    for chain in body["chains"].as_array_mut().into_iter().flatten() {
        for certificate in chain["certificates"].as_array_mut().into_iter().flatten() {
            *certificate = json!(without_base64(certificate.as_str().unwrap()));
        }
    }
    body
}

/// PEM text with only its frames, and with the newlines around them.
pub(crate) fn without_base64(text: &str) -> String {
    let frame = |line: &&str| line.is_empty() || line.starts_with('-');
    text.split('\n').filter(frame).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn golden_fulcio_http() {
    let Some(world) = recorded_world("trust-with-log") else { return };
    let router = router(&world);
    let mut outcomes = Vec::new();
    for case in cases("http") {
        outcomes.push((name(&case), compare(&router, &case).await));
    }
    judge("http", &outcomes, EXCEPTIONS);
    assert!(world.log.submissions.lock().unwrap().is_empty(), "nothing was signed");
}
