//! `verify-blob-attestation`: whether somebody made a statement about a file. Offline, in constant memory. What is
//! printed is the statement that was verified, and nothing else.

use crate::command_line::Globals;
use crate::failure::Failure;
use crate::input::{Input, read_bundle};
use crate::output::{Format, say};
use crate::signer::{Signer, SignerArgs};
use crate::statements::{self, StatementArgs};
use crate::verifying::{EvidenceArgs, Job, Verdict};

/// Verify a statement about a file
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file that the statement is about (- for the standard input), or its digest, such as sha256:0123…
    #[arg(value_name = "FILE|DIGEST")]
    input: Input,
    #[command(flatten)]
    statement: StatementArgs,
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten)]
    evidence: EvidenceArgs,
}

pub(crate) fn run(args: Args, globals: &Globals) -> Result<(), Failure> {
    let signer = Signer::try_from(args.signer)?;
    let path = args.input.find_bundle(args.evidence.bundle.as_deref())?;
    let policy = args.evidence.policy(&signer)?.with_predicate_type(args.statement.expected()?);
    let bundle = read_bundle(&path)?;
    let job = Job { input: &args.input, path: &path, bundle: &bundle, policy: &policy };
    let verified = args.evidence.verify(&job, globals)?;
    // The policy asks for a predicate type, which only a statement has.
    let payloads: Vec<&[u8]> = statements::payload(&bundle, &verified).into_iter().collect();
    let wanted = args.statement.select(&args.input.to_string(), &payloads, |payload| payload)?;
    say("Verified OK");
    let verdict = Verdict::new(&job, &verified);
    if globals.output == Format::Json && !args.statement.is_for_a_part() {
        return globals.output.print(&verdict);
    }
    say(verdict.to_string().trim_end());
    statements::print(globals.output, wanted.iter().map(|(_, json)| *json))
}
