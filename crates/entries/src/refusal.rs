//! Why an entry is not admitted. All of it is the proposer's to fix.

use crypto::{HashAlgorithm, KeyKind};

use crate::json::JsonError;

/// Why a proposal is not admitted.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// It is not JSON.
    #[error("the entry is not JSON")]
    Json(#[source] JsonError),
    /// It is JSON, but no object, or `kind` or `apiVersion` is no string.
    #[error("{0} is not of the type that it must have")]
    WrongType(&'static str),
    /// There is no entry, or it lacks a member.
    #[error("{0} in body is required")]
    Required(&'static str),
    /// `apiVersion` is no version (Semantic Versioning 2.0.0).
    #[error("apiVersion in body should be a semantic version")]
    NotAVersion,
    /// No kind has this name.
    #[error("invalid kind value: {kind:?}")]
    UnknownKind {
        /// The name.
        kind: String,
    },
    /// There is such a kind, but it cannot be added to this log.
    #[error("entry kind '{kind}' is not enabled for submission on this server")]
    NotEnabled {
        /// The name.
        kind: String,
    },
    /// The kind has no such version.
    #[error("{kind} implementation for version '{version}' not found")]
    UnknownVersion {
        /// The kind.
        kind: String,
        /// The version.
        version: String,
    },
    /// A request of the API v2 proposes nothing, or another kind than `hashedrekord`.
    #[error("invalid type, must be hashedrekord")]
    NotHashedRekord,
    /// The kind does not admit it.
    #[error(transparent)]
    Entry(#[from] EntryError),
}

/// Why a kind does not admit an entry.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// A member is missing, empty, or of a wrong type.
    #[error("{0} is required")]
    Missing(&'static str),
    /// The spec is no object.
    #[error("the spec is not an object")]
    NotAnObject,
    /// A member that must be base64 is not.
    #[error("{0} is not base64")]
    NotBase64(&'static str),
    /// The digest's algorithm is not one that the kind takes.
    #[error("the hash algorithm {0:?} is not one that this kind takes")]
    HashAlgorithm(String),
    /// The digest is not as long as its algorithm makes it, or not hex.
    #[error("the digest is not {expected} bytes in hex")]
    Digest {
        /// The length in bytes.
        expected: usize,
    },
    /// The key, certificate or chain cannot be used.
    #[error("the public key cannot be used")]
    Key(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The signature is not one of the key over what it should sign.
    #[error("the signature does not verify with the public key")]
    Signature,
    /// The signature verifies, but the pair of key and digest is not one that logs take.
    #[error("entry algorithms are not allowed: {key} with {}", hash.name())]
    Algorithm {
        /// The key.
        key: KeyKind,
        /// The digest.
        hash: HashAlgorithm,
    },
    /// The key details are missing or not of an algorithm that logs take.
    #[error("the key details are not of an algorithm that this log takes")]
    KeyDetails,
    /// The text that should be a DSSE envelope is not JSON.
    #[error("the envelope is not JSON")]
    EnvelopeJson(#[source] JsonError),
    /// The envelope is JSON, but one of its members is missing, repeated or of a wrong type.
    #[error("the envelope's {0} is missing, repeated or of a wrong type")]
    Envelope(&'static str),
    /// There are more signatures or keys than are looked at.
    #[error("there are more than {limit} {of}")]
    TooMany {
        /// Signatures or keys.
        of: &'static str,
        /// How many are looked at.
        limit: usize,
    },
    /// A key verifies none of the envelope's signatures.
    #[error("could not verify envelope: key {index} verifies no signature")]
    UnusedKey {
        /// Which key, counted from zero.
        index: usize,
    },
    /// A signature is verified by no key.
    #[error("all signatures must have a key that verifies it")]
    UnverifiedSignature,
    /// What only the log may say stands beside what is proposed, or only a part of what the log has is given.
    #[error("either proposedContent or envelopeHash, payloadHash, and signatures must be present")]
    Mixed,
    /// It is what a log has, not what can be added to one.
    #[error("entry not insertable into log: missing {0}")]
    NotInsertable(&'static str),
}
