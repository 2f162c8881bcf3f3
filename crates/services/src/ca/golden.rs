//! What an existing Fulcio was seen to do with tokens and configurations (`data/fulcio`).

mod config;
mod identities;
mod tables;

use std::path::{Path, PathBuf};

use serde_json::Value;

/// A case in which we do otherwise: its name, why that is safer, and which client was checked not to rely on it.
struct Exception {
    case: &'static str,
    reason: &'static str,
    clients: &'static str,
}

/// The cases of a set, each in its directory, by name.
fn cases(set: &str) -> Vec<PathBuf> {
    let Some(path) = testdata::path(&format!("fulcio/{set}")) else { return Vec::new() };
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn name(case: &Path) -> String {
    let parts: Vec<_> = case.iter().rev().take(2).map(|part| part.to_string_lossy()).collect();
    format!("{}/{}", parts[1], parts[0])
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Holds outcomes against expectations, counts, and fails on what is neither equal nor an exception.
fn judge(set: &str, outcomes: &[(String, Result<(), String>)], exceptions: &[Exception]) {
    let mut wrong = Vec::new();
    let mut excepted = 0;
    for (case, outcome) in outcomes {
        let exception = exceptions.iter().find(|exception| exception.case == case);
        match (outcome, exception) {
            (Ok(()), None) => {}
            (Err(_), Some(exception)) => {
                assert!(!exception.reason.is_empty() && !exception.clients.is_empty());
                excepted += 1;
            }
            (Err(difference), None) => wrong.push(format!("{case}: {difference}")),
            (Ok(()), Some(_)) => wrong.push(format!("{case}: is equal, and needs no exception")),
        }
    }
    let equal = outcomes.len() - excepted - wrong.len();
    testdata::report(&format!(
        "golden fulcio/{set}: {} cases, {equal} equal, {excepted} exceptions",
        outcomes.len()
    ));
    assert_eq!(wrong, [""; 0], "{}", wrong.join("\n"));
}
