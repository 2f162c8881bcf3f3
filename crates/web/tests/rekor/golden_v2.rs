//! The golden cases of API v2 as requests: statuses, codes, messages, bodies.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use axum::http::Method;
use serde_json::{Value, json};

use crate::logs::{Answer, Logs, base64, cases, hash, read_json};

/// Cases that are answered otherwise than by the existing server, and why.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("get-bundle", "it is served here, and by a file server beside the existing server"),
    ("get-checkpoint", "it is served here, and by a file server beside the existing server"),
    ("healthz", "health is the whole server's, not this API's"),
    (
        "large-body",
        "3 MiB are refused before they are parsed (the same 400, another text): no certificate has more than 64 KiB, \
         and 2,048 clients could otherwise hold 6 GiB. cosign, sigstore-go, -python and -js send less than 20 KiB",
    ),
];

#[tokio::test]
async fn golden_rekor_v2_requests_are_answered_as_by_the_existing_server() {
    let logs = Logs::open();
    let (mut equal, mut exceptions, mut wrong) = (0, 0, Vec::new());
    let cases = cases("rekor-v2/hashedrekord");
    for case in &cases {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let expect = expectation(case);
        let answer = ask(&logs, case, &expect).await;
        let problem = check(case, &expect, &answer);
        if EXCEPTIONS.iter().any(|(exception, _)| *exception == name) {
            assert!(problem.is_some(), "{name} is no exception any more");
            exceptions += 1;
        } else {
            equal += usize::from(problem.is_none());
            wrong.extend(problem.map(|problem| format!("{name}: {problem}")));
        }
    }
    let count = cases.len();
    testdata::report(&format!(
        "golden rekor-v2/hashedrekord: {count} cases, {equal} equal, {exceptions} exceptions"
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the newest existing server answers.
fn expectation(case: &Path) -> Value {
    let newest = case.join("expect-head.json");
    read_json(&if newest.exists() { newest } else { case.join("expect.json") })
}

async fn ask(logs: &Logs, case: &Path, expect: &Value) -> Answer {
    let body = match fs::read(case.join("request.json")) {
        Ok(body) => body,
        Err(_) if case.ends_with("large-body") => {
            let digest = "A".repeat(3 << 20);
            json!({"hashedRekordRequestV002": {"digest": digest}}).to_string().into_bytes()
        }
        Err(_) => Vec::new(),
    };
    let request = &expect["request"];
    let method = request["method"].as_str().unwrap_or("POST").parse::<Method>().unwrap();
    let path = request["path"].as_str().unwrap_or("/api/v2/log/entries");
    let json = json!({"Content-Type": "application/json"});
    let headers = request["headers"].as_object().unwrap_or(json.as_object().unwrap());
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
    logs.ask(method, path, &headers, body).await
}

fn check(case: &Path, expect: &Value, answer: &Answer) -> Option<String> {
    let body = String::from_utf8_lossy(&answer.body);
    if expect["status"] != answer.status.as_u16()
        || expect["contentType"] != answer.header("content-type")
    {
        return Some(format!("{} {body} instead of {expect}", answer.status));
    }
    let json = answer.json();
    if expect["status"] == 201 {
        let stored = base64(&json["canonicalizedBody"]);
        let equal = stored == fs::read(case.join("canonical.json")).unwrap()
            && merkle::Hash::leaf(&stored) == hash(&expect["leafHash"]);
        return (!equal).then(|| format!("{body} is another body"));
    }
    let message = expect["message"].as_str().unwrap();
    // Texts of the existing server's JSON decoders are no interface.
    let is_parser_text = ["proto:", "invalid character", "unexpected EOF"]
        .iter()
        .any(|parser| message.starts_with(parser));
    let equal = json["code"] == expect["code"] && (is_parser_text || json["message"] == message);
    (!equal).then(|| format!("{body} instead of {expect}"))
}

#[tokio::test]
async fn golden_rekor_v2_dsse_requests_are_refused_as_by_the_newest_server() {
    let logs = Logs::open();
    let cases = cases("rekor-v2/dsse");
    let mut refusals = HashSet::new();
    for case in &cases {
        let request = fs::read(case.join("request.json")).unwrap();
        refusals.insert(logs.post("/api/v2/log/entries", request).await.refusal());
    }
    let refusal = (400, 3, "invalid type, must be hashedrekord".to_owned());
    assert!(refusals.iter().all(|found| *found == refusal), "{refusals:?}");
    testdata::report(&format!(
        "golden rekor-v2/dsse: {0} cases, {0} refused as by the newest server, 0 exceptions",
        cases.len()
    ));
}
