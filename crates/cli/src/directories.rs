//! Where things are on this machine.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Failure, OrFail};

/// The directory of a server's anchors: as said, else one of its own below the user's XDG state directory.
///
/// It is named after the data directory's path, so that two servers do not share anchors.
pub(crate) fn anchors(said: Option<&Path>, directory: &Path) -> Result<PathBuf, Failure> {
    if let Some(said) = said {
        // A bare name has no parent that could be synced.
        return Ok(std::path::absolute(said).unwrap_or_else(|_| said.to_owned()));
    }
    let state = std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/state")));
    let Some(state) = state.filter(|state| state.is_absolute()) else {
        return Err(Failure::usage(
            "there is no place for anchors: neither XDG_STATE_HOME nor HOME is set",
        )
        .hint("say --anchors DIR: a directory outside the data directory"));
    };
    let absolute = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    let name = hex::encode(&crypto::sha256(absolute.as_os_str().as_encoded_bytes())[..8]);
    Ok(state.join("bulla/anchors").join(name))
}

/// Makes a directory that only its owner can enter, with those above it. One that is there is left as it is.
pub(crate) fn make_private(directory: &Path) -> Result<(), Failure> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .or_undecided(format!("{} cannot be made", directory.display()))
}

/// Whether the kernel says that something keeps its clock in step (`STA_UNSYNC` of `adjtimex`).
///
/// No safe library of ours reads that bit; `timedatectl` does, whichever daemon keeps the time. A machine without it,
/// and without the mark of systemd's own daemon, counts as not synchronised.
pub(crate) fn kernel_clock_is_synchronised() -> bool {
    let asked = Command::new("timedatectl")
        .args(["show", "--property=NTPSynchronized", "--value"])
        .stderr(Stdio::null())
        .output();
    match asked {
        Ok(answer) if answer.status.success() => answer.stdout.trim_ascii() == b"yes",
        _ => Path::new("/run/systemd/timesync/synchronized").exists(),
    }
}
