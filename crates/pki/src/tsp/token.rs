//! Reading tokens, RFC 3161 §2.4.2. What is read here is not believed yet.

use crypto::{Digest, HashAlgorithm};
use jiff::Timestamp;

use super::request::extensions;
use super::{Integer, Policy, TST_INFO};
use crate::asn1::{DerError, Reader, read_time_with_fraction, tag};
use crate::cms::{SignedData, SignerInfo};
use crate::signature::{Algorithm, hash_of};

/// The longest answer that is read; one with a chain of large certificates has a tenth of it.
pub const MAX_RESPONSE: usize = 1 << 17;

/// A timestamp that was read and not yet believed.
#[derive(Clone, Debug)]
pub struct Token {
    pub(super) info: TstInfo,
    pub(super) data: SignedData,
    pub(super) signer: SignerInfo,
}

/// `TSTInfo`.
#[derive(Clone, Debug)]
pub(super) struct TstInfo {
    pub(super) policy: Policy,
    pub(super) imprint: Digest,
    serial: Integer,
    pub(super) time: Timestamp,
    accuracy_seconds: Option<u64>,
    has_ordering: bool,
    pub(super) nonce: Option<Integer>,
    extensions: Vec<u8>,
    pub(super) has_critical_extension: bool,
}

/// Why bytes are not a timestamp.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TokenFormatError {
    /// Longer than any that is read.
    #[error("the timestamp is longer than {MAX_RESPONSE} bytes")]
    TooLong,
    /// Not DER, or not a response or token, or something after it.
    #[error("the timestamp is not well-formed ({part})")]
    Malformed {
        /// The part at which reading ended.
        part: &'static str,
    },
    /// The response does not grant.
    #[error("the timestamp authority did not grant the request (status {status})")]
    NotGranted {
        /// The `PKIStatus`.
        status: u64,
    },
    /// What is signed is not a `TSTInfo`.
    #[error("what is signed is not a timestamp")]
    ContentType,
    /// Not exactly one signer.
    #[error("the timestamp has {found} signatures, not one")]
    Signers {
        /// How many it has.
        found: usize,
    },
    /// The imprint's algorithm is not SHA-256, SHA-384 or SHA-512, or its length is not that of one.
    #[error("the timestamp's hash algorithm is not accepted")]
    Hash,
}

impl Token {
    /// Reads a `TimeStampResp` that grants, or a bare `TimeStampToken`.
    ///
    /// # Errors
    ///
    /// See [`TokenFormatError`].
    pub fn from_der(der: &[u8]) -> Result<Self, TokenFormatError> {
        if der.len() > MAX_RESPONSE {
            return Err(TokenFormatError::TooLong);
        }
        let malformed = |part| move |DerError| TokenFormatError::Malformed { part };
        let token = content_info(der)?;
        let data = SignedData::read(token).map_err(malformed("SignedData"))?;
        if data.content_type != TST_INFO {
            return Err(TokenFormatError::ContentType);
        }
        let [signer] = data.signers.as_slice() else {
            return Err(TokenFormatError::Signers { found: data.signers.len() });
        };
        let signer = signer.clone();
        let content = data.content.as_deref().ok_or(malformed("SignedData")(DerError))?;
        let info = TstInfo::read(content)?;
        Ok(Self { info, data, signer })
    }

    /// The `TimeStampToken` in a `TimeStampResp` that grants; a bare token is given back as it is.
    ///
    /// # Errors
    ///
    /// [`TokenFormatError`]. What the token says is not looked at.
    pub fn bare(der: &[u8]) -> Result<&[u8], TokenFormatError> {
        content_info(der)
    }

    /// The time that it claims.
    #[must_use]
    pub const fn claimed_time(&self) -> Timestamp {
        self.info.time
    }

    /// The digest that it is for.
    #[must_use]
    pub const fn imprint(&self) -> &Digest {
        &self.info.imprint
    }

    /// The policy under which it was given.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.info.policy
    }

    /// Its serial number.
    #[must_use]
    pub const fn serial(&self) -> &Integer {
        &self.info.serial
    }

    /// The request's nonce.
    #[must_use]
    pub const fn nonce(&self) -> Option<&Integer> {
        self.info.nonce.as_ref()
    }

    /// By how many whole seconds the time may be wrong, if the authority says so.
    #[must_use]
    pub const fn accuracy_seconds(&self) -> Option<u64> {
        self.info.accuracy_seconds
    }

    /// Whether the authority promises that its tokens can be ordered by their time alone.
    #[must_use]
    pub const fn has_ordering(&self) -> bool {
        self.info.has_ordering
    }

    /// The contents of its `Extensions`: one `Extension` after the other.
    #[must_use]
    pub fn extensions(&self) -> &[u8] {
        &self.info.extensions
    }

    /// The certificates inside. They are candidates for the chain, and nothing more.
    #[must_use]
    pub fn certificates(&self) -> &[crate::Certificate] {
        &self.data.certificates
    }

    /// The hash over which the signature was made.
    #[must_use]
    pub fn signature_hash(&self) -> Option<HashAlgorithm> {
        self.signer.digest_algorithm()
    }
}

/// The token in a response that grants; a bare token is its own.
fn content_info(der: &[u8]) -> Result<&[u8], TokenFormatError> {
    const PART: TokenFormatError = TokenFormatError::Malformed { part: "TimeStampResp" };
    let mut reader = Reader::only(der, tag::SEQUENCE).map_err(|_| PART)?;
    // A `ContentInfo` begins with an identifier, a response with a sequence.
    if reader.next_is(tag::OID) {
        return Ok(der);
    }
    let status = reader.sequence().and_then(|mut info| info.small_integer()).map_err(|_| PART)?;
    // granted, grantedWithMods
    if status > 1 {
        return Err(TokenFormatError::NotGranted { status });
    }
    let token = reader.any().map_err(|_| PART)?.der();
    reader.finish().map_err(|_| PART)?;
    Ok(token)
}

impl TstInfo {
    fn read(der: &[u8]) -> Result<Self, TokenFormatError> {
        let malformed = |DerError| TokenFormatError::Malformed { part: "TSTInfo" };
        let mut reader = Reader::only(der, tag::SEQUENCE).map_err(malformed)?;
        let version = reader.small_integer().map_err(malformed)?;
        let policy = Policy::read(&mut reader).map_err(malformed)?;
        let imprint = reader.sequence().map_err(malformed)?;
        let imprint = read_imprint(imprint)?;
        if version != 1 {
            return Err(malformed(DerError));
        }
        Self::read_rest(reader, policy, imprint).map_err(malformed)
    }

    /// Reads what follows `messageImprint`.
    fn read_rest(
        mut reader: Reader<'_>,
        policy: Policy,
        imprint: Digest,
    ) -> Result<Self, DerError> {
        let serial = Integer::read(&mut reader)?;
        let time = read_time_with_fraction(&reader.expect(tag::GENERALIZED_TIME)?)?;
        let accuracy_seconds = match reader.optional(tag::SEQUENCE)? {
            Some(accuracy) if accuracy.reader().next_is(tag::INTEGER) => {
                Some(accuracy.reader().small_integer()?)
            }
            Some(_) | None => None,
        };
        let has_ordering = reader.boolean_default_false()?;
        let nonce =
            if reader.next_is(tag::INTEGER) { Some(Integer::read(&mut reader)?) } else { None };
        reader.optional(tag::constructed(0))?;
        let list = reader.optional(tag::constructed(1))?;
        reader.finish()?;
        let has_critical_extension =
            list.map(|list| extensions(list.reader())).transpose()?.unwrap_or_default();
        let extensions = list.map(|list| list.content().to_vec()).unwrap_or_default();
        Ok(Self {
            policy,
            imprint,
            serial,
            time,
            accuracy_seconds,
            has_ordering,
            nonce,
            extensions,
            has_critical_extension,
        })
    }
}

fn read_imprint(mut reader: Reader<'_>) -> Result<Digest, TokenFormatError> {
    let malformed = |DerError| TokenFormatError::Malformed { part: "messageImprint" };
    let algorithm = reader.expect(tag::SEQUENCE).map_err(malformed)?;
    let algorithm = Algorithm::read(algorithm.der()).map_err(malformed)?;
    let digest = reader.expect(tag::OCTET_STRING).map_err(malformed)?.content();
    reader.finish().map_err(malformed)?;
    let hash = hash_of(algorithm.oid).ok_or(TokenFormatError::Hash)?;
    Digest::new(hash, digest).map_err(|_| TokenFormatError::Hash)
}
