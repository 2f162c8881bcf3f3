//! `logout`: forgets the password for a registry.

use std::fmt;

use serde::Serialize;

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::login::{DOCKER_HUB, keeper, registry, write};
use crate::online;

/// What was typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The registry, such as ghcr.io or localhost:5000; by default Docker Hub
    #[arg(default_value = DOCKER_HUB, value_name = "REGISTRY", hide_default_value = true)]
    registry: String,
}

/// What came of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    registry: String,
    /// Whether there was anything to forget.
    signed_in: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = if self.signed_in { "signed out of" } else { "nothing was kept for" };
        write!(f, "{done} {}", self.registry)
    }
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let registry = registry(&args.registry)?.registry().to_owned();
    let mut keeper = keeper()?;
    let signed_in = online::run(async {
        keeper.forget(&registry).await.or_undecided("the password cannot be forgotten")
    })?;
    if signed_in {
        write(&keeper)?;
    }
    globals.output.print(&Report { registry, signed_in })
}
