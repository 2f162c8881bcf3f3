//! CMS `SignedData` with one signer and signed attributes, RFC 5652 §5: reading it, byte for byte.
//!
//! Timestamps carry what they sign ([`tsp`](crate::tsp)); signatures of git objects do not ([`DetachedSignature`]).

mod detached;
#[cfg(test)]
mod tests;

use crypto::{HashAlgorithm, PublicKey, Scheme, SignatureError};

use crate::asn1::{self, DerError, Reader, tag};
use crate::signature::{self, Algorithm, RSA_ENCRYPTION};
use crate::{Certificate, Oid};
pub use detached::{
    Attribute, DetachedError, DetachedSignature, MAX_SIGNATURE, MAX_SIGNED_ATTRIBUTES,
    SignedAttributes, is_signed_attributes,
};

/// `id-data`, RFC 5652 §4.
pub(crate) const DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.1");
/// `id-signedData`.
pub(crate) const SIGNED_DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.2");
/// The attribute `id-contentType`, RFC 5652 §11.1.
pub(crate) const CONTENT_TYPE: Oid = Oid::new_unwrap("1.2.840.113549.1.9.3");
/// The attribute `id-messageDigest`, RFC 5652 §11.2.
pub(crate) const MESSAGE_DIGEST: Oid = Oid::new_unwrap("1.2.840.113549.1.9.4");
/// The attribute `id-signingTime`, RFC 5652 §11.3.
pub(crate) const SIGNING_TIME: Oid = Oid::new_unwrap("1.2.840.113549.1.9.5");

/// More embedded certificates are refused: a chain has three or four.
const MAX_CERTIFICATES: usize = 16;
/// More attributes are refused: a timestamp has four that are signed.
const MAX_ATTRIBUTES: usize = 32;

/// What was signed, by whom, and the candidates for the signer's chain.
#[derive(Clone, Debug)]
pub(crate) struct SignedData {
    pub(crate) content_type: Oid,
    /// What was signed; `None` if it is elsewhere.
    pub(crate) content: Option<Vec<u8>>,
    /// Embedded certificates that can be read. They are candidates, and nothing more.
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) signers: Vec<SignerInfo>,
}

/// `SignerInfo`, RFC 5652 §5.3.
#[derive(Clone, Debug)]
pub(crate) struct SignerInfo {
    pub(crate) id: SignerId,
    digest_algorithm: Vec<u8>,
    /// The contents of `[0] IMPLICIT SET OF Attribute`, as they came.
    signed_attributes: Vec<u8>,
    attributes: Vec<(Oid, Vec<u8>)>,
    signature_algorithm: Vec<u8>,
    signature: Vec<u8>,
    /// The contents of `[1] IMPLICIT SET OF Attribute`: nobody signed them.
    unsigned_attributes: Vec<u8>,
}

/// How a signer's certificate is named.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum SignerId {
    /// The DER of the issuer's name, and the contents of the serial number.
    IssuerAndSerial(Vec<u8>, Vec<u8>),
    /// The subject key identifier.
    KeyId(Vec<u8>),
}

impl SignerId {
    pub(crate) fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerAndSerial(issuer, serial) => {
                certificate.issuer_der() == issuer && certificate.serial() == serial
            }
            Self::KeyId(id) => certificate.subject_key_id() == Some(id),
        }
    }
}

impl SignedData {
    /// Reads a `ContentInfo` with `SignedData`, with nothing after it.
    pub(crate) fn read(der: &[u8]) -> Result<Self, DerError> {
        let mut info = Reader::only(der, tag::SEQUENCE)?;
        if info.oid()? != SIGNED_DATA {
            return Err(DerError);
        }
        let mut explicit = info.expect(tag::constructed(0))?.reader();
        info.finish()?;
        let mut data = explicit.sequence()?;
        explicit.finish()?;

        data.small_integer()?;
        data.expect(tag::SET)?;
        let (content_type, content) = encapsulated(data.sequence()?)?;
        let certificates = match data.optional(tag::constructed(0))? {
            Some(set) => certificates(set.reader())?,
            None => Vec::new(),
        };
        data.optional(tag::constructed(1))?;
        let mut set = data.expect(tag::SET)?.reader();
        data.finish()?;
        let mut signers = Vec::new();
        while !set.is_empty() {
            signers.push(SignerInfo::read(set.sequence()?)?);
        }
        Ok(Self { content_type, content, certificates, signers })
    }
}

/// `EncapsulatedContentInfo`: type and contents.
fn encapsulated(mut reader: Reader<'_>) -> Result<(Oid, Option<Vec<u8>>), DerError> {
    let content_type = reader.oid()?;
    let explicit = reader.optional(tag::constructed(0))?;
    reader.finish()?;
    let Some(explicit) = explicit else { return Ok((content_type, None)) };
    let mut explicit = explicit.reader();
    let content = explicit.expect(tag::OCTET_STRING)?.content().to_vec();
    explicit.finish()?;
    Ok((content_type, Some(content)))
}

fn certificates(mut set: Reader<'_>) -> Result<Vec<Certificate>, DerError> {
    let mut certificates = Vec::new();
    for _ in 0..MAX_CERTIFICATES {
        if set.is_empty() {
            return Ok(certificates);
        }
        // Other choices than a certificate, and keys that are not used here, are no candidates.
        certificates.extend(Certificate::from_der(set.any()?.der()).ok());
    }
    set.finish()?;
    Ok(certificates)
}

impl SignerInfo {
    fn read(mut reader: Reader<'_>) -> Result<Self, DerError> {
        reader.small_integer()?;
        let id = match reader.optional(tag::context(0))? {
            Some(key_id) => SignerId::KeyId(key_id.content().to_vec()),
            None => {
                let mut sequence = reader.sequence()?;
                let issuer = sequence.expect(tag::SEQUENCE)?.der().to_vec();
                let serial = sequence.integer()?.content().to_vec();
                sequence.finish()?;
                SignerId::IssuerAndSerial(issuer, serial)
            }
        };
        let digest_algorithm = reader.expect(tag::SEQUENCE)?.der().to_vec();
        let signed = reader.expect(tag::constructed(0))?;
        let signature_algorithm = reader.expect(tag::SEQUENCE)?.der().to_vec();
        let signature = reader.expect(tag::OCTET_STRING)?.content().to_vec();
        let unsigned = reader.optional(tag::constructed(1))?;
        reader.finish()?;
        Ok(Self {
            id,
            digest_algorithm,
            signed_attributes: signed.content().to_vec(),
            attributes: attributes(signed.reader())?,
            signature_algorithm,
            signature,
            unsigned_attributes: unsigned.map(|set| set.content().to_vec()).unwrap_or_default(),
        })
    }

    /// The one value of the signed attribute `oid`; `None` if it is not there.
    ///
    /// An attribute that is there twice, or has not exactly one value, is an error (RFC 5652 §11).
    pub(crate) fn attribute(&self, oid: Oid) -> Result<Option<&[u8]>, DerError> {
        let mut found = self.attributes.iter().filter(|(known, _)| *known == oid);
        match (found.next(), found.next()) {
            (None, _) => Ok(None),
            (Some((_, values)), None) => {
                let mut reader = Reader::new(values);
                reader.any()?;
                reader.finish()?;
                Ok(Some(values))
            }
            (Some(_), Some(_)) => Err(DerError),
        }
    }

    /// The hash of the content; `None` if it is not one that is used.
    pub(crate) fn digest_algorithm(&self) -> Option<HashAlgorithm> {
        signature::hash_algorithm(&self.digest_algorithm)
    }

    /// Checks that the holder of `key` signed the signed attributes (RFC 5652 §5.4).
    pub(crate) fn verify(&self, key: &PublicKey) -> Result<(), SignatureError> {
        // What is signed has the tag of a SET instead of [0]; the contents are those that came.
        let signed = asn1::set(&[&self.signed_attributes]);
        key.verify(self.scheme()?, &signed, &self.signature)
    }

    /// The signature's scheme, whose hash must be that of the content.
    fn scheme(&self) -> Result<Scheme, SignatureError> {
        let digest = self.digest_algorithm().ok_or(SignatureError)?;
        let algorithm = Algorithm::read(&self.signature_algorithm).map_err(|_| SignatureError)?;
        // RFC 3370 §3.2: the hash of plain rsaEncryption is the digest algorithm.
        if algorithm.oid == RSA_ENCRYPTION && algorithm.has_no_parameters() {
            return Ok(Scheme::RsaPkcs1(digest));
        }
        let scheme = signature::scheme(&self.signature_algorithm).map_err(|_| SignatureError)?;
        if scheme.hash().is_none_or(|hash| hash == digest) {
            Ok(scheme)
        } else {
            Err(SignatureError)
        }
    }
}

/// The attributes: type, and the contents of the set of values.
fn attributes(mut reader: Reader<'_>) -> Result<Vec<(Oid, Vec<u8>)>, DerError> {
    let mut attributes = Vec::new();
    while !reader.is_empty() {
        let mut attribute = reader.sequence()?;
        let oid = attribute.oid()?;
        let values = attribute.expect(tag::SET)?.content().to_vec();
        attribute.finish()?;
        attributes.push((oid, values));
        if attributes.len() > MAX_ATTRIBUTES {
            return Err(DerError);
        }
    }
    Ok(attributes)
}

/// An `Attribute` with one value.
pub(crate) fn attribute(oid: Oid, value: &[u8]) -> Vec<u8> {
    asn1::sequence(&[&asn1::oid(oid), &asn1::set(&[value])])
}
