//! `copy`: an image with all that is attached to it, from one registry to another.

use client::image::subject::select;
use oci::{Access, Store};

use crate::command_line::Globals;
use crate::copying::{Copied, Parts, Source, copy, is_free, tag};
use crate::failure::Failure;
use crate::image_signing::select_failure;
use crate::online::{self, Threads};
use crate::registry::{RegistryArgs, parse};
use crate::selection::PlatformArgs;

/// Copy an image with all that is attached to it
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The image
    #[arg(value_name = "SOURCE")]
    source: String,
    /// What the copy is called
    #[arg(value_name = "TARGET")]
    target: String,
    /// Only what is attached to the image: any of sig, att and sbom
    #[arg(long, value_delimiter = ',', value_enum, value_name = "KIND")]
    only: Vec<Only>,
    /// Replace another image that is called as the copy
    #[arg(long, short)]
    force: bool,
    #[command(flatten)]
    selection: PlatformArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// What of an image.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
enum Only {
    /// Signatures
    Sig,
    /// Attestations
    Att,
    /// SBOMs
    Sbom,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let (source, target) = (parse(&args.source)?, parse(&args.target)?);
    let tag = tag(&target)?;
    // Credentials that were typed are for the registry of the source, and for no other.
    let registries = args.registry.registries_for(&source)?;
    let image = args.registry.image_in(&registries, &source, Access::Pull)?;
    let store = Store::Registry(registries.repository(&target, Access::Push));
    let copied = online::run(Threads::PerProcessor, async {
        let subjects = select(&image.store, &image.target, &args.selection.selection()).await;
        let subjects = subjects.map_err(|error| select_failure(&image.to_string(), error))?;
        let mut attached = 0;
        let mut last = None;
        for subject in subjects {
            let root = subject.descriptor;
            if !args.force {
                is_free(&store, &target, &root.digest).await?;
            }
            let source = Source { images: &image.store, attachments: &image.attachments };
            attached += copy(&source, &store, &root, Some(tag), parts(&args.only)).await?;
            last = Some(root.digest);
        }
        let digest = last.map(|digest| digest.to_string()).unwrap_or_default();
        Ok(Copied { image: format!("{}@{digest}", target.name()), digest, attached })
    })?;
    globals.output.print(&copied)
}

/// Referrers are of either kind: they go along if any of the kinds is wanted.
fn parts(only: &[Only]) -> Parts {
    if only.is_empty() {
        return Parts::ALL;
    }
    Parts {
        image: false,
        referrers: only.contains(&Only::Sig) || only.contains(&Only::Att),
        signatures: only.contains(&Only::Sig),
        attestations: only.contains(&Only::Att),
        sboms: only.contains(&Only::Sbom),
    }
}
