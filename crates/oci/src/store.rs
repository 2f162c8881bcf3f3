//! Where images lie: a repository of a registry, or a layout on disk.

use bytes::Bytes;

use crate::{
    AttachError, BlobReader, Descriptor, Digest, Document, FetchError, Layout, PushError,
    Repository, Target,
};

/// A place of documents and blobs. Cheap to clone; clones share connections, tokens and what is known of the place.
#[derive(Clone, Debug)]
pub enum Store {
    /// A repository of a registry.
    Registry(Repository),
    /// A directory or archive.
    Layout(Layout),
}

/// What became of a document that was attached to another.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attached {
    /// The document, as a list of referrers points to it.
    pub descriptor: Descriptor,
    /// The tag under which it is listed where the registry keeps no list of its own.
    pub fallback_tag: Option<String>,
}

impl Store {
    /// Finds what `target` is now: its type, digest and size. Ask once, and then only by digest: a tag can move.
    ///
    /// # Errors
    ///
    /// [`FetchError::Missing`] if there is nothing.
    pub async fn resolve(&self, target: &Target) -> Result<Descriptor, FetchError> {
        match self {
            Self::Registry(repository) => repository.resolve(target).await,
            Self::Layout(layout) => layout.resolve(target),
        }
    }

    /// The document that `target` is now: [`Store::resolve`] and [`Store::document`] in one request.
    ///
    /// # Errors
    ///
    /// See [`FetchError`].
    pub async fn fetch(&self, target: &Target) -> Result<Document, FetchError> {
        match self {
            Self::Registry(repository) => repository.fetch(target).await,
            Self::Layout(layout) => layout.fetch(target),
        }
    }

    /// The document that `descriptor` points to. It has that digest, size and type.
    ///
    /// # Errors
    ///
    /// See [`FetchError`].
    pub async fn document(&self, descriptor: &Descriptor) -> Result<Document, FetchError> {
        match self {
            Self::Registry(repository) => repository.document(descriptor).await,
            Self::Layout(layout) => layout.document(descriptor),
        }
    }

    /// The blob that `descriptor` points to, if it has no more than `limit` bytes. It has that digest and size.
    ///
    /// # Errors
    ///
    /// [`FetchError::TooLong`] before anything is asked for if the descriptor announces more than `limit`.
    pub async fn blob(&self, descriptor: &Descriptor, limit: u64) -> Result<Bytes, FetchError> {
        match self {
            Self::Registry(repository) => repository.blob(descriptor, limit).await,
            Self::Layout(layout) => layout.blob(descriptor, limit).await,
        }
    }

    /// The blob that `descriptor` points to, in pieces.
    ///
    /// # Errors
    ///
    /// See [`FetchError`].
    pub async fn read_blob(&self, descriptor: &Descriptor) -> Result<BlobReader, FetchError> {
        match self {
            Self::Registry(repository) => repository.read_blob(descriptor).await,
            Self::Layout(layout) => layout.read_blob(descriptor).await,
        }
    }

    /// Stores `bytes` as a blob. Storing again what is there is allowed.
    ///
    /// # Errors
    ///
    /// See [`PushError`].
    pub async fn push_blob(&self, bytes: Bytes) -> Result<Digest, PushError> {
        match self {
            Self::Registry(repository) => repository.push_blob(bytes).await,
            Self::Layout(layout) => layout.push_blob(&bytes),
        }
    }

    /// Stores a document, whose blobs must be there, under its digest and, if one is given, under `tag`.
    ///
    /// # Errors
    ///
    /// See [`PushError`].
    pub async fn push_document(
        &self,
        document: &Document,
        tag: Option<&str>,
    ) -> Result<(), PushError> {
        match self {
            Self::Registry(repository) => repository.push_document(document, tag).await,
            Self::Layout(layout) => layout.push_document(document, tag),
        }
    }

    /// Every tag.
    ///
    /// # Errors
    ///
    /// See [`FetchError`].
    pub async fn tags(&self) -> Result<Vec<String>, FetchError> {
        match self {
            Self::Registry(repository) => repository.tags().await,
            Self::Layout(layout) => layout.tags(),
        }
    }

    /// What says of itself that it is about `subject`: from the referrers API, or else from the list under the fallback tag
    /// (OCI Distribution Specification 1.1, Listing Referrers). None if there are none.
    ///
    /// Type, annotations and artifact type of these descriptors are claims of whoever wrote the list: fetch the document and
    /// look, and look at its subject, too.
    ///
    /// # Errors
    ///
    /// See [`FetchError`].
    pub async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, FetchError> {
        match self {
            Self::Registry(repository) => repository.referrers(subject).await,
            Self::Layout(layout) => layout.referrers(subject),
        }
    }

    /// Stores a document that has a subject, whose blobs must be there, and sees to it that it is listed among the
    /// referrers of its subject. Where the registry keeps no list, the list under the fallback tag is kept in such a way
    /// that of several writers none loses an entry.
    ///
    /// # Errors
    ///
    /// See [`AttachError`].
    pub async fn attach(&self, document: &Document) -> Result<Attached, AttachError> {
        match self {
            Self::Registry(repository) => repository.attach(document).await,
            Self::Layout(layout) => layout.attach(document),
        }
    }

    /// Removes a tag, or a document with all its tags.
    ///
    /// # Errors
    ///
    /// [`FetchError::Missing`] if it is not there.
    pub async fn delete(&self, target: &Target) -> Result<(), FetchError> {
        match self {
            Self::Registry(repository) => repository.delete(target).await,
            Self::Layout(layout) => layout.delete(target),
        }
    }

    /// Removes referrers of `subject`, and what the list under the fallback tag says of them.
    ///
    /// # Errors
    ///
    /// See [`AttachError`]. What was removed before stays removed.
    pub async fn detach(&self, subject: &Digest, referrers: &[Digest]) -> Result<(), AttachError> {
        match self {
            Self::Registry(repository) => repository.detach(subject, referrers).await,
            Self::Layout(layout) => {
                for referrer in referrers {
                    layout.delete(&Target::Digest(*referrer))?;
                }
                Ok(())
            }
        }
    }

    /// Removes the document that `tag` names, and the tag.
    ///
    /// # Errors
    ///
    /// [`FetchError::Missing`] if there is none.
    pub async fn remove(&self, tag: &str) -> Result<(), FetchError> {
        let target = Target::Tag(tag.to_owned());
        let digest = self.resolve(&target).await?.digest;
        match self {
            Self::Registry(repository) => repository.remove(tag, digest).await,
            Self::Layout(layout) => layout.delete(&Target::Digest(digest)),
        }
    }
}
