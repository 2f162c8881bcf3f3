//! What it means for the user that an image is not signed.

use client::image::replacing::RemoveError;
use client::image::signing::SignImageError;
use client::image::subject::SelectError;
use client::image::together::TogetherError;

use crate::failure::{Cause, Failure};
use crate::registry::{self, fetch_failure};
use crate::signing as keyless;

/// What it means that a name leads to nothing that can be signed or verified.
pub(crate) fn select_failure(name: &str, error: SelectError) -> Failure {
    let hint = match &error {
        SelectError::Fetch(error) => registry::fetch_hint(error),
        SelectError::MissingChild { .. } => Some(
            "push the missing image, or name the one that you mean with --platform or by its digest",
        ),
        SelectError::NotAnIndex(_) => Some("leave out --platform"),
        SelectError::Platform { .. } => {
            Some("name one of the platforms that are there, or a digest")
        }
        SelectError::TooDeep(_) | SelectError::TooMany | SelectError::TooLarge => {
            Some("name the image that you mean by its digest")
        }
        SelectError::Late => Some("try again, or ask a registry that is nearer"),
    };
    let there = match &error {
        SelectError::Platform { there, .. } => Some(there.join(", ")),
        _ => None,
    };
    let failure = Failure::undecided_about(format!("{name} cannot be looked up"), error);
    let failure = registry::hinted(failure, hint);
    match there {
        Some(there) => failure.fact("found", there),
        None => failure,
    }
}

/// What it means that an image, or several together, are not signed.
pub(super) fn failure(name: &str, error: SignImageError) -> Failure {
    match error {
        SignImageError::Claim(error) => claim_failure(error).fact("image", name),
        SignImageError::Sign(error) => keyless::failure(error).fact("image", name),
        SignImageError::Fetch(error) => fetch_failure(error).fact("image", name),
        SignImageError::TagMoved { before, now, .. } => {
            let (before, now) = (before.to_string(), now.to_string());
            Failure::because(format!("{name} is not signed"), error)
                .fact("check", "tag")
                .fact("expected", before)
                .fact("found", now)
                .hint("somebody pushed to the tag meanwhile: name the image that you mean by its digest")
        }
        SignImageError::Attach(error) => registry::attach_failure(error).fact("image", name),
        error => {
            let hint = match &error {
                SignImageError::Push(error) => registry::push_hint(error),
                SignImageError::Legacy(_) => {
                    Some("log with Rekor v1 (--rekor v1), or attach bundles only (--format bundle)")
                }
                _ => None,
            };
            registry::hinted(Failure::undecided(error).fact("image", name), hint)
        }
    }
}

/// What it means that a statement cannot be signed for an image.
fn claim_failure(error: impl Into<Cause>) -> Failure {
    Failure::refused(error)
        .fact("check", "subject")
        .hint("name the images that the statement is about, or have it made anew for all of them")
}

/// What it means that images cannot share a statement.
pub(super) fn together_failure(error: TogetherError) -> Failure {
    match &error {
        TogetherError::TooMany(_) => {
            Failure::usage(error).hint("sign fewer at a time, or leave out --together")
        }
        TogetherError::OlderForm => {
            Failure::usage(error).hint("leave out --together, or attach a bundle: --format bundle")
        }
        TogetherError::Claim(_) => claim_failure(error),
    }
}

/// What it means that the new attestation is there, and older ones are, too.
pub(super) fn replace_failure(name: &str, error: RemoveError) -> Failure {
    let doing =
        format!("the new attestation of {name} is attached, but older ones are still there");
    Failure::undecided_about(doing, error)
        .fact("image", name)
        .hint("many registries remove nothing unless their operator lets them: attach without --replace there")
}
