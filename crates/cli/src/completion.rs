//! `completion`: scripts that complete our command line in a shell.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::command_line::{CommandLine, Globals};
use crate::failure::{Failure, OrFail};
use crate::output::print_text;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell that shall complete: bash, zsh, fish, elvish or powershell
    shell: Shell,
}

pub(crate) fn run(args: &Args, _: &Globals) -> Result<(), Failure> {
    let mut script = Vec::new();
    generate(args.shell, &mut CommandLine::command(), "bulla", &mut script);
    print_text(&String::from_utf8_lossy(&script)).or_undecided("the script cannot be printed")
}
