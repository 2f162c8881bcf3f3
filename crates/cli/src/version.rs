//! `version`: which program this is.

use std::fmt;

use serde::Serialize;

use crate::command_line::Globals;
use crate::failure::Failure;

/// Print the version
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    version: &'static str,
    platform: String,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bulla {} ({})", self.version, self.platform)
    }
}

pub(crate) fn run(_: &Args, globals: &Globals) -> Result<(), Failure> {
    use std::env::consts::{ARCH, OS};
    let version = Version { version: env!("CARGO_PKG_VERSION"), platform: format!("{OS}/{ARCH}") };
    globals.output.print(&version)
}
