//! What `copy`, `save` and `load` have in common: an image, all that it points to, and all that is attached to it.

use std::collections::BTreeSet;

use client::image::attached::older_tags;
use oci::{Copier, CopyError, Descriptor, Digest, Document, FetchError, Reference, Step, Store};
use serde::Serialize;

use crate::failure::Failure;
use crate::output::{byte_progress, say};
use crate::registry::{attach_failure, fetch_failure, push_failure};

/// Which of an image, and what is attached to it, goes along.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Parts {
    pub(crate) image: bool,
    pub(crate) referrers: bool,
    pub(crate) signatures: bool,
    pub(crate) attestations: bool,
    pub(crate) sboms: bool,
}

impl Parts {
    /// Everything.
    pub(crate) const ALL: Self =
        Self { image: true, referrers: true, signatures: true, attestations: true, sboms: true };

    fn tags(self, image: &Digest) -> Vec<String> {
        let wanted = [self.signatures, self.attestations, self.sboms];
        older_tags(image)
            .into_iter()
            .zip(wanted)
            .filter(|(_, wanted)| *wanted)
            .map(|(tag, _)| tag)
            .collect()
    }
}

/// Where an image lies, and where what is attached to it lies.
pub(crate) struct Source<'a> {
    pub(crate) images: &'a Store,
    pub(crate) attachments: &'a Store,
}

/// What was copied.
#[derive(Debug, Serialize)]
pub(crate) struct Copied {
    pub(crate) image: String,
    pub(crate) digest: String,
    pub(crate) attached: usize,
}

impl std::fmt::Display for Copied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.image)
    }
}

/// Copies the image `root` points to under `tag`, with what of it `parts` says. How many documents were attached.
pub(crate) async fn copy(
    source: &Source<'_>,
    target: &Store,
    root: &Descriptor,
    tag: Option<&str>,
    parts: Parts,
) -> Result<usize, Failure> {
    let bar = byte_progress(0, "copying");
    let watch = |step| match step {
        Step::Needed(bytes) => bar.inc_length(bytes),
        Step::Done(bytes) => bar.inc(bytes),
        Step::LeftOut(digest) => {
            say(format!(
                "{digest} is listed as attached, but is not there or is no document: left out"
            ));
        }
    };
    let copied = copy_watched(source, target, root, tag, parts, &watch).await;
    bar.finish_and_clear();
    copied.map_err(failure)
}

async fn copy_watched(
    source: &Source<'_>,
    target: &Store,
    root: &Descriptor,
    tag: Option<&str>,
    parts: Parts,
    watch: &(dyn Fn(Step) + Sync),
) -> Result<usize, CopyError> {
    if parts.image {
        Copier::new(source.images, target, watch).unnamed(root).await?;
    }
    let documents = Copier::documents(source.images, root).await?;
    let subjects = documents.iter().map(Document::digest).collect();
    let count = attached(source, target, subjects, parts, watch).await?;
    // Nobody finds the image by its name before what proves whose it is.
    let named = documents.iter().find(|document| document.digest() == root.digest);
    if let Some(root) = named.filter(|_| parts.image) {
        Copier::new(source.images, target, watch).name(root, tag).await?;
    }
    Ok(count)
}

/// Copies what is attached to the images with these digests. How many documents there were.
async fn attached(
    source: &Source<'_>,
    target: &Store,
    subjects: BTreeSet<Digest>,
    parts: Parts,
    watch: &(dyn Fn(Step) + Sync),
) -> Result<usize, CopyError> {
    let copier = Copier::new(source.attachments, target, watch);
    let mut count = 0;
    for subject in subjects {
        if parts.referrers {
            count += copier.attached(&subject, &parts.tags(&subject)).await?;
        } else {
            count += copier.tagged(&parts.tags(&subject)).await?;
        }
    }
    Ok(count)
}

/// The tag that a copy gets. A digest cannot be chosen.
pub(crate) fn tag(target: &Reference) -> Result<&str, Failure> {
    match (target.digest(), target.tag()) {
        (None, Some(tag)) => Ok(tag),
        _ => Err(Failure::usage(format!("{target} has a digest, which a copy cannot choose"))
            .hint("name it by a tag; its digest stays what it is")),
    }
}

/// Refuses to replace another image.
pub(crate) async fn is_free(
    store: &Store,
    target: &Reference,
    digest: &Digest,
) -> Result<(), Failure> {
    match store.resolve(&target.target()).await {
        Ok(there) if there.digest == *digest => Ok(()),
        Err(FetchError::Missing { .. }) => Ok(()),
        Ok(there) => Err(Failure::refused(format!("{target} is another image already"))
            .fact("expected", digest.to_string())
            .fact("found", there.digest.to_string())
            .hint("replace it with --force, or choose another name")),
        Err(error) => Err(fetch_failure(error)),
    }
}

fn failure(error: CopyError) -> Failure {
    match error {
        CopyError::Read(error) => fetch_failure(error),
        CopyError::Write(error) => push_failure(error),
        CopyError::Attach(error) => attach_failure(error),
        error @ CopyError::MissingPart { .. } => Failure::undecided(error)
            .hint("push what is missing, or copy one of the images that are there with --platform"),
        error => Failure::undecided(error),
    }
}
