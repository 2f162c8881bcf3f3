//! Between the CMS signature of a git object and the bundle that it holds the parts of.
//!
//! | CMS | bundle |
//! |---|---|
//! | the DER of the set of signed attributes | the artifact |
//! | `SignerInfo.signature` | the message signature |
//! | the certificate that the signer's identifier names | the certificate |
//! | unsigned attribute 1.3.6.1.4.1.57264.3.1, without its body | a log entry; its body follows from the lines above |
//! | unsigned attribute `id-aa-timeStampToken` (RFC 3161 appendix A) | a timestamp |
//!
//! One thing no bundle can show: that the signed attributes are about this object. [`GitSignature::bind`] compares the
//! digests, and nothing else leads to a signature that can be verified.

use crypto::{Digest, KeyDetails};
use pki::asn1::{Reader, octet_string, tag};
use pki::cms::{Attribute, DetachedError, DetachedSignature, SignedAttributes};
use pki::tsp::{Token, TokenFormatError};
use pki::{Certificate, Oid};
use verify::{Artifact, Policy, Verified, VerifyError};
use wire::body::{
    Body, HashedRekordV1, HashedRekordV2, SignatureV2, Verifier as LoggedVerifier, VerifierMaterial,
};
use wire::bundle::{
    Bundle, Content, MAX_ENTRIES, MAX_TIMESTAMPS, MediaType, MessageSignature, SignerMaterial,
    TransparencyLogEntry, VerificationMaterial,
};
use wire::protobuf::ProtobufError;
use wire::trusted_root::TrustedRoot;

use super::armor::{self, ArmorError};

/// A `TransparencyLogEntry`, serialised, in an octet string.
const LOG_ENTRY: Oid = Oid::new_unwrap("1.3.6.1.4.1.57264.3.1");
/// `id-aa-timeStampToken`.
const TIMESTAMP: Oid = Oid::new_unwrap("1.2.840.113549.1.9.16.2.14");

/// A signature that was read. It may be about any object, and by anybody.
#[derive(Clone, Debug)]
pub struct GitSignature {
    cms: DetachedSignature,
    bundle: Bundle,
}

/// A signature whose signed attributes are about a certain object. Who signed them nobody has judged yet.
#[derive(Clone, Debug)]
pub struct BoundSignature(GitSignature);

/// The signature is about another object.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the signature is about an object with {signed}, this one has {found}")]
pub struct OtherObject {
    /// The digest that was signed, with its algorithm.
    pub signed: String,
    /// The object's.
    pub found: String,
}

/// Why something is not a signature of a git object, or none that this program reads.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SignatureError {
    /// The text is not one armored signature.
    #[error("the signature cannot be read")]
    Armor(#[from] ArmorError),
    /// What is armored is not a signature by one signer over something elsewhere.
    #[error("the signature cannot be read")]
    Cms(#[from] DetachedError),
    /// A log entry cannot be read.
    #[error("the log entry in the signature cannot be read")]
    Entry(#[source] ProtobufError),
    /// A log entry is not in an octet string.
    #[error("the log entry in the signature cannot be read")]
    EntryForm,
    /// A log entry is of a kind that signatures of git objects have not.
    #[error("the log entry in the signature is of the kind {0:?}")]
    EntryKind(String),
    /// The signer's key is not one of the Sigstore algorithm registry.
    #[error("the signer's key is of a kind that is not used")]
    KeyKind,
    /// More entries or timestamps than a bundle may have.
    #[error("the signature holds more evidence than a bundle may")]
    TooMuch,
}

impl GitSignature {
    /// Reads an armored signature.
    ///
    /// # Errors
    ///
    /// See [`SignatureError`].
    pub fn read(armored: &[u8]) -> Result<Self, SignatureError> {
        let cms = DetachedSignature::from_der(&armor::remove(armored)?)?;
        let digest = cms.message_digest().algorithm().digest(cms.signed_attributes());
        let logged = Logged { certificate: cms.certificate(), signature: cms.signature(), digest };
        let entries: Vec<_> = cms
            .unsigned(LOG_ENTRY)
            .take(MAX_ENTRIES + 1)
            .map(|value| logged.entry(value))
            .collect::<Result<_, _>>()?;
        let timestamps: Vec<_> =
            cms.unsigned(TIMESTAMP).take(MAX_TIMESTAMPS + 1).map(<[u8]>::to_vec).collect();
        if entries.len() > MAX_ENTRIES || timestamps.len() > MAX_TIMESTAMPS {
            return Err(SignatureError::TooMuch);
        }
        let signer = SignerMaterial::Certificate(cms.certificate().der().to_vec());
        let message =
            MessageSignature { digest: Some(digest), signature: cms.signature().to_vec() };
        let bundle = Bundle {
            media_type: MediaType::V0_3,
            material: VerificationMaterial { signer, entries, timestamps },
            content: Content::Message(message),
        };
        Ok(Self { cms, bundle })
    }

    /// The certificate that the signature names as its signer's.
    #[must_use]
    pub const fn certificate(&self) -> &Certificate {
        self.cms.certificate()
    }

    /// Whether it holds what a log says of it. In gitsign's mode "online" only a search of the log would find that.
    #[must_use]
    pub const fn holds_entry(&self) -> bool {
        !self.bundle.material.entries.is_empty()
    }

    /// Checks that what was signed is about `object`, given as the bytes that git signs.
    ///
    /// # Errors
    ///
    /// [`OtherObject`].
    pub fn bind(self, object: &[u8]) -> Result<BoundSignature, OtherObject> {
        let signed = *self.cms.message_digest();
        let found = signed.algorithm().digest(object);
        if signed != found {
            return Err(OtherObject { signed: signed.to_string(), found: found.to_string() });
        }
        Ok(BoundSignature(self))
    }
}

impl BoundSignature {
    /// Judges who signed, as for any bundle.
    ///
    /// # Errors
    ///
    /// [`VerifyError`].
    pub fn verify(&self, policy: &Policy, trust: &TrustedRoot) -> Result<Verified, VerifyError> {
        let artifact = Artifact::from_bytes(self.0.cms.signed_attributes());
        verify::verify(&artifact, &self.0.bundle, policy, trust)
    }

    /// The certificate that the signature names as its signer's.
    #[must_use]
    pub const fn certificate(&self) -> &Certificate {
        self.0.certificate()
    }

    /// The parts, put together as a bundle over the DER of the signed attributes.
    #[must_use]
    pub const fn bundle(&self) -> &Bundle {
        &self.0.bundle
    }
}

/// What a log's entry about the signature must say.
struct Logged<'a> {
    certificate: &'a Certificate,
    signature: &'a [u8],
    digest: Digest,
}

impl Logged<'_> {
    /// Reads an entry, and makes its body again. A body that came with it is not looked at.
    fn entry(&self, value: &[u8]) -> Result<TransparencyLogEntry, SignatureError> {
        let mut reader = Reader::new(value);
        let message = reader.expect(tag::OCTET_STRING).and_then(|octets| {
            reader.finish()?;
            Ok(octets.content())
        });
        let message = message.map_err(|_| SignatureError::EntryForm)?;
        let mut entry =
            TransparencyLogEntry::from_protobuf(message).map_err(SignatureError::Entry)?;
        let body = match (entry.kind_version.kind.as_str(), entry.kind_version.version.as_str()) {
            // Signers have written 0.0.1 for either version of the log, but version 1 always gives a time and a promise.
            ("hashedrekord", "0.0.1") if has_time(&entry) => self.body_v1(),
            ("hashedrekord", "0.0.1" | "0.0.2") => self.body_v2()?,
            _ => return Err(SignatureError::EntryKind(entry.kind_version.to_string())),
        };
        entry.kind_version = body.kind_version();
        entry.canonicalized_body = body.to_canonical();
        Ok(entry)
    }

    fn body_v1(&self) -> Body {
        Body::HashedRekordV1(HashedRekordV1 {
            hash: self.digest.into(),
            signature: self.signature.to_vec(),
            public_key: self.certificate.to_pem().into_bytes(),
        })
    }

    fn body_v2(&self) -> Result<Body, SignatureError> {
        let key_details = KeyDetails::for_key(self.certificate.public_key());
        let material = VerifierMaterial::Certificate(self.certificate.der().to_vec());
        let verifier =
            LoggedVerifier { key_details: key_details.ok_or(SignatureError::KeyKind)?, material };
        let signature = SignatureV2 { content: self.signature.to_vec(), verifier };
        Ok(Body::HashedRekordV2(HashedRekordV2 { data: self.digest, signature }))
    }
}

const fn has_time(entry: &TransparencyLogEntry) -> bool {
    entry.integrated_time != 0 || entry.inclusion_promise.is_some()
}

/// The armored signature with which `certificate`'s key signed `attributes`, with the evidence of `bundle`.
///
/// # Errors
///
/// [`TokenFormatError`] if a timestamp in the bundle is none.
pub fn armored(
    attributes: &SignedAttributes,
    certificate: &Certificate,
    bundle: &Bundle,
) -> Result<String, TokenFormatError> {
    let entries = bundle.material.entries.iter().map(|entry| {
        let entry = TransparencyLogEntry { canonicalized_body: Vec::new(), ..entry.clone() };
        octet_string(&entry.to_protobuf())
    });
    let tokens = bundle.material.timestamps.iter();
    let tokens = tokens.map(|response| Token::bare(response).map(<[u8]>::to_vec));
    let unsigned = [
        Attribute { oid: LOG_ENTRY, values: entries.collect() },
        Attribute { oid: TIMESTAMP, values: tokens.collect::<Result<_, _>>()? },
    ];
    let there: Vec<_> =
        unsigned.into_iter().filter(|attribute| !attribute.values.is_empty()).collect();
    let der = attributes.assemble(certificate, bundle.content.signature(), &there);
    Ok(armor::put_on(&der))
}
