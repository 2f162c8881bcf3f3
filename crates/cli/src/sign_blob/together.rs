//! `sign-blob --together`: one statement with all files as its subjects, and one bundle.

use std::fmt;
use std::path::{Path, PathBuf};

use client::file::{self, Readers};
use client::predicate;
use client::release::{BUNDLE, Release};
use serde::Serialize;
use wire::statement::Subject;

use super::{Args, LogEntry, log_entries};
use crate::command_line::Globals;
use crate::failure::Failure;
use crate::online::{self, Threads};
use crate::output::{progress, say};
use crate::proof_place;
use crate::release;
use crate::signing::{Publication, failure, recorded};

/// What came of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    bundle: PathBuf,
    /// The files by their names in the statement.
    files: Vec<Subject>,
    log_entries: Vec<LogEntry>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bundle.display().fmt(f)
    }
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    if args.files.iter().any(|file| file == Path::new("-")) {
        return Err(Failure::usage("the standard input has no name in a release"));
    }
    let release = Release::of(&args.files).map_err(release::failure)?;
    let bundle =
        args.bundle.clone().unwrap_or_else(|| from_here(&release.directory().join(BUNDLE)));
    let release = release.without(&bundle).map_err(release::failure)?;
    let preparation = args.signing.prepare(globals)?;
    // Before anybody signs in: identity tokens last for minutes only.
    let subjects = release.subjects(&release::hash(&release)?).map_err(release::failure)?;
    let statement = predicate::signature(subjects);
    proof_place::check(&bundle, statement.to_json().len())?;

    let signed = online::run(Threads::One, async {
        let count = statement.subject.len();
        let what = format!(
            "the digest of a statement about {count} files (neither their names nor the files)"
        );
        let signer = args.signing.signer(preparation, &Publication { what: &what }).await?;
        let bar = progress(1, "signing");
        let signed = signer.attest(statement.to_json()).await.map_err(failure);
        bar.finish_and_clear();
        signed
    })?;
    file::write(&bundle, signed.bundle.to_json().as_bytes(), Readers::Everyone)
        .map_err(Failure::undecided)?;
    say(format!("signed {} files together: {}", statement.subject.len(), recorded(&signed)));
    let log_entries = log_entries(&signed);
    globals.output.print(&Report { bundle, files: statement.subject, log_entries })
}

/// The path as somebody here would type it.
fn from_here(path: &Path) -> PathBuf {
    let here = std::env::current_dir().and_then(std::fs::canonicalize);
    let below = here.ok().and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    below.unwrap_or_else(|| path.to_owned())
}
