//! The Rekor v2 dialect: origin and host are one, checkpoints are C2SP's, and there is neither promise nor time.

use std::sync::Arc;

use bytes::Bytes;
use crypto::{PublicKey, SigningKey};
use entries::hashedrekord_v002::KIND_VERSION;
use merkle::Hash;
use merkle::note::KeyId;
use tlog::{
    CreateError, Dialect, DialectError, Head, Identity, Log, LogOptions, OpenError, Place, Reader,
    Receipt, Sealed,
};
use wire::rekor_v2::{CreateEntryRequest, TransparencyLogEntry};

use super::note::NoteSigner;
use super::{SubmitError, Writers};
use crate::clock::{Clock, engine_clock};

/// A log with the API v2.
pub struct RekorV2 {
    log: Log<V2Dialect>,
    clock: Clock,
    writers: Arc<dyn Writers>,
}

/// What is particular to a v2 log.
pub struct V2Dialect {
    origin: String,
    key: Arc<SigningKey>,
    id: KeyId,
}

/// An entry that was judged, with the hash of its leaf.
pub struct Submission {
    body: Bytes,
    leaf: Hash,
}

/// An entry with its proof, as the log answers it. A repeat gets what the first submission got.
#[derive(Clone, Debug)]
pub struct Logged {
    receipt: Receipt,
    id: KeyId,
}

impl RekorV2 {
    /// Makes an empty log. `origin` is its host name, for ever: without port and path.
    ///
    /// # Errors
    ///
    /// See [`CreateError`].
    pub fn create(
        options: &LogOptions,
        origin: &str,
        key: Arc<SigningKey>,
    ) -> Result<(), CreateError> {
        Log::create(options, &V2Dialect::new(origin, key))
    }

    /// Opens a log. `options.origin` must be the one that it was made with; the engine's clock is set to
    /// `clock`.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub fn open(
        options: &LogOptions,
        key: Arc<SigningKey>,
        clock: Clock,
        writers: Arc<dyn Writers>,
    ) -> Result<Self, OpenError> {
        let dialect = V2Dialect::new(&options.origin, key);
        let options = LogOptions { clock: engine_clock(clock.clone()), ..options.clone() };
        Ok(Self { log: Log::open(&options, dialect)?, clock, writers })
    }

    /// Adds the entry that `request` proposes, the JSON of a `CreateEntryRequest`, unless the log has it.
    ///
    /// # Errors
    ///
    /// See [`SubmitError`].
    pub async fn submit(&self, request: &[u8]) -> Result<Logged, SubmitError> {
        let request = CreateEntryRequest::from_json(request)?;
        let entry = entries::admit_v2(request)?;
        self.writers.allow(&entry)?;
        self.clock.now()?;
        let leaf = Hash::leaf(&entry.body);
        let submission = Submission { body: entry.body.into(), leaf };
        let receipt = self.log.submit(submission).await?;
        Ok(Logged { receipt, id: self.log.dialect().id })
    }

    /// Reads the log: checkpoint, tiles, entry bundles, state.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        self.log.reader()
    }

    /// Takes nothing more and finishes what waits.
    pub async fn stop(&self) {
        self.log.stop().await;
    }

    /// The engine, to freeze and to stop it.
    #[must_use]
    pub const fn log(&self) -> &Log<V2Dialect> {
        &self.log
    }

    /// The key that signs checkpoints.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        self.log.dialect().key.public_key()
    }

    /// The log's permanent name.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.log.dialect().origin
    }

    /// The full id of the log's key: what entries have as `logId.keyId`.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.log.dialect().id
    }
}

impl V2Dialect {
    fn new(origin: &str, key: Arc<SigningKey>) -> Self {
        let id = KeyId::for_key(origin, key.public_key());
        Self { origin: origin.to_owned(), key, id }
    }
}

impl Dialect for V2Dialect {
    type Submission = Submission;

    fn identity(&self, submission: &Submission) -> Identity {
        Identity::Leaf(submission.leaf)
    }

    fn seal(&self, submission: &Submission, _: Place) -> Result<Sealed, DialectError> {
        Ok(Sealed { entry: submission.body.clone(), metadata: Bytes::new() })
    }

    fn sign_checkpoint(&self, head: &Head) -> Result<String, DialectError> {
        let signer = NoteSigner { key: &self.key, name: &self.origin, id: self.id };
        signer.checkpoint(&self.origin, head)
    }
}

impl Logged {
    /// The index of the entry.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.receipt.logged.index.get()
    }

    /// Whether this submission put the entry there.
    #[must_use]
    pub const fn is_fresh(&self) -> bool {
        self.receipt.fresh
    }

    /// The entry as the API answers it: the JSON of a `TransparencyLogEntry`.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let inclusion = &self.receipt.inclusion;
        let hashes: Vec<&[u8]> =
            inclusion.path.iter().map(|hash| hash.as_bytes().as_slice()).collect();
        TransparencyLogEntry {
            log_index: self.index(),
            log_id: self.id.as_bytes(),
            kind: KIND_VERSION.0,
            version: KIND_VERSION.1,
            root_hash: inclusion.head.root.as_bytes(),
            tree_size: inclusion.head.size.get(),
            hashes: &hashes,
            checkpoint: &inclusion.head.checkpoint,
            body: &self.receipt.logged.entry,
        }
        .to_json()
    }
}
