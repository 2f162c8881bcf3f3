//! `attest-blob`: signs a statement about a file.

use std::fmt;
use std::path::PathBuf;

use client::file::{self, Readers};
use client::predicate::{PredicateType, statement, subject_name};
use crypto::{Digest, HashAlgorithm};
use jiff::Timestamp;
use serde::Serialize;
use wire::statement::{Statement, Subject};

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::input::{Input, with_ending};
use crate::online;
use crate::output::{progress, say};
use crate::signing::{Publication, SigningArgs, failure, recorded};

/// The longest predicate or statement: software bills of large images have tens of megabytes.
const MAX_STATEMENT: u64 = 64 << 20;

/// What was typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file that the statement is about, or its digest, such as sha256:0123…
    #[arg(value_name = "FILE|DIGEST", required_unless_present = "statement")]
    input: Option<Input>,
    /// What is said about the file: JSON of the form that --type asks for
    #[arg(long, value_name = "FILE", required_unless_present = "statement")]
    predicate: Option<PathBuf>,
    /// What kind of statement it is: a URI, or slsaprovenance, slsaprovenance1, spdx, spdxjson, cyclonedx, vuln, openvex,
    /// link or custom
    #[arg(long = "type", value_name = "NAME|URI", default_value = "custom")]
    predicate_type: PredicateType,
    /// A whole in-toto statement, signed as it is, instead of a predicate
    #[arg(long, value_name = "FILE", conflicts_with_all = ["predicate", "predicate_type"])]
    statement: Option<PathBuf>,
    /// Where to write the bundle; by default the file's name with .sigstore.json added
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
    let preparation = args.signing.prepare(globals)?;
    let signed = online::run(async {
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
        match (&self.bundle, &self.input) {
            (Some(path), _) => Ok(path.clone()),
            (None, Some(Input::File(file))) if file.as_os_str() != "-" => {
                Ok(with_ending(file, ".sigstore.json"))
            }
            _ => Err(Failure::usage("there is no file beside which the bundle could be written")
                .hint("say where to write it with --bundle FILE")),
        }
    }

    /// The statement to sign, byte for byte, and the type of its predicate.
    fn payload(&self) -> Result<(Vec<u8>, String), Failure> {
        if let Some(path) = &self.statement {
            return self.whole_statement(path);
        }
        let (Some(input), Some(predicate)) = (&self.input, &self.predicate) else {
            return Err(Failure::usage("a statement has a subject and a predicate"));
        };
        let digest = digest(input)?;
        let name = match input {
            Input::File(path) => subject_name(path),
            Input::Digest(_) => String::new(),
        };
        let predicate = file::read(predicate, MAX_STATEMENT).map_err(Failure::undecided)?;
        let subjects = vec![Subject::new(&name, &digest)];
        let statement = statement(subjects, &self.predicate_type, &predicate, Timestamp::now())
            .map_err(|error| {
                Failure::because("the predicate cannot be signed".to_owned(), error)
            })?;
        Ok((statement.to_json(), statement.predicate_type))
    }

    fn whole_statement(&self, path: &std::path::Path) -> Result<(Vec<u8>, String), Failure> {
        let payload = file::read(path, MAX_STATEMENT).map_err(Failure::undecided)?;
        let statement = Statement::parse(&payload)
            .or_undecided(format!("{} is not a statement", path.display()))?;
        if let Some(input) = &self.input
            && !statement.is_about(&digest(input)?)
        {
            return Err(Failure::refused(format!("{} is not about {input}", path.display())));
        }
        Ok((payload, statement.predicate_type))
    }
}

/// Statements name artifacts by SHA-256, which all verifiers know.
fn digest(input: &Input) -> Result<Digest, Failure> {
    match input {
        Input::Digest(digest) => Ok(*digest),
        Input::File(path) => file::digest(path, &[HashAlgorithm::Sha256])
            .map_err(Failure::undecided)?
            .pop()
            .ok_or_else(|| Failure::undecided("the file has no digest")),
    }
}
