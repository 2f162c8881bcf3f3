//! Several files, each with the bundle that goes with it, on all processors.

use std::fmt;

use client::cores;
use serde::Serialize;

use super::Verifier;
use crate::command_line::Globals;
use crate::failure::Failure;
use crate::input::Input;
use crate::output::say;
use crate::verifying::Verdict;

/// What came of it.
#[derive(Serialize)]
struct Report {
    verified: Vec<Verdict>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, verdict) in self.verified.iter().enumerate() {
            if position > 0 {
                writeln!(f)?;
            }
            verdict.fmt(f)?;
        }
        Ok(())
    }
}

/// Verifies all, unless one is not verified: then it is said which were, and the first failure is the outcome.
pub(super) fn run(verifier: &Verifier, inputs: &[Input], globals: &Globals) -> Result<(), Failure> {
    let (mut verified, mut failures) = (Vec::new(), Vec::new());
    for result in cores::each(inputs, |input| verifier.verify(input)) {
        match result {
            Ok(verdict) => verified.push(verdict),
            Err(failure) => failures.push(failure),
        }
    }
    let more = failures.len().saturating_sub(1);
    let Some(first) = failures.into_iter().next() else {
        say(format!("Verified OK: {} files", verified.len()));
        return globals.output.print(&Report { verified });
    };
    for verdict in &verified {
        say(format!("verified {}", verdict.artifact()));
    }
    Err(if more > 0 { first.fact("also failed", format!("{more} more files")) } else { first })
}
