//! `clean`: removes what is attached to an image.

use client::image::Image;
use client::image::attached::{Attached, Meaning, attached};
use client::image::subject::select;
use oci::{Access, Digest};
use serde_json::json;

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::image_signing::select_failure;
use crate::online::{self, Threads};
use crate::output::{Format, confirm, print_json, say};
use crate::registry::{ImageArgs, attach_failure, fetch_failure};
use crate::selection::SelectionArgs;

/// Remove what is attached to an image
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    image: ImageArgs,
    /// What is removed
    #[arg(long = "type", value_enum, default_value_t, value_name = "TYPE")]
    kind: What,
    /// Do not ask
    #[arg(long, short)]
    force: bool,
    #[command(flatten)]
    selection: SelectionArgs,
}

/// What is removed.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum What {
    /// Signatures
    Signature,
    /// Attestations
    Attestation,
    /// SBOMs in the older form, which nobody signed
    Sbom,
    /// Signatures and attestations that are referrers
    Referrer,
    /// Signatures, attestations and SBOMs of every form
    #[default]
    All,
}

impl What {
    /// Whether it is this that is attached. What other tools attach is theirs.
    fn is(self, attached: &Attached) -> bool {
        let is_referrer = attached.tag.is_none();
        let tag = |ending| attached.tag.as_ref().is_some_and(|tag| tag.ends_with(ending));
        let says =
            |wanted: fn(&Meaning) -> bool| is_referrer && attached.meanings.iter().any(wanted);
        attached.is_ours()
            && match self {
                Self::All => true,
                Self::Referrer => is_referrer,
                Self::Sbom => tag(".sbom"),
                Self::Signature => tag(".sig") || says(|meaning| *meaning == Meaning::Signature),
                Self::Attestation => {
                    tag(".att") || says(|meaning| matches!(meaning, Meaning::Attestation(_)))
                }
            }
    }
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let image = args.image.image(Access::Delete)?;
    let removed = online::run(Threads::One, async {
        let found = find(&image, args).await?;
        let count: usize = found.iter().map(|(_, found)| found.len()).sum();
        if count > 0 && !args.force && !confirmed(&image, &found, count)? {
            return Err(Failure::refused("nothing was removed")
                .hint("answer with y, or say --force where nobody can answer"));
        }
        for (subject, found) in &found {
            remove(&image, subject, found).await?;
        }
        Ok(found.into_iter().flat_map(|(_, found)| found).collect::<Vec<_>>())
    })?;
    report(&removed, globals.output)
}

/// For each image that the name stands for, what of this kind is attached to it.
async fn find(image: &Image, args: &Args) -> Result<Vec<(Digest, Vec<Attached>)>, Failure> {
    let subjects = select(&image.store, &image.target, &args.selection.selection()).await;
    let subjects = subjects.map_err(|error| select_failure(&image.to_string(), error))?;
    let mut found = Vec::new();
    for subject in subjects {
        let digest = subject.descriptor.digest;
        let found_here = attached(&image.attachments, &digest, &|_| {}).await;
        let mut attached = found_here.map_err(fetch_failure)?;
        attached.retain(|attached| args.kind.is(attached));
        found.push((digest, attached));
    }
    Ok(found)
}

fn confirmed(
    image: &Image,
    found: &[(Digest, Vec<Attached>)],
    count: usize,
) -> Result<bool, Failure> {
    for (subject, attached) in found {
        for attached in attached {
            let tag = attached.tag.as_ref().map(|tag| format!(" under the tag {tag}"));
            say(format!("{} of {subject}{}", attached.digest, tag.unwrap_or_default()));
        }
    }
    let question = format!("Remove {count} documents that are attached to {image}?");
    confirm(&question).or_usage("nobody can be asked: say --force")
}

async fn remove(image: &Image, subject: &Digest, found: &[Attached]) -> Result<(), Failure> {
    let referrers: Vec<_> =
        found.iter().filter(|found| found.tag.is_none()).map(|found| found.digest).collect();
    if !referrers.is_empty() {
        image.attachments.detach(subject, &referrers).await.map_err(attach_failure)?;
    }
    for tag in found.iter().filter_map(|found| found.tag.as_deref()) {
        image.attachments.remove(tag).await.map_err(fetch_failure)?;
    }
    Ok(())
}

fn report(removed: &[Attached], format: Format) -> Result<(), Failure> {
    match format {
        Format::Text => say(format!("removed {} documents", removed.len())),
        Format::Json => {
            let list =
                removed.iter().map(|one| json!({"digest": one.digest.to_string(), "tag": one.tag}));
            print_json(&list.collect::<Vec<_>>()).or_undecided("the result cannot be printed")?;
        }
    }
    Ok(())
}
