//! CMS signatures over something that is elsewhere, with one signer: those of git objects.
//!
//! What the signer's key signs is not the content but the DER of a `SET OF` attributes (RFC 5652 §5.4), of which one is
//! the content's digest. What is read here is not believed yet: that the attributes are about some content is
//! [`DetachedSignature::message_digest`]'s to compare, and who signed them is somebody else's to judge.

use crypto::{Digest, HashAlgorithm};
use jiff::Timestamp;

use super::{
    CONTENT_TYPE, DATA, MESSAGE_DIGEST, SIGNED_DATA, SIGNING_TIME, SignedData, SignerInfo,
    attribute, attributes,
};
use crate::asn1::{self, DerError, Reader, read_time, tag, x509_time};
use crate::signature::{hash_oid, identifier};
use crate::{Certificate, Oid};

/// The longest signature that is read. One with a log entry and a timestamp has four kilobytes.
pub const MAX_SIGNATURE: usize = 1 << 17;

/// A detached signature that was read and not yet believed.
#[derive(Clone, Debug)]
pub struct DetachedSignature {
    certificate: Certificate,
    message_digest: Digest,
    signing_time: Option<Timestamp>,
    signed_attributes: Vec<u8>,
    signature: Vec<u8>,
    unsigned: Vec<Attribute>,
}

/// An attribute that nobody signed: what it is, and the DER of each of its values.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attribute {
    /// What it is.
    pub oid: Oid,
    /// The DER of its values.
    pub values: Vec<Vec<u8>>,
}

/// Why bytes are not a detached signature with one signer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DetachedError {
    /// Longer than any that is read.
    #[error("the signature is longer than {MAX_SIGNATURE} bytes")]
    TooLong,
    /// Not DER, not `SignedData`, or something after it.
    #[error("the signature is not well-formed CMS ({part})")]
    Malformed {
        /// The part at which reading ended.
        part: &'static str,
    },
    /// It carries something that was signed, and might be taken for what was signed.
    #[error("the signature carries a content of its own")]
    Attached,
    /// It is over something else than plain data.
    #[error("the signature is not over plain data")]
    ContentType,
    /// Not exactly one signer.
    #[error("there are {found} signers, not one")]
    Signers {
        /// How many there are.
        found: usize,
    },
    /// None of the embedded certificates is the one that the signer names.
    #[error("the signer's certificate is not among the {found} that came with the signature")]
    NoCertificate {
        /// How many came.
        found: usize,
    },
    /// Several embedded certificates have the name that the signer gives.
    #[error("several of the certificates that came with the signature could be the signer's")]
    TwoCertificates,
    /// The hash function is not SHA-256, SHA-384 or SHA-512, or the digest's length is not its.
    #[error("the signature's hash algorithm is not accepted")]
    Hash,
}

impl DetachedSignature {
    /// Reads the DER of a `ContentInfo`.
    ///
    /// The certificate is the one that the signer's identifier names, wherever it stands in the bag.
    ///
    /// # Errors
    ///
    /// See [`DetachedError`].
    pub fn from_der(der: &[u8]) -> Result<Self, DetachedError> {
        if der.len() > MAX_SIGNATURE {
            return Err(DetachedError::TooLong);
        }
        let data = SignedData::read(der).map_err(malformed("SignedData"))?;
        if data.content_type != DATA {
            return Err(DetachedError::ContentType);
        }
        if data.content.is_some() {
            return Err(DetachedError::Attached);
        }
        let [signer] = data.signers.as_slice() else {
            return Err(DetachedError::Signers { found: data.signers.len() });
        };
        Ok(Self {
            certificate: certificate_of(signer, &data.certificates)?,
            message_digest: message_digest(signer)?,
            signing_time: signing_time(signer)?,
            signed_attributes: asn1::set(&[&signer.signed_attributes]),
            signature: signer.signature.clone(),
            unsigned: unsigned(signer)?,
        })
    }

    /// The certificate that the signer names. Nobody has vouched for it yet.
    #[must_use]
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The digest of the content, as the signed attributes have it.
    #[must_use]
    pub const fn message_digest(&self) -> &Digest {
        &self.message_digest
    }

    /// When the signer says that it signed. Nobody else says so.
    #[must_use]
    pub const fn signing_time(&self) -> Option<Timestamp> {
        self.signing_time
    }

    /// What was signed: the DER of the `SET OF` attributes, each byte as it came.
    #[must_use]
    pub fn signed_attributes(&self) -> &[u8] {
        &self.signed_attributes
    }

    /// The signature over [`Self::signed_attributes`].
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The DER of the values of the unsigned attribute `oid`, in all attributes of that kind.
    pub fn unsigned(&self, oid: Oid) -> impl Iterator<Item = &[u8]> {
        let attributes = self.unsigned.iter().filter(move |attribute| attribute.oid == oid);
        attributes.flat_map(|attribute| attribute.values.iter().map(Vec::as_slice))
    }
}

fn malformed(part: &'static str) -> impl Fn(DerError) -> DetachedError {
    move |DerError| DetachedError::Malformed { part }
}

/// A bag may hold anything in any order: only the signer's identifier says which certificate is meant.
fn certificate_of(signer: &SignerInfo, bag: &[Certificate]) -> Result<Certificate, DetachedError> {
    let mut named = bag.iter().filter(|certificate| signer.id.names(certificate));
    let first = named.next().ok_or(DetachedError::NoCertificate { found: bag.len() })?;
    if named.any(|other| other.der() != first.der()) {
        return Err(DetachedError::TwoCertificates);
    }
    Ok(first.clone())
}

/// RFC 5652 §11.1, §11.2: both attributes must be there, and the content type must be that of the content.
fn message_digest(signer: &SignerInfo) -> Result<Digest, DetachedError> {
    let part = malformed("signedAttrs");
    let content_type = signer.attribute(CONTENT_TYPE).map_err(&part)?;
    if content_type != Some(&*asn1::oid(DATA)) {
        return Err(DetachedError::ContentType);
    }
    let value = signer.attribute(MESSAGE_DIGEST).map_err(&part)?.ok_or(part(DerError))?;
    let digest = Reader::new(value).expect(tag::OCTET_STRING).map_err(&part)?.content();
    let algorithm = signer.digest_algorithm().ok_or(DetachedError::Hash)?;
    Digest::new(algorithm, digest).map_err(|_| DetachedError::Hash)
}

fn signing_time(signer: &SignerInfo) -> Result<Option<Timestamp>, DetachedError> {
    let part = malformed("signingTime");
    let value = signer.attribute(SIGNING_TIME).map_err(&part)?;
    let read = |value| Reader::new(value).any().and_then(|time| read_time(&time));
    value.map(read).transpose().map_err(part)
}

fn unsigned(signer: &SignerInfo) -> Result<Vec<Attribute>, DetachedError> {
    let part = malformed("unsignedAttrs");
    let read = attributes(Reader::new(&signer.unsigned_attributes)).map_err(&part)?;
    let values = |set: &[u8]| {
        let mut reader = Reader::new(set);
        let mut values = Vec::new();
        while !reader.is_empty() {
            values.push(reader.any()?.der().to_vec());
        }
        Ok(values)
    };
    let attribute = |(oid, set): &(Oid, Vec<u8>)| Ok(Attribute { oid: *oid, values: values(set)? });
    read.iter().map(attribute).collect::<Result<_, _>>().map_err(part)
}

/// The longest set of signed attributes that [`is_signed_attributes`] knows: three have a hundred bytes.
pub const MAX_SIGNED_ATTRIBUTES: usize = 1 << 12;

/// Whether these bytes are what is signed for a CMS signature: the DER of a set of attributes with a content type and
/// a message digest.
///
/// Nothing in such a set says that it is one. Whoever gets it signed as a file has a signature of the commit, message
/// or timestamp whose digest is in it.
#[must_use]
pub fn is_signed_attributes(bytes: &[u8]) -> bool {
    let read = Reader::only(bytes, tag::SET).and_then(attributes);
    let has =
        |wanted: Oid| read.as_ref().is_ok_and(|found| found.iter().any(|(oid, _)| *oid == wanted));
    bytes.len() <= MAX_SIGNED_ATTRIBUTES && has(CONTENT_TYPE) && has(MESSAGE_DIGEST)
}

/// The attributes that a signer of git objects signs: content type, signing time, digest of the content.
#[derive(Clone, Debug)]
pub struct SignedAttributes {
    hash: HashAlgorithm,
    /// In the order of DER.
    contents: Vec<u8>,
}

impl SignedAttributes {
    /// Attributes about the content with this digest.
    #[must_use]
    pub fn new(content: &Digest, time: Timestamp) -> Self {
        let mut attributes = [
            attribute(CONTENT_TYPE, &asn1::oid(DATA)),
            attribute(SIGNING_TIME, &x509_time(time)),
            attribute(MESSAGE_DIGEST, &asn1::octet_string(content.as_bytes())),
        ];
        // X.690 §11.6: the members of a SET OF ascend.
        attributes.sort();
        Self { hash: content.algorithm(), contents: attributes.concat() }
    }

    /// What is to be signed: the DER of the `SET OF` attributes.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        asn1::set(&[&self.contents])
    }

    /// The whole signature: a `ContentInfo` without a content, with the signer's certificate and nobody else's.
    #[must_use]
    pub fn assemble(
        &self,
        certificate: &Certificate,
        signature: &[u8],
        unsigned: &[Attribute],
    ) -> Vec<u8> {
        let digest_algorithm = asn1::sequence(&[&asn1::oid(hash_oid(self.hash))]);
        let (_, signature_algorithm) = identifier(certificate.public_key().kind());
        let serial = asn1::tlv(tag::INTEGER, &[certificate.serial()]);
        let signer_info = asn1::sequence(&[
            &asn1::integer(1),
            &asn1::sequence(&[certificate.issuer_der(), &serial]),
            &digest_algorithm,
            &asn1::tlv(tag::constructed(0), &[&self.contents]),
            &signature_algorithm,
            &asn1::octet_string(signature),
            &unsigned_attributes(unsigned),
        ]);
        let data = asn1::sequence(&[
            &asn1::integer(1),
            &asn1::set(&[&digest_algorithm]),
            &asn1::sequence(&[&asn1::oid(DATA)]),
            &asn1::tlv(tag::constructed(0), &[certificate.der()]),
            &asn1::set(&[&signer_info]),
        ]);
        asn1::sequence(&[&asn1::oid(SIGNED_DATA), &asn1::explicit(0, &data)])
    }
}

/// `[1] IMPLICIT SET OF Attribute`; nothing if there are none.
fn unsigned_attributes(unsigned: &[Attribute]) -> Vec<u8> {
    let encode = |Attribute { oid, values }: &Attribute| {
        let mut values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        values.sort_unstable();
        asn1::sequence(&[&asn1::oid(*oid), &asn1::set(&values)])
    };
    let mut encoded: Vec<Vec<u8>> = unsigned.iter().map(encode).collect();
    encoded.sort();
    if encoded.is_empty() {
        return Vec::new();
    }
    asn1::tlv(tag::constructed(1), &[&encoded.concat()])
}
