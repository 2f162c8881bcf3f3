//! `completion`: scripts that complete our command line in a shell.

use clap::{Command, CommandFactory};
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
    generate(args.shell, &mut command(), "bulla", &mut script);
    print_text(&String::from_utf8_lossy(&script)).or_undecided("the script cannot be printed")
}

/// All commands with all their flags. `help` lists them too, but was made when they had no words of their own yet.
fn command() -> Command {
    let mut command = CommandLine::command();
    command.build();
    let words: Vec<_> = command
        .get_subcommands()
        .filter_map(|known| Some((known.get_name().to_owned(), known.get_about()?.clone())))
        .collect();
    command.mut_subcommand("help", |help| {
        help.mut_subcommands(|listed| {
            match words.iter().find(|(name, _)| name == listed.get_name()) {
                Some((_, about)) => listed.about(about.clone()),
                None => listed,
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_described_also_below_help() {
        let mut all = command();
        all.build();
        let help = all.find_subcommand("help").unwrap();
        for command in all.get_subcommands().filter(|command| !command.is_hide_set()) {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name}");
            assert!(help.find_subcommand(name).unwrap().get_about().is_some(), "help {name}");
        }
    }
}
