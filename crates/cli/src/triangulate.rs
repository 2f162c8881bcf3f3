//! `triangulate`: under which name something about an image is found.

use client::image::attached::sbom_tag;
use client::image::legacy::Kind;

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::online::{self, Threads};
use crate::output::print_text;
use crate::registry::{ImageArgs, fetch_failure};

/// Print under which name something about an image is found
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    image: ImageArgs,
    /// What is looked for
    #[arg(long = "type", value_enum, default_value_t, value_name = "TYPE")]
    kind: What,
}

/// What is looked for.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum What {
    /// The tag of signatures in the older form
    #[default]
    Signature,
    /// The tag of attestations in the older form
    Attestation,
    /// The tag of SBOMs in the older form
    Sbom,
    /// The tag with the list of referrers, on registries that keep none
    Referrer,
    /// The image itself, by its digest
    Digest,
}

pub(crate) fn run(args: &Args, _: &Globals) -> Result<(), Failure> {
    let image = args.image.image(oci::Access::Pull)?;
    let descriptor = online::run(Threads::One, async {
        image.store.resolve(&image.target).await.map_err(fetch_failure)
    })?;
    let digest = descriptor.digest;
    let name = args.image.beside_name(&image)?;
    let place = match args.kind {
        What::Signature => format!("{name}:{}", Kind::Signature.tag(&digest)),
        What::Attestation => format!("{name}:{}", Kind::Attestation.tag(&digest)),
        What::Sbom => format!("{name}:{}", sbom_tag(&digest)),
        What::Referrer => format!("{name}:{}", digest.to_tag()),
        What::Digest => format!("{}@{digest}", image.name),
    };
    print_text(&place).or_undecided("the result cannot be printed")
}
