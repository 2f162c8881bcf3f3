//! Reading bundles.

use crypto::{Digest, HashAlgorithm};

use super::{
    Bundle, Content, MAX_BUNDLE, MAX_CERTIFICATES, MAX_ENTRIES, MAX_TIMESTAMPS, MediaType,
    MessageSignature, SignerMaterial, TransparencyLogEntry, VerificationMaterial,
};
use crate::dsse::Envelope;
use crate::json::{self, Json, JsonError, Object, Problem, Unknown, excerpt};

/// Why bytes are not a bundle.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BundleError {
    /// They are not the JSON form of a bundle's message.
    #[error("the bundle cannot be read: {0}")]
    Json(JsonError),
    /// The media type is not that of a version that is known; empty if there is none.
    #[error("the bundle's media type {0:?} is not known")]
    MediaType(String),
    /// The chain of certificates has no certificate.
    #[error("the bundle's chain of certificates is empty")]
    EmptyChain,
    /// There is neither a certificate nor a public key.
    #[error("the bundle names no signer: it has neither a certificate nor a public key")]
    NoSigner,
    /// There is neither a message signature nor an envelope.
    #[error("the bundle has neither a message signature nor a DSSE envelope")]
    NoContent,
    /// The envelope has no signature, or several. Sigstore's envelopes have exactly one.
    #[error("the bundle's DSSE envelope has {0} signatures; it must have one")]
    SignatureCount(usize),
    /// The signature is empty.
    #[error("the bundle's signature is empty")]
    EmptySignature,
}

impl From<JsonError> for BundleError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl Bundle {
    /// Reads the JSON of a bundle.
    ///
    /// # Errors
    ///
    /// See [`BundleError`].
    pub fn parse(document: &[u8]) -> Result<Self, BundleError> {
        let mut object = json::parse(document, MAX_BUNDLE)?.into_object()?;
        let name = object.or_default("mediaType", Json::into_string)?;
        let media_type =
            MediaType::by_name(&name).ok_or_else(|| BundleError::MediaType(excerpt(&name)))?;
        let material = object.take("verificationMaterial")?.ok_or(BundleError::NoSigner)?;
        let bundle = Self {
            media_type,
            material: read_material(material)?,
            content: read_content(&mut object)?,
        };
        object.finish(Unknown::Refused)?;
        Ok(bundle)
    }
}

const MATERIAL: &str = "verificationMaterial";

fn read_material(value: Json<'_>) -> Result<VerificationMaterial, BundleError> {
    let within = |error: JsonError| error.within(MATERIAL);
    let mut object = value.into_object().map_err(within)?;
    let signer = read_signer(&mut object).map_err(within)?.ok_or(BundleError::NoSigner)?;
    if matches!(&signer, SignerMaterial::Chain(chain) if chain.is_empty()) {
        return Err(BundleError::EmptyChain);
    }
    let entries = object.list("tlogEntries", MAX_ENTRIES, TransparencyLogEntry::read);
    let timestamps = object.or_default("timestampVerificationData", read_timestamps);
    let material = VerificationMaterial {
        signer,
        entries: entries.map_err(within)?,
        timestamps: timestamps.map_err(within)?,
    };
    object.finish(Unknown::Refused).map_err(within)?;
    Ok(material)
}

fn read_signer(object: &mut Object<'_>) -> Result<Option<SignerMaterial>, JsonError> {
    let certificate = object.optional("certificate", read_certificate)?;
    let chain = object.optional("x509CertificateChain", read_chain)?;
    let hint = object.optional("publicKey", read_key_hint)?;
    match (certificate, chain, hint) {
        (Some(leaf), None, None) => Ok(Some(SignerMaterial::Certificate(leaf))),
        (None, Some(chain), None) => Ok(Some(SignerMaterial::Chain(chain))),
        (None, None, Some(hint)) => Ok(Some(SignerMaterial::PublicKey { hint })),
        (None, None, None) => Ok(None),
        (Some(_), Some(_), _) => {
            Err(Problem::TwoAlternatives("certificate", "x509CertificateChain").here())
        }
        (Some(_), None, Some(_)) => {
            Err(Problem::TwoAlternatives("certificate", "publicKey").here())
        }
        (None, Some(_), Some(_)) => {
            Err(Problem::TwoAlternatives("x509CertificateChain", "publicKey").here())
        }
    }
}

/// Reads an `X509Certificate`.
pub(crate) fn read_certificate(value: Json<'_>) -> Result<Vec<u8>, JsonError> {
    let mut object = value.into_object()?;
    let der = object.required("rawBytes", Json::into_bytes)?;
    object.finish(Unknown::Refused)?;
    Ok(der)
}

fn read_chain(value: Json<'_>) -> Result<Vec<Vec<u8>>, JsonError> {
    let mut object = value.into_object()?;
    let chain = object.list("certificates", MAX_CERTIFICATES, read_certificate)?;
    object.finish(Unknown::Refused)?;
    Ok(chain)
}

fn read_key_hint(value: Json<'_>) -> Result<String, JsonError> {
    let mut object = value.into_object()?;
    let hint = object.or_default("hint", Json::into_string)?;
    object.finish(Unknown::Refused)?;
    Ok(hint)
}

fn read_timestamps(value: Json<'_>) -> Result<Vec<Vec<u8>>, JsonError> {
    let mut object = value.into_object()?;
    let timestamps = object.list("rfc3161Timestamps", MAX_TIMESTAMPS, |value| {
        let mut object = value.into_object()?;
        let response = object.required("signedTimestamp", Json::into_bytes)?;
        object.finish(Unknown::Refused)?;
        Ok(response)
    })?;
    object.finish(Unknown::Refused)?;
    Ok(timestamps)
}

fn read_content(object: &mut Object<'_>) -> Result<Content, BundleError> {
    let message = object.optional("messageSignature", read_message)?;
    let envelope = object.optional("dsseEnvelope", Envelope::read)?;
    let content = match (message, envelope) {
        (Some(message), None) => Content::Message(message),
        (None, Some(envelope)) => match envelope.signatures.len() {
            1 => Content::Dsse(envelope),
            count => return Err(BundleError::SignatureCount(count)),
        },
        (None, None) => return Err(BundleError::NoContent),
        (Some(_), Some(_)) => {
            return Err(Problem::TwoAlternatives("messageSignature", "dsseEnvelope").here().into());
        }
    };
    if content.signature().is_empty() {
        return Err(BundleError::EmptySignature);
    }
    Ok(content)
}

fn read_message(value: Json<'_>) -> Result<MessageSignature, JsonError> {
    let mut object = value.into_object()?;
    let message = MessageSignature {
        digest: object.optional("messageDigest", read_digest)?,
        signature: object.or_default("signature", Json::into_bytes)?,
    };
    object.finish(Unknown::Refused)?;
    Ok(message)
}

/// Reads a `HashOutput`.
pub(crate) fn read_digest(value: Json<'_>) -> Result<Digest, JsonError> {
    let mut object = value.into_object()?;
    let algorithm = object.required("algorithm", read_hash_algorithm)?;
    let bytes = object.or_default("digest", Json::into_bytes)?;
    object.finish(Unknown::Refused)?;
    Digest::new(algorithm, &bytes).map_err(|_| {
        Problem::Length { expected: algorithm.length(), found: bytes.len() }.here().within("digest")
    })
}

/// Reads a `HashAlgorithm`, by name or number.
fn read_hash_algorithm(value: Json<'_>) -> Result<HashAlgorithm, JsonError> {
    const ALL: [HashAlgorithm; 3] =
        [HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Sha512];
    let read = value.into_enumeration(
        |name| ALL.into_iter().find(|algorithm| algorithm.proto_name() == name),
        |number| ALL.into_iter().find(|algorithm| algorithm.proto_number() == number),
    )?;
    read.map_err(|unknown| Problem::UnknownValue(unknown).here())
}
