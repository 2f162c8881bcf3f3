//! `sign-blob`: signs files, each with a bundle of its own, or all together with one.

mod together;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use client::file::{self, Readers};
use client::sign::{Signed, Signer};
use indicatif::ProgressBar;
use pki::cms::{MAX_SIGNED_ATTRIBUTES, is_signed_attributes};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::input::with_ending;
use crate::online::{self, Threads};
use crate::output::{progress, say};
use crate::proof_place;
use crate::release;
use crate::signing::{Publication, SigningArgs, failure, recorded};

/// How many files are signed at the same time. Most of the time goes by waiting for logs, some of which answer only
/// every few seconds, so that it is more than there are processors.
const PARALLEL: usize = 16;

/// What people sign, as they would type it.
const EXAMPLES: &str = "\
Examples:
  bulla sign-blob k8s/*.yaml              A bundle beside each manifest
  bulla sign-blob --together dist/*       One bundle: dist/release.sigstore.json
  bulla sign-blob --together k8s          One for all files of a directory
  bulla sign-blob --maven target/staging  One beside each artifact of Maven's";

/// Sign files
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The files to sign (- for the standard input); with --together also directories
    #[arg(required_unless_present = "maven", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Make one bundle for all files, and all files below the directories that are named. It verifies any of them, and
    /// with bulla verify-blob --all that they are all there
    #[arg(long)]
    together: bool,
    /// Sign the artifacts of a Maven repository, or of a part of one: a bundle beside each jar, pom and module, none for
    /// checksums, signatures and metadata
    #[arg(long, value_name = "REPO_DIR", conflicts_with_all = ["files", "together", "bundle"])]
    maven: Option<PathBuf>,
    /// Where to write the bundle; by default the file's name with .sigstore.json added, with --together
    /// release.sigstore.json in the directory that the files have in common
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    #[command(flatten)]
    signing: SigningArgs,
}

/// One file, and where its bundle goes.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Job {
    file: PathBuf,
    bundle: PathBuf,
}

/// What came of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    signed: Vec<SignedFile>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignedFile {
    artifact: PathBuf,
    bundle: PathBuf,
    log_entries: Vec<LogEntry>,
}

#[derive(Serialize)]
struct LogEntry {
    log: String,
    index: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.signed.iter().try_for_each(|signed| writeln!(f, "{}", signed.bundle.display()))
    }
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    if args.together {
        return together::run(args, globals);
    }
    let artifacts = args.maven.as_deref().map(client::maven::artifacts).transpose();
    let artifacts = artifacts.map_err(release::failure)?;
    let files = artifacts.as_deref().unwrap_or(&args.files);
    let jobs = jobs(files, args.bundle.as_deref())?;
    proof_place::check_each(jobs.iter().map(|job| (job.file.as_path(), job.bundle.as_path())))?;
    let preparation = args.signing.prepare(globals)?;
    let report = online::run(Threads::for_things(files.len()), async {
        let what = what(files);
        let publication = Publication { what: &what };
        let signer = args.signing.signer(preparation, &publication).await?;
        sign_all(Arc::new(signer), jobs).await
    })?;
    globals.output.print(&report)
}

fn jobs(files: &[PathBuf], bundle: Option<&Path>) -> Result<Vec<Job>, Failure> {
    if let (Some(bundle), [file]) = (bundle, files) {
        return Ok(vec![Job { file: file.clone(), bundle: bundle.to_owned() }]);
    }
    if bundle.is_some() {
        return Err(Failure::usage("several files cannot share one bundle")
            .hint("leave out --bundle: each file gets one beside it. Or sign them --together"));
    }
    if files.iter().any(|file| file == Path::new("-")) {
        return Err(Failure::usage("there is no place beside the standard input for a bundle")
            .hint("say where to write it with --bundle FILE"));
    }
    let beside =
        |file: &PathBuf| Job { file: file.clone(), bundle: with_ending(file, ".sigstore.json") };
    Ok(files.iter().map(beside).collect())
}

fn what(files: &[PathBuf]) -> String {
    match files {
        [file] => format!("the digest of {} (neither the file nor its name)", file.display()),
        _ => format!("the digests of {} files (neither the files nor their names)", files.len()),
    }
}

/// Signs at most [`PARALLEL`] files at a time. Files that could be signed are, whatever happens to others.
async fn sign_all(signer: Arc<Signer>, jobs: Vec<Job>) -> Result<Report, Failure> {
    let bar = progress(jobs.len() as u64, "signing");
    let places = Arc::new(Semaphore::new(PARALLEL));
    let mut tasks = JoinSet::new();
    for (position, job) in jobs.into_iter().enumerate() {
        let (signer, places, bar) = (Arc::clone(&signer), Arc::clone(&places), bar.clone());
        tasks.spawn(async move {
            // The semaphore is never closed.
            let _place = places.acquire_owned().await;
            let result = sign(&signer, job, &bar).await;
            bar.inc(1);
            (position, result)
        });
    }
    let mut results = Vec::new();
    while let Some(result) = tasks.join_next().await {
        results.push(result.or_undecided("a signing was interrupted")?);
    }
    bar.finish_and_clear();
    results.sort_by_key(|(position, _)| *position);
    collect(results.into_iter().map(|(_, result)| result))
}

/// All that was signed, unless something was not: then it is said what was, and what was not.
fn collect(results: impl Iterator<Item = Result<SignedFile, Failure>>) -> Result<Report, Failure> {
    let (mut signed, mut failures) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(file) => signed.push(file),
            Err(failure) => failures.push(failure),
        }
    }
    let Some(outcome) = Failure::outcome_of(failures) else { return Ok(Report { signed }) };
    for file in &signed {
        say(format!("signed {} all the same: {}", file.artifact.display(), file.bundle.display()));
    }
    Err(outcome)
}

async fn sign(signer: &Signer, job: Job, bar: &ProgressBar) -> Result<SignedFile, Failure> {
    let algorithm = signer.hash_algorithm();
    let path = job.file.clone();
    // A large file takes long to hash, and other signings must go on meanwhile.
    let hash = move || file::digest_and_short(&path, &[algorithm], MAX_SIGNED_ATTRIBUTES);
    let (digests, short) = tokio::task::spawn_blocking(hash)
        .await
        .or_undecided("hashing was interrupted")?
        .map_err(Failure::undecided)?;
    if short.is_some_and(|bytes| is_signed_attributes(&bytes)) {
        return Err(in_disguise(&job.file));
    }
    let [digest] = digests.as_slice() else {
        return Err(Failure::undecided("one hash function made several digests"));
    };
    let signed = signer.sign(digest).await.map_err(failure)?;
    file::write(&job.bundle, signed.bundle.to_json().as_bytes(), Readers::Everyone)
        .map_err(Failure::undecided)?;
    bar.suspend(|| say(format!("signed {}: {}", job.file.display(), recorded(&signed))));
    Ok(SignedFile { artifact: job.file, bundle: job.bundle, log_entries: log_entries(&signed) })
}

/// Signed as a file, these bytes would be the signature of a commit or message in the signer's name.
fn in_disguise(file: &Path) -> Failure {
    let what = format!("{} is the inside of a CMS signature, of a commit perhaps", file.display());
    Failure::refused(what).hint("do not sign what somebody else made for you to sign")
}

fn log_entries(signed: &Signed) -> Vec<LogEntry> {
    let entries = signed.verified.entries.iter();
    entries.map(|entry| LogEntry { log: entry.log.clone(), index: entry.index }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn each_file_has_a_bundle_beside_it() {
        let jobs = jobs(&paths(&["a.txt", "d/b"]), None).unwrap();
        let bundles: Vec<_> = jobs.into_iter().map(|job| job.bundle).collect();
        assert_eq!(bundles, paths(&["a.txt.sigstore.json", "d/b.sigstore.json"]));
    }

    #[test]
    fn one_bundle_is_for_one_file() {
        jobs(&paths(&["a", "b"]), Some(Path::new("x"))).unwrap_err();
        jobs(&paths(&["-"]), None).unwrap_err();
        assert_eq!(jobs(&paths(&["-"]), Some(Path::new("x"))).unwrap().len(), 1);
    }
}
