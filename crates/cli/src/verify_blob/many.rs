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

/// Verifies all. What is not verified is told, each with its reason.
pub(super) fn run(verifier: &Verifier, inputs: &[Input], globals: &Globals) -> Result<(), Failure> {
    let (mut verified, mut failures) = (Vec::new(), Vec::new());
    for result in cores::each(inputs, |input| verifier.verify(input)) {
        match result {
            Ok(verdict) => verified.push(verdict),
            Err(failure) => failures.push(failure),
        }
    }
    let (good, bad) = (verified.len(), failures.len());
    let Some(outcome) = Failure::outcome_of(failures) else {
        say(format!("Verified OK: {good} files"));
        return globals.output.print(&Report { verified });
    };
    Err(outcome.fact("verified", good.to_string()).fact("not verified", bad.to_string()))
}
