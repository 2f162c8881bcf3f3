//! The Rekor v1 dialect: entries have a time and a promise, a tree has an id, and a shard is part of one long log.

mod dialect;
mod metadata;

use std::sync::Arc;

use crypto::{PublicKey, SigningKey};
use entries::AdmitError;
use entries::json::Json;
use merkle::{Hash, LeafIndex, TreeSize};
use tlog::{CreateError, Inclusion, Log, LogOptions, LoggedEntry, OpenError, Reader};
use wire::rekor_v1::{
    Attestation, ConsistencyProof, EntryId, InclusionProof, LogEntry, LogInfo, TreeId, Verification,
};

use super::{ReadError, SubmitError, Writers};
use crate::clock::{Clock, engine_clock};
use dialect::Submission;
use metadata::Metadata;

pub use dialect::V1Dialect;

/// The permanent names of a shard of a v1 log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shard {
    /// The log's host name: the name under which it signs.
    pub host: String,
    /// The tree's id.
    pub tree: TreeId,
    /// How many entries the shards before it have together: the virtual index of its first entry.
    pub first_index: u64,
}

/// The active shard of a log with the API v1.
pub struct RekorV1 {
    log: Log<V1Dialect>,
    clock: Clock,
    writers: Arc<dyn Writers>,
}

/// An entry and the id under which it is found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// The id, with the tree.
    pub id: EntryId,
    /// The entry.
    pub entry: LogEntry,
    /// Whether the submission that is answered put it there.
    pub fresh: bool,
}

impl Shard {
    /// The first line of its checkpoints, and the name of its log in the engine.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("{} - {}", self.host, self.tree)
    }
}

impl RekorV1 {
    /// Makes an empty log. `options.origin` must be [`Shard::origin`].
    ///
    /// # Errors
    ///
    /// See [`CreateError`].
    pub fn create(
        options: &LogOptions,
        shard: Shard,
        key: Arc<SigningKey>,
    ) -> Result<(), CreateError> {
        Log::create(options, &V1Dialect::new(shard, key))
    }

    /// Opens a log. `options.origin` must be [`Shard::origin`]; the engine's clock is set to `clock`.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub fn open(
        options: &LogOptions,
        shard: Shard,
        key: Arc<SigningKey>,
        clock: Clock,
        writers: Arc<dyn Writers>,
    ) -> Result<Self, OpenError> {
        let options = LogOptions { clock: engine_clock(clock.clone()), ..options.clone() };
        Ok(Self { log: Log::open(&options, V1Dialect::new(shard, key))?, clock, writers })
    }

    /// Adds the entry that `proposed` is, the body of a request, unless the log has it.
    ///
    /// # Errors
    ///
    /// See [`SubmitError`].
    pub async fn submit(&self, proposed: &[u8]) -> Result<Found, SubmitError> {
        let entry = entries::admit_v1(entries::V1, proposed)?;
        self.writers.allow(&entry)?;
        self.clock.now()?;
        let receipt = self.log.submit(Submission::new(entry)).await?;
        let metadata = metadata(&receipt.logged).map_err(SubmitError::Answer)?;
        let found = self.found(&receipt.logged, &metadata, &receipt.inclusion);
        Ok(Found { fresh: receipt.fresh, ..found })
    }

    /// The entry with this index over all shards; `None` if there is none.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn entry_by_index(&self, virtual_index: u64) -> Result<Option<Found>, ReadError> {
        let Some(index) = virtual_index.checked_sub(self.shard().first_index) else {
            return Ok(None);
        };
        self.entry(LeafIndex::new(index)).await
    }

    /// The entry with this id; `None` if there is none, or the tree is not ours.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn entry_by_id(&self, id: &EntryId) -> Result<Option<Found>, ReadError> {
        if id.tree.is_some_and(|tree| tree != self.shard().tree) {
            return Ok(None);
        }
        match self.reader().find_leaf(Hash::new(id.leaf_hash)).await? {
            Some(index) => self.entry(index).await,
            None => Ok(None),
        }
    }

    /// The id that the entry `proposed` has if it is logged. It may be as proposed or as it stands in a log.
    ///
    /// # Errors
    ///
    /// See [`AdmitError`].
    pub fn id_of(&self, proposed: Json<'_>) -> Result<EntryId, AdmitError> {
        let body = entries::look_up_v1(entries::V1, proposed)?;
        Ok(self.id(Hash::leaf(&body)))
    }

    /// What the log says about itself.
    #[must_use]
    pub fn info(&self) -> LogInfo {
        let head = self.reader().published();
        LogInfo {
            inactive_shards: Vec::new(),
            root_hash: head.root.to_hex(),
            signed_tree_head: head.checkpoint.clone(),
            tree_id: self.shard().tree.to_string(),
            tree_size: head.size.get(),
        }
    }

    /// Proves that the first `first` entries of the shard are a prefix of its first `last`; `None` if there are not
    /// so many. The root is that of the newest checkpoint, as the existing server has it.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn consistency_proof(
        &self,
        first: u64,
        last: u64,
    ) -> Result<Option<ConsistencyProof>, ReadError> {
        let head = self.reader().published();
        let (old, new) = (TreeSize::new(first), TreeSize::new(last));
        if new > head.size || old > new {
            return Ok(None);
        }
        let hashes = self.reader().consistency_proof(old, new).await?;
        let hashes = hashes.iter().map(Hash::to_hex).collect();
        Ok(Some(ConsistencyProof { hashes, root_hash: head.root.to_hex() }))
    }

    /// The key that signs promises and checkpoints.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        self.log.dialect().public_key()
    }

    /// The permanent names.
    #[must_use]
    pub fn shard(&self) -> &Shard {
        self.log.dialect().shard()
    }

    /// Reads the log as the engine has it.
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
    pub const fn log(&self) -> &Log<V1Dialect> {
        &self.log
    }

    async fn entry(&self, index: LeafIndex) -> Result<Option<Found>, ReadError> {
        let logged = match self.reader().entry(index).await {
            Err(tlog::ReadError::Outside { .. }) => return Ok(None),
            logged => logged?,
        };
        let inclusion = self.reader().inclusion(index).await?;
        let metadata = metadata(&logged)?;
        let attestation = metadata.attestation.map(|data| Attestation { data: data.to_vec() });
        let mut found = self.found(&logged, &metadata, &inclusion);
        found.entry.attestation = attestation;
        Ok(Some(found))
    }

    fn found(&self, logged: &LoggedEntry, metadata: &Metadata<'_>, inclusion: &Inclusion) -> Found {
        let index = logged.index.get();
        let proof = InclusionProof {
            checkpoint: inclusion.head.checkpoint.clone(),
            hashes: inclusion.path.iter().map(Hash::to_hex).collect(),
            log_index: index,
            root_hash: inclusion.head.root.to_hex(),
            tree_size: inclusion.head.size.get(),
        };
        let entry = LogEntry {
            attestation: None,
            body: logged.entry.to_vec(),
            integrated_time: logged.time.as_second(),
            log_id: hex::encode(self.public_key().id()),
            log_index: self.shard().first_index + index,
            verification: Some(Verification {
                inclusion_proof: Some(proof),
                signed_entry_timestamp: metadata.promise.to_vec(),
            }),
        };
        Found { id: self.id(Hash::leaf(&logged.entry)), entry, fresh: false }
    }

    fn id(&self, leaf: Hash) -> EntryId {
        EntryId { tree: Some(self.shard().tree), leaf_hash: *leaf.as_bytes() }
    }
}

fn metadata(logged: &LoggedEntry) -> Result<Metadata<'_>, ReadError> {
    let index = logged.index.get();
    Metadata::read(&logged.metadata).ok_or(ReadError::Metadata { index })
}
