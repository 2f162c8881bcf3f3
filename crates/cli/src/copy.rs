//! `copy`: an image with all that is attached to it, from one registry to another.

use client::image::subject::select;
use oci::{Access, FetchError, Store, Target};

use crate::command_line::Globals;
use crate::copying::{Copied, Parts, Source, copy};
use crate::failure::Failure;
use crate::image_signing::select_failure;
use crate::online;
use crate::registry::{RegistryArgs, fetch_failure, parse};
use crate::selection::PlatformArgs;

/// What was typed.
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
    let image = args.registry.image(&args.source, Access::Pull)?;
    let target = parse(&args.target)?;
    let store =
        Store::Registry(args.registry.registries_for(&target)?.repository(&target, Access::Push));
    let copied = online::run(async {
        let subjects = select(&image.store, &image.target, &args.selection.selection()).await;
        let subjects = subjects.map_err(|error| select_failure(&image.to_string(), error))?;
        let mut attached = 0;
        let mut last = None;
        for subject in subjects {
            let root = subject.descriptor;
            if !args.force {
                is_free(&store, &target.target(), &root.digest, &args.target).await?;
            }
            let source = Source { images: &image.store, attachments: &image.attachments };
            attached += copy(&source, &store, &root, target.tag(), parts(&args.only)).await?;
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

/// Refuses to replace another image.
async fn is_free(
    store: &Store,
    target: &Target,
    digest: &oci::Digest,
    name: &str,
) -> Result<(), Failure> {
    match store.resolve(target).await {
        Ok(there) if there.digest == *digest => Ok(()),
        Err(FetchError::Missing { .. }) => Ok(()),
        Ok(there) => Err(Failure::refused(format!("{name} is another image already"))
            .fact("expected", digest.to_string())
            .fact("found", there.digest.to_string())
            .hint("replace it with --force, or choose another name")),
        Err(error) => Err(fetch_failure(error)),
    }
}
