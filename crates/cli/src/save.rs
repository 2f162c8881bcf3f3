//! `save`: an image with all that is attached to it, into a directory or archive.

use std::path::PathBuf;

use client::image::subject::select;
use oci::{Access, Layout, Store};

use crate::command_line::Globals;
use crate::copying::{Copied, Parts, Source, copy};
use crate::failure::Failure;
use crate::image_signing::select_failure;
use crate::online::{self, Threads};
use crate::registry::{RegistryArgs, access_failure, parse};
use crate::selection::PlatformArgs;

/// Save an image with all that is attached to it in a directory or archive
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The image
    #[arg(value_name = "IMAGE")]
    image: String,
    /// Where to save it: a directory, or an archive if the name ends in .tar
    #[arg(long, value_name = "DIR|FILE.tar")]
    dir: PathBuf,
    #[command(flatten)]
    selection: PlatformArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let image = args.registry.image(&args.image, Access::Pull)?;
    let tag = parse(&args.image)?.tag().map(str::to_owned);
    let save = async {
        let subjects = select(&image.store, &image.target, &args.selection.selection()).await;
        let subjects = subjects.map_err(|error| select_failure(&image.to_string(), error))?;
        let layout = Store::Layout(Layout::create(&args.dir).map_err(access_failure)?);
        let source = Source { images: &image.store, attachments: &image.attachments };
        let (mut attached, mut digest) = (0, String::new());
        for subject in subjects {
            let root = subject.descriptor;
            attached += copy(&source, &layout, &root, tag.as_deref(), Parts::ALL).await?;
            digest = root.digest.to_string();
        }
        Ok(Copied { image: format!("{}@{digest}", args.dir.display()), digest, attached })
    };
    let what = format!("{} was saved", args.image);
    let copied = online::run(Threads::PerProcessor, online::until_stopped(&what, save))?;
    globals.output.print(&copied)
}
