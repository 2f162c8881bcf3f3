//! What is particular to a CT log: a leaf has its index and time inside, an SCT is signed over both, and
//! checkpoints are RFC 6962 tree heads.

use std::sync::Arc;

use bytes::Bytes;
use crypto::{PublicKey, SigningKey};
use merkle::Hash;
use merkle::note::{KeyId, Signature};
use merkle::{Checkpoint, SignedNote};
use pki::sct::{Entry, Sct, leaf_index_extension};
use pki::{Certificate, MAX_CERTIFICATE};
use tlog::{Dialect, DialectError, Head, Identity, Place, Sealed};

use super::Endpoint;
use super::issuers::Fingerprint;
use super::leaf::Metadata;
use super::tree_head;

/// What a leaf has beside the certificate: version, types, time, issuer key hash, lengths, extension.
const MAX_FRAME: usize = 64;

/// What is particular to a CT log.
pub struct CtDialect {
    origin: String,
    key: Arc<SigningKey>,
    log_id: [u8; 32],
    note_id: KeyId,
}

/// A chain that was judged.
pub struct Submission {
    entry: Entry,
    identity: Hash,
    /// The certificate with its poison: the tree holds it without.
    precertificate: Option<Vec<u8>>,
    issuers: Vec<Fingerprint>,
}

impl Submission {
    pub(super) fn new(
        entry: Entry,
        endpoint: Endpoint,
        leaf: &Certificate,
        issuers: &[Certificate],
    ) -> Self {
        // The entry without its time is what makes a repeat: two chains to one certificate are one entry.
        let identity = Hash::leaf(&entry.timestamped(0, &[]));
        let precertificate = match endpoint {
            Endpoint::AddPreChain => Some(leaf.der().to_vec()),
            Endpoint::AddChain => None,
        };
        let issuers = issuers.iter().map(Certificate::fingerprint).collect();
        Self { entry, identity, precertificate, issuers }
    }
}

impl CtDialect {
    pub(super) fn new(origin: &str, key: Arc<SigningKey>) -> Self {
        let log_id = key.public_key().id();
        let note_id = KeyId::of_rfc6962_log(origin, &log_id);
        Self { origin: origin.to_owned(), key, log_id, note_id }
    }

    pub(super) const fn log_id(&self) -> [u8; 32] {
        self.log_id
    }

    pub(super) fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }
}

impl Dialect for CtDialect {
    type Submission = Submission;

    const MAX_ENTRY: usize = MAX_CERTIFICATE + MAX_FRAME;
    const SIGNS_ENTRIES: bool = true;

    fn identity(&self, submission: &Submission) -> Identity {
        Identity::Own(submission.identity)
    }

    /// Signs the SCT. It is kept beside the leaf, so that a repeat gets the same bytes.
    fn seal(&self, submission: &Submission, place: Place) -> Result<Sealed, DialectError> {
        let time_ms = u64::try_from(place.time.as_millisecond())?;
        let extensions = leaf_index_extension(place.index.get());
        let entry = submission.entry.merkle_tree_leaf(time_ms, &extensions);
        let sct = Sct::sign(&self.key, &submission.entry, time_ms, extensions)?;
        let metadata = Metadata {
            digitally_signed: sct.digitally_signed,
            precertificate: submission.precertificate.clone(),
            issuers: submission.issuers.clone(),
        };
        Ok(Sealed { entry: entry.into(), metadata: Bytes::from(metadata.encode()) })
    }

    /// C2SP static-ct-api, "Checkpoints": no extension lines, one signature of the type 0x05.
    fn sign_checkpoint(&self, head: &Head) -> Result<String, DialectError> {
        let checkpoint = Checkpoint {
            origin: self.origin.clone(),
            size: head.size,
            root: head.root,
            extensions: Vec::new(),
        };
        let signature = Signature {
            name: self.origin.clone(),
            hint: self.note_id.hint(),
            bytes: tree_head::sign(&self.key, head)?,
        };
        Ok(SignedNote::new(checkpoint.to_string(), vec![signature]).to_string())
    }
}
