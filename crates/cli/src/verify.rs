//! `verify`: whether somebody signed container images.

use client::image::verifying::Wanted;
use oci::Access;

use crate::annotation::{self, Annotation};
use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::image_verdict::{ImageVerdict, signature_json};
use crate::image_verifying::{Answer, Question, WorkersArgs, ask};
use crate::online;
use crate::output::{Format, print_json, print_text, say};
use crate::registry::RegistryArgs;
use crate::selection::{SelectionArgs, threads};
use crate::signer::{Signer, SignerArgs};
use crate::verifying::DemandArgs;

/// Verify the signatures of container images
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The images that must be signed
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
    /// The images are directories or archives on this machine, laid out as OCI says
    #[arg(long)]
    local_image: bool,
    /// What the signer must have noted
    #[arg(long = "annotations", short = 'a', value_name = "NAME=VALUE")]
    annotations: Vec<Annotation>,
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
        wanted: Wanted::Signature { annotations: annotation::by_name(&args.annotations) },
        policy: args.demands.policy(&signer)?,
        trust: args.demands.trusted_root(globals)?,
        workers: args.workers,
    };
    let answers = online::run(threads(images.len(), &selection), ask(images, selection, question))?;
    say("Verified OK");
    print(&answers, globals.output).or_undecided("the result cannot be printed")
}

fn print(answers: &[Answer], format: Format) -> std::io::Result<()> {
    let all = answers
        .iter()
        .flat_map(|answer| answer.finding.proven.iter().map(move |proven| (answer, proven)));
    match format {
        Format::Json => {
            let signatures =
                all.map(|(answer, proven)| signature_json(&answer.image, &answer.digest, proven));
            print_json(&signatures.collect::<Vec<_>>())
        }
        Format::Text => {
            let verdicts = all.map(|(answer, proven)| {
                let digest = &answer.digest;
                ImageVerdict::new(&answer.name(), digest, proven).to_string()
            });
            print_text(&verdicts.collect::<Vec<_>>().join("\n"))
        }
    }
}
