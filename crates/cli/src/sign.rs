//! `sign`: signs container images, and attaches the signatures to them.

use client::image::statement::Claim;

use crate::annotation::{self, Annotation};
use crate::command_line::Globals;
use crate::delivery::DeliveryArgs;
use crate::failure::Failure;
use crate::image_signing::{self, Order};
use crate::registry::RegistryArgs;
use crate::selection::SelectionArgs;
use crate::signing::SigningArgs;

/// Sign container images, and attach the signatures to them
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The images to sign, best by digest: registry.example/app@sha256:…
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
    /// Note something on the signature that verifiers can ask for
    #[arg(long = "annotations", short = 'a', value_name = "NAME=VALUE")]
    annotations: Vec<Annotation>,
    /// The images are directories or archives on this machine, laid out as OCI says
    #[arg(long)]
    local_image: bool,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    delivery: DeliveryArgs,
    /// The name that the older form gives the image, instead of its repository
    #[arg(long, value_name = "NAME")]
    sign_container_identity: Option<String>,
    #[command(flatten)]
    registry: RegistryArgs,
    #[command(flatten)]
    signing: SigningArgs,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let delivery = args.delivery.delivery()?;
    let images = args.registry.find(&args.images, args.local_image, delivery.access())?;
    let claim = Claim::Signature {
        annotations: annotation::by_name(&args.annotations),
        identity: args.sign_container_identity.clone(),
    };
    let selection = &args.selection.selection();
    let order = Order { images, selection, claim, delivery, signing: &args.signing };
    image_signing::carry_out(order, globals)
}
