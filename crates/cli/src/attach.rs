//! `attach`: attaches a bundle that was made elsewhere to the images that it is about.

use std::fmt;
use std::path::{Path, PathBuf};

use client::file;
use client::image::referrer::{Loose, LooseError};
use client::image::subject::{Subject, select};
use client::image::{Image, candidate::MAX_ATTACHMENT};
use jiff::Timestamp;
use oci::Access;
use serde::Serialize;

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::image_signing::select_failure;
use crate::online::{self, Threads};
use crate::output::say;
use crate::registry::{RegistryArgs, attach_failure};
use crate::selection::SelectionArgs;

/// Attach a bundle that was made elsewhere to container images
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The images that the bundle is about, best by digest: registry.example/app@sha256:…
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
    /// The bundle, as bulla sign and bulla attest write it with --upload=false --bundle FILE
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// The images are directories or archives on this machine, laid out as OCI says
    #[arg(long)]
    local_image: bool,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// What came of it.
#[derive(Serialize)]
struct Report {
    attached: Vec<AttachedReport>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AttachedReport {
    image: String,
    referrer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback_tag: Option<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.attached.iter().try_for_each(|attached| writeln!(f, "{}", attached.image))
    }
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let loose = read(&args.bundle)?;
    let images = args.registry.find(&args.images, args.local_image, Access::Push)?;
    let (attached, failure) = online::run(Threads::One, async {
        // First all images are looked at: a bundle that is not about one of them is the wrong one.
        let mut found = Vec::new();
        for image in images {
            let subjects = select(&image.store, &image.target, &args.selection.selection()).await;
            let subjects = subjects.map_err(|error| select_failure(&image.to_string(), error))?;
            found.extend(subjects.into_iter().map(|subject| (image.clone(), subject)));
        }
        for (image, subject) in &found {
            check(&loose, &args.bundle, image, subject)?;
        }
        Ok(attach_all(&loose, &found).await)
    })?;
    let nothing = attached.is_empty();
    globals.output.finish(&Report { attached }, nothing, failure)
}

fn read(path: &Path) -> Result<Loose, Failure> {
    let bytes = file::read(path, MAX_ATTACHMENT).map_err(Failure::undecided)?;
    let doing = || format!("{} cannot be attached", path.display());
    let json = String::from_utf8(bytes).or_undecided(doing())?;
    Loose::parse(json).map_err(|error| {
        let hint = match &error {
            LooseError::NoStatement => "sign the image itself: bulla sign IMAGE",
            _ => "look into it with bulla bundle inspect",
        };
        Failure::undecided_about(doing(), error).hint(hint)
    })
}

fn check(loose: &Loose, path: &Path, image: &Image, subject: &Subject) -> Result<(), Failure> {
    let digest = &subject.descriptor.digest;
    if loose.is_about(digest) {
        return Ok(());
    }
    Err(Failure::refused(format!("{} is not about {}@{digest}", path.display(), image.name))
        .fact("check", "subject")
        .hint("nobody could verify it there; see what it is about with bulla bundle inspect"))
}

/// Attaches it to one after the other, up to the first failure.
async fn attach_all(
    loose: &Loose,
    found: &[(Image, Subject)],
) -> (Vec<AttachedReport>, Option<Failure>) {
    let mut attached = Vec::new();
    for (image, subject) in found {
        match attach(loose, image, subject).await {
            Ok(report) => attached.push(report),
            Err(failure) => return (attached, Some(failure)),
        }
    }
    (attached, None)
}

async fn attach(
    loose: &Loose,
    image: &Image,
    subject: &Subject,
) -> Result<AttachedReport, Failure> {
    let name = format!("{}@{}", image.name, subject.descriptor.digest);
    let attached = loose.attach(&image.attachments, &subject.descriptor, Timestamp::now()).await;
    let attached = attached.map_err(|error| attach_failure(error).fact("image", name.clone()))?;
    say(format!("attached to {name}; who signed it, bulla verify will ask"));
    Ok(AttachedReport {
        image: name,
        referrer: attached.descriptor.digest.to_string(),
        fallback_tag: attached.fallback_tag,
    })
}
