//! A directory or archive that is laid out as an image (OCI Image Layout 1.0).

use std::path::Path;

use bytes::Bytes;

use crate::{
    AccessError, AttachError, Attached, BlobReader, Descriptor, Digest, Document, FetchError,
    PushError, Target,
};

/// A directory or archive that is laid out as an image (OCI Image Layout 1.0).
#[derive(Clone, Debug)]
pub struct Layout {}

impl Layout {
    /// Opens a directory, or a tar archive of one.
    ///
    /// # Errors
    ///
    /// If it is none.
    #[allow(unused_variables, clippy::todo)]
    pub fn open(path: &Path) -> Result<Self, AccessError> {
        todo!()
    }

    /// Opens a directory, and makes it if it is not there.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    #[allow(unused_variables, clippy::todo)]
    pub fn create(path: &Path) -> Result<Self, AccessError> {
        todo!()
    }
}

#[allow(unused_variables, clippy::todo)]
impl Layout {
    pub(crate) fn resolve(&self, target: &Target) -> Result<Descriptor, FetchError> {
        todo!()
    }

    pub(crate) fn fetch(&self, target: &Target) -> Result<Document, FetchError> {
        todo!()
    }

    pub(crate) fn document(&self, descriptor: &Descriptor) -> Result<Document, FetchError> {
        todo!()
    }

    pub(crate) async fn blob(
        &self,
        descriptor: &Descriptor,
        limit: u64,
    ) -> Result<Bytes, FetchError> {
        todo!()
    }

    pub(crate) async fn read_blob(
        &self,
        descriptor: &Descriptor,
    ) -> Result<BlobReader, FetchError> {
        todo!()
    }

    pub(crate) fn push_blob(&self, bytes: &Bytes) -> Result<Digest, PushError> {
        todo!()
    }

    pub(crate) fn push_document(
        &self,
        document: &Document,
        tag: Option<&str>,
    ) -> Result<(), PushError> {
        todo!()
    }

    pub(crate) fn tags(&self) -> Result<Vec<String>, FetchError> {
        todo!()
    }

    pub(crate) fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, FetchError> {
        todo!()
    }

    pub(crate) fn attach(&self, document: &Document) -> Result<Attached, AttachError> {
        todo!()
    }

    pub(crate) fn delete(&self, target: &Target) -> Result<(), FetchError> {
        todo!()
    }
}
