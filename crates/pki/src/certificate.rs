//! X.509 certificates, RFC 5280 §4.

mod extension;
mod parse;

use std::ops::Range;
use std::sync::Arc;

use crypto::{PublicKey, PublicKeyError, SignatureError, decode_pem, encode_pem};
use jiff::Timestamp;

use crate::{GeneralName, Oid, asn1, name, signature};

pub use extension::KeyUsage;

/// The longest certificate that is read: real ones have one or two thousand bytes, those with
/// post-quantum signatures up to thirty thousand.
pub const MAX_CERTIFICATE: usize = 1 << 16;

const PEM_LABEL: &str = "CERTIFICATE";

/// A certificate that was read strictly, and is kept byte for byte. Cloning is cheap.
#[derive(Clone)]
pub struct Certificate(Arc<Parsed>);

/// Where the parts of a certificate stand in its bytes, and what they say.
struct Parsed {
    der: Vec<u8>,
    tbs: Range<usize>,
    /// `tbsCertificate` without its header.
    tbs_content: Range<usize>,
    serial: Range<usize>,
    issuer: Range<usize>,
    subject: Range<usize>,
    spki: Range<usize>,
    not_before: Timestamp,
    not_after: Timestamp,
    public_key: PublicKey,
    /// The whole of `[3] EXPLICIT Extensions`; empty at the end of the TBS if there are none.
    extension_block: Range<usize>,
    extensions: Vec<ExtensionPlace>,
    known: extension::Known,
    signature_algorithm: Range<usize>,
    signature: Range<usize>,
}

/// An extension and where it stands.
struct ExtensionPlace {
    oid: Oid,
    critical: bool,
    whole: Range<usize>,
    value: Range<usize>,
}

/// Why bytes are not a certificate that is used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CertificateError {
    /// The bytes are not DER, or not a certificate.
    #[error("the certificate is not well-formed DER ({part})")]
    Malformed {
        /// The field at which reading ended.
        part: &'static str,
    },
    /// It is longer than any certificate that is read.
    #[error("the certificate is longer than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// An extension is there twice (RFC 5280 §4.2), or is not what its definition says.
    #[error("the certificate's extension {oid} is malformed or repeated")]
    Extension {
        /// Which.
        oid: Oid,
    },
    /// Its public key cannot be used.
    #[error("the certificate's public key cannot be used")]
    PublicKey(#[source] PublicKeyError),
}

/// Why PEM text is not a list of certificates.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ChainError {
    /// There is no PEM block, or one that is not a certificate.
    #[error("the text is not a list of PEM certificates")]
    NotPem,
    /// There are more certificates than are read.
    #[error("there are more than {limit} certificates")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// One of them cannot be read.
    #[error("certificate {position} (from 0) cannot be read")]
    Certificate {
        /// Which, from 0.
        position: usize,
        /// Why.
        #[source]
        source: CertificateError,
    },
}

/// One extension, as it came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Extension<'a> {
    /// What it is.
    pub oid: Oid,
    /// Whether one who does not know it must refuse the certificate.
    pub critical: bool,
    /// The contents of `extnValue`: for most extensions DER, for Fulcio's oldest plain text.
    pub value: &'a [u8],
}

impl Certificate {
    /// Reads one DER certificate, with nothing after it.
    ///
    /// # Errors
    ///
    /// See [`CertificateError`].
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > MAX_CERTIFICATE {
            return Err(CertificateError::TooLong { limit: MAX_CERTIFICATE });
        }
        parse::certificate(der).map(|parsed| Self(Arc::new(parsed)))
    }

    /// Reads the first PEM block, which must be a `CERTIFICATE`. Text around it is passed over.
    ///
    /// # Errors
    ///
    /// [`ChainError::NotPem`] or [`ChainError::Certificate`].
    pub fn from_pem(text: &[u8]) -> Result<Self, ChainError> {
        let (certificate, _) = Self::next_pem(text, 0)?.ok_or(ChainError::NotPem)?;
        Ok(certificate)
    }

    /// Reads all PEM blocks, at most `limit` and at least one, in their order. Text around them is
    /// passed over.
    ///
    /// # Errors
    ///
    /// See [`ChainError`].
    pub fn chain_from_pem(text: &[u8], limit: usize) -> Result<Vec<Self>, ChainError> {
        let mut chain = Vec::new();
        let mut rest = text;
        while let Some((certificate, after)) = Self::next_pem(rest, chain.len())? {
            if chain.len() == limit {
                return Err(ChainError::TooMany { limit });
            }
            chain.push(certificate);
            rest = after;
        }
        if chain.is_empty() { Err(ChainError::NotPem) } else { Ok(chain) }
    }

    /// Reads the next block of `text`, and returns what follows it.
    fn next_pem(text: &[u8], position: usize) -> Result<Option<(Self, &[u8])>, ChainError> {
        let Ok((pem, rest)) = decode_pem(text) else { return Ok(None) };
        if pem.label != PEM_LABEL {
            return Err(ChainError::NotPem);
        }
        let certificate = Self::from_der(&pem.contents)
            .map_err(|source| ChainError::Certificate { position, source })?;
        Ok(Some((certificate, rest)))
    }

    /// The certificate as a PEM block, with a final newline.
    #[must_use]
    pub fn to_pem(&self) -> String {
        encode_pem(PEM_LABEL, self.der())
    }

    /// The bytes as they came.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// SHA-256 of [`Self::der`]: the fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        crypto::sha256(self.der())
    }

    /// The bytes of `tbsCertificate`: what the issuer signed.
    #[must_use]
    pub fn tbs_der(&self) -> &[u8] {
        &self.0.der[self.0.tbs.clone()]
    }

    /// The bytes of `subjectPublicKeyInfo`.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.0.der[self.0.spki.clone()]
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.0.public_key
    }

    /// The content octets of `serialNumber`: big-endian, with a leading zero where the top bit is set.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        &self.0.der[self.0.serial.clone()]
    }

    /// The DER of the subject's name.
    #[must_use]
    pub fn subject_der(&self) -> &[u8] {
        &self.0.der[self.0.subject.clone()]
    }

    /// The DER of the issuer's name.
    #[must_use]
    pub fn issuer_der(&self) -> &[u8] {
        &self.0.der[self.0.issuer.clone()]
    }

    /// The subject for people, such as `O=sigstore.dev, CN=sigstore-intermediate`; for an empty subject
    /// (Fulcio's leaves), its alternative names.
    #[must_use]
    pub fn subject(&self) -> String {
        if let Some(subject) = self.subject_name() {
            return subject;
        }
        let names = self.sans().iter().map(|name| match name.text() {
            Some(text) => text.escape_debug().to_string(),
            None => "?".to_owned(),
        });
        names.collect::<Vec<_>>().join(", ")
    }

    /// The subject for people, without regard to alternative names; `None` for an empty one.
    #[must_use]
    pub fn subject_name(&self) -> Option<String> {
        Some(name::display(self.subject_der())).filter(|subject| !subject.is_empty())
    }

    /// The issuer for people, as [`Self::subject`].
    #[must_use]
    pub fn issuer(&self) -> String {
        name::display(self.issuer_der())
    }

    /// What the holder is called: the alternative names. Many certificates have none; then it is the subject, which beside
    /// alternative names is not one more of them (as in RFC 6125 §6.4.4).
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.sans().iter().filter_map(GeneralName::text).collect();
        if self.sans().is_empty() {
            names.extend(self.subject_name());
        }
        names.retain(|name| !name.is_empty());
        names
    }

    /// The subject's first organisation and common name.
    #[must_use]
    pub fn subject_parts(&self) -> (Option<String>, Option<String>) {
        name::parts(self.subject_der())
    }

    /// The first instant at which the certificate is valid.
    #[must_use]
    pub fn not_before(&self) -> Timestamp {
        self.0.not_before
    }

    /// The last instant at which the certificate is valid.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.0.not_after
    }

    /// Whether `time` is within the validity, both ends included (RFC 5280 §4.1.2.5). Half a second
    /// after the end is after the end.
    #[must_use]
    pub fn is_valid_at(&self, time: Timestamp) -> bool {
        (self.not_before()..=self.not_after()).contains(&time)
    }

    /// Whether it is a certificate authority's (`basicConstraints` with `cA` true).
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.0.known.is_ca
    }

    /// How many intermediate certificates may follow it, if that is limited.
    #[must_use]
    pub fn path_len(&self) -> Option<u64> {
        self.0.known.path_len
    }

    /// The key usage, if it says.
    #[must_use]
    pub fn key_usage(&self) -> Option<KeyUsage> {
        self.0.known.key_usage
    }

    /// The extended key usages; `None` without the extension.
    #[must_use]
    pub fn extended_key_usage(&self) -> Option<&[Oid]> {
        self.0.known.extended_key_usage.as_deref()
    }

    /// The subject alternative names in their order; empty without the extension.
    #[must_use]
    pub fn sans(&self) -> &[GeneralName] {
        &self.0.known.sans
    }

    /// The subject key identifier.
    #[must_use]
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.0.known.subject_key_id.as_deref()
    }

    /// The key identifier of the issuer.
    #[must_use]
    pub fn authority_key_id(&self) -> Option<&[u8]> {
        self.0.known.authority_key_id.as_deref()
    }

    /// Every extension in its order.
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'_>> {
        self.0.extensions.iter().map(|place| Extension {
            oid: place.oid,
            critical: place.critical,
            value: &self.0.der[place.value.clone()],
        })
    }

    /// The extension `oid`.
    #[must_use]
    pub fn extension(&self, oid: Oid) -> Option<Extension<'_>> {
        self.extensions().find(|extension| extension.oid == oid)
    }

    /// `tbsCertificate` without the extension `oid`; all else stays byte for byte as it is.
    #[must_use]
    pub(crate) fn tbs_without(&self, oid: Oid) -> Vec<u8> {
        self.tbs_replacing(oid, &[])
    }

    /// `tbsCertificate` without the extension `old` and with the DER of `new` at the end; all else stays
    /// byte for byte as it is.
    #[must_use]
    pub(crate) fn tbs_replacing(&self, old: Oid, new: &[u8]) -> Vec<u8> {
        let kept = self.0.extensions.iter().filter(|place| place.oid != old);
        let mut extensions: Vec<&[u8]> =
            kept.map(|place| &self.0.der[place.whole.clone()]).collect();
        extensions.push(new);
        // A list that has become empty stays, empty: certificate-transparency-go hashes it so.
        let block = asn1::explicit(3, &asn1::sequence(&extensions));
        let before = self.0.tbs_content.start..self.0.extension_block.start;
        asn1::sequence(&[&self.0.der[before], &block])
    }

    /// Whether subject and issuer are the same name.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.subject_der() == self.issuer_der()
    }

    /// Whether it is signed with its own key.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        self.is_self_issued() && self.verify_signature(self.public_key()).is_ok()
    }

    /// Checks that the holder of `key` signed this certificate, with an algorithm that is accepted.
    ///
    /// # Errors
    ///
    /// [`SignatureError`].
    pub fn verify_signature(&self, key: &PublicKey) -> Result<(), SignatureError> {
        let algorithm = &self.0.der[self.0.signature_algorithm.clone()];
        let scheme = signature::scheme(algorithm).map_err(|_| SignatureError)?;
        key.verify_recurring(scheme, self.tbs_der(), &self.0.der[self.0.signature.clone()])
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der() == other.der()
    }
}

impl Eq for Certificate {}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate({}, {})", self.subject(), hex::encode(self.fingerprint()))
    }
}

#[cfg(test)]
mod tests;
