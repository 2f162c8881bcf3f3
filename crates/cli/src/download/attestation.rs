//! `download attestation`.

use client::image::attached::Meaning;
use client::predicate::PredicateType;
use oci::Access;

use crate::failure::Failure;
use crate::online;
use crate::registry::ImageArgs;
use crate::selection::PlatformArgs;

/// What was typed.
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
    let found = online::run(super::find(&image, &args.selection.selection()))?;
    let mut found = super::readable(found);
    found.retain(|candidate| match candidate.meaning() {
        Meaning::Attestation(is_of) => {
            args.predicate_type.as_ref().is_none_or(|wanted| wanted.uri() == is_of)
        }
        _ => false,
    });
    super::print(&image, "attestation", &found)
}
