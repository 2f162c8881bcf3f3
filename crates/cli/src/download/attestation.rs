//! `download attestation`.

use client::image::attached::Meaning;
use client::predicate::PredicateType;
use oci::Access;

use crate::failure::Failure;
use crate::registry::ImageArgs;
use crate::selection::PlatformArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    image: ImageArgs,
    /// Only statements of this type: a URI, or one of the names of attest --type
    #[arg(long, value_name = "NAME|URI")]
    predicate_type: Option<PredicateType>,
    #[command(flatten)]
    selection: PlatformArgs,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let image = args.image.image(Access::Pull)?;
    let wanted = |meaning: &Meaning| match meaning {
        Meaning::Attestation(is_of) => {
            args.predicate_type.as_ref().is_none_or(|wanted| wanted.uri() == is_of)
        }
        Meaning::Signature | Meaning::Unknown => false,
    };
    super::print(&image, &args.selection.selection(), "attestation", &wanted)
}
