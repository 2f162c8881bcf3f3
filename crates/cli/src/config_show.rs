//! `config show`: the configuration of a server as it holds, with every default filled in.

use std::path::PathBuf;

use crate::command_line::Globals;
use crate::config::Config;
use crate::failure::{Failure, OrFail};
use crate::output::{Format, print_json, print_text};

/// Look at the configuration of a directory
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// Print what holds: bulla.toml with every default filled in
    Show {
        /// The directory that `init` made
        directory: PathBuf,
    },
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let Args::Show { directory } = args;
    let config = Config::read(directory).map_err(|error| {
        let hint = error.hint();
        Failure::usage(error).hint(hint)
    })?;
    match globals.output {
        Format::Text => {
            let text =
                toml::to_string(&config).or_undecided("the configuration cannot be written")?;
            print_text(&text)
        }
        Format::Json => print_json(&config),
    }
    .or_undecided("the result cannot be printed")
}
