//! `download`: what is attached to an image, to look at it or to keep it.

mod attestation;
mod sbom;
mod signature;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use clap::Subcommand;
use client::image::Image;
use client::image::attached::{Attached, Meaning, attached};
use client::image::candidate::Candidate;
use client::image::subject::{Selection, select};

use crate::command_line::Globals;
use crate::failure::Failure;
use crate::image_signing::select_failure;
use crate::online::{self, Threads};
use crate::output::{print_data, say};
use crate::registry::fetch_failure;

/// Print what is attached to an image: signatures, attestations, an SBOM
#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one, made from the command line")]
pub(crate) enum Args {
    /// Print the signatures of an image, unverified: a bundle a line
    Signature(signature::Args),
    /// Print the attestations of an image, unverified: a bundle a line
    Attestation(attestation::Args),
    /// Print an SBOM of an image that was verified
    Sbom(sbom::Args),
}

pub(crate) fn run(args: Args, globals: &Globals) -> Result<(), Failure> {
    match args {
        Args::Signature(args) => signature::run(&args),
        Args::Attestation(args) => attestation::run(&args),
        Args::Sbom(args) => sbom::run(args, globals),
    }
}

/// What is attached to the images that are selected; each signature and attestation is shown to `look`.
async fn find(
    image: &Image,
    selection: &Selection,
    look: &(dyn Fn(Candidate) + Sync),
) -> Result<Vec<Attached>, Failure> {
    let subjects = select(&image.store, &image.target, selection).await;
    let subjects = subjects.map_err(|error| select_failure(&image.to_string(), error))?;
    let readable = |found| match found {
        Ok(candidate) => look(candidate),
        Err(error) => say(format!("something that is attached cannot be read: {error}")),
    };
    let mut found = Vec::new();
    for subject in subjects {
        let digest = subject.descriptor.digest;
        let attached = attached(&image.attachments, &digest, &readable).await;
        found.extend(attached.map_err(fetch_failure)?);
    }
    Ok(found)
}

/// Prints the bundles that are wanted, one a line, as they come.
fn print(
    image: &Image,
    selection: &Selection,
    what: &'static str,
    wanted: &(dyn Fn(&Meaning) -> bool + Sync),
) -> Result<(), Failure> {
    let (count, failed) = (AtomicUsize::new(0), Mutex::new(None));
    let look = |candidate: Candidate| {
        if wanted(&candidate.meaning()) {
            count.fetch_add(1, Ordering::Relaxed);
            if let Err(error) = print_data(&candidate.bundle.to_json()) {
                *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
        }
    };
    online::run(Threads::One, find(image, selection, &look))?;
    if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(Failure::undecided_about("the result cannot be printed".to_owned(), error));
    }
    if count.into_inner() == 0 {
        return Err(Failure::refused(format!("{image} has no {what}")));
    }
    Ok(())
}
