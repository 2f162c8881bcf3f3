//! Writing blobs and documents, and deleting.

use std::time::Duration;

use bytes::Bytes;
use net::{HeaderName, Method, RequestError, StatusCode, Streamed, Upload, UploadSender, Url};

use super::Repository;
use crate::descriptor::EMPTY_CONFIG;
use crate::host::{Ask, Place, Scope, place, text};
use crate::patience::patiently;
use crate::{AccessError, BlobReader, Descriptor, Digest, Document, FetchError, PushError, Target};

/// The type of a blob on its way.
const OCTETS: &str = "application/octet-stream";
/// How long a blob may be to be sent along with a request that the registry perhaps does not take: it is then sent again.
const SMALL: usize = 64 * 1024;

/// How long a registry may take nothing of what is sent.
const STALLED: Duration = Duration::from_secs(60);

/// What a registry said of a document that it stored.
pub(super) struct Stored {
    /// Whether it has listed the document among the referrers of its subject (`OCI-Subject`).
    pub(super) listed: bool,
}

/// How far a request to store a blob has got.
enum Begun {
    /// It is there.
    Stored,
    /// It is to be sent to this URL.
    At(Url),
}

impl Repository {
    pub(crate) async fn push_blob(&self, bytes: Bytes) -> Result<Digest, PushError> {
        let digest = Digest::of(&bytes);
        // Every artifact has the same empty configuration: once is enough.
        if &*bytes == EMPTY_CONFIG {
            self.push_shared(digest, bytes).await?;
        } else {
            patiently(|| self.push_blob_once(digest, bytes.clone())).await?;
        }
        Ok(digest)
    }

    async fn push_shared(&self, digest: Digest, bytes: Bytes) -> Result<(), PushError> {
        let habits = &self.0.host.habits;
        let _one_at_a_time = habits.storing_shared.lock().await;
        if self.has_shared(digest).await? {
            return Ok(());
        }
        patiently(|| self.push_blob_once(digest, bytes.clone())).await?;
        habits.note(&self.0.scope.repository, digest);
        Ok(())
    }

    /// Whether a blob that many have is known to be there. Where a blob takes two requests, one may tell.
    async fn has_shared(&self, digest: Digest) -> Result<bool, PushError> {
        let habits = &self.0.host.habits;
        if habits.is_there(&self.0.scope.repository, digest) {
            return Ok(true);
        }
        if habits.takes_whole_blobs.get() == Some(&true) {
            return Ok(false);
        }
        let there = patiently(|| self.has_blob(digest)).await?;
        if there {
            habits.note(&self.0.scope.repository, digest);
        }
        Ok(there)
    }

    pub(crate) async fn has_blob(&self, digest: Digest) -> Result<bool, AccessError> {
        let ask = self.ask(Method::HEAD, &format!("blobs/{digest}"));
        let answer = self.0.host.send(ask, &self.0.scope).await?;
        match answer.status {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(self.0.host.refused(answer).await),
        }
    }

    /// One request where the registry takes blobs so, else two (OCI Distribution Specification, Pushing a Blob
    /// Monolithically).
    async fn push_blob_once(&self, digest: Digest, bytes: Bytes) -> Result<(), PushError> {
        let whole = self.0.host.habits.takes_whole_blobs.get().copied();
        let at_once = whole.unwrap_or(bytes.len() <= SMALL);
        let begun = if at_once {
            let path = format!("blobs/uploads/?digest={digest}");
            let ask = self.ask(Method::POST, &path).body(OCTETS, bytes.clone());
            self.begin(ask, digest).await?
        } else {
            self.begin(self.ask(Method::POST, "blobs/uploads/"), digest).await?
        };
        if at_once {
            let _ = self.0.host.habits.takes_whole_blobs.set(matches!(begun, Begun::Stored));
        }
        match begun {
            Begun::Stored => Ok(()),
            Begun::At(url) => {
                self.finish(Ask::new(Method::PUT, Place::Given(url)).body(OCTETS, bytes), digest)
                    .await
            }
        }
    }

    /// Copies a blob from elsewhere, without having all of it in memory.
    pub(crate) async fn push_pieces(
        &self,
        descriptor: &Descriptor,
        mut blob: BlobReader,
    ) -> Result<(), PushError> {
        let ask = self.ask(Method::POST, "blobs/uploads/");
        let Begun::At(url) = self.begin(ask, descriptor.digest).await? else { return Ok(()) };
        let (sender, upload) = Upload::new(descriptor.size);
        let place = place(&url);
        let ask = Ask::new(Method::PUT, Place::Given(url)).pieces(upload, descriptor.size);
        // The last piece is held back until the digest is found to be right.
        let give = async move {
            let mut held = None;
            while let Some(piece) = blob.next().await.map_err(PushError::Source)? {
                if let Some(before) = held.replace(piece)
                    && !self.give(&sender, before, &place).await?
                {
                    return Ok(());
                }
            }
            if let Some(last) = held {
                self.give(&sender, last, &place).await?;
            }
            Ok(())
        };
        // A blob that turns out to be another one ends its request before its last byte is sent.
        tokio::try_join!(self.finish(ask, descriptor.digest), give).map(drop)
    }

    /// Gives a piece to the registry. Whether it was taken: one that wants no more of it says why in its answer.
    async fn give(&self, to: &UploadSender, piece: Bytes, place: &str) -> Result<bool, PushError> {
        tokio::time::timeout(STALLED, to.send(piece)).await.map_err(|_| {
            let source = RequestError::Timeout { place: place.to_owned(), after: STALLED };
            AccessError::Request { registry: self.registry().to_owned(), source }.into()
        })
    }

    /// Takes over a blob from another repository of the same registry. Whether the registry did: it may not know how, or
    /// not allow it, and the blob is then sent.
    pub(crate) async fn mount(&self, digest: Digest, from: &Self) -> Result<bool, PushError> {
        let path = format!("blobs/uploads/?mount={digest}&from={}", from.0.scope.repository);
        let scope = Scope { also: Some(from.0.scope.repository.clone()), ..self.0.scope.clone() };
        let answer = match self.0.host.send(self.ask(Method::POST, &path), &scope).await {
            Ok(answer) => answer,
            Err(AccessError::Unauthorized { .. } | AccessError::Forbidden { .. }) => {
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        match answer.status {
            StatusCode::CREATED => self.stored(&answer, digest).map(|()| true),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(self.0.host.refused(answer).await.into())
            }
            _ => Ok(false),
        }
    }

    /// Whether the other repository is in the same registry.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        self.registry() == other.registry()
    }

    async fn begin(&self, ask: Ask, digest: Digest) -> Result<Begun, PushError> {
        let answer = self.0.host.send(ask, &self.0.scope).await?;
        match answer.status {
            StatusCode::CREATED => self.stored(&answer, digest).map(|()| Begun::Stored),
            StatusCode::ACCEPTED => {
                let mut url = self.0.host.given(&answer, "location")?;
                url.query_pairs_mut().append_pair("digest", &digest.to_string());
                Ok(Begun::At(url))
            }
            _ => Err(self.0.host.refused(answer).await.into()),
        }
    }

    async fn finish(&self, ask: Ask, digest: Digest) -> Result<(), PushError> {
        let answer = self.0.host.send(ask, &self.0.scope).await?;
        match answer.status {
            StatusCode::CREATED | StatusCode::NO_CONTENT => self.stored(&answer, digest),
            // An upload that was forgotten is begun again.
            StatusCode::NOT_FOUND => {
                let refused = self.0.host.refused(answer).await;
                Err(AccessError::Forgotten { source: Box::new(refused) }.into())
            }
            _ => Err(self.0.host.refused(answer).await.into()),
        }
    }

    /// Whether what the registry says that it stored is what was sent.
    fn stored(&self, answer: &Streamed, wanted: Digest) -> Result<(), PushError> {
        match text(&answer.headers, "docker-content-digest") {
            // A registry may call content by another algorithm than we do.
            Some(said)
                if said.starts_with(wanted.algorithm().name()) && said != wanted.to_string() =>
            {
                let (store, found) = (self.to_string(), said.chars().take(160).collect());
                Err(PushError::OtherDigest { store, wanted: Box::new(wanted), found })
            }
            _ => Ok(()),
        }
    }

    pub(crate) async fn push_document(
        &self,
        document: &Document,
        tag: Option<&str>,
    ) -> Result<(), PushError> {
        self.put(document, tag).await.map(drop)
    }

    /// Stores a document under a tag, or under its digest alone.
    pub(super) async fn put(
        &self,
        document: &Document,
        tag: Option<&str>,
    ) -> Result<Stored, PushError> {
        let target =
            tag.map_or(Target::Digest(document.digest()), |tag| Target::Tag(tag.to_owned()));
        patiently(|| self.put_once(document, &target)).await
    }

    async fn put_once(&self, document: &Document, target: &Target) -> Result<Stored, PushError> {
        let ask = self
            .ask(Method::PUT, &format!("manifests/{target}"))
            .body(document.media_type(), document.bytes().clone());
        let answer = self.0.host.send(ask, &self.0.scope).await?;
        if !matches!(answer.status, StatusCode::CREATED | StatusCode::OK) {
            return Err(self.0.host.refused(answer).await.or_incomplete().into());
        }
        self.stored(&answer, document.digest())?;
        Ok(Stored { listed: answer.headers.contains_key(HeaderName::from_static("oci-subject")) })
    }

    pub(crate) async fn delete(&self, target: &Target) -> Result<(), FetchError> {
        patiently(|| self.delete_once(target)).await
    }

    async fn delete_once(&self, target: &Target) -> Result<(), FetchError> {
        let ask = self.ask(Method::DELETE, &format!("manifests/{target}"));
        let answer = self.0.host.send(ask, &self.0.scope).await?;
        match answer.status {
            StatusCode::ACCEPTED | StatusCode::OK | StatusCode::NO_CONTENT => Ok(()),
            StatusCode::NOT_FOUND => Err(FetchError::Missing { what: self.name(target) }),
            _ => Err(self.0.host.refused(answer).await.into()),
        }
    }
}
