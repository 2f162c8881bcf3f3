//! `verify-model`: whether the files of a model are those that somebody signed. Offline, in constant memory.

use std::fmt;
use std::path::{Path, PathBuf};

use client::model::ModelFiles;
use serde::Serialize;
use verify::Artifact;
use verify::model::{ModelDifferences, ModelError, SignedModel, VerifiedModel};
use wire::bundle::{Bundle, Content};
use wire::model::{GIT_PATHS, Method, ModelPath};

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::input::{Input, read_bundle};
use crate::model::{self, FilesArgs};
use crate::output::say;
use crate::signer::{Signer, SignerArgs};
use crate::verifying::{EvidenceArgs, Job, Verdict};

/// The most names that a message lists.
const MAX_NAMES: usize = 20;

/// Verify that the files of a model or data set are those that were signed
#[derive(Debug, clap::Args)]
#[command(mut_arg("bundle", |arg| arg.help(
    "The signature; by default model.sig in the directory, or the file's name with .sig added"
).visible_alias("signature")))]
pub(crate) struct Args {
    /// The directory of the model, or its only file
    #[arg(value_name = "DIR|FILE")]
    model: PathBuf,
    #[command(flatten)]
    files: FilesArgs,
    /// Pass over files that are there but that nobody signed
    #[arg(long, help_heading = "Which files")]
    ignore_unsigned_files: bool,
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten)]
    evidence: EvidenceArgs,
}

/// What was verified.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    #[serde(flatten)]
    verdict: Verdict,
    /// The digest of the whole model.
    digest: String,
    method: &'static str,
    hash: &'static str,
    files: usize,
    /// Files that nobody signed, which were passed over as asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unsigned: Vec<String>,
    /// Files that the signer or the verifier left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignored: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.verdict.fmt(f)?;
        writeln!(f, "files      {}, as signed ({} of {})", self.files, self.hash, self.method)?;
        if !self.unsigned.is_empty() {
            writeln!(f, "unsigned   {} (passed over)", names(&self.unsigned))?;
        }
        if !self.ignored.is_empty() {
            writeln!(f, "ignored    {}", names(&self.ignored))?;
        }
        Ok(())
    }
}

pub(crate) fn run(args: Args, globals: &Globals) -> Result<(), Failure> {
    let signer = Signer::try_from(args.signer)?;
    let path = args.evidence.bundle.clone().unwrap_or_else(|| model::bundle_of(&args.model));
    let policy = verify::model::policy(args.evidence.policy(&signer)?)
        .or_usage("the statement of a model cannot be expected")?;
    let bundle = read_bundle(&path)?;
    let input = Input::File(args.model.clone());
    let job = Job { input: &input, path: &path, bundle: &bundle, policy: &policy };
    let mut verified = args.evidence.judge(&job, &claimed(&bundle, &path)?, globals)?;
    let signed = SignedModel::of(&verified).map_err(|error| no_model(&path, error))?;

    let ignored = ignored(&args.files, &args.model, &path, &signed)?;
    let mut files = args.files.find(&args.model, &ignored)?;
    let mut unsigned = Vec::new();
    if args.ignore_unsigned_files {
        let wanted = signed.paths();
        unsigned = texts(files.paths().filter(|path| !wanted.contains(path)));
        files.retain(|path| wanted.contains(path));
    }
    // Names first: what nobody signed need not be read to be refused.
    signed.check_names(files.lengths()).map_err(|differences| refused(&input, &differences))?;
    warn_of_empty_files(&files, &signed);
    let found = model::hash(&files, signed.serialization().clone())?;
    let VerifiedModel { manifest, .. } =
        signed.compare(&found).map_err(|differences| refused(&input, &differences))?;
    say("Verified OK");
    // All of the statement was compared. It is long, and in the bundle.
    verified.statement = None;
    let there = ignored.iter().filter(|path| args.model.join(path.as_str()).exists());
    globals.output.print(&Report {
        digest: manifest.root().to_string(),
        method: manifest.serialization.method.name(),
        hash: manifest.serialization.hash.name(),
        files: files.paths().count(),
        unsigned,
        ignored: texts(there),
        verdict: Verdict::new(&job, &verified),
    })
}

/// The artifact that the bundle claims to be about.
fn claimed(bundle: &Bundle, path: &Path) -> Result<Artifact<'static>, Failure> {
    let claimed = match &bundle.content {
        Content::Dsse(envelope) => verify::model::claimed(&envelope.payload),
        Content::Message(_) => Err(ModelError::NoStatement),
    };
    claimed.map_err(|error| no_model(path, error))
}

/// What is left out: what the signer and the verifier say. Git's own files are left out unless they were signed.
fn ignored(
    args: &FilesArgs,
    model: &Path,
    bundle: &Path,
    signed: &SignedModel,
) -> Result<Vec<ModelPath>, Failure> {
    let mut ignored = args.ignored(model, bundle)?;
    let git = |path: &ModelPath| GIT_PATHS.contains(&path.as_str());
    let is_signed = |path: &ModelPath| signed.paths().iter().any(|signed| signed.is_within(path));
    ignored.retain(|path| !git(path) || !is_signed(path));
    for path in &signed.serialization().ignore_paths {
        if !ignored.contains(path) {
            ignored.push(path.clone());
        }
    }
    Ok(ignored)
}

fn warn_of_empty_files(files: &ModelFiles, signed: &SignedModel) {
    let empty = files.empty().count();
    if empty > 0 && signed.serialization().method != Method::Files {
        say(format!(
            "warning: {empty} empty files have no shards, so that nothing was signed about them"
        ));
    }
}

fn no_model(path: &Path, error: ModelError) -> Failure {
    Failure::because(format!("{} is not the signature of a model", path.display()), error)
        .fact("check", "model-manifest")
}

fn refused(what: &Input, differences: &ModelDifferences) -> Failure {
    let ModelDifferences { changed, missing, unsigned } = differences;
    let told = format!("{what} is not the model that was signed");
    let mut failure = Failure::because(told, differences.clone()).fact("check", "model-files");
    for (name, paths) in [("changed", changed), ("missing", missing), ("unsigned", unsigned)] {
        if !paths.is_empty() {
            failure = failure.fact(name, names(&texts(paths)));
        }
    }
    failure.hint(if changed.is_empty() && missing.is_empty() {
        "remove what does not belong to the model, or pass over it with --ignore-unsigned-files"
    } else {
        "get the model again from where it is published"
    })
}

fn texts<'a>(paths: impl IntoIterator<Item = &'a ModelPath>) -> Vec<String> {
    paths.into_iter().map(ToString::to_string).collect()
}

/// The names, as many as a person reads.
fn names(paths: &[String]) -> String {
    match paths.len().checked_sub(MAX_NAMES) {
        None | Some(0) => paths.join(", "),
        Some(more) => format!("{} and {more} more", paths[..MAX_NAMES].join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut_for_people() {
        let paths: Vec<String> = (0..22).map(|n| n.to_string()).collect();
        assert_eq!(names(&paths[..2]), "0, 1");
        assert!(names(&paths).ends_with(", 19 and 2 more"));
        assert!(names(&paths[..MAX_NAMES]).ends_with(", 19"));
    }
}
