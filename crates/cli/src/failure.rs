//! How a command ends when it does not end well: exit codes, the message, the hint.

use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::next_step;
use crate::output::{Format, print_json, say};

/// Any error, with its causes behind `source()`.
pub(crate) type Cause = Box<dyn Error + Send + Sync>;

/// What the exit code says. 0 is success; the numbers are part of the interface.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// 1: the question was understood and the answer is no.
    Refused = 1,
    /// 2: what was typed means nothing; clap uses the same number.
    Usage = 2,
    /// 3: the question could not be decided: a file, a server or the machine failed.
    Undecided = 3,
}

/// A command that failed: what happened, why, and what to do next.
#[derive(Debug)]
pub(crate) struct Failure {
    outcome: Outcome,
    error: Cause,
    hint: Option<String>,
    facts: Vec<(&'static str, String)>,
    quiet: bool,
}

/// What was being done when `cause` happened.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
struct While {
    doing: String,
    #[source]
    cause: Cause,
}

impl Failure {
    fn new(outcome: Outcome, error: impl Into<Cause>) -> Self {
        Self { outcome, error: error.into(), hint: None, facts: Vec::new(), quiet: false }
    }

    /// The answer is no.
    pub(crate) fn refused(error: impl Into<Cause>) -> Self {
        Self::new(Outcome::Refused, error)
    }

    /// The answer is no, and `cause` says why.
    pub(crate) fn because(doing: String, cause: impl Into<Cause>) -> Self {
        Self::refused(While { doing, cause: cause.into() })
    }

    /// What was typed means nothing.
    pub(crate) fn usage(error: impl Into<Cause>) -> Self {
        Self::new(Outcome::Usage, error)
    }

    /// What was typed means nothing, and `cause` says why.
    pub(crate) fn usage_about(doing: String, cause: impl Into<Cause>) -> Self {
        Self::usage(While { doing, cause: cause.into() })
    }

    /// It could not be decided.
    pub(crate) fn undecided(error: impl Into<Cause>) -> Self {
        Self::new(Outcome::Undecided, error)
    }

    /// It could not be decided, and `cause` says why.
    pub(crate) fn undecided_about(doing: String, cause: impl Into<Cause>) -> Self {
        Self::undecided(While { doing, cause: cause.into() })
    }

    /// Adds what to do next: an imperative sentence without a full stop.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a fact, such as what was expected and what was found.
    pub(crate) fn fact(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.facts.push((name, value.into()));
        self
    }

    /// Of several failures the one that decides how the command ends, a refusal where there is one. The others are told
    /// on stderr.
    pub(crate) fn outcome_of(mut failures: Vec<Self>) -> Option<Self> {
        if failures.is_empty() {
            return None;
        }
        let refused = |failure: &Self| matches!(failure.outcome, Outcome::Refused);
        let outcome = failures.remove(failures.iter().position(refused).unwrap_or(0));
        for failure in &failures {
            say(failure.to_text().trim_end());
        }
        Some(outcome)
    }

    /// The number for the shell.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.outcome as u8)
    }

    /// The result has been printed already, so that programs who read it find nothing else there.
    pub(crate) fn quietly(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Tells people on stderr, and programs on stdout if they asked for JSON.
    pub(crate) fn report(&self, format: Format) {
        if format == Format::Json && !self.quiet {
            let _ = print_json(&self.to_json());
        }
        say(self.to_text().trim_end());
    }

    /// What the command says, else what helps against such a cause everywhere.
    fn next_step(&self) -> Option<&str> {
        self.hint.as_deref().or_else(|| next_step::after(&*self.error))
    }

    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("error: {}\n", self.error);
        for cause in causes(&*self.error) {
            let _ = writeln!(text, "  cause: {cause}");
        }
        for (name, value) in &self.facts {
            let _ = writeln!(text, "  {name}: {value}");
        }
        if let Some(hint) = self.next_step() {
            let _ = writeln!(text, "hint: {hint}");
        }
        text
    }

    fn to_json(&self) -> Value {
        let mut error = json!({
            "outcome": match self.outcome {
                Outcome::Refused => "refused",
                Outcome::Usage => "usage",
                Outcome::Undecided => "undecided",
            },
            "message": self.error.to_string(),
            "causes": causes(&*self.error),
        });
        if let Some(hint) = self.next_step() {
            error["hint"] = json!(hint);
        }
        for (name, value) in &self.facts {
            error[name] = json!(value);
        }
        json!({ "error": error })
    }
}

/// The messages of what is behind `error`, nearest first.
fn causes(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes
}

/// Turns an error into a failure that says what was being done.
pub(crate) trait OrFail<T> {
    /// The answer is no.
    fn or_refused(self, doing: impl Into<String>) -> Result<T, Failure>;
    /// What was typed means nothing.
    fn or_usage(self, doing: impl Into<String>) -> Result<T, Failure>;
    /// It could not be decided.
    fn or_undecided(self, doing: impl Into<String>) -> Result<T, Failure>;
}

impl<T, E: Into<Cause>> OrFail<T> for Result<T, E> {
    fn or_refused(self, doing: impl Into<String>) -> Result<T, Failure> {
        self.map_err(|cause| Failure::because(doing.into(), cause))
    }

    fn or_usage(self, doing: impl Into<String>) -> Result<T, Failure> {
        self.map_err(|cause| Failure::usage_about(doing.into(), cause))
    }

    fn or_undecided(self, doing: impl Into<String>) -> Result<T, Failure> {
        self.map_err(|cause| Failure::undecided_about(doing.into(), cause))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_failure_is_told_once_with_its_causes_and_a_hint() {
        let result: Result<(), _> = Err(io::Error::other("disk on fire"));
        let failure = result.or_undecided("a.txt cannot be read").unwrap_err();
        let failure = failure.fact("found", "smoke").hint("call someone");
        assert_eq!(
            failure.to_text(),
            "error: a.txt cannot be read\n  cause: disk on fire\n  found: smoke\nhint: call someone\n"
        );
        assert_eq!(
            failure.to_json(),
            json!({"error": {
                "outcome": "undecided",
                "message": "a.txt cannot be read",
                "causes": ["disk on fire"],
                "found": "smoke",
                "hint": "call someone",
            }})
        );
    }
}
