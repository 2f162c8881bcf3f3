//! `--statement FILE`: a whole in-toto statement, which is signed byte for byte.

use std::path::Path;

use client::file;
use client::predicate::check_statement;
use wire::statement::{MAX_STATEMENT, Statement};

use crate::failure::{Failure, OrFail};

/// Reads a statement, and checks that its predicate has what its type requires.
pub(crate) fn read(path: &Path) -> Result<(Statement, Vec<u8>), Failure> {
    let payload = file::read(path, MAX_STATEMENT as u64).map_err(Failure::undecided)?;
    let statement = Statement::parse(&payload)
        .or_undecided(format!("{} is not a statement", path.display()))?;
    check_statement(&statement).or_refused(format!("{} cannot be signed", path.display()))?;
    Ok((statement, payload))
}
