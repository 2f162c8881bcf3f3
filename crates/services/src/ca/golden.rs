//! What an existing Fulcio was seen to do with tokens and configurations (`data/fulcio`).

mod config;
mod identities;
mod tables;

use std::path::{Path, PathBuf};

use serde_json::Value;
use testdata::Exception;

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

/// Counts the cases, and fails on what is neither equal nor an exception.
fn judge(set: &str, outcomes: &[(String, Result<(), String>)], exceptions: &[Exception]) {
    let wrong = testdata::judge(&format!("fulcio/{set}"), outcomes, exceptions);
    assert_eq!(wrong, [""; 0], "{}", wrong.join("\n"));
}
