//! For tests only: where the reference data lie, and how a test says that it was skipped.
//!
//! The data are other projects' files. They are read where they stand, in `$BULLA_SHARED/data` or else
//! `../shared/data` beside the project, and are never copied into it.

pub mod company;
mod golden;

use std::io::Write;
use std::path::PathBuf;

pub use golden::{Exception, judge};

/// The path of `relative` below the reference data, if it is there. Else the test is said to be skipped.
///
/// ```
/// let Some(cases) = testdata::path("rekor/hashedrekord") else { return };
/// ```
#[must_use]
pub fn path(relative: &str) -> Option<PathBuf> {
    let path = shared().join("data").join(relative);
    found(path)
}

/// The path of a specification, such as `client.md`, if it is there. Else the test is said to be skipped.
#[must_use]
pub fn spec(name: &str) -> Option<PathBuf> {
    found(shared().join("spec").join(name))
}

fn found(path: PathBuf) -> Option<PathBuf> {
    if path.exists() {
        return Some(path);
    }
    skip(&format!("there is no {}; set BULLA_SHARED", path.display()));
    None
}

fn shared() -> PathBuf {
    std::env::var_os("BULLA_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    )
}

/// Says that the running test is skipped, and why. The caller then returns.
///
/// The line goes past the capture of test output, so that `cargo test` shows it, and begins with `SKIPPED`, so that
/// `.ci/run` can count it and fail.
pub fn skip(reason: &str) {
    let thread = std::thread::current();
    let line = format!("SKIPPED {}: {reason}\n", thread.name().unwrap_or("a test"));
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// Prints a line that is shown even when the test passes: counts of golden cases and the like.
pub fn report(line: &str) {
    let _ = std::io::stderr().write_all(format!("REPORT {line}\n").as_bytes());
}
