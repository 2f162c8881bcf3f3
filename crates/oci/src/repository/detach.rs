//! Taking away what is attached to a document.

use net::StatusCode;

use super::Repository;
use super::attach::{FallbackList, own_tag};
use crate::{AccessError, AttachError, Digest, FetchError, Target};

impl Repository {
    /// Deletes `referrers`, and then takes them out of the list under the fallback tag, if there is one, in the way in which
    /// writers keep it, so that none of them loses an entry. A registry that deletes nothing ends it before anything is
    /// changed. The list stays, if need be as an empty one: deleting it could delete what someone else has just written.
    pub(crate) async fn detach(
        &self,
        subject: &Digest,
        referrers: &[Digest],
    ) -> Result<(), AttachError> {
        for referrer in referrers {
            let own_tag = own_tag(subject, *referrer);
            self.remove(&own_tag, *referrer).await?;
        }
        let list = self.fallback_referrers(subject).await?;
        if list.iter().any(|entry| referrers.contains(&entry.digest)) {
            let list = FallbackList { repository: self, subject: *subject };
            list.keep(Vec::new(), referrers).await?;
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
