//! `load`: an image with all that is attached to it, from a directory or archive into a registry.

use std::path::PathBuf;

use oci::{Access, Store};

use crate::command_line::Globals;
use crate::copying::{Copied, Parts, Source, copy, is_free, tag};
use crate::failure::Failure;
use crate::online::{self, Threads};
use crate::registry::{RegistryArgs, fetch_failure, local_image, parse};

/// Load a saved image with all that is attached to it into a registry
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What the image is to be called in the registry
    #[arg(value_name = "IMAGE")]
    image: String,
    /// Where it is: a directory or an archive; of several images the one whose digest follows after @
    #[arg(long, value_name = "DIR|FILE.tar[@DIGEST]")]
    dir: PathBuf,
    /// Replace another image of this name
    #[arg(long, short)]
    force: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let image = local_image(&args.dir.to_string_lossy())?;
    let name = parse(&args.image)?;
    let tag = tag(&name)?;
    let store =
        Store::Registry(args.registry.registries_for(&name)?.repository(&name, Access::Push));
    let copied = online::run(Threads::PerProcessor, async {
        let root = image.store.resolve(&image.target).await.map_err(fetch_failure)?;
        if !args.force {
            is_free(&store, &name, &root.digest).await?;
        }
        let source = Source { images: &image.store, attachments: &image.attachments };
        let attached = copy(&source, &store, &root, Some(tag), Parts::ALL).await?;
        let digest = root.digest.to_string();
        Ok(Copied { image: format!("{}@{digest}", name.name()), digest, attached })
    })?;
    globals.output.print(&copied)
}
