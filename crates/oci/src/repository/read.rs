//! Reading documents and blobs.

use std::future::Future;

use bytes::Bytes;
use net::{Method, RequestError, StatusCode, Streamed};

use super::Repository;
use crate::blob::Source;
use crate::host::{Ask, text};
use crate::patience::patiently;
use crate::{
    AccessError, BlobReader, Descriptor, Digest, Document, FetchError, MAX_DOCUMENT, Target,
    media_type,
};

impl Repository {
    /// By reading the document: what an answer to HEAD says of it is nothing but a claim.
    pub(crate) async fn resolve(&self, target: &Target) -> Result<Descriptor, FetchError> {
        Ok(self.fetch(target).await?.descriptor())
    }

    pub(crate) async fn fetch(&self, target: &Target) -> Result<Document, FetchError> {
        if matches!(target, Target::Tag(_)) && !self.only_reads() {
            return patiently(|| self.fetch_once(target)).await;
        }
        self.nearest(|place| async move { patiently(|| place.fetch_once(target)).await }).await
    }

    pub(crate) async fn document(&self, descriptor: &Descriptor) -> Result<Document, FetchError> {
        let what = || self.name(&descriptor.digest);
        descriptor.check_size(MAX_DOCUMENT as u64, what)?;
        let read = |place: Self| async move { patiently(|| place.bytes_once(descriptor)).await };
        let bytes = self.nearest(read).await?;
        Document::described(descriptor, bytes, what)
    }

    pub(crate) async fn blob(
        &self,
        descriptor: &Descriptor,
        limit: u64,
    ) -> Result<Bytes, FetchError> {
        descriptor.check_size(limit, || self.name(&descriptor.digest))?;
        let read = |place: Self| async move {
            patiently(|| async { place.read_blob_once(descriptor).await?.whole().await }).await
        };
        self.nearest(read).await
    }

    pub(crate) async fn read_blob(
        &self,
        descriptor: &Descriptor,
    ) -> Result<BlobReader, FetchError> {
        let read =
            |place: Self| async move { patiently(|| place.read_blob_once(descriptor)).await };
        self.nearest(read).await
    }

    /// Reads from the first mirror that has it, and else from here.
    pub(super) async fn nearest<T, F>(&self, read: impl Fn(Self) -> F) -> Result<T, FetchError>
    where
        F: Future<Output = Result<T, FetchError>>,
    {
        for mirror in &self.0.mirrors {
            match read(mirror.clone()).await {
                Ok(found) => return Ok(found),
                Err(error) => tracing::debug!(%mirror, %error, "the mirror does not have it"),
            }
        }
        read(self.clone()).await
    }

    async fn fetch_once(&self, target: &Target) -> Result<Document, FetchError> {
        let ask = self.manifest(target);
        let answer = self.0.host.send(ask, &self.0.scope).await?;
        let answer = self.found(answer, target).await?;
        let media_type = media_type(&answer).unwrap_or_default().to_owned();
        let announced = announced(&answer);
        let bytes = self.whole(answer, target).await?;
        let wanted = match target {
            Target::Digest(digest) => Some(*digest),
            // For a tag, what the registry announces tells at least whether all of it came.
            Target::Tag(_) => announced,
        };
        if let Some(wanted) = wanted {
            check(wanted, &bytes)?;
        }
        // What a tag names is called by SHA-256, whatever the registry calls it.
        let digest = match target {
            Target::Digest(digest) => *digest,
            Target::Tag(_) => Digest::of(&bytes),
        };
        Document::parse(&media_type, bytes)
            .map(|document| document.named(digest))
            .map_err(|source| FetchError::Document { what: self.name(target), source })
    }

    /// The bytes of a document of which digest and size are known.
    async fn bytes_once(&self, descriptor: &Descriptor) -> Result<Bytes, FetchError> {
        let target = Target::Digest(descriptor.digest);
        let ask = self.manifest(&target);
        let answer = self.0.host.send(ask, &self.0.scope).await?;
        let answer = self.found(answer, &target).await?;
        self.pieces(answer, descriptor).whole().await
    }

    async fn read_blob_once(&self, descriptor: &Descriptor) -> Result<BlobReader, FetchError> {
        let path = format!("blobs/{}", descriptor.digest);
        let ask = self.ask(Method::GET, &path).size(descriptor.size);
        let answer = self.0.host.send(ask, &self.0.scope).await?;
        let answer = self.found(answer, &Target::Digest(descriptor.digest)).await?;
        Ok(self.pieces(answer, descriptor))
    }

    fn pieces(&self, answer: Streamed, descriptor: &Descriptor) -> BlobReader {
        let source = Source::Answer(self.registry().to_owned(), Box::new(answer));
        BlobReader::new(source, descriptor)
    }

    fn manifest(&self, target: &Target) -> Ask {
        self.ask(Method::GET, &format!("manifests/{target}"))
            .header(net::HeaderName::from_static("accept"), media_type::ACCEPTED)
    }

    /// Passes an answer that says that `target` is there.
    pub(super) async fn found(
        &self,
        answer: Streamed,
        target: &Target,
    ) -> Result<Streamed, FetchError> {
        match answer.status {
            StatusCode::OK => Ok(answer),
            StatusCode::NOT_FOUND => Err(FetchError::Missing { what: self.name(target) }),
            _ => Err(self.0.host.refused(answer).await.into()),
        }
    }

    async fn whole(&self, answer: Streamed, target: &Target) -> Result<Bytes, FetchError> {
        self.whole_up_to(answer, MAX_DOCUMENT, || self.name(target)).await
    }

    /// The body of an answer, if it has no more than `limit` bytes.
    pub(super) async fn whole_up_to(
        &self,
        answer: Streamed,
        limit: usize,
        what: impl FnOnce() -> String,
    ) -> Result<Bytes, FetchError> {
        match answer.whole(limit).await {
            Ok(answer) => Ok(answer.body),
            Err(RequestError::TooLong { limit, .. }) => {
                let limit = limit as u64;
                Err(FetchError::TooLong { what: what(), size: limit + 1, limit })
            }
            Err(source) => {
                Err(AccessError::Request { registry: self.registry().to_owned(), source }.into())
            }
        }
    }
}

/// The media type of an answer, without parameters.
fn media_type(answer: &Streamed) -> Option<&str> {
    text(&answer.headers, "content-type").map(|kind| kind.split(';').next().unwrap_or(kind).trim())
}

/// The digest that the registry announces.
fn announced(answer: &Streamed) -> Option<Digest> {
    text(&answer.headers, "docker-content-digest")?.parse().ok()
}

fn check(wanted: Digest, bytes: &[u8]) -> Result<(), FetchError> {
    let found = Digest::from(wanted.algorithm().digest(bytes));
    if found == wanted { Ok(()) } else { Err(FetchError::other_digest(wanted, found)) }
}
