//! Taking away what is attached to a document.

use net::StatusCode;

use super::Repository;
use crate::{AccessError, AttachError, Digest, Document, FetchError, Index, Target};

impl Repository {
    /// Takes `referrers` out of the list under the fallback tag, if there is one, and then deletes them, so that the list
    /// never points to what is not there. A list with nothing in it goes, too.
    pub(crate) async fn detach(
        &self,
        subject: &Digest,
        referrers: &[Digest],
    ) -> Result<(), AttachError> {
        self.shorten_list(subject, referrers).await?;
        for referrer in referrers {
            let own_tag = super::attach::own_tag(subject, *referrer);
            self.remove(&own_tag, *referrer).await?;
        }
        Ok(())
    }

    async fn shorten_list(&self, subject: &Digest, gone: &[Digest]) -> Result<(), AttachError> {
        let tag = subject.to_tag();
        let list = match self.fetch(&Target::Tag(tag.clone())).await {
            Ok(list) => list,
            Err(FetchError::Missing { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let digest = list.digest();
        let Some(index) = list.into_index() else { return Ok(()) };
        let before = index.manifests.len();
        let kept: Vec<_> =
            index.manifests.into_iter().filter(|entry| !gone.contains(&entry.digest)).collect();
        if kept.is_empty() {
            self.remove(&tag, digest).await?;
        } else if kept.len() < before {
            self.put(&Document::of_index(Index::new(kept)), Some(&tag)).await?;
        }
        Ok(())
    }

    /// Deletes a document and a tag of it. Registries differ in what of that they do at once, and some delete no tags.
    pub(crate) async fn remove(&self, tag: &str, digest: Digest) -> Result<(), FetchError> {
        match self.delete(&Target::Digest(digest)).await {
            Ok(()) | Err(FetchError::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
        match self.delete(&Target::Tag(tag.to_owned())).await {
            Err(FetchError::Access(AccessError::Refused { status, .. }))
                if StatusCode::from_u16(status).is_ok_and(|status| status.is_client_error()) =>
            {
                Ok(())
            }
            Ok(()) | Err(FetchError::Missing { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
