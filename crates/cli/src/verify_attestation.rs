//! `verify-attestation`: whether somebody made a statement about container images. What is printed is the statements that
//! were verified, and nothing else.

use client::image::verifying::{Proven, Wanted};
use oci::Access;

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::image_verdict::{ImageVerdict, attestation_json};
use crate::image_verifying::{Answer, Question, WorkersArgs, ask};
use crate::online;
use crate::output::{Format, print_json, say};
use crate::registry::RegistryArgs;
use crate::selection::{SelectionArgs, threads};
use crate::signer::{Signer, SignerArgs};
use crate::statements::{self, StatementArgs};
use crate::verifying::DemandArgs;

/// Verify statements about container images
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The images that the statement must be about
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
    /// The images are directories or archives on this machine, laid out as OCI says
    #[arg(long)]
    local_image: bool,
    #[command(flatten)]
    statement: StatementArgs,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten)]
    demands: DemandArgs,
    #[command(flatten)]
    workers: WorkersArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) fn run(args: Args, globals: &Globals) -> Result<(), Failure> {
    let signer = Signer::try_from(args.signer)?;
    let images = args.registry.find(&args.images, args.local_image, Access::Pull)?;
    let selection = args.selection.selection();
    let question = Question {
        wanted: Wanted::Attestation,
        policy: args.demands.policy(&signer)?.with_predicate_type(args.statement.expected()?),
        trust: args.demands.trusted_root(globals)?,
        workers: args.workers,
    };
    let answers = online::run(threads(images.len(), &selection), ask(images, selection, question))?;
    let mut wanted = Vec::new();
    for answer in &answers {
        let found = args.statement.select(&answer.name(), &answer.finding.proven, payload)?;
        wanted.extend(found.into_iter().map(|(proven, text)| (answer, proven, text)));
    }
    say("Verified OK");
    print(&wanted, globals.output, args.statement.is_for_a_part())
}

fn payload(proven: &Proven) -> &[u8] {
    statements::payload(&proven.candidate.bundle, &proven.verified).unwrap_or_default()
}

fn print(wanted: &[(&Answer, &Proven, &str)], format: Format, a_part: bool) -> Result<(), Failure> {
    if format == Format::Json && !a_part {
        let statements = wanted
            .iter()
            .map(|(answer, proven, _)| attestation_json(&answer.name(), &answer.digest, proven));
        return print_json(&statements.collect::<Vec<_>>())
            .or_undecided("the result cannot be printed");
    }
    for (answer, proven, _) in wanted {
        let digest = &answer.digest;
        say(ImageVerdict::new(&answer.name(), digest, proven).to_string().trim_end());
    }
    // One statement may be attached in both forms, and by several signers.
    let mut printed: Vec<&str> = Vec::new();
    for (.., json) in wanted {
        if !printed.contains(json) {
            printed.push(json);
        }
    }
    statements::print(format, printed.into_iter())
}
