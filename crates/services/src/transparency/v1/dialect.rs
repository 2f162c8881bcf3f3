//! Sealing entries with a promise, and signing checkpoints, as Rekor v1 does.

use std::sync::Arc;

use bytes::Bytes;
use crypto::{PublicKey, SigningKey};
use entries::{Attestation, Entry};
use merkle::Hash;
use merkle::note::KeyId;
use tlog::{Dialect, DialectError, Head, Identity, Place, Sealed};
use wire::rekor_v1::set_payload;

use super::Shard;
use super::metadata::Metadata;
use crate::transparency::note::NoteSigner;

/// What is particular to a v1 log.
pub struct V1Dialect {
    shard: Shard,
    key: Arc<SigningKey>,
}

/// An entry that was judged, with the hash of its leaf.
pub struct Submission {
    body: Bytes,
    leaf: Hash,
    attestation: Option<Attestation>,
}

impl Submission {
    pub(super) fn new(entry: Entry) -> Self {
        let leaf = Hash::leaf(&entry.body);
        Self { body: entry.body.into(), leaf, attestation: entry.attestation }
    }
}

impl V1Dialect {
    pub(super) const fn new(shard: Shard, key: Arc<SigningKey>) -> Self {
        Self { shard, key }
    }

    pub(super) const fn shard(&self) -> &Shard {
        &self.shard
    }

    pub(super) fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }
}

impl Dialect for V1Dialect {
    type Submission = Submission;

    /// Bodies of TUF metadata, a kind of their own issue, have some hundred kilobytes; no tiles of entries are
    /// served under the API v1.
    const MAX_ENTRY: usize = 1 << 20;

    const SIGNS_ENTRIES: bool = true;

    fn identity(&self, submission: &Submission) -> Identity {
        Identity::Leaf(submission.leaf)
    }

    /// Signs the promise once. It stays with the leaf, so that a repeat is never answered with another one.
    fn seal(&self, submission: &Submission, place: Place) -> Result<Sealed, DialectError> {
        let index = self.shard.first_index + place.index.get();
        let time = place.time.as_second();
        let payload = set_payload(&submission.body, time, &self.public_key().id(), index);
        let promise = self.key.sign(&payload)?;
        let attestation = submission.attestation.as_ref().map(|stored| stored.data.as_slice());
        let metadata = Metadata { promise: &promise, attestation }.to_bytes();
        Ok(Sealed { entry: submission.body.clone(), metadata })
    }

    /// The note is signed under the host's name alone, with a hint that is the hash of the key.
    fn sign_checkpoint(&self, head: &Head) -> Result<String, DialectError> {
        let id = KeyId::of_key(self.public_key());
        let signer = NoteSigner { key: &self.key, name: &self.shard.host, id };
        signer.checkpoint(&self.shard.origin(), head)
    }
}
