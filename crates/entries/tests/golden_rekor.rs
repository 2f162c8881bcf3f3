//! The golden cases of API v1: what the existing server makes of an entry. Bodies, leaf hashes, index keys and
//! attestations are held against ours here; statuses and answers in the crate `web`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The kinds that are built. The cases of `request` are about the form of the request.
const SETS: &[&str] = &["hashedrekord", "dsse", "intoto", "request"];

/// Cases that are answered otherwise than by the existing server: name, reason, and which client was looked at.
const EXCEPTIONS: &[(&str, &str)] = &[];

fn cases(set: &str) -> Vec<PathBuf> {
    let Some(directory) = testdata::path(&format!("rekor/{set}")) else { return Vec::new() };
    let mut cases: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|case| case.unwrap().path()).collect();
    cases.sort();
    cases
}

/// What differs in one case; nothing if all is equal.
fn differences(case: &Path) -> Vec<String> {
    let proposed = fs::read(case.join("proposed.json")).unwrap();
    let expect: Value =
        serde_json::from_slice(&fs::read(case.join("expect.json")).unwrap()).unwrap();
    let admitted = entries::admit_v1(entries::V1, &proposed);
    if expect["status"] != 201 {
        return admitted.err().map_or_else(|| vec!["it was admitted".to_owned()], |_| Vec::new());
    }
    let entry = match admitted {
        Ok(entry) => entry,
        Err(error) => return vec![format!("it was refused: {error:?}")],
    };
    let body = fs::read(case.join("canonical.json")).unwrap();
    let mut keys: Vec<&str> = entry.index_keys.iter().map(String::as_str).collect();
    keys.sort_unstable();
    let attestation = entry.attestation.as_ref().map_or(Value::Null, |attestation| {
        serde_json::json!({
            "key": attestation.key,
            "sha256": hex::encode(crypto::sha256(&attestation.data)),
            "size": attestation.data.len(),
        })
    });
    let mut differences = Vec::new();
    let mut hold = |what: &str, ours: Value, theirs: &Value| {
        if ours != *theirs {
            differences.push(format!("{what}: {ours} instead of {theirs}"));
        }
    };
    hold(
        "body",
        String::from_utf8_lossy(&entry.body).into(),
        &String::from_utf8(body).unwrap().into(),
    );
    hold("leaf hash", merkle::Hash::leaf(&entry.body).to_string().into(), &expect["leafHash"]);
    hold("kind", entry.kind.into(), &expect["kind"]);
    hold("apiVersion", entry.version.into(), &expect["apiVersion"]);
    hold("index keys", keys.into(), &expect["indexKeys"]);
    hold("attestation", attestation, &expect["attestation"]);
    differences
}

/// `intoto` 0.0.1 is not built: it is refused, whatever the existing server does.
fn is_intoto_001(case: &Path) -> bool {
    let text = fs::read(case.join("proposed.json")).unwrap();
    serde_json::from_slice::<Value>(&text)
        .is_ok_and(|proposed| proposed["kind"] == "intoto" && proposed["apiVersion"] == "0.0.1")
}

#[test]
fn golden_rekor_entries_are_admitted_and_refused_as_by_the_existing_server() {
    let mut wrong = Vec::new();
    for set in SETS {
        let cases = cases(set);
        let (mut equal, mut refused_kind, mut exceptions) = (0, 0, 0);
        for case in &cases {
            let name = format!("{set}/{}", case.file_name().unwrap().to_string_lossy());
            if is_intoto_001(case) {
                let proposed = fs::read(case.join("proposed.json")).unwrap();
                let refusal = entries::admit_v1(entries::V1, &proposed).unwrap_err();
                assert!(matches!(refusal, entries::AdmitError::UnknownVersion { .. }), "{name}");
                refused_kind += 1;
                continue;
            }
            let differences = differences(case);
            if EXCEPTIONS.iter().any(|(exception, _)| *exception == name) {
                assert!(!differences.is_empty(), "{name} is no exception any more");
                exceptions += 1;
            } else if differences.is_empty() {
                equal += 1;
            } else {
                wrong.extend(
                    differences.into_iter().map(|difference| format!("{name}: {difference}")),
                );
            }
        }
        testdata::report(&format!(
            "golden rekor/{set} entries: {} cases, {equal} equal, {exceptions} exceptions, {refused_kind} of intoto 0.0.1 refused",
            cases.len()
        ));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
