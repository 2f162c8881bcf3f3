//! `logout`: forgets the password for a registry.

use std::fmt;
use std::path::PathBuf;

use oci::Credentials;
use serde::Serialize;

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::login::{DOCKER_HUB, alone, keeper, registry, write};
use crate::online::{self, Threads};
use crate::output::say;

/// Forget the password for a registry
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
    /// The configurations through which there are credentials all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remaining: Vec<PathBuf>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = match (self.signed_in, self.remaining.is_empty()) {
            (true, true) => "signed out of",
            (true, false) => "forgot a password, and not all that is kept, for",
            (false, true) => "nothing was kept for",
            (false, false) => "nothing was forgotten for",
        };
        write!(f, "{done} {}", self.registry)
    }
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let registry = registry(&args.registry)?.registry().to_owned();
    let mut keeper = keeper()?;
    // Where there is no file, none is made, nor anything beside it.
    if keeper.path().exists() {
        keeper = alone(keeper)?;
    }
    let (signed_in, remaining) = online::run(Threads::One, async {
        let forgotten = keeper.forget(&registry).await;
        let signed_in = forgotten.or_undecided("the password cannot be forgotten")?;
        if signed_in {
            write(&keeper)?;
        }
        Ok((signed_in, remaining(&registry).await?))
    })?;
    globals.output.print(&Report { registry, signed_in, remaining })
}

/// Names the files that others write, and parts of the registry: what is there goes on being used.
async fn remaining(registry: &str) -> Result<Vec<PathBuf>, Failure> {
    let places = Credentials::of_user().places(registry).await;
    let places =
        places.or_undecided("whether credentials are kept elsewhere cannot be found out")?;
    for place in &places {
        let place = place.display();
        say(format!(
            "note: there are credentials for {registry} by {place}, which go on being used"
        ));
    }
    Ok(places)
}
