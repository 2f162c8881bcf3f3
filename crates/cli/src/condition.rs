//! Conditions on statements: `--where`, in the Common Expression Language (CEL).
//!
//! Expressions and statements come from anywhere, and CEL has loops within loops. So what judges them is a process of
//! its own ([`judge`]) that the kernel ends when it has used its seconds or its memory, whatever it was doing.

pub(crate) mod judge;
mod value;

use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Output, Stdio};

use serde_json::value::RawValue;

use crate::failure::{Failure, OrFail};
use judge::{Answer, Question, Verdict};

/// The longest condition: a screen full. What is longer belongs into a policy.
const MAX_CONDITION: usize = 4096;
/// The most conditions of one call.
const MAX_CONDITIONS: usize = 64;
/// The longest statement that conditions are put on: as values it takes up to sixty times as much, see
/// [`judge::MEMORY_BYTES`].
pub(crate) const MAX_STATEMENT: usize = 16 << 20;

/// The name of the command that judges, see `command_line`.
const COMMAND: &str = "judge-conditions";

/// One condition, as it was typed. Only its length is known to be in order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Condition(String);

/// What was typed cannot be a condition.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ConditionError {
    #[error("a condition is not empty")]
    Empty,
    #[error("a condition has at most {MAX_CONDITION} bytes, not {0}")]
    TooLong(usize),
}

impl std::str::FromStr for Condition {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        match text.len() {
            0 => Err(ConditionError::Empty),
            length if length > MAX_CONDITION => Err(ConditionError::TooLong(length)),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a statement is not wanted.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Unfulfilled<'a> {
    /// The first condition that is not fulfilled.
    pub(crate) condition: &'a Condition,
    /// What it came to.
    pub(crate) found: String,
}

/// Says of each statement, given as JSON, whether it fulfils all conditions.
pub(crate) fn ask<'a>(
    conditions: &'a [Condition],
    statements: &[&[u8]],
) -> Result<Vec<Result<(), Unfulfilled<'a>>>, Failure> {
    if conditions.is_empty() {
        return Ok(statements.iter().map(|_| Ok(())).collect());
    }
    let output = put(&question(conditions, statements)?)?;
    if !output.status.success() {
        return Err(ended(output.status));
    }
    let answer = serde_json::from_slice(&output.stdout)
        .or_undecided("the conditions could not be judged")?;
    match answer {
        Answer::NoCondition { position, message } => {
            Err(no_condition(conditions, position, message))
        }
        // What was not judged is not fulfilled.
        Answer::Judged(verdicts) if verdicts.len() != statements.len() => {
            Err(Failure::undecided("not every statement was judged"))
        }
        Answer::Judged(verdicts) => {
            verdicts.into_iter().map(|verdict| outcome(conditions, verdict)).collect()
        }
    }
}

fn question(conditions: &[Condition], statements: &[&[u8]]) -> Result<Vec<u8>, Failure> {
    if conditions.len() > MAX_CONDITIONS {
        return Err(Failure::usage(format!("at most {MAX_CONDITIONS} conditions can be put")));
    }
    let length = statements.iter().map(|statement| statement.len()).sum::<usize>();
    if length > MAX_STATEMENT {
        let said = "the statements are too long for conditions to be put on them";
        return Err(Failure::undecided(said)
            .fact("expected", format!("at most {MAX_STATEMENT} bytes"))
            .fact("found", format!("{length} bytes")));
    }
    let statements =
        statements.iter().map(|statement| serde_json::from_slice::<&RawValue>(statement));
    let question = Question {
        conditions: conditions.iter().map(|condition| condition.0.clone()).collect(),
        statements: statements.collect::<Result<_, _>>().or_undecided("a statement is not JSON")?,
    };
    serde_json::to_vec(&question).or_undecided("the conditions cannot be put")
}

/// Starts the process that judges, and waits for its end, which comes by itself or by its limits.
fn put(question: &[u8]) -> Result<Output, Failure> {
    const DOING: &str = "the process that judges conditions cannot be started";
    let program = std::env::current_exe().or_undecided(DOING)?;
    let mut child = Command::new(program)
        .arg(COMMAND)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .or_undecided(DOING)?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that has ended does not listen; its status says why.
        let _ = stdin.write_all(question);
    }
    child.wait_with_output().or_undecided("the conditions could not be judged")
}

fn ended(status: ExitStatus) -> Failure {
    let Some(signal) = status.signal() else {
        return Failure::undecided("the conditions could not be judged")
            .fact("found", format!("the process that judges them ended with {status}"));
    };
    let found = format!("it was ended by signal {signal}");
    Failure::undecided("the conditions could not be judged within their limits")
        .fact("expected", format!("{} s, {} MiB", judge::CPU_SECONDS, judge::MEMORY_BYTES >> 20))
        .fact("found", found)
        .hint("put a simpler condition: loops within loops take too long on long lists")
}

fn no_condition(conditions: &[Condition], position: usize, message: String) -> Failure {
    let condition = conditions.get(position).map_or("", |condition| &condition.0);
    Failure::usage(format!("{condition} is not a condition"))
        .fact("found", message)
        .hint("conditions are in the Common Expression Language, such as predicate.buildType == 'https://…'")
}

fn outcome(
    conditions: &[Condition],
    verdict: Verdict,
) -> Result<Result<(), Unfulfilled<'_>>, Failure> {
    let Verdict::Unfulfilled { position, found } = verdict else { return Ok(Ok(())) };
    let condition = conditions.get(position);
    let condition =
        condition.ok_or_else(|| Failure::undecided("a condition was judged that was not put"))?;
    Ok(Err(Unfulfilled { condition, found }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_has_a_length_that_a_person_would_type() {
        assert_eq!("".parse::<Condition>(), Err(ConditionError::Empty));
        "x".repeat(MAX_CONDITION).parse::<Condition>().unwrap();
        let long = "x".repeat(MAX_CONDITION + 1);
        assert_eq!(long.parse::<Condition>(), Err(ConditionError::TooLong(MAX_CONDITION + 1)));
    }

    #[test]
    fn without_conditions_nothing_is_asked() {
        assert_eq!(ask(&[], &[b"{}"]).unwrap(), [Ok(())]);
    }
}
