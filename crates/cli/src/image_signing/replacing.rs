//! `attest --replace`: older attestations of the same type give way.

use client::image::replacing::Older;
use client::image::signing::SignedImage;

use super::failure::replace_failure;
use super::{Job, Work};
use crate::failure::Failure;
use crate::output::say;
use crate::registry::fetch_failure;

/// What gives way to the attestation that is to be made: nothing, unless that is wanted.
pub(super) async fn find(job: &Job, work: &Work) -> Result<Older, Failure> {
    if !work.delivery.replace {
        return Ok(Older::default());
    }
    let digest = &job.subject.descriptor.digest;
    let found = Older::find(&job.image.attachments, digest, work.claim.predicate_type()).await;
    found.map_err(|error| fetch_failure(error).fact("image", job.to_string()))
}

/// Removes it, when the new attestation is attached.
pub(super) async fn remove(job: &Job, older: &Older, new: &SignedImage) -> Result<(), Failure> {
    if older.count() == 0 {
        return Ok(());
    }
    let removed = older.remove(&job.image.attachments, new).await;
    removed.map_err(|error| replace_failure(&job.to_string(), error))?;
    say(format!("removed {} older attestations of {job}", older.count()));
    Ok(())
}
