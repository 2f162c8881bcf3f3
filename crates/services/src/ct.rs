//! The CT log: every certificate of our authorities, recorded before it leaves.
//!
//! Submissions are judged on the task of the request (`submission`), then ordered, signed and made durable by
//! the engine; an SCT is given only when its leaf is under a published checkpoint. Reads are those of RFC 6962
//! and of C2SP static-ct-api, from the one tree.

mod dialect;
mod issuers;
mod leaf;
mod read;
mod submission;
mod tree_head;

#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::sync::Arc;

use crypto::{PublicKey, SigningKey};
use pki::Certificate;
use pki::sct::Sct;
use tlog::{CreateError, Log, LogOptions, Reader};

use crate::ca::{PrecertificateChain, PrecertificateLog, SubmitPrecertificateError};
use crate::clock::{Clock, ClockError, engine_clock};

pub use dialect::CtDialect;
pub use issuers::IssuerError;
pub use leaf::{LogLeaf, TileLeaf};
pub use read::ReadError;
pub use submission::{Endpoint, SubmissionError};
pub use tree_head::{CheckpointError, SignedTreeHead, verify_checkpoint};

use dialect::Submission;
use issuers::Issuers;

/// Where issuers' certificates are kept, beside the log.
const ISSUERS: &str = "issuers";

/// A CT log.
pub struct CtLog {
    log: Log<CtDialect>,
    roots: Vec<Certificate>,
    issuers: Issuers,
    clock: Clock,
}

/// What a CT log is made of.
pub struct Parts {
    /// Where it lives. `origin` is the submission prefix without scheme and final slash (C2SP static-ct-api,
    /// "Checkpoints").
    pub options: LogOptions,
    /// Its key: ECDSA P-256, which every client takes.
    pub key: Arc<SigningKey>,
    /// The roots to which certificates must lead.
    pub roots: Vec<Certificate>,
    /// The time.
    pub clock: Clock,
}

/// Why a log was not opened. The operator's to fix.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// What the engine says.
    #[error(transparent)]
    Log(#[from] tlog::OpenError),
    /// The issuers' certificates cannot be read.
    #[error("the issuers' certificates of the CT log cannot be read")]
    Issuers(#[source] io::Error),
}

/// Why a chain was not logged.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// The submitter's to fix.
    #[error(transparent)]
    Refused(#[from] SubmissionError),
    /// The operator's to fix: no time can be given.
    #[error("the log has no time that can be trusted")]
    Clock(#[from] ClockError),
    /// What the engine says: see there who should act.
    #[error(transparent)]
    Log(#[from] tlog::SubmitError),
    /// The operator's to fix: an issuer's certificate was not stored. Nothing was logged.
    #[error("an issuer's certificate cannot be stored")]
    Issuer(#[source] IssuerError),
    /// The operator's to fix: the entry is logged, and its timestamp cannot be read back.
    #[error("the logged entry {index} cannot be read back")]
    Answer {
        /// Its index.
        index: u64,
    },
}

impl CtLog {
    /// Makes an empty log.
    ///
    /// # Errors
    ///
    /// See [`CreateError`]; [`CreateError::Sign`] for a key that is not ECDSA P-256 or RSA.
    pub fn create(options: &LogOptions, key: Arc<SigningKey>) -> Result<(), CreateError> {
        Log::create(options, &CtDialect::new(&options.origin, key))
    }

    /// Opens a log. The engine's clock is set to that of `parts`.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub fn open(parts: Parts) -> Result<Self, OpenError> {
        let Parts { options, key, roots, clock } = parts;
        let issuers =
            Issuers::open(&issuers_directory(&options.directory)).map_err(OpenError::Issuers)?;
        let dialect = CtDialect::new(&options.origin, key);
        let options = LogOptions { clock: engine_clock(clock.clone()), ..options };
        Ok(Self { log: Log::open(&options, dialect)?, roots, issuers, clock })
    }

    /// Logs a chain (DER, the certificate first) and returns the log's promise, which is kept already: the leaf
    /// is durable, and under a checkpoint that anyone can read.
    ///
    /// A repeat, also with other issuers, gets the same SCT byte for byte.
    ///
    /// # Errors
    ///
    /// See [`AddError`].
    pub async fn add(&self, endpoint: Endpoint, chain: &[Vec<u8>]) -> Result<Sct, AddError> {
        let (leaf, issuers) = submission::split(chain)?;
        let leaf = submission::read_leaf(endpoint, leaf)?;
        let issuers = match self.issuers.chain(issuers) {
            Some(known) => known,
            None => {
                let chain = submission::read_issuers(&leaf, issuers, &self.roots)?;
                self.issuers.learn(issuers, chain).map_err(AddError::Issuer)?
            }
        };
        let entry = submission::judge(endpoint, &leaf, &issuers)?;
        self.clock.now()?;
        let submission = Submission::new(entry, endpoint, &leaf, &issuers);
        let receipt = self.log.submit(submission).await?;
        let index = receipt.logged.index.get();
        let logged = LogLeaf::read(&receipt.logged).ok_or(AddError::Answer { index })?;
        Ok(logged.sct(self.log.dialect().log_id()))
    }

    /// The roots to which certificates must lead.
    #[must_use]
    pub fn roots(&self) -> &[Certificate] {
        &self.roots
    }

    /// The log's key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        self.log.dialect().public_key()
    }

    /// The log's permanent name.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.log.dialect().origin()
    }

    /// Reads the log: checkpoint, hash tiles, state.
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
    pub const fn log(&self) -> &Log<CtDialect> {
        &self.log
    }
}

/// The directory of the log holds the log and nothing else, so issuers are beside it: `ct` and `ct.issuers`.
fn issuers_directory(log: &Path) -> std::path::PathBuf {
    let mut name = log.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ISSUERS);
    log.with_file_name(name)
}

#[async_trait::async_trait]
impl PrecertificateLog for CtLog {
    async fn submit(
        &self,
        chain: PrecertificateChain<'_>,
    ) -> Result<Vec<u8>, SubmitPrecertificateError> {
        let precertificate = std::iter::once(chain.precertificate.to_vec());
        let chain: Vec<Vec<u8>> = precertificate.chain(chain.issuers.iter().cloned()).collect();
        match self.add(Endpoint::AddPreChain, &chain).await {
            Ok(sct) => Ok(sct.encode()),
            Err(error @ AddError::Refused(_)) => {
                Err(SubmitPrecertificateError::Refused(Box::new(error)))
            }
            Err(AddError::Log(tlog::SubmitError::Busy)) => {
                Err(SubmitPrecertificateError::Busy { retry_after: None })
            }
            Err(error) => Err(SubmitPrecertificateError::Unavailable(Box::new(error))),
        }
    }
}
