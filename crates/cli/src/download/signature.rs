//! `download signature`.

use client::image::attached::Meaning;
use oci::Access;

use crate::failure::Failure;
use crate::registry::ImageArgs;
use crate::selection::PlatformArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    image: ImageArgs,
    #[command(flatten)]
    selection: PlatformArgs,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let image = args.image.image(Access::Pull)?;
    let wanted = |meaning: &Meaning| *meaning == Meaning::Signature;
    super::print(&image, &args.selection.selection(), "signature", &wanted)
}
