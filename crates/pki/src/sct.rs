//! Signed certificate timestamps, RFC 6962 §3, with the leaf index of C2SP static-ct-api.

use crypto::{PublicKey, SignatureError, SigningKey, SigningKeyError};
use jiff::Timestamp;

use crate::Certificate;
use crate::chain::VerifiedPath;

/// A promise of a log that a certificate is, or will be, in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sct {
    /// SHA-256 of the log's `SubjectPublicKeyInfo`.
    pub log_id: [u8; 32],
    /// Milliseconds since 1970.
    pub timestamp_ms: u64,
    /// `CtExtensions`, without their length.
    pub extensions: Vec<u8>,
    /// `DigitallySigned`: hash and signature algorithm, length, signature.
    pub digitally_signed: Vec<u8>,
}

/// Bytes are not an SCT, or not a list of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the signed certificate timestamp is malformed")]
pub struct SctFormatError;

/// What a log signs and keeps besides the time: a certificate, or a precertificate without its poison.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Entry {
    /// `x509_entry`: the DER certificate.
    X509(Vec<u8>),
    /// `precert_entry`.
    Precert {
        /// SHA-256 of the issuer's `SubjectPublicKeyInfo`.
        issuer_key_hash: [u8; 32],
        /// `TBSCertificate` without the poison and without the list of SCTs.
        tbs: Vec<u8>,
    },
}

/// Why a certificate has no entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EntryError {
    /// A certificate has neither poison nor SCTs, or has both.
    #[error("the certificate has not exactly one of a poison and a list of timestamps")]
    NeitherPrecertNorFinal,
}

/// Why the SCTs of a certificate do not count.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SctError {
    /// The certificate has no SCT.
    #[error("the certificate has no signed certificate timestamp")]
    Missing,
    /// The list is malformed.
    #[error("the certificate's signed certificate timestamps cannot be read")]
    Format(#[source] SctFormatError),
    /// No SCT is of a known log.
    #[error("none of the certificate's timestamps is by a known log")]
    UnknownLog,
    /// An SCT of a known log does not verify.
    #[error("the timestamp by the log {} does not verify", hex::encode(.log_id))]
    Signature {
        /// Which log.
        log_id: [u8; 32],
    },
    /// An SCT of a known log is from a time at which the log's key was not in use.
    #[error("the timestamp by the log {} is from outside its key's validity", hex::encode(.log_id))]
    Validity {
        /// Which log.
        log_id: [u8; 32],
        /// When the log says it signed.
        time: Timestamp,
    },
}

/// A log whose promises count.
#[derive(Clone, Debug)]
pub struct TrustedLog<'a> {
    /// Its key; SHA-256 of the `SubjectPublicKeyInfo` is its id.
    pub key: &'a PublicKey,
    /// From when its key is valid, inclusive.
    pub start: Option<Timestamp>,
    /// Until when, inclusive.
    pub end: Option<Timestamp>,
}

/// Proof that a known log signed an SCT for a certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct VerifiedSct {
    /// The SCT.
    pub sct: Sct,
    /// When the log signed it.
    pub time: Timestamp,
}

impl Sct {
    /// Reads the TLS encoding, with nothing after it.
    ///
    /// # Errors
    ///
    /// [`SctFormatError`], also for another version than v1.
    pub fn decode(bytes: &[u8]) -> Result<Self, SctFormatError> {
        todo!("{bytes:?}")
    }

    /// The TLS encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }

    /// Makes an SCT: signs `entry` at `timestamp_ms` with the log's key.
    ///
    /// # Errors
    ///
    /// If the key cannot sign.
    pub fn sign(
        key: &SigningKey,
        entry: &Entry,
        timestamp_ms: u64,
        extensions: Vec<u8>,
    ) -> Result<Self, SigningKeyError> {
        todo!("{entry:?}{timestamp_ms}{extensions:?}{:?}", key.public_key())
    }

    /// Checks that the holder of `key` signed this for `entry`.
    ///
    /// # Errors
    ///
    /// [`SignatureError`].
    pub fn verify(&self, entry: &Entry, key: &PublicKey) -> Result<VerifiedSct, SignatureError> {
        todo!("{entry:?}{key:?}")
    }

    /// The position that the log promises, if the SCT has the extension `leaf_index`.
    #[must_use]
    pub fn leaf_index(&self) -> Option<u64> {
        todo!()
    }

    /// The JSON answer of `add-chain` and `add-pre-chain`, RFC 6962 §4.1:
    /// `{"sct_version":0,"id":…,"timestamp":…,"extensions":…,"signature":…}`.
    #[must_use]
    pub fn to_add_chain_json(&self) -> String {
        todo!()
    }
}

impl Entry {
    /// The entry of a precertificate (which has the poison) issued with the key of `issuer`.
    ///
    /// # Errors
    ///
    /// [`EntryError`] if it has no poison, or has SCTs as well.
    pub fn of_precertificate(
        precertificate: &Certificate,
        issuer: &Certificate,
    ) -> Result<Self, EntryError> {
        todo!("{precertificate:?}{issuer:?}")
    }

    /// The precertificate entry to which the SCTs inside a final certificate belong.
    ///
    /// # Errors
    ///
    /// [`EntryError`] if it has no list of SCTs, or a poison as well.
    pub fn of_final(certificate: &Certificate, issuer: &Certificate) -> Result<Self, EntryError> {
        todo!("{certificate:?}{issuer:?}")
    }

    /// The bytes that the log signs, RFC 6962 §3.2.
    #[must_use]
    pub fn signed_bytes(&self, timestamp_ms: u64, extensions: &[u8]) -> Vec<u8> {
        todo!("{timestamp_ms}{extensions:?}")
    }

    /// The `MerkleTreeLeaf`, RFC 6962 §3.4.
    #[must_use]
    pub fn merkle_tree_leaf(&self, timestamp_ms: u64, extensions: &[u8]) -> Vec<u8> {
        todo!("{timestamp_ms}{extensions:?}")
    }
}

/// The `CtExtensions` that promise a position, C2SP static-ct-api "SCT Extension".
#[must_use]
pub fn leaf_index_extension(index: u64) -> Vec<u8> {
    todo!("{index}")
}

/// The SCTs inside a certificate; none without the extension.
///
/// # Errors
///
/// [`SctFormatError`].
pub fn embedded(certificate: &Certificate) -> Result<Vec<Sct>, SctFormatError> {
    todo!("{certificate:?}")
}

/// The contents of the SCT list extension (`extnValue` without its own `OCTET STRING` header).
#[must_use]
pub fn list_extension_value(scts: &[Sct]) -> Vec<u8> {
    todo!("{scts:?}")
}

/// Checks the SCTs inside the leaf of `path`, against the key of the issuer that was verified.
///
/// SCTs of unknown logs are passed over; one of a known log must verify and be of the time of its key.
/// The result has one SCT for each distinct log and is never empty.
///
/// # Errors
///
/// See [`SctError`].
pub fn verify_embedded(
    path: &VerifiedPath,
    logs: &[TrustedLog<'_>],
) -> Result<Vec<VerifiedSct>, SctError> {
    todo!("{path:?}{logs:?}")
}
