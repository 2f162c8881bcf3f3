//! What is attached to an image, whether it counts or not: for looking at it, copying it and removing it. Nothing here is
//! verified.

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use oci::{Descriptor, Digest, Document, FetchError, Store, Target};
use wire::bundle::Content;
use wire::statement::Statement;

use super::candidate::{Candidate, CandidateError, in_referrer, under_tag};
use super::legacy::Kind;
use super::verifying::{DEADLINE, MAX_CANDIDATES};
use crate::predicate::SIGNATURE;

/// How many documents are fetched at once.
const AT_ONCE: usize = 16;
/// How long an SBOM that nobody signed may be.
const MAX_SBOM: u64 = 128 << 20;

/// How the tag ends under which older tools keep an SBOM.
const SBOM: &str = ".sbom";

/// The tag under which older tools keep an SBOM that nobody signed.
#[must_use]
pub fn sbom_tag(image: &Digest) -> String {
    format!("{}{SBOM}", image.to_tag())
}

/// Every tag under which older tools keep something about an image.
#[must_use]
pub fn older_tags(image: &Digest) -> [String; 3] {
    [Kind::Signature.tag(image), Kind::Attestation.tag(image), sbom_tag(image)]
}

/// A document that is attached to an image.
#[derive(Debug)]
pub struct Attached {
    /// The tag that it is found by, in the older form; a referrer has none.
    pub tag: Option<String>,
    /// Its digest.
    pub digest: Digest,
    /// What kind of artifact it says that it is.
    pub artifact_type: Option<String>,
    /// The blobs that it points to.
    pub layers: Vec<Descriptor>,
    /// What the signatures and attestations in it are. Empty for anything else.
    pub meanings: Vec<Meaning>,
}

/// What a signature or an attestation says that it is, by its own word.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Meaning {
    /// A signature of the image.
    Signature,
    /// A statement with this type of predicate.
    Attestation(String),
    /// Neither: its content cannot be read.
    Unknown,
}

impl Candidate {
    /// What it says that it is.
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        match &self.bundle.content {
            Content::Message(_) => Meaning::Signature,
            Content::Dsse(envelope) => match Statement::parse(&envelope.payload) {
                Ok(statement) if statement.predicate_type == SIGNATURE => Meaning::Signature,
                Ok(statement) => Meaning::Attestation(statement.predicate_type),
                Err(_) => Meaning::Unknown,
            },
        }
    }
}

impl Attached {
    /// Whether it is of this program's trade: signatures and attestations, or an SBOM in the older form.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        let is_sbom = |tag: &String| tag.ends_with(SBOM);
        let part_of_image = |layer: &Descriptor| {
            layer.media_type.contains("image.layer") || layer.media_type.contains("rootfs")
        };
        let sbom = self.tag.as_ref().is_some_and(is_sbom)
            && !self.layers.is_empty()
            && !self.layers.iter().any(part_of_image);
        !self.meanings.is_empty() || sbom
    }
}

/// What is attached to `image` in `store`: referrers, and what is found by the older tags. Each signature and attestation is
/// shown to `look`, in their order, and then forgotten: together they can be larger than memory.
///
/// # Errors
///
/// If the list of referrers, or a tag, cannot be read, or not within [`DEADLINE`]. A referrer that the registry does not have,
/// or that cannot be read, is left out.
pub async fn attached(
    store: &Store,
    image: &Digest,
    look: &(dyn Fn(Result<Candidate, CandidateError>) + Sync),
) -> Result<Vec<Attached>, FetchError> {
    within(&format!("what is attached to {image}"), everything(store, image, look)).await
}

/// The SBOM of older tools, if one is among what was found: text that nobody signed.
///
/// # Errors
///
/// If it cannot be had, or not within [`DEADLINE`].
pub async fn older_sbom(store: &Store, found: &[Attached]) -> Result<Option<Bytes>, FetchError> {
    let is_sbom = |found: &&Attached| found.tag.as_ref().is_some_and(|tag| tag.ends_with(SBOM));
    let Some(layer) = found.iter().find(is_sbom).and_then(|found| found.layers.first()) else {
        return Ok(None);
    };
    let what = format!("the SBOM {}", layer.digest);
    within(&what, store.blob(layer, MAX_SBOM)).await.map(Some)
}

/// Gives what is read its time.
async fn within<T>(
    what: &str,
    work: impl Future<Output = Result<T, FetchError>>,
) -> Result<T, FetchError> {
    tokio::time::timeout(DEADLINE, work).await.unwrap_or_else(|_| {
        let reason = format!("it was not had within {} s", DEADLINE.as_secs());
        Err(FetchError::List { place: what.to_owned(), reason })
    })
}

async fn everything(
    store: &Store,
    image: &Digest,
    look: &(dyn Fn(Result<Candidate, CandidateError>) + Sync),
) -> Result<Vec<Attached>, FetchError> {
    let mut listed = store.referrers(image).await?;
    listed.truncate(MAX_CANDIDATES);
    let mut attached = Vec::new();
    for listed in listed.chunks(AT_ONCE) {
        let fetched = stream::iter(listed.iter().map(Descriptor::bare).collect::<Vec<_>>())
            .map(|listed| async move { store.document(&listed).await })
            .buffered(AT_ONCE);
        for document in fetched.collect::<Vec<_>>().await {
            let document = match document {
                Ok(document) => document,
                // A mirror or a clean-up has lost it.
                Err(FetchError::Missing { .. } | FetchError::Document { .. }) => continue,
                Err(error) => return Err(error),
            };
            // What a list says is about the image need not be.
            if document.subject().is_some_and(|subject| subject.digest == *image) {
                attached.push(read(store, &document, None, image, look).await);
            }
        }
    }
    for tag in older_tags(image) {
        match store.fetch(&Target::Tag(tag.clone())).await {
            Ok(document) => attached.push(read(store, &document, Some(tag), image, look).await),
            Err(FetchError::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(attached)
}

async fn read(
    store: &Store,
    document: &Document,
    tag: Option<String>,
    image: &Digest,
    look: &(dyn Fn(Result<Candidate, CandidateError>) + Sync),
) -> Attached {
    let found = match &tag {
        Some(tag) => under_tag(document, tag),
        None => in_referrer(document, image),
    };
    let mut meanings = Vec::new();
    match found {
        Ok(found) => {
            for found in found.into_iter().take(MAX_CANDIDATES) {
                let candidate = found.fetch(store).await;
                meanings.push(candidate.as_ref().map_or(Meaning::Unknown, Candidate::meaning));
                look(candidate);
            }
        }
        Err(error) => {
            meanings.push(Meaning::Unknown);
            look(Err(error));
        }
    }
    Attached {
        tag,
        digest: document.digest(),
        artifact_type: document.referrer_descriptor().artifact_type,
        layers: document.manifest().map(|manifest| manifest.layers.clone()).unwrap_or_default(),
        meanings,
    }
}
