//! Trusted roots: whose keys a client trusts, and for which times.
//!
//! `TrustedRoot` of `sigstore_trustroot.proto`, versions 0.1 and 0.2, in its JSON form. Members that are
//! not known are tolerated, and so are keys of algorithms that are not: they are left out, and named in
//! [`TrustedRoot::skipped`].

mod read;
mod write;

use crypto::{HashAlgorithm, KeyDetails};
use jiff::Timestamp;

pub use read::{TrustedRootError, read_time_range};
pub use write::write_time_range;

/// The keys and certificates that a client trusts.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TrustedRoot {
    /// The version of the format.
    pub version: TrustedRootVersion,
    /// Transparency logs of signatures.
    pub tlogs: Vec<LogInstance>,
    /// Authorities that certify signers.
    pub certificate_authorities: Vec<Authority>,
    /// Transparency logs of certificates.
    pub ctlogs: Vec<LogInstance>,
    /// Authorities that say when.
    pub timestamp_authorities: Vec<Authority>,
    /// The logs that were left out when reading, because their key is of a kind that is not known.
    pub skipped: Vec<SkippedLog>,
}

/// The version of a trusted root.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum TrustedRootVersion {
    /// `application/vnd.dev.sigstore.trustedroot+json;version=0.1`, the one that all clients read.
    #[default]
    V0_1,
    /// `application/vnd.dev.sigstore.trustedroot.v0.2+json`.
    V0_2,
}

impl TrustedRootVersion {
    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::V0_1 => "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            Self::V0_2 => "application/vnd.dev.sigstore.trustedroot.v0.2+json",
        }
    }
}

/// A log with one key, and the times at which the key counts: `TransparencyLogInstance`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogInstance {
    /// Where the log is.
    pub base_url: String,
    /// The hash function of the log's tree.
    pub hash_algorithm: HashAlgorithm,
    /// The key, a DER `SubjectPublicKeyInfo`.
    pub public_key: Vec<u8>,
    /// What kind of key it is.
    pub key_details: KeyDetails,
    /// The times at which the key counts.
    pub valid_for: TimeRange,
    /// The log's id: the SHA-256 of the key, or in Rekor v2 the untruncated key id of its checkpoints.
    pub log_id: Vec<u8>,
    /// The key id of its checkpoints, where the trusted root has it apart (version 0.2); else empty.
    pub checkpoint_key_id: Vec<u8>,
    /// Who runs it; empty if that is not said.
    pub operator: String,
}

/// A certificate or timestamp authority: `CertificateAuthority`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Authority {
    /// The organisation of its subject.
    pub organization: String,
    /// The common name of its subject.
    pub common_name: String,
    /// Where it is.
    pub uri: String,
    /// Its certificates, DER: what certifies signers (or, for a timestamp authority, signs) first, the
    /// root last. Never empty.
    pub chain: Vec<Vec<u8>>,
    /// The times at which it counts.
    pub valid_for: TimeRange,
    /// Who runs it; empty if that is not said.
    pub operator: String,
}

/// A range of times, both ends included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TimeRange {
    /// The first time in it.
    pub start: Timestamp,
    /// The last time in it; without it, the range is open.
    pub end: Option<Timestamp>,
}

impl TimeRange {
    /// The range from `start` on, without an end.
    #[must_use]
    pub const fn since(start: Timestamp) -> Self {
        Self { start, end: None }
    }

    /// Whether `time` is in the range.
    #[must_use]
    pub fn contains(&self, time: Timestamp) -> bool {
        self.start <= time && self.end.is_none_or(|end| time <= end)
    }
}

impl std::fmt::Display for TimeRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.end {
            Some(end) => write!(f, "{} to {end}", self.start),
            None => write!(f, "{} on", self.start),
        }
    }
}

/// A log that was left out of a trusted root.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SkippedLog {
    /// Where the log is.
    pub base_url: String,
    /// What is not known about it, such as `PKCS1_RSA_PKCS1V5`.
    pub unknown: String,
}
