//! One repository of a registry.

use bytes::Bytes;

use crate::{
    AttachError, Attached, BlobReader, Descriptor, Digest, Document, FetchError, PushError, Target,
};

/// A repository of a registry.
#[derive(Clone, Debug)]
pub struct Repository {}

#[allow(unused_variables, clippy::todo)]
impl Repository {
    pub(crate) async fn resolve(&self, target: &Target) -> Result<Descriptor, FetchError> {
        todo!()
    }

    pub(crate) async fn fetch(&self, target: &Target) -> Result<Document, FetchError> {
        todo!()
    }

    pub(crate) async fn document(&self, descriptor: &Descriptor) -> Result<Document, FetchError> {
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

    pub(crate) async fn push_blob(&self, bytes: Bytes) -> Result<Digest, PushError> {
        todo!()
    }

    pub(crate) async fn push_document(
        &self,
        document: &Document,
        tag: Option<&str>,
    ) -> Result<(), PushError> {
        todo!()
    }

    pub(crate) async fn tags(&self) -> Result<Vec<String>, FetchError> {
        todo!()
    }

    pub(crate) async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, FetchError> {
        todo!()
    }

    pub(crate) async fn attach(&self, document: &Document) -> Result<Attached, AttachError> {
        todo!()
    }

    pub(crate) async fn delete(&self, target: &Target) -> Result<(), FetchError> {
        todo!()
    }
}
