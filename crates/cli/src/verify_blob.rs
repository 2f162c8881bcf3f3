//! `verify-blob`: whether somebody signed files. Offline, in constant memory.

mod listed;
mod many;
mod release;

use std::path::{Path, PathBuf};

use client::predicate;
use verify::{Expected, Policy};
use wire::bundle::{Bundle, Content};
use wire::statement::Statement;
use wire::trusted_root::TrustedRoot;

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::input::{Input, read_bundle};
use crate::output::say;
use crate::signer::{Signer, SignerArgs};
use crate::verifying::{EvidenceArgs, Job, Verdict, judge};

/// What people verify, as they would type it, without the flags that say whose signature it must be.
const EXAMPLES: &str = "\
Examples (whose signature must be said, too, such as with --key FILE):
  bulla verify-blob k8s/*.yaml              Each manifest, with its own bundle
  bulla verify-blob dist/tool.tar.gz        One file of a release
  bulla verify-blob --all dist              A whole one: all there, none added
  bulla verify-blob --checksums SHA256SUMS  The files that a list names
  bulla verify-blob --maven target/staging  The artifacts of a Maven repository";

/// Verify the signature of a file
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["inputs", "all", "checksums", "maven"]))]
pub(crate) struct Args {
    /// The files that were signed (- for the standard input), or their digests, such as sha256:0123…
    #[arg(value_name = "FILE|DIGEST")]
    inputs: Vec<Input>,
    /// A directory that was signed with sign-blob --together: every file below it must be as it was signed, none missing
    /// and none added
    #[arg(long, value_name = "DIR")]
    all: Option<PathBuf>,
    /// A list of checksums, such as SHA256SUMS: the files that it names must be there and be as they were signed. Either
    /// the list itself was signed, or they were with sign-blob --together
    #[arg(long, value_name = "LIST")]
    checksums: Option<PathBuf>,
    /// Pass over files of the list that are not there
    #[arg(long, requires = "checksums")]
    ignore_missing: bool,
    /// A Maven repository, or a part of one: every artifact must have a bundle beside it
    #[arg(long, value_name = "REPO_DIR", conflicts_with = "bundle")]
    maven: Option<PathBuf>,
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten)]
    evidence: EvidenceArgs,
}

/// What stays the same for all that one call verifies.
struct Verifier {
    policy: Policy,
    trust: TrustedRoot,
    /// The bundle that was named.
    bundle: Option<PathBuf>,
}

pub(crate) fn run(args: Args, globals: &Globals) -> Result<(), Failure> {
    let signer = Signer::try_from(args.signer)?;
    let verifier = Verifier {
        policy: args.evidence.policy(&signer)?,
        trust: args.evidence.trusted_root(globals)?,
        bundle: args.evidence.bundle,
    };
    if let Some(directory) = &args.all {
        return release::run(&verifier, directory, globals);
    }
    if let Some(list) = args.checksums {
        return listed::run(&verifier, list, args.ignore_missing, globals);
    }
    if let Some(repository) = &args.maven {
        let artifacts = client::maven::artifacts(repository).map_err(crate::release::failure)?;
        let inputs: Vec<Input> = artifacts.into_iter().map(Input::File).collect();
        return many::run(&verifier, &inputs, globals);
    }
    match args.inputs.as_slice() {
        [input] => verifier.run(input, globals),
        inputs => many::run(&verifier, inputs, globals),
    }
}

impl Verifier {
    fn run(&self, input: &Input, globals: &Globals) -> Result<(), Failure> {
        let verdict = self.verify(input)?;
        say("Verified OK");
        globals.output.print(&verdict)
    }

    /// Verifies one file with the bundle that goes with it.
    fn verify(&self, input: &Input) -> Result<Verdict, Failure> {
        let path = input.find_bundle(self.bundle.as_deref())?;
        let bundle = read_bundle(&path)?;
        let policy = self.policy_for(&path, &bundle)?;
        let job = Job { input, path: &path, bundle: &bundle, policy: &policy };
        let judged = judge(&job, &self.trust).map_err(|error| error.about(&job))?;
        let names = judged.names();
        warn_of_another_name(input, &names);
        Ok(Verdict::new(&job, &judged.verified).signed_as(&names))
    }

    /// What is demanded of this bundle. A statement can say anything about a file, also that it must not be used; only one
    /// that says nothing else is a signature.
    fn policy_for(&self, path: &Path, bundle: &Bundle) -> Result<Policy, Failure> {
        let Content::Dsse(envelope) = &bundle.content else { return Ok(self.policy.clone()) };
        // Nobody has verified it yet: this only decides what the refusal says.
        if let Ok(statement) = Statement::parse(&envelope.payload)
            && statement.predicate_type != predicate::SIGNATURE
        {
            return Err(not_a_signature(path));
        }
        let expected = Expected::exactly(predicate::SIGNATURE)
            .or_undecided("the predicate type cannot be expected")?;
        Ok(self.policy.clone().with_predicate_type(expected))
    }
}

/// A file of a release under the name of another one has a good signature all the same: only the digest counts.
fn warn_of_another_name(input: &Input, names: &[&str]) {
    let Input::File(path) = input else { return };
    let Some(own) = path.file_name().and_then(|name| name.to_str()) else { return };
    let is_own = |name: &&str| name.rsplit('/').next() == Some(own) || name.is_empty();
    if !names.is_empty() && !names.iter().any(is_own) {
        say(format!("warning: {input} was signed under another name: {}", names.join(", ")));
    }
}

fn not_a_signature(path: &Path) -> Failure {
    let said =
        format!("{} holds a statement about the file, not a signature of it", path.display());
    Failure::refused(said)
        .fact("check", "content")
        .hint("verify it with bulla verify-blob-attestation --type NAME|URI")
}
