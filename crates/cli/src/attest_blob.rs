//! `attest-blob`: signs a statement about files.

use std::fmt;
use std::path::{Path, PathBuf};

use client::file::{self, Readers};
use client::predicate::{MAX_PREDICATE, PredicateType, statement, subject_name};
use client::release::Release;
use crypto::Digest;
use jiff::Timestamp;
use serde::Serialize;
use wire::statement::Subject;

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::input::{Input, with_ending};
use crate::online::{self, Threads};
use crate::output::{progress, say};
use crate::proof_place;
use crate::release;
use crate::signing::{Publication, SigningArgs, failure, recorded};
use crate::whole_statement;

/// What people attest, as they would type it.
const EXAMPLES: &str = "\
Examples:
  bulla attest-blob tool.tar.gz --type cyclonedx --predicate sbom.cdx.json
  bulla attest-blob dist/* --type slsaprovenance1 \\
    --predicate provenance.json --bundle provenance.sigstore.json";

/// Sign a statement about a file, such as how it was built
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The files that the statement is about, directories for all files below them, or digests, such as sha256:0123…
    #[arg(value_name = "FILE|DIGEST", required_unless_present = "statement")]
    inputs: Vec<Input>,
    /// What is said about the files: JSON with the members that --type requires. Of an SBOM also SPDX's tag-value form
    /// (--type spdx) and CycloneDX's XML, which are signed as one string
    #[arg(long, value_name = "FILE", required_unless_present = "statement")]
    predicate: Option<PathBuf>,
    /// What kind of statement it is: a URI, or slsaprovenance, slsaprovenance02, slsaprovenance1, spdx, spdxjson,
    /// cyclonedx, vuln, openvex, link or custom
    #[arg(long = "type", value_name = "NAME|URI", default_value = "custom")]
    predicate_type: PredicateType,
    /// A whole in-toto statement, signed as it is, instead of a predicate
    #[arg(long, value_name = "FILE", conflicts_with_all = ["predicate", "predicate_type"])]
    statement: Option<PathBuf>,
    /// Where to write the bundle; by default, for one file, its name with .sigstore.json added
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    #[command(flatten)]
    signing: SigningArgs,
}

/// What came of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    predicate_type: String,
    bundle: PathBuf,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bundle.display().fmt(f)
    }
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let bundle = args.bundle()?;
    let (payload, predicate_type) = args.payload()?;
    proof_place::check(&bundle, payload.len())?;
    let preparation = args.signing.prepare(globals)?;
    let signed = online::run(Threads::One, async {
        let publication = Publication { what: "the digest of the statement (not the statement)" };
        let signer = args.signing.signer(preparation, &publication).await?;
        let bar = progress(1, "signing");
        let signed = signer.attest(payload).await.map_err(failure);
        bar.finish_and_clear();
        signed
    })?;
    file::write(&bundle, signed.bundle.to_json().as_bytes(), Readers::Everyone)
        .map_err(Failure::undecided)?;
    say(format!("signed a statement of type {predicate_type}: {}", recorded(&signed)));
    globals.output.print(&Report { predicate_type, bundle })
}

impl Args {
    fn bundle(&self) -> Result<PathBuf, Failure> {
        match (&self.bundle, self.inputs.as_slice()) {
            (Some(path), _) => Ok(path.clone()),
            (None, [Input::File(file)]) if !file.is_dir() && file.as_os_str() != "-" => {
                free(with_ending(file, ".sigstore.json"))
            }
            _ => {
                Err(Failure::usage("there is no one file beside which the bundle could be written")
                    .hint("say where to write it with --bundle FILE"))
            }
        }
    }

    /// The statement to sign, byte for byte, and the type of its predicate.
    fn payload(&self) -> Result<(Vec<u8>, String), Failure> {
        if let Some(path) = &self.statement {
            return self.whole_statement(path);
        }
        let Some(predicate) = &self.predicate else {
            return Err(Failure::usage("a statement has a subject and a predicate"));
        };
        let subjects = subjects(&self.inputs)?;
        let predicate = file::read(predicate, MAX_PREDICATE).map_err(Failure::undecided)?;
        let statement = statement(subjects, &self.predicate_type, &predicate, Timestamp::now())
            .or_refused("the predicate cannot be signed")?;
        if statement.predicate.as_ref().is_some_and(|said| said.get().starts_with('"')) {
            say(
                "note: the predicate is signed as one string, which cosign and sigstore-python do not read in bundles; \
                 of a bill in JSON they do",
            );
        }
        Ok((statement.to_json(), statement.predicate_type))
    }

    fn whole_statement(&self, path: &Path) -> Result<(Vec<u8>, String), Failure> {
        let (statement, payload) = whole_statement::read(path)?;
        for input in &self.inputs {
            if !statement.is_about(&digest(input)?) {
                return Err(Failure::refused(format!("{} is not about {input}", path.display())));
            }
        }
        Ok((payload, statement.predicate_type))
    }
}

/// A place for the bundle, unless it is that of another: the signature of the file has the same name.
fn free(path: PathBuf) -> Result<PathBuf, Failure> {
    if !path.exists() {
        return Ok(path);
    }
    Err(Failure::usage(format!("{} is there already, and may be a signature", path.display()))
        .hint("say where to write the statement with --bundle FILE"))
}

/// What the statement is about: digests by themselves, and files by their names.
fn subjects(inputs: &[Input]) -> Result<Vec<Subject>, Failure> {
    // Also the standard input, which no release has.
    if let [input @ Input::File(path)] = inputs
        && !path.is_dir()
    {
        return Ok(vec![Subject::new(&subject_name(path), &digest(input)?)]);
    }
    let mut subjects = Vec::new();
    let mut paths = Vec::new();
    for input in inputs {
        match input {
            Input::File(path) => paths.push(path.clone()),
            Input::Digest(digest) => subjects.push(Subject::new("", digest)),
        }
    }
    if !paths.is_empty() {
        let release = Release::of(&paths).map_err(release::failure)?;
        let digests = release::hash(&release)?;
        subjects.extend(release.subjects(&digests).map_err(release::failure)?);
    }
    Ok(subjects)
}

/// Statements name artifacts by SHA-256, which all verifiers know.
fn digest(input: &Input) -> Result<Digest, Failure> {
    match input {
        Input::Digest(digest) => Ok(*digest),
        Input::File(path) => {
            file::digest_one(path, release::ALGORITHM, |_| ()).map_err(Failure::undecided)
        }
    }
}
