//! Signed certificate timestamps, RFC 6962 §3, with the leaf index of C2SP static-ct-api.

mod entry;
mod list;
mod tls;

use crypto::{
    HashAlgorithm, KeyKind, PublicKey, Scheme, SignatureError, SigningKey, SigningKeyError,
};
use jiff::Timestamp;

use crate::Certificate;
use crate::chain::VerifiedPath;

pub use entry::{Entry, EntryError};
pub use list::{embedded, list_extension_value};
pub use tls::{TlsReader, put_u16_list, put_u24_list};

/// `Version` v1, RFC 6962 §3.2.
const V1: u8 = 0;
/// `HashAlgorithm` sha256, RFC 5246 §7.4.1.4.1: the only one that logs may use (RFC 6962 §2.1.4).
const SHA256: u8 = 4;
/// `SignatureAlgorithm` rsa and ecdsa, RFC 5246 §7.4.1.4.1.
const RSA: u8 = 1;
const ECDSA: u8 = 3;

/// The type and length of the extension `leaf_index`, C2SP static-ct-api "SCT Extension": a 40-bit number.
const LEAF_INDEX: [u8; 3] = [0, 0, 5];

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

/// Proof that the holder of a known key signed an SCT for an entry.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct VerifiedSct {
    /// The SCT.
    pub sct: Sct,
    /// What it is for.
    pub entry: Entry,
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
        let mut reader = TlsReader::new(bytes);
        if reader.u8()? != V1 {
            return Err(SctFormatError);
        }
        let log_id = reader.array()?;
        let timestamp_ms = u64::from_be_bytes(reader.array()?);
        let extensions = reader.u16_list()?.to_vec();
        let digitally_signed = reader.rest().to_vec();
        let sct = Self { log_id, timestamp_ms, extensions, digitally_signed };
        take_apart(&sct.digitally_signed)?;
        Ok(sct)
    }

    /// The TLS encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![V1];
        bytes.extend_from_slice(&self.log_id);
        bytes.extend_from_slice(&self.timestamp_ms.to_be_bytes());
        put_u16_list(&mut bytes, &self.extensions);
        bytes.extend_from_slice(&self.digitally_signed);
        bytes
    }

    /// Makes an SCT: signs `entry` at `timestamp_ms` with the log's key.
    ///
    /// # Errors
    ///
    /// [`SigningKeyError::Scheme`] for a key that RFC 6962 §2.1.4 does not allow: ECDSA P-256 and RSA.
    pub fn sign(
        key: &SigningKey,
        entry: &Entry,
        timestamp_ms: u64,
        extensions: Vec<u8>,
    ) -> Result<Self, SigningKeyError> {
        let signed_bytes = entry.signed_bytes(timestamp_ms, &extensions);
        let digitally_signed = digitally_sign(key, &signed_bytes)?;
        Ok(Self { log_id: key.public_key().id(), timestamp_ms, extensions, digitally_signed })
    }

    /// Checks that the holder of `key` signed this for `entry`.
    ///
    /// # Errors
    ///
    /// [`SignatureError`].
    pub fn verify(&self, entry: &Entry, key: &PublicKey) -> Result<VerifiedSct, SignatureError> {
        let time = self.time().ok_or(SignatureError)?;
        if self.log_id != key.id() {
            return Err(SignatureError);
        }
        let signed_bytes = entry.signed_bytes(self.timestamp_ms, &self.extensions);
        verify_digitally_signed(key, &signed_bytes, &self.digitally_signed)?;
        Ok(VerifiedSct { sct: self.clone(), entry: entry.clone(), time })
    }

    /// When the log signed; `None` beyond the year 9999.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        i64::try_from(self.timestamp_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok())
    }

    /// The position that the log promises, if the SCT has the extension `leaf_index` and no other.
    #[must_use]
    pub fn leaf_index(&self) -> Option<u64> {
        let index: &[u8; 5] = self.extensions.strip_prefix(&LEAF_INDEX)?.try_into().ok()?;
        Some(index.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// The JSON answer of `add-chain` and `add-pre-chain`, RFC 6962 §4.1:
    /// `{"sct_version":0,"id":…,"timestamp":…,"extensions":…,"signature":…}`.
    #[must_use]
    pub fn to_add_chain_json(&self) -> String {
        use base64::Engine;
        let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
        format!(
            r#"{{"sct_version":0,"id":"{}","timestamp":{},"extensions":"{}","signature":"{}"}}"#,
            base64(&self.log_id),
            self.timestamp_ms,
            base64(&self.extensions),
            base64(&self.digitally_signed)
        )
    }
}

/// Signs `message` as a log signs, and returns the `DigitallySigned` of RFC 5246 §4.7.
///
/// # Errors
///
/// [`SigningKeyError::Scheme`] for a key that RFC 6962 §2.1.4 does not allow.
pub fn digitally_sign(key: &SigningKey, message: &[u8]) -> Result<Vec<u8>, SigningKeyError> {
    let (algorithm, scheme) = match key.kind() {
        KeyKind::EcdsaP256 => (ECDSA, Scheme::Ecdsa(HashAlgorithm::Sha256)),
        KeyKind::Rsa { .. } => (RSA, Scheme::RsaPkcs1(HashAlgorithm::Sha256)),
        _ => return Err(SigningKeyError::Scheme),
    };
    let signature = key.sign_with(scheme, message)?;
    let mut bytes = vec![SHA256, algorithm];
    put_u16_list(&mut bytes, &signature);
    Ok(bytes)
}

/// Checks the `DigitallySigned` that the holder of a log's `key` made over `message`.
///
/// # Errors
///
/// [`SignatureError`], also for algorithms that RFC 6962 §2.1.4 does not allow.
pub fn verify_digitally_signed(
    key: &PublicKey,
    message: &[u8],
    digitally_signed: &[u8],
) -> Result<(), SignatureError> {
    let (scheme, signature) = take_apart(digitally_signed).map_err(|_| SignatureError)?;
    key.verify_recurring(scheme, message, signature)
}

/// Reads a `DigitallySigned`, with nothing after it.
fn take_apart(digitally_signed: &[u8]) -> Result<(Scheme, &[u8]), SctFormatError> {
    let mut reader = TlsReader::new(digitally_signed);
    let scheme = match (reader.u8()?, reader.u8()?) {
        (SHA256, ECDSA) => Scheme::Ecdsa(HashAlgorithm::Sha256),
        (SHA256, RSA) => Scheme::RsaPkcs1(HashAlgorithm::Sha256),
        _ => return Err(SctFormatError),
    };
    let signature = reader.u16_list()?;
    reader.finish()?;
    Ok((scheme, signature))
}

/// The `CtExtensions` that promise a position, C2SP static-ct-api "SCT Extension".
///
/// Positions have 40 bits; a log ends long before.
#[must_use]
pub fn leaf_index_extension(index: u64) -> Vec<u8> {
    let mut extension = LEAF_INDEX.to_vec();
    extension.extend_from_slice(&index.to_be_bytes()[3..]);
    extension
}

/// A log whose promises count.
#[derive(Clone, Copy, Debug)]
pub struct TrustedLog<'a> {
    /// Its key; SHA-256 of the `SubjectPublicKeyInfo` is its id.
    pub key: &'a PublicKey,
    /// From when its key is valid, inclusive.
    pub start: Option<Timestamp>,
    /// Until when, inclusive.
    pub end: Option<Timestamp>,
}

/// Why the SCTs of a certificate do not count.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SctError {
    /// The certificate has no SCT.
    #[error("the certificate has no signed certificate timestamp")]
    Missing,
    /// The list is malformed, or the certificate is one that no log signs.
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
    let scts = embedded(&path.leaf).map_err(SctError::Format)?;
    if scts.is_empty() {
        return Err(SctError::Missing);
    }
    let entry =
        Entry::of_final(&path.leaf, path.issuer()).map_err(|_| SctError::Format(SctFormatError))?;
    let mut verified: Vec<VerifiedSct> = Vec::new();
    for sct in &scts {
        let mut known = logs.iter().filter(|log| log.key.id() == sct.log_id).peekable();
        if known.peek().is_none() {
            continue;
        }
        let checked = check(sct, &entry, known)?;
        if verified.iter().all(|other| other.sct.log_id != sct.log_id) {
            verified.push(checked);
        }
    }
    if verified.is_empty() { Err(SctError::UnknownLog) } else { Ok(verified) }
}

/// Checks an SCT against the periods of the one log that made it: a trusted root may list several.
fn check<'a>(
    sct: &Sct,
    entry: &Entry,
    mut periods: impl Iterator<Item = &'a TrustedLog<'a>>,
) -> Result<VerifiedSct, SctError> {
    let log_id = sct.log_id;
    let first = periods.next().ok_or(SctError::UnknownLog)?;
    let verified =
        sct.verify(entry, first.key).map_err(|SignatureError| SctError::Signature { log_id })?;
    let is_within = |log: &TrustedLog<'_>| {
        log.start.is_none_or(|start| start <= verified.time)
            && log.end.is_none_or(|end| verified.time <= end)
    };
    if is_within(first) || periods.any(is_within) {
        Ok(verified)
    } else {
        Err(SctError::Validity { log_id, time: verified.time })
    }
}

/// Whether a certificate is a precertificate: has the poison of RFC 6962 §3.1, critical and `NULL`.
///
/// # Errors
///
/// [`EntryError::Poison`] if it has one that is not critical, or not `NULL`.
pub fn is_precertificate(certificate: &Certificate) -> Result<bool, EntryError> {
    entry::is_precertificate(certificate)
}

#[cfg(test)]
mod tests;
