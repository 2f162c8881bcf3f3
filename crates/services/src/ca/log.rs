//! What the certificate authority asks of a CT log.

use std::time::Duration;

/// A CT log that takes precertificates.
///
/// The log of this process implements it directly; an external one is reached over HTTP.
#[async_trait::async_trait]
pub trait PrecertificateLog: Send + Sync {
    /// Logs a precertificate and returns the TLS-encoded `SignedCertificateTimestamp` (RFC 6962 §3.2).
    ///
    /// When it returns, the entry is durably in the tree, unless the log is an external one with a merge
    /// delay of its own. The certificate authority checks the timestamp's signature itself.
    ///
    /// # Errors
    ///
    /// See [`SubmitPrecertificateError`].
    async fn submit(
        &self,
        chain: PrecertificateChain<'_>,
    ) -> Result<Vec<u8>, SubmitPrecertificateError>;
}

/// A precertificate and the certificates above it.
#[derive(Clone, Copy, Debug)]
pub struct PrecertificateChain<'a> {
    /// The DER precertificate, with the poison extension of RFC 6962 §3.1.
    pub precertificate: &'a [u8],
    /// The DER certificates of its issuers, the issuing one first, the root last.
    pub issuers: &'a [Vec<u8>],
}

/// Why a precertificate was not logged.
#[derive(Debug, thiserror::Error)]
pub enum SubmitPrecertificateError {
    /// The log will not have it, now or later. The operator's to fix: log and authority do not fit.
    #[error("the CT log refuses the precertificate")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The log has too much to do. The client's to repeat.
    #[error("the CT log is busy")]
    Busy {
        /// When to try again, if the log said so.
        retry_after: Option<Duration>,
    },
    /// The log cannot be reached, or cannot write. The operator's to fix.
    #[error("the CT log cannot be used")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}
