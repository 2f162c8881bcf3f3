//! `signing-config`.

use crate::command_line::Globals;
use crate::failure::Failure;

/// What was typed.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {}

pub(crate) fn run(_args: &Args, _globals: &Globals) -> Result<(), Failure> {
    todo!()
}
