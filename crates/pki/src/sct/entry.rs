//! What a log signs and hashes, RFC 6962 §3.1 to §3.4.

use super::{V1, put_u16_list, put_u24_list};
use crate::asn1::tag;
use crate::{Certificate, oid};

/// `SignatureType` certificate_timestamp and `MerkleLeafType` timestamped_entry: both 0.
const CERTIFICATE_TIMESTAMP: u8 = 0;
const TIMESTAMPED_ENTRY: u8 = 0;
/// `LogEntryType`.
const X509_ENTRY: [u8; 2] = [0, 0];
const PRECERT_ENTRY: [u8; 2] = [0, 1];

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
    /// A precertificate has no poison, or has SCTs as well.
    #[error("the certificate is not a precertificate")]
    NotPrecertificate,
    /// A final certificate has no SCTs, or has a poison as well.
    #[error("the certificate has no signed certificate timestamps, or is a precertificate")]
    NotFinal,
    /// The poison is not critical or not `NULL` (RFC 6962 §3.1).
    #[error("the certificate's poison extension is not critical, or not NULL")]
    Poison,
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
        if !is_precertificate(precertificate)? || precertificate.extension(oid::SCT_LIST).is_some()
        {
            return Err(EntryError::NotPrecertificate);
        }
        Ok(Self::precert(precertificate.tbs_without(oid::POISON), issuer))
    }

    /// The precertificate entry to which the SCTs inside a final certificate belong.
    ///
    /// # Errors
    ///
    /// [`EntryError`] if it has no list of SCTs, or a poison as well.
    pub fn of_final(certificate: &Certificate, issuer: &Certificate) -> Result<Self, EntryError> {
        if certificate.extension(oid::SCT_LIST).is_none() || is_precertificate(certificate)? {
            return Err(EntryError::NotFinal);
        }
        Ok(Self::precert(certificate.tbs_without(oid::SCT_LIST), issuer))
    }

    fn precert(tbs: Vec<u8>, issuer: &Certificate) -> Self {
        Self::Precert { issuer_key_hash: crypto::sha256(issuer.spki_der()), tbs }
    }

    /// The bytes that the log signs, RFC 6962 §3.2.
    #[must_use]
    pub fn signed_bytes(&self, timestamp_ms: u64, extensions: &[u8]) -> Vec<u8> {
        self.framed([V1, CERTIFICATE_TIMESTAMP], timestamp_ms, extensions)
    }

    /// The `MerkleTreeLeaf`, RFC 6962 §3.4.
    #[must_use]
    pub fn merkle_tree_leaf(&self, timestamp_ms: u64, extensions: &[u8]) -> Vec<u8> {
        self.framed([V1, TIMESTAMPED_ENTRY], timestamp_ms, extensions)
    }

    /// The `TimestampedEntry`, RFC 6962 §3.4: time, what is logged, extensions.
    #[must_use]
    pub fn timestamped(&self, timestamp_ms: u64, extensions: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64 + self.body().len() + extensions.len());
        self.put(&mut bytes, timestamp_ms, extensions);
        bytes
    }

    fn framed(&self, kind: [u8; 2], timestamp_ms: u64, extensions: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64 + self.body().len() + extensions.len());
        bytes.extend_from_slice(&kind);
        self.put(&mut bytes, timestamp_ms, extensions);
        bytes
    }

    fn put(&self, bytes: &mut Vec<u8>, timestamp_ms: u64, extensions: &[u8]) {
        bytes.extend_from_slice(&timestamp_ms.to_be_bytes());
        match self {
            Self::X509(_) => bytes.extend_from_slice(&X509_ENTRY),
            Self::Precert { issuer_key_hash, .. } => {
                bytes.extend_from_slice(&PRECERT_ENTRY);
                bytes.extend_from_slice(issuer_key_hash);
            }
        }
        put_u24_list(bytes, self.body());
        put_u16_list(bytes, extensions);
    }

    fn body(&self) -> &[u8] {
        match self {
            Self::X509(body) | Self::Precert { tbs: body, .. } => body,
        }
    }
}

pub(super) fn is_precertificate(certificate: &Certificate) -> Result<bool, EntryError> {
    match certificate.extension(oid::POISON) {
        None => Ok(false),
        Some(poison) if poison.critical && poison.value == [tag::NULL, 0] => Ok(true),
        Some(_) => Err(EntryError::Poison),
    }
}
