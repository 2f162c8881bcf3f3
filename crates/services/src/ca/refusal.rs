//! Why no certificate was issued.

use jiff::Timestamp;

use super::issuer::{ContentsError, IdentityError};
use super::key_cache::KeysError;
use super::log::SubmitPrecertificateError;
use super::proof::ProofError;
use super::token::TokenError;
use crate::clock::ClockError;

/// Why no certificate was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The operator's to fix.
    #[error("the time is not known")]
    Clock(#[source] ClockError),
    /// The client's to fix.
    #[error("the token is not taken")]
    Token(#[source] TokenError),
    /// The client's to fix, or the operator's: no entry of the configuration is for this issuer.
    #[error("no issuer {issuer:?} is configured")]
    UnknownIssuer {
        /// The issuer that the token names.
        issuer: String,
    },
    /// The issuer's to fix, or the operator's; the client's to repeat.
    #[error("the token cannot be checked")]
    Keys(#[source] KeysError),
    /// The client's to fix, or its issuer's.
    #[error("the token does not say who its holder is")]
    Identity(#[source] IdentityError),
    /// The client's to fix.
    #[error("the possession of the key is not proved")]
    Proof(#[source] ProofError),
    /// The client's to fix, or its issuer's.
    #[error("no certificate can name the holder of the token")]
    Contents(#[source] ContentsError),
    /// The operator's to fix.
    #[error("the certificate cannot be signed")]
    Signing(#[source] pki::issue::IssueError),
    /// The operator's to fix, or the client's to repeat.
    #[error("the certificate cannot be logged")]
    Log(#[source] SubmitPrecertificateError),
    /// The operator's to fix: the log is not the one that was configured, or is broken.
    #[error("the CT log's answer is not a timestamp for this certificate")]
    Sct(#[source] SctRefusal),
}

/// Why the answer of a CT log is not taken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SctRefusal {
    /// It is not a signed certificate timestamp.
    #[error("it is not a signed certificate timestamp")]
    Malformed(#[source] pki::sct::SctFormatError),
    /// It is by a log with another key.
    #[error("it is by the log {}, not by the configured one", hex::encode(.found))]
    OtherLog {
        /// The log that it names.
        found: [u8; 32],
    },
    /// Its signature is not by the log's key, or over another certificate.
    #[error("its signature does not verify")]
    Signature(#[source] crypto::SignatureError),
    /// It is of a time that clients would not accept.
    #[error("it is of {time}, and now it is {now}")]
    Time {
        /// When the log says that it signed.
        time: Timestamp,
        /// The time here.
        now: Timestamp,
    },
}
