//! Conditions that would run for ever or fill the memory: the process that judges them ends, and the one that asked says
//! so.

#![expect(clippy::unwrap_used, reason = "a test that cannot ask has failed")]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

/// More than the processor time that conditions get, on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(120);

fn ask(condition: &str, predicate: &str) -> Output {
    let statement = format!(r#"{{"subject":[],"predicate":{predicate}}}"#);
    let question = format!(r#"{{"conditions":[{}],"statements":[{statement}]}}"#, json!(condition));
    let mut child = Command::new(env!("CARGO_BIN_EXE_bulla"))
        .arg("judge-conditions")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(question.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn a_list_of(length: usize) -> String {
    format!("[{}0]", "0,".repeat(length - 1))
}

#[test]
fn loops_within_loops_end() {
    let began = Instant::now();
    let condition = "predicate.all(a, predicate.all(b, predicate.all(c, a + b + c == 0)))";
    let output = ask(condition, &a_list_of(100_000));
    assert!(!output.status.success());
    assert!(began.elapsed() < PATIENCE);
}

#[test]
fn a_text_that_doubles_for_ever_ends() {
    let condition = format!("['x']{} != []", ".map(a, a + a)".repeat(60));
    let output = ask(&condition, "{}");
    assert!(!output.status.success());
}

#[test]
fn the_longest_statement_fits() {
    // The worst text there is for its length: a list of digits.
    let output = ask("size(predicate) > 0", &a_list_of(8_000_000));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("Fulfilled"));
}

#[test]
fn brackets_without_end_are_no_condition() {
    for opening in ["(", "[", "!", "-", "{", "a.map(b, "] {
        let condition = opening.repeat(4096 / opening.len());
        let output = ask(&condition, "{}");
        assert!(output.status.success(), "{opening}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("NoCondition"), "{opening}");
    }
}
