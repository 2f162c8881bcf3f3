//! A directory whose files were signed together: nothing missing, nothing extra.

use std::fmt;
use std::path::{Path, PathBuf};

use client::release::{BUNDLE, Difference, Release, compare};
use crypto::Digest;
use serde::Serialize;
use verify::{Artifact, Verified};
use wire::bundle::{Bundle, Content};
use wire::statement::Statement;

use super::Verifier;
use crate::command_line::Globals;
use crate::failure::Failure;
use crate::input::read_bundle;
use crate::output::say;
use crate::refusal;
use crate::release::ALGORITHM;
use crate::verifying::Verdict;

/// How many names a message has.
const MAX_NAMES: usize = 10;

/// What came of it.
#[derive(Serialize)]
pub(super) struct Report {
    #[serde(flatten)]
    pub(super) verdict: Verdict,
    /// The files that are as they were signed.
    pub(super) files: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.verdict.fmt(f)?;
        self.files.iter().try_for_each(|name| writeln!(f, "file       {name}"))
    }
}

pub(super) fn run(verifier: &Verifier, directory: &Path, globals: &Globals) -> Result<(), Failure> {
    let path = find_bundle(verifier, directory)?;
    let bundle = read_bundle(&path)?;
    let what = directory.display().to_string();
    let (verified, statement) = verifier.verify_statement(&what, &path, &bundle)?;
    let release = Release::of(&[directory.to_owned()]).and_then(|release| release.without(&path));
    let release = release.map_err(crate::release::failure)?;
    let digests = crate::release::hash(&release)?;

    let names = release.files().iter().map(|file| file.name.as_str());
    let differences = compare(names.clone().zip(&digests), &statement);
    if !differences.is_empty() {
        return Err(different(&what, &differences));
    }
    let files: Vec<String> = names.map(str::to_owned).collect();
    say(format!("Verified OK: {} files, none missing, none added", files.len()));
    globals.output.print(&Report { verdict: Verdict::about(what, &path, &verified), files })
}

fn find_bundle(verifier: &Verifier, directory: &Path) -> Result<PathBuf, Failure> {
    let path = verifier.bundle.clone().unwrap_or_else(|| directory.join(BUNDLE));
    if path.exists() {
        return Ok(path);
    }
    Err(Failure::undecided(format!("{} has no bundle", directory.display()))
        .fact("looked for", path.display().to_string())
        .hint("name the bundle with --bundle FILE"))
}

impl Verifier {
    /// Verifies the statement of a bundle, before files are read, which may take long. What it is about is then to be seen
    /// from the statement.
    pub(super) fn verify_statement(
        &self,
        what: &str,
        path: &Path,
        bundle: &Bundle,
    ) -> Result<(Verified, Statement), Failure> {
        let policy = self.policy_for(path, bundle)?;
        let artifact = claimed(bundle).ok_or_else(|| of_one_file(path))?;
        let verified = verify::verify(&artifact, bundle, &policy, &self.trust)
            .map_err(|error| refusal::failure(what, error))?;
        match verified.statement.clone() {
            Some(statement) => Ok((verified, statement)),
            None => Err(of_one_file(path)),
        }
    }
}

/// One of the artifacts that the statement claims to be about: with it the verifier shows that the statement was signed,
/// and nothing about any file.
fn claimed(bundle: &Bundle) -> Option<Artifact<'static>> {
    let Content::Dsse(envelope) = &bundle.content else { return None };
    let statement = Statement::parse(&envelope.payload).ok();
    let digest = statement.iter().flat_map(|said| &said.subject).find_map(|subject| {
        let digits = subject.digest.get(ALGORITHM.name())?;
        Digest::new(ALGORITHM, &hex::decode(digits).ok()?).ok()
    });
    // What is no statement is the verifier's to refuse.
    Some(digest.into_iter().collect())
}

fn of_one_file(path: &Path) -> Failure {
    Failure::refused(format!("{} signs one file, not several", path.display()))
        .fact("check", "content")
        .hint("sign files that belong together with bulla sign-blob --together")
}

/// Files that are not as they were signed.
pub(super) fn different(what: &str, differences: &[Difference]) -> Failure {
    let names = |select: fn(&Difference) -> Option<&String>| {
        let names: Vec<&String> = differences.iter().filter_map(select).collect();
        let more = names.len().saturating_sub(MAX_NAMES);
        let shown: Vec<&str> = names.iter().take(MAX_NAMES).map(|name| name.as_str()).collect();
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!names.is_empty()).then(|| shown.join(", ") + &rest)
    };
    let kinds = [
        ("changed", names(|d| if let Difference::Changed(name) = d { Some(name) } else { None })),
        ("missing", names(|d| if let Difference::Missing(name) = d { Some(name) } else { None })),
        ("not signed", names(|d| if let Difference::Extra(name) = d { Some(name) } else { None })),
    ];
    let failure = Failure::refused(format!("{what} is not as it was signed"))
        .fact("check", "release-files")
        .hint("get it again from where it is published, or take away what does not belong to it");
    kinds.into_iter().fold(failure, |failure, (kind, names)| match names {
        Some(names) => failure.fact(kind, names),
        None => failure,
    })
}
