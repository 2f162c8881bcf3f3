//! X.509 certificates, RFC 5280 §4.

use jiff::Timestamp;

use crate::{GeneralName, Oid};
use crypto::{PublicKey, PublicKeyError};

/// A certificate that was read strictly, and is kept byte for byte. Cloning is cheap.
#[derive(Clone)]
pub struct Certificate(std::sync::Arc<()>);

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

/// The bits of `keyUsage`, RFC 5280 §4.2.1.3.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct KeyUsage(u16);

impl KeyUsage {
    /// Whether the key may sign things that are not certificates or CRLs.
    #[must_use]
    pub const fn digital_signature(self) -> bool {
        self.0 & 1 != 0
    }

    /// Whether the key may sign certificates.
    #[must_use]
    pub const fn key_cert_sign(self) -> bool {
        self.0 & (1 << 5) != 0
    }
}

impl Certificate {
    /// Reads one DER certificate, with nothing after it.
    ///
    /// # Errors
    ///
    /// See [`CertificateError`].
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        todo!("{der:?}")
    }

    /// Reads the first PEM block, which must be a `CERTIFICATE`. Text around it is passed over.
    ///
    /// # Errors
    ///
    /// See [`ChainError`].
    pub fn from_pem(text: &[u8]) -> Result<Self, ChainError> {
        todo!("{text:?}")
    }

    /// Reads all PEM blocks, at most `limit` and at least one, in their order. Text around them is
    /// passed over.
    ///
    /// # Errors
    ///
    /// See [`ChainError`].
    pub fn chain_from_pem(text: &[u8], limit: usize) -> Result<Vec<Self>, ChainError> {
        todo!("{text:?} {limit}")
    }

    /// The certificate as a PEM block, with a final newline.
    #[must_use]
    pub fn to_pem(&self) -> String {
        todo!()
    }

    /// The bytes as they came.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        todo!()
    }

    /// SHA-256 of [`Self::der`]: the fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        todo!()
    }

    /// The bytes of `tbsCertificate`: what the issuer signed.
    #[must_use]
    pub fn tbs_der(&self) -> &[u8] {
        todo!()
    }

    /// The bytes of `subjectPublicKeyInfo`.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        todo!()
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        todo!()
    }

    /// The content octets of `serialNumber`: big-endian, with a leading zero where the top bit is set.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        todo!()
    }

    /// The DER of the subject's name.
    #[must_use]
    pub fn subject_der(&self) -> &[u8] {
        todo!()
    }

    /// The DER of the issuer's name.
    #[must_use]
    pub fn issuer_der(&self) -> &[u8] {
        todo!()
    }

    /// The subject for people, such as `O=sigstore.dev, CN=sigstore-intermediate`.
    #[must_use]
    pub fn subject(&self) -> String {
        todo!()
    }

    /// The subject's first organisation and common name.
    #[must_use]
    pub fn subject_parts(&self) -> (Option<String>, Option<String>) {
        todo!()
    }

    /// The first instant at which the certificate is valid.
    #[must_use]
    pub fn not_before(&self) -> Timestamp {
        todo!()
    }

    /// The last instant at which the certificate is valid.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        todo!()
    }

    /// Whether `time` is within the validity, both ends included.
    #[must_use]
    pub fn is_valid_at(&self, time: Timestamp) -> bool {
        (self.not_before()..=self.not_after()).contains(&time)
    }

    /// Whether it is a certificate authority's (`basicConstraints` with `cA` true).
    #[must_use]
    pub fn is_ca(&self) -> bool {
        todo!()
    }

    /// How many intermediate certificates may follow it, if that is limited.
    #[must_use]
    pub fn path_len(&self) -> Option<u32> {
        todo!()
    }

    /// The key usage, if it says.
    #[must_use]
    pub fn key_usage(&self) -> Option<KeyUsage> {
        todo!()
    }

    /// The extended key usages; `None` without the extension.
    #[must_use]
    pub fn extended_key_usage(&self) -> Option<&[Oid]> {
        todo!()
    }

    /// The subject alternative names in their order; empty without the extension.
    #[must_use]
    pub fn sans(&self) -> &[GeneralName] {
        todo!()
    }

    /// The subject key identifier.
    #[must_use]
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        todo!()
    }

    /// The key identifier of the issuer.
    #[must_use]
    pub fn authority_key_id(&self) -> Option<&[u8]> {
        todo!()
    }

    /// Every extension in its order.
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'_>> {
        std::iter::empty()
    }

    /// The extension `oid`.
    #[must_use]
    pub fn extension(&self, oid: Oid) -> Option<Extension<'_>> {
        self.extensions().find(|extension| extension.oid == oid)
    }

    /// Whether subject and issuer are the same name.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.subject_der() == self.issuer_der()
    }

    /// Whether it is signed with its own key.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        todo!()
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
        write!(f, "Certificate({})", self.subject())
    }
}
