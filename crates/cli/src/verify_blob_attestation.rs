//! `verify-blob-attestation`: whether somebody made a statement about a file. Offline, in constant memory.

use client::predicate::PredicateType;
use verify::Expected;

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::input::{Input, read_bundle};
use crate::signer::{Signer, SignerArgs};
use crate::verifying::{EvidenceArgs, Job};

/// What was typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file that the statement is about (- for the standard input), or its digest, such as sha256:0123…
    #[arg(value_name = "FILE|DIGEST")]
    input: Input,
    /// What kind of statement it must be: a URI, or slsaprovenance, slsaprovenance1, spdx, spdxjson, cyclonedx, vuln,
    /// openvex, link or custom
    #[arg(long = "type", value_name = "NAME|URI", default_value = "custom")]
    predicate_type: PredicateType,
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten)]
    evidence: EvidenceArgs,
}

pub(crate) fn run(args: Args, globals: &Globals) -> Result<(), Failure> {
    let signer = Signer::try_from(args.signer)?;
    let path = args.input.find_bundle(args.evidence.bundle.as_deref())?;
    let predicate_type = Expected::exactly(args.predicate_type.uri())
        .or_usage("the predicate type cannot be expected")?;
    let policy = args.evidence.policy(&signer)?.with_predicate_type(predicate_type);
    let bundle = read_bundle(&path)?;
    let job = Job { input: &args.input, path: &path, bundle: &bundle, policy: &policy };
    let verdict = args.evidence.verify(&job, globals)?;
    globals.output.print(&verdict)
}
