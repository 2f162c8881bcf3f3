//! `verify-blob`: whether somebody signed a file. Offline, in constant memory.

use wire::bundle::Content;

use crate::command_line::Globals;
use crate::failure::Failure;
use crate::input::{Input, read_bundle};
use crate::output::say;
use crate::signer::{Signer, SignerArgs};
use crate::verifying::{EvidenceArgs, Job, Verdict};

/// What was typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file that was signed (- for the standard input), or its digest, such as sha256:0123…
    #[arg(value_name = "FILE|DIGEST")]
    input: Input,
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten)]
    evidence: EvidenceArgs,
}

pub(crate) fn run(args: Args, globals: &Globals) -> Result<(), Failure> {
    let signer = Signer::try_from(args.signer)?;
    let path = args.input.find_bundle(args.evidence.bundle.as_deref())?;
    let policy = args.evidence.policy(&signer)?;
    let bundle = read_bundle(&path)?;
    // A statement can say anything about a file, also that it must not be used.
    if matches!(bundle.content, Content::Dsse(_)) {
        let said =
            format!("{} holds a statement about the file, not a signature of it", path.display());
        return Err(Failure::refused(said)
            .fact("check", "content")
            .hint("verify it with bulla verify-blob-attestation --type NAME|URI"));
    }
    let job = Job { input: &args.input, path: &path, bundle: &bundle, policy: &policy };
    let verified = args.evidence.verify(&job, globals)?;
    say("Verified OK");
    globals.output.print(&Verdict::new(&job, &verified))
}
