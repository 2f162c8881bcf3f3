//! `TimeStampReq`, RFC 3161 §2.4.1.

use crypto::{Digest, HashAlgorithm};

use super::{Integer, Policy};
use crate::Oid;
use crate::asn1::{self, DerError, Reader, tag};
use crate::signature::{Algorithm, hash_of, hash_oid};

/// SHA-1, which is told from unknown hashes because the existing server says so.
const SHA1: Oid = Oid::new_unwrap("1.3.14.3.2.26");

/// `TimeStampReq`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// The digest that is to be timestamped.
    pub imprint: Digest,
    /// The policy that is asked for.
    pub policy: Option<Policy>,
    /// What the answer must echo: any integer.
    pub nonce: Option<Integer>,
    /// Whether the answer shall hold the authority's certificate.
    pub certificates: bool,
    /// The contents of `Extensions` (one `Extension` after the other), if there are any.
    pub extensions: Option<Vec<u8>>,
}

/// Why bytes are not a request that can be answered. The asker's to fix.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RequestError {
    /// Not DER, not a request, or something after it.
    #[error("the timestamp request is not well-formed DER")]
    Malformed,
    /// SHA-1.
    #[error("the timestamp request's hash algorithm is weak")]
    WeakHash,
    /// No hash that is known.
    #[error("the timestamp request's hash algorithm is not known")]
    UnknownHash,
    /// The digest has another length than the algorithm makes.
    #[error("the timestamp request's digest has {found} bytes")]
    DigestLength {
        /// How many there are.
        found: usize,
    },
}

impl From<DerError> for RequestError {
    fn from(DerError: DerError) -> Self {
        Self::Malformed
    }
}

impl Request {
    /// A request for the timestamp of `imprint` with certificates and a nonce.
    #[must_use]
    pub const fn new(imprint: Digest, nonce: Integer) -> Self {
        Self { imprint, policy: None, nonce: Some(nonce), certificates: true, extensions: None }
    }

    /// Reads DER. The version is not looked at, nor are parameters of the hash algorithm.
    ///
    /// # Errors
    ///
    /// See [`RequestError`].
    pub fn from_der(der: &[u8]) -> Result<Self, RequestError> {
        let mut reader = Reader::only(der, tag::SEQUENCE)?;
        reader.integer()?;
        let imprint = imprint(reader.sequence()?)?;
        let policy = if reader.next_is(tag::OID) { Some(Policy::read(&mut reader)?) } else { None };
        let nonce =
            if reader.next_is(tag::INTEGER) { Some(Integer::read(&mut reader)?) } else { None };
        let certificates = reader.boolean_default_false()?;
        let extensions = match reader.optional(tag::constructed(0))? {
            Some(list) => {
                extensions(list.reader())?;
                Some(list.content().to_vec()).filter(|content| !content.is_empty())
            }
            None => None,
        };
        reader.finish()?;
        Ok(Self { imprint, policy, nonce, certificates, extensions })
    }

    /// Writes DER.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let certificates = if self.certificates { asn1::boolean_true() } else { Vec::new() };
        let extensions = self.extensions.as_deref();
        asn1::sequence(&[
            &asn1::integer(1),
            &imprint_der(&self.imprint),
            &self.policy.as_ref().map(Policy::to_der).unwrap_or_default(),
            &self.nonce.as_ref().map(Integer::to_der).unwrap_or_default(),
            &certificates,
            &extensions.map(|list| asn1::tlv(tag::constructed(0), &[list])).unwrap_or_default(),
        ])
    }
}

/// Reads a `MessageImprint`.
fn imprint(mut reader: Reader<'_>) -> Result<Digest, RequestError> {
    let algorithm = Algorithm::read(reader.expect(tag::SEQUENCE)?.der())?;
    let bytes = reader.expect(tag::OCTET_STRING)?.content();
    reader.finish()?;
    if algorithm.oid == SHA1 {
        return Err(RequestError::WeakHash);
    }
    let hash = hash_of(algorithm.oid).ok_or(RequestError::UnknownHash)?;
    Digest::new(hash, bytes).map_err(|error| RequestError::DigestLength { found: error.found })
}

/// A `MessageImprint`. The algorithm has `NULL` parameters, as Go and OpenSSL write them.
pub(super) fn imprint_der(imprint: &Digest) -> Vec<u8> {
    let algorithm = hash_identifier(imprint.algorithm());
    asn1::sequence(&[&algorithm, &asn1::octet_string(imprint.as_bytes())])
}

pub(super) fn hash_identifier(hash: HashAlgorithm) -> Vec<u8> {
    asn1::sequence(&[&asn1::oid(hash_oid(hash)), &[tag::NULL, 0]])
}

/// Walks through `Extensions` and says whether one is critical.
pub(super) fn extensions(mut list: Reader<'_>) -> Result<bool, DerError> {
    let mut has_critical = false;
    while !list.is_empty() {
        let mut extension = list.sequence()?;
        extension.expect(tag::OID)?;
        has_critical |= extension.boolean_default_false()?;
        extension.expect(tag::OCTET_STRING)?;
        extension.finish()?;
    }
    Ok(has_critical)
}
