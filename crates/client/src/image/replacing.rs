//! Attestations that give way to a new one.

use std::sync::{Mutex, PoisonError};

use oci::{AttachError, Digest, FetchError, Store};

use super::attached::{Attached, Meaning, attached};
use super::candidate::{Candidate, CandidateError, Source};
use super::legacy::{self, AppendError, Kind};
use super::signing::SignedImage;

/// The attestations of one type that an image has, in both forms, by whomever they are.
///
/// They are looked for before the new one is made, so that of two who replace at the same time neither removes what the
/// other has just attached.
#[derive(Debug, Default)]
pub struct Older {
    referrers: Vec<Digest>,
    layers: Vec<Digest>,
}

/// Why an older attestation is still there.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// A referrer cannot be removed. Many registries remove nothing.
    #[error(transparent)]
    Referrer(#[from] AttachError),
    /// A layer of the older form cannot be removed.
    #[error(transparent)]
    Layer(#[from] AppendError),
}

impl Older {
    /// Looks for what says of itself that it is an attestation of `image` with this type of predicate.
    ///
    /// # Errors
    ///
    /// If what is attached cannot be listed.
    pub async fn find(
        store: &Store,
        image: &Digest,
        predicate_type: &str,
    ) -> Result<Self, FetchError> {
        let layers = Mutex::new(Vec::new());
        let look = |found: Result<Candidate, CandidateError>| {
            if let Ok(candidate) = found
                && candidate.meaning().is_attestation_of(predicate_type)
                && let Source::Layer { layer, .. } = candidate.source
            {
                layers.lock().unwrap_or_else(PoisonError::into_inner).push(layer);
            }
        };
        let found = attached(store, image, &look).await?;
        let found = found.iter().filter(|found| found.is_all_of(predicate_type));
        let referrers = found.map(|found| found.digest).collect();
        let layers = layers.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Self { referrers, layers })
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.referrers.len() + self.layers.len()
    }

    /// Removes them, when `new` is attached.
    ///
    /// What is new may be equal to what is older: a deterministic signature of the same statement is the same blob, and
    /// within one second the same referrer. It stays.
    ///
    /// # Errors
    ///
    /// See [`RemoveError`]. What was removed before stays removed.
    pub async fn remove(&self, store: &Store, new: &SignedImage) -> Result<(), RemoveError> {
        let image = &new.subject.descriptor.digest;
        if !self.layers.is_empty() {
            let (gone, stays) = (&self.layers, new.legacy_layer.as_ref());
            legacy::remove(store, Kind::Attestation, image, gone, stays).await?;
        }
        let attached = new.referrer.as_ref().map(|referrer| referrer.descriptor.digest);
        let gone = self.referrers.iter().copied().filter(|older| Some(*older) != attached);
        let gone: Vec<Digest> = gone.collect();
        if !gone.is_empty() {
            store.detach(image, &gone).await?;
        }
        Ok(())
    }
}

impl Meaning {
    fn is_attestation_of(&self, predicate_type: &str) -> bool {
        matches!(self, Self::Attestation(uri) if uri == predicate_type)
    }
}

impl Attached {
    /// Whether it is a referrer, and all that is in it is of the type: it is removed as a whole.
    fn is_all_of(&self, predicate_type: &str) -> bool {
        self.tag.is_none()
            && !self.meanings.is_empty()
            && self.meanings.iter().all(|meaning| meaning.is_attestation_of(predicate_type))
    }
}
