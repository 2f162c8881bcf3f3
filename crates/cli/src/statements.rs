//! Statements that were verified: which of them are wanted, and printing them. The commands that verify attestations
//! share it, so that flags and output mean the same for files and for images.
//!
//! Nothing here decides whether a statement is true: what comes in was verified, and what goes out is part of that.

mod path;
mod text;

use verify::Expected;
use wire::bundle::{Bundle, Content};

use crate::condition::{self, Condition};
use crate::failure::{Failure, OrFail};
use crate::output::{Format, print_data};
use client::predicate::PredicateType;
use path::PredicatePath;

/// Which statements are wanted, and what of them.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Which statements")]
pub(crate) struct StatementArgs {
    /// What kind of statement it must be: a URI, or slsaprovenance, slsaprovenance02, slsaprovenance1, spdx, spdxjson,
    /// cyclonedx, vuln, openvex, link or custom
    #[arg(long = "type", value_name = "NAME|URI", default_value = "custom")]
    predicate_type: PredicateType,
    /// What must be true of the statement, in the Common Expression Language, such as
    /// "predicate.buildType == 'https://example.com/build'". It can speak of predicate, predicateType, subject and now;
    /// of several conditions all must hold
    #[arg(long = "where", value_name = "CEL")]
    conditions: Vec<Condition>,
    /// Print this part of the predicate instead of the statement, such as materials[0].uri, or . for all of it; a string
    /// is printed as its text. A statement without that part is not wanted
    #[arg(long, value_name = "PATH")]
    predicate_path: Option<PredicatePath>,
}

/// The payload of a verified bundle: a statement, byte for byte as it was signed.
///
/// `None` where the artifact itself was signed.
pub(crate) fn payload<'a>(bundle: &'a Bundle, verified: &verify::Verified) -> Option<&'a [u8]> {
    match &bundle.content {
        Content::Dsse(envelope) if verified.statement.is_some() => Some(&envelope.payload),
        _ => None,
    }
}

impl StatementArgs {
    /// The predicate type that [`verify::Policy`] shall ask for.
    pub(crate) fn expected(&self) -> Result<Expected, Failure> {
        Expected::exactly(self.predicate_type.uri())
            .or_usage("the predicate type cannot be expected")
    }

    /// Those of the verified statements about `what` that fulfil all conditions, with the JSON that is wanted of each.
    /// `payload` gives the statement that belongs to each of `found`.
    ///
    /// Refuses if there is none.
    pub(crate) fn select<'a, T>(
        &self,
        what: &str,
        found: &'a [T],
        payload: impl Fn(&'a T) -> &'a [u8],
    ) -> Result<Vec<(&'a T, &'a str)>, Failure> {
        let payloads: Vec<&[u8]> = found.iter().map(&payload).collect();
        let outcomes = condition::ask(&self.conditions, &payloads)?;
        let (mut wanted, mut refusals) = (Vec::new(), Vec::new());
        for ((item, payload), outcome) in found.iter().zip(payloads).zip(outcomes) {
            match outcome {
                Ok(()) => match self.part(payload)? {
                    Some(text) => wanted.push((item, text)),
                    None => refusals.push(self.without_part(what)),
                },
                Err(unfulfilled) => refusals.push(unfulfilled_by(what, &unfulfilled)),
            }
        }
        match refusals.into_iter().next() {
            _ if !wanted.is_empty() => Ok(wanted),
            Some(refusal) => Err(refusal),
            None => Err(Failure::refused(format!("there is no verified statement about {what}"))),
        }
    }

    /// What is wanted of a statement, as JSON: the whole, or a part of its predicate.
    fn part<'a>(&self, payload: &'a [u8]) -> Result<Option<&'a str>, Failure> {
        let statement =
            std::str::from_utf8(payload).or_undecided("a statement is not text in UTF-8")?;
        Ok(match &self.predicate_path {
            None => Some(statement),
            Some(path) => path.find(statement),
        })
    }

    /// Whether only a part of each statement is wanted: then nothing else is printed, in any format.
    pub(crate) fn is_for_a_part(&self) -> bool {
        self.predicate_path.is_some()
    }

    fn without_part(&self, what: &str) -> Failure {
        let path = self.predicate_path.as_ref().map(ToString::to_string).unwrap_or_default();
        Failure::refused(format!("the statement about {what} has not what is asked for"))
            .fact("check", "predicate-path")
            .fact("expected", path)
    }
}

fn unfulfilled_by(what: &str, unfulfilled: &condition::Unfulfilled<'_>) -> Failure {
    Failure::refused(format!("no verified statement about {what} fulfils the condition"))
        .fact("check", "condition")
        .fact("expected", unfulfilled.condition.to_string())
        .fact("found", &unfulfilled.found)
}

/// Prints statements, or the parts of them that are wanted, one a line, and nothing else. For people, strings are printed
/// as their text.
pub(crate) fn print<'a>(
    format: Format,
    wanted: impl Iterator<Item = &'a str>,
) -> Result<(), Failure> {
    for json in wanted {
        let text = match format {
            Format::Text => text::of_value(json),
            Format::Json => text::on_one_line(json),
        };
        print_data(&text).or_undecided("the statement cannot be printed")?;
    }
    Ok(())
}
