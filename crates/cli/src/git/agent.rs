//! `git agent`: keeps the keys of signers for as long as their certificates last. Git's signing program starts it.

use std::fmt;
use std::path::PathBuf;

use client::git::agent::{Agent, AgentError, KeptKey, Place, ServeError, serve};
use serde::Serialize;

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::online::{self, Threads};

/// What was typed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print the keys that the agent keeps, instead of running one
    #[arg(long)]
    list: bool,
    /// Have the agent forget its keys and end, instead of running one
    #[arg(long, conflicts_with = "list")]
    forget: bool,
    /// The directory for the socket; by default bulla in $XDG_RUNTIME_DIR
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
}

/// What the agent keeps.
#[derive(Serialize)]
struct Report {
    keys: Vec<KeptKey>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.keys.iter().try_for_each(|key| {
            writeln!(f, "{} (vouched for by {}) until {}", key.identity, key.issuer, key.until)
        })
    }
}

#[derive(Serialize)]
struct Forgotten {
    forgotten: usize,
}

impl fmt::Display for Forgotten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} forgotten", self.forgotten)
    }
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let place = match &args.directory {
        Some(directory) => Place::at(directory),
        None => Place::of_user(),
    };
    let place = place.map_err(|error| {
        Failure::undecided(error).hint("name a directory that only you can enter with --directory")
    })?;
    if args.list {
        let keys = ask(&place, Agent::list)?.unwrap_or_default();
        return globals.output.print(&Report { keys });
    }
    if args.forget {
        let forgotten = ask(&place, Agent::forget)?.unwrap_or_default();
        return globals.output.print(&Forgotten { forgotten });
    }
    online::run(Threads::One, async {
        match serve(&place).await {
            // Two were started at once; one is enough.
            Ok(()) | Err(ServeError::Running) => Ok(()),
            Err(error) => Err(Failure::undecided(error)),
        }
    })
}

/// Asks the agent that runs. Where none runs, nothing is kept.
fn ask<T>(
    place: &Place,
    ask: impl FnOnce(&mut Agent) -> Result<T, AgentError>,
) -> Result<Option<T>, Failure> {
    match Agent::connect(place) {
        Err(AgentError::NotRunning) => Ok(None),
        connected => connected
            .and_then(|mut agent| ask(&mut agent))
            .map(Some)
            .or_undecided("the agent does not answer"),
    }
}
