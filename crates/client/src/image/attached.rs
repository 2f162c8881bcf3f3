//! What is attached to an image, whether it counts or not: for looking at it, copying it and removing it. Nothing here is
//! verified.

use futures_util::stream::{self, StreamExt as _};
use oci::{Descriptor, Digest, Document, FetchError, Store, Target};
use wire::bundle::Content;
use wire::statement::Statement;

use super::candidate::{Candidate, CandidateError, in_referrer, under_tag};
use super::legacy::Kind;
use crate::predicate::SIGNATURE;

/// How many documents are fetched at once.
const AT_ONCE: usize = 16;

/// The tag under which older tools keep an SBOM that nobody signed.
#[must_use]
pub fn sbom_tag(image: &Digest) -> String {
    format!("{}.sbom", image.to_tag())
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
    /// The signatures and attestations in it. Empty for anything else.
    pub candidates: Vec<Result<Candidate, CandidateError>>,
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
    /// What the first of its candidates says that it is; `None` if there is none that can be read.
    #[must_use]
    pub fn meaning(&self) -> Option<Meaning> {
        self.candidates.iter().find_map(|found| found.as_ref().ok()).map(Candidate::meaning)
    }
}

/// What is attached to `image` in `store`: referrers, and what is found by the older tags.
///
/// # Errors
///
/// If the list of referrers, or a tag, cannot be read. A referrer that cannot be read is left out if the registry does not
/// have it.
pub async fn attached(store: &Store, image: &Digest) -> Result<Vec<Attached>, FetchError> {
    let listed = store.referrers(image).await?;
    let documents: Vec<_> = stream::iter(listed)
        .map(|listed| async move { store.document(&listed.bare()).await })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let mut found = Vec::new();
    for document in documents {
        let document = match document {
            Ok(document) => document,
            // A mirror or a clean-up has lost it.
            Err(FetchError::Missing { .. } | FetchError::Document { .. }) => continue,
            Err(error) => return Err(error),
        };
        // What a list says is about the image need not be.
        if document.subject().is_some_and(|subject| subject.digest == *image) {
            found.push(read(store, &document, None, image).await);
        }
    }
    for tag in older_tags(image) {
        match store.fetch(&Target::Tag(tag.clone())).await {
            Ok(document) => found.push(read(store, &document, Some(tag), image).await),
            Err(FetchError::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

async fn read(store: &Store, document: &Document, tag: Option<String>, image: &Digest) -> Attached {
    let candidates = match &tag {
        Some(tag) => under_tag(document, tag),
        None => in_referrer(document, image),
    };
    let candidates = match candidates {
        Ok(found) => {
            let fetched = stream::iter(found).map(|found| async move { found.fetch(store).await });
            fetched.buffered(AT_ONCE).collect().await
        }
        Err(error) => vec![Err(error)],
    };
    Attached {
        tag,
        digest: document.digest(),
        artifact_type: document.referrer_descriptor().artifact_type,
        layers: document.manifest().map(|manifest| manifest.layers.clone()).unwrap_or_default(),
        candidates,
    }
}
