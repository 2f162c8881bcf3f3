//! Asking a transparency log to record a signature: what both versions of the API have in common.
//!
//! What a log answers is turned into the entry that a bundle carries. Whether it is true (the inclusion proof, the
//! checkpoint, the promise, that the body is of our signature) is checked with the finished bundle.

use std::time::Duration;

use net::{Client, RequestError, Retry};
use pki::Certificate;
use wire::bundle::{Content, TransparencyLogEntry};
use wire::json::JsonError;

use crypto::{Digest, KeyDetails, PublicKey};

use crate::answer::Refusal;
use crate::select::Log;

mod v1;
mod v2;

/// Reads the answer of Rekor v1, for the fuzzer.
#[cfg(feature = "fuzzing")]
pub fn fuzz_answer_v1(body: &[u8]) {
    let _ = v1::read(body);
}

/// The longest answer of a log, as in the reference client.
const MAX_ANSWER: usize = 10 << 20;
/// How long one attempt may take. A log answers when the entry is in its tree, and the existing server publishes every
/// ten seconds by default: client specification, at least 20 s.
const TIMEOUT: Duration = Duration::from_secs(30);
/// A log that got the entry once answers the same when it gets it again.
const RETRY: Retry = Retry::SOME;

/// Why there is no entry.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// There was no answer. Try again, or tell the operator.
    #[error("the transparency log cannot be asked")]
    Request(#[from] RequestError),
    /// It said no.
    #[error("the transparency log does not take the entry")]
    Refused(#[source] Refusal),
    /// What it sent is no entry. The operator's to fix.
    #[error("the answer of {place} is not a log entry")]
    Malformed {
        /// Where.
        place: String,
        /// What is wrong with it.
        #[source]
        source: AnswerError,
    },
    /// It has the very same signature already (of a key whose signatures do not vary), and does not give the entry
    /// out again. The bundle that was made then is as good.
    #[error("{place} has this very signature already and does not give its entry out again")]
    Exists {
        /// Where it was asked.
        place: String,
        /// The index of the entry, if the log says it.
        index: Option<u64>,
    },
}

/// What is wrong with an answer.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// It is not the JSON that was expected.
    #[error("it is not JSON of the right form: {0}")]
    Json(String),
    /// A Rekor v1 answer has exactly one entry.
    #[error("it holds {0} entries, not one")]
    Count(usize),
    /// A member does not have the form it must have.
    #[error("its {0} cannot be read")]
    Member(&'static str),
}

impl From<JsonError> for AnswerError {
    fn from(error: JsonError) -> Self {
        Self::Json(error.to_string())
    }
}

/// What a signature is checked with.
#[derive(Clone, Debug)]
pub enum Verifier {
    /// The signer's certificate.
    Certificate(Certificate),
    /// A key that verifiers have from elsewhere.
    Key(PublicKey),
}

impl Verifier {
    /// The key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        match self {
            Self::Certificate(certificate) => certificate.public_key(),
            Self::Key(key) => key,
        }
    }

    fn to_pem(&self) -> String {
        match self {
            Self::Certificate(certificate) => certificate.to_pem(),
            Self::Key(key) => key.to_pem(),
        }
    }
}

/// What is to be recorded.
#[derive(Clone, Copy, Debug)]
pub struct Submission<'a> {
    /// The signature and, for an attestation, the whole envelope.
    pub content: &'a Content,
    /// The digest that was signed: of the artifact, or of the envelope's PAE.
    pub digest: &'a Digest,
    /// How it was signed.
    pub details: KeyDetails,
    /// What it is checked with.
    pub verifier: &'a Verifier,
}

/// Has a signature recorded, and returns the log's entry. An entry that the log has already is as good.
///
/// # Errors
///
/// See [`LogError`].
pub async fn record(
    http: &Client,
    log: &Log,
    submission: Submission<'_>,
) -> Result<TransparencyLogEntry, LogError> {
    match log {
        Log::V1(base) => v1::record(http, base, submission).await,
        Log::V2(base) => v2::record(http, base, submission).await,
    }
}
