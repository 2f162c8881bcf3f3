//! Counting golden cases.

use crate::report;

/// A golden case in which we do otherwise than what was recorded.
pub struct Exception {
    /// Its name.
    pub case: &'static str,
    /// Why that is safer, or no harm.
    pub reason: &'static str,
    /// Which clients were checked not to rely on what was recorded.
    pub clients: &'static str,
}

/// Reports how many cases of a set are equal, and describes all that are neither equal nor an exception, and all
/// exceptions that are none.
///
/// An outcome is a case's name, and how it differs if it does.
#[must_use]
pub fn judge(
    set: &str,
    outcomes: &[(String, Result<(), String>)],
    exceptions: &[Exception],
) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut excepted = 0;
    for (case, outcome) in outcomes {
        let is_exception = exceptions.iter().any(|exception| exception.case == case);
        match (outcome, is_exception) {
            (Ok(()), false) => {}
            (Err(_), true) => excepted += 1,
            (Err(difference), false) => wrong.push(format!("{case}: {difference}")),
            (Ok(()), true) => wrong.push(format!("{case}: is equal, and needs no exception")),
        }
    }
    let unexplained =
        |exception: &&Exception| exception.reason.is_empty() || exception.clients.is_empty();
    let unexplained = exceptions.iter().filter(unexplained);
    wrong.extend(unexplained.map(|exception| format!("{}: is not explained", exception.case)));
    let equal = outcomes.len().saturating_sub(excepted + wrong.len());
    report(&format!(
        "golden {set}: {} cases, {equal} equal, {excepted} exceptions",
        outcomes.len()
    ));
    wrong
}
