//! Believing tokens: sigstore client specification §4.2, RFC 3161 §2.4.2, RFC 5816.

use crypto::Digest;
use jiff::Timestamp;

use super::{Request, SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2, TST_INFO, Token};
use crate::Certificate;
use crate::asn1::{DerError, Reader, tag};
use crate::chain::{PathError, Purpose, VerifiedPath, verify_path};
use crate::cms::{CONTENT_TYPE, MESSAGE_DIGEST, SignerInfo};
use crate::signature;

/// Those whose timestamps are trusted: one entry of a trusted root.
#[derive(Clone, Debug)]
pub struct Authority {
    leaf: Option<Certificate>,
    intermediates: Vec<Certificate>,
    anchor: Certificate,
}

/// Why a timestamp is not believed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TokenError {
    /// It is for other bytes.
    #[error("the timestamp is for other bytes")]
    Imprint,
    /// No certificate among the trusted or embedded ones is the one that the signature names.
    #[error("the certificate that signed the timestamp is not known")]
    UnknownSigner,
    /// The signed attributes are missing, repeated, or of something else.
    #[error("the timestamp's signed attribute {attribute} is missing or does not fit")]
    Attribute {
        /// Which.
        attribute: &'static str,
    },
    /// It has a critical extension, and none is known here.
    #[error("the timestamp has a critical extension that is not known")]
    CriticalExtension,
    /// The signature does not verify.
    #[error("the timestamp's signature does not verify")]
    Signature,
    /// The certificate does not lead to this authority.
    #[error("the timestamp's certificate is not trusted")]
    Path(#[source] PathError),
    /// It is not the answer to the request.
    #[error("the timestamp's {part} is not the request's")]
    OtherRequest {
        /// What differs.
        part: &'static str,
    },
}

/// Proof that a trusted authority has signed a time for some bytes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VerifiedTimestamp {
    /// The time.
    pub time: Timestamp,
    /// From the certificate that signed it to the authority's root.
    pub path: VerifiedPath,
}

impl Authority {
    /// Takes a chain as a trusted root has it: leaf first (if it is there), root last.
    ///
    /// `None` for an empty chain.
    #[must_use]
    pub fn from_chain(chain: &[Certificate]) -> Option<Self> {
        let (anchor, rest) = chain.split_last()?;
        let (leaf, intermediates) = match rest {
            [leaf, intermediates @ ..] if !leaf.is_ca() => (Some(leaf.clone()), intermediates),
            intermediates => (None, intermediates),
        };
        Some(Self { leaf, intermediates: intermediates.to_vec(), anchor: anchor.clone() })
    }

    /// The certificate that `signer` names. Where the trusted root names the leaf, no other will do.
    fn find<'a>(&'a self, token: &'a Token) -> Result<&'a Certificate, TokenError> {
        let embedded = token.certificates().iter();
        let candidates: Vec<&Certificate> = match &self.leaf {
            Some(leaf) => vec![leaf],
            None => embedded.chain(&self.intermediates).collect(),
        };
        let named = |certificate: &&Certificate| token.signer.id.names(certificate);
        candidates.into_iter().find(named).ok_or(TokenError::UnknownSigner)
    }
}

impl Token {
    /// Checks that `authority` signed this token for `message` (for a bundle, the signature's bytes).
    ///
    /// # Errors
    ///
    /// See [`TokenError`].
    pub fn verify(
        &self,
        message: &[u8],
        authority: &Authority,
    ) -> Result<VerifiedTimestamp, TokenError> {
        self.verify_digest(&self.imprint().algorithm().digest(message), authority)
    }

    /// Checks that `authority` signed this token for a message with this digest. The digest must be of
    /// the algorithm of [`Self::imprint`].
    ///
    /// # Errors
    ///
    /// See [`TokenError`].
    pub fn verify_digest(
        &self,
        digest: &Digest,
        authority: &Authority,
    ) -> Result<VerifiedTimestamp, TokenError> {
        if digest != self.imprint() {
            return Err(TokenError::Imprint);
        }
        if self.info.has_critical_extension {
            return Err(TokenError::CriticalExtension);
        }
        let certificate = authority.find(self)?;
        self.check_attributes(certificate)?;
        self.signer.verify(certificate.public_key()).map_err(|_| TokenError::Signature)?;

        // Embedded certificates are candidates only: the path must end at the authority's root.
        let embedded = self.certificates().iter().filter(|known| known.is_ca());
        let intermediates: Vec<_> =
            authority.intermediates.iter().chain(embedded).cloned().collect();
        let anchors = std::slice::from_ref(&authority.anchor);
        let time = self.claimed_time();
        let path = verify_path(certificate, &intermediates, anchors, time, Purpose::TimeStamping)
            .map_err(TokenError::Path)?;
        Ok(VerifiedTimestamp { time, path })
    }

    /// RFC 5652 §11.1, §11.2; RFC 3161 §2.4.2 as RFC 5816 updates it: the signing certificate must be
    /// among the signed attributes.
    fn check_attributes(&self, certificate: &Certificate) -> Result<(), TokenError> {
        let attribute = |attribute| move |DerError| TokenError::Attribute { attribute };
        check_content_type(&self.signer).map_err(attribute("contentType"))?;
        check_message_digest(&self.signer, self.data.content.as_deref().unwrap_or_default())
            .map_err(attribute("messageDigest"))?;
        check_signing_certificate(&self.signer, certificate)
            .map_err(attribute("signingCertificate"))
    }

    /// Checks that the token answers `request`: same imprint, nonce and, where one was asked for, policy.
    ///
    /// # Errors
    ///
    /// [`TokenError::OtherRequest`].
    pub fn answers(&self, request: &Request) -> Result<(), TokenError> {
        let part = if *self.imprint() != request.imprint {
            "imprint"
        } else if self.nonce() != request.nonce.as_ref() {
            "nonce"
        } else if request.policy.as_ref().is_some_and(|policy| policy != self.policy()) {
            "policy"
        } else {
            return Ok(());
        };
        Err(TokenError::OtherRequest { part })
    }
}

fn check_content_type(signer: &SignerInfo) -> Result<(), DerError> {
    let value = signer.attribute(CONTENT_TYPE)?.ok_or(DerError)?;
    if Reader::new(value).oid()? == TST_INFO { Ok(()) } else { Err(DerError) }
}

fn check_message_digest(signer: &SignerInfo, content: &[u8]) -> Result<(), DerError> {
    let value = signer.attribute(MESSAGE_DIGEST)?.ok_or(DerError)?;
    let found = Reader::new(value).expect(tag::OCTET_STRING)?.content();
    let digest = signer.digest_algorithm().ok_or(DerError)?.digest(content);
    if found == digest.as_bytes() { Ok(()) } else { Err(DerError) }
}

/// The first `ESSCertID` or `ESSCertIDv2` must be that of the signer's certificate; each attribute that is
/// there must fit.
fn check_signing_certificate(
    signer: &SignerInfo,
    certificate: &Certificate,
) -> Result<(), DerError> {
    let v2 = signer.attribute(SIGNING_CERTIFICATE_V2)?;
    let v1 = signer.attribute(SIGNING_CERTIFICATE)?;
    if v1.is_none() && v2.is_none() {
        return Err(DerError);
    }
    if let Some(value) = v2 {
        check_ess_v2(first_id(value)?, certificate)?;
    }
    if let Some(value) = v1 {
        check_ess_v1(first_id(value)?, certificate)?;
    }
    Ok(())
}

/// Walks into the first element of the list of identifiers.
fn first_id(value: &[u8]) -> Result<Reader<'_>, DerError> {
    Reader::only(value, tag::SEQUENCE)?.sequence()?.sequence()
}

/// `ESSCertIDv2`, RFC 5035 §4.
fn check_ess_v2(mut id: Reader<'_>, certificate: &Certificate) -> Result<(), DerError> {
    let hash = match id.optional(tag::SEQUENCE)? {
        Some(algorithm) => signature::hash_algorithm(algorithm.der()).ok_or(DerError)?,
        None => crypto::HashAlgorithm::Sha256,
    };
    let found = id.expect(tag::OCTET_STRING)?.content();
    if found != hash.digest(certificate.der()).as_bytes() {
        return Err(DerError);
    }
    if id.is_empty() { Ok(()) } else { check_issuer_serial(id, certificate) }
}

/// `ESSCertID`, RFC 2634 §5.4.1. Its hash is SHA-1, which proves nothing; issuer and serial number, which
/// must then be there, name the certificate, and its key must have made the signature.
fn check_ess_v1(mut id: Reader<'_>, certificate: &Certificate) -> Result<(), DerError> {
    id.expect(tag::OCTET_STRING)?;
    check_issuer_serial(id, certificate)
}

/// `IssuerSerial`: one directory name and the serial number.
fn check_issuer_serial(mut id: Reader<'_>, certificate: &Certificate) -> Result<(), DerError> {
    let mut issuer_serial = id.sequence()?;
    id.finish()?;
    let mut names = issuer_serial.sequence()?;
    let issuer = names.expect(tag::constructed(4))?.content();
    names.finish()?;
    let serial = issuer_serial.integer()?.content();
    if issuer == certificate.issuer_der() && serial == certificate.serial() {
        Ok(())
    } else {
        Err(DerError)
    }
}
