//! `download`: what is attached to an image, to look at it or to keep it.

mod attestation;
mod sbom;
mod signature;

use clap::Subcommand;
use client::image::Image;
use client::image::attached::{Attached, attached};
use client::image::candidate::Candidate;
use client::image::subject::{Selection, select};

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::image_signing::select_failure;
use crate::output::{print_data, say};
use crate::registry::fetch_failure;

/// What is downloaded.
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

/// What is attached to the images that are selected.
async fn find(image: &Image, selection: &Selection) -> Result<Vec<Attached>, Failure> {
    let subjects = select(&image.store, &image.target, selection).await;
    let subjects = subjects.map_err(|error| select_failure(&image.to_string(), error))?;
    let mut found = Vec::new();
    for subject in subjects {
        let digest = subject.descriptor.digest;
        found.extend(attached(&image.attachments, &digest).await.map_err(fetch_failure)?);
    }
    Ok(found)
}

/// The signatures and attestations that can be read. Others are told about.
fn readable(found: Vec<Attached>) -> Vec<Candidate> {
    let readable = |found: Result<Candidate, _>| match found {
        Ok(candidate) => Some(candidate),
        Err(error) => {
            say(format!("something that is attached cannot be read: {error}"));
            None
        }
    };
    found.into_iter().flat_map(|attached| attached.candidates).filter_map(readable).collect()
}

/// Prints bundles, one a line.
fn print(image: &Image, what: &'static str, found: &[Candidate]) -> Result<(), Failure> {
    if found.is_empty() {
        return Err(Failure::refused(format!("{image} has no {what}")));
    }
    for candidate in found {
        print_data(&candidate.bundle.to_json()).or_undecided("the result cannot be printed")?;
    }
    Ok(())
}
