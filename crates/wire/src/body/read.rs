//! Reading bodies, as a log holds them. A closed set: no body is ever read as another kind.

use crypto::{HashAlgorithm, KeyDetails};

use super::{
    Body, DsseV1, DsseV1Signature, DsseV2, HashText, HashedRekordV1, HashedRekordV2,
    IntotoSignature, IntotoV1, IntotoV2, SignatureV2, Verifier, VerifierMaterial,
};
use crate::bundle::{KindVersion, read_certificate, read_digest};
use crate::json::{self, Json, JsonError, Object, Problem, Unknown, excerpt};

/// The longest body. Rekor v1 takes submissions of up to 100 KiB of attestation; a body holds less.
const MAX_BODY: usize = 4 << 20;
/// The most signatures in one body.
const MAX_SIGNATURES: usize = 32;

/// Why bytes are not a body.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BodyError {
    /// They are not the JSON of a body of the kind that they say.
    #[error("the entry's body cannot be read: {0}")]
    Json(JsonError),
    /// The kind or version is not one that bundles carry.
    #[error("the entry is of the kind {0}, which is not supported")]
    Unsupported(KindVersion),
}

impl From<JsonError> for BodyError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl Body {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// See [`BodyError`].
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        let mut object = json::parse(body, MAX_BODY)?.into_object()?;
        let kind = object.required("kind", Json::into_string)?;
        let version = object.required("apiVersion", Json::into_string)?;
        let body = match (kind.as_str(), version.as_str()) {
            ("hashedrekord", "0.0.1") => {
                Self::HashedRekordV1(object.required("spec", hashed_rekord_v1)?)
            }
            ("dsse", "0.0.1") => Self::DsseV1(object.required("spec", dsse_v1)?),
            ("intoto", "0.0.1") => Self::IntotoV1(object.required("spec", intoto_v1)?),
            ("intoto", "0.0.2") => Self::IntotoV2(object.required("spec", intoto_v2)?),
            ("hashedrekord", "0.0.2") => {
                Self::HashedRekordV2(object.required("spec", hashed_rekord_v2)?)
            }
            ("dsse", "0.0.2") => Self::DsseV2(object.required("spec", dsse_v2)?),
            _ => return Err(BodyError::Unsupported(KindVersion { kind, version }.excerpt())),
        };
        object.finish(Unknown::Refused)?;
        Ok(body)
    }
}

/// Takes an object apart with `read`, and lets nothing be left.
fn whole<'a, T>(
    value: Json<'a>,
    read: impl FnOnce(&mut Object<'a>) -> Result<T, JsonError>,
) -> Result<T, JsonError> {
    let mut object = value.into_object()?;
    let result = read(&mut object)?;
    object.finish(Unknown::Refused)?;
    Ok(result)
}

/// An object that has one member only.
fn wrapped<'a, T>(
    name: &'static str,
    read: impl FnOnce(Json<'a>) -> Result<T, JsonError>,
) -> impl FnOnce(Json<'a>) -> Result<T, JsonError> {
    move |value| whole(value, |object| object.required(name, read))
}

fn hash_text(value: Json<'_>) -> Result<HashText, JsonError> {
    whole(value, |object| {
        let name = object.required("algorithm", Json::into_string)?;
        let algorithm = HashAlgorithm::by_name(&name)
            .ok_or_else(|| Problem::UnknownValue(excerpt(&name)).here())?;
        Ok(HashText { algorithm, value: object.required("value", Json::into_string)? })
    })
}

fn hashed_rekord_v1(spec: Json<'_>) -> Result<HashedRekordV1, JsonError> {
    whole(spec, |spec| {
        let hash = spec.required("data", wrapped("hash", hash_text))?;
        let (signature, public_key) = spec.required("signature", |value| {
            whole(value, |object| {
                let content = object.required("content", Json::into_bytes)?;
                let key = object.required("publicKey", wrapped("content", Json::into_bytes))?;
                Ok((content, key))
            })
        })?;
        Ok(HashedRekordV1 { hash, signature, public_key })
    })
}

fn dsse_v1(spec: Json<'_>) -> Result<DsseV1, JsonError> {
    whole(spec, |spec| {
        Ok(DsseV1 {
            envelope_hash: spec.required("envelopeHash", hash_text)?,
            payload_hash: spec.required("payloadHash", hash_text)?,
            signatures: spec.list("signatures", MAX_SIGNATURES, |value| {
                whole(value, |object| {
                    Ok(DsseV1Signature {
                        signature: object.required("signature", Json::into_string)?,
                        verifier: object.required("verifier", Json::into_bytes)?,
                    })
                })
            })?,
        })
    })
}

fn intoto_v1(spec: Json<'_>) -> Result<IntotoV1, JsonError> {
    whole(spec, |spec| {
        let (hash, payload_hash) = spec.required("content", |value| {
            whole(value, |content| {
                let hash = content.required("hash", hash_text)?;
                Ok((hash, content.optional("payloadHash", hash_text)?))
            })
        })?;
        let public_key = spec.required("publicKey", Json::into_bytes)?;
        Ok(IntotoV1 { hash, payload_hash, public_key })
    })
}

fn intoto_v2(spec: Json<'_>) -> Result<IntotoV2, JsonError> {
    let content = |value| {
        whole(value, |content| {
            let (payload, payload_type, signatures) =
                content.required("envelope", intoto_envelope)?;
            let hash = content.required("hash", hash_text)?;
            let payload_hash = content.required("payloadHash", hash_text)?;
            Ok(IntotoV2 { payload, payload_type, signatures, hash, payload_hash })
        })
    };
    wrapped("content", content)(spec)
}

type IntotoEnvelope = (Option<String>, String, Vec<IntotoSignature>);

fn intoto_envelope(value: Json<'_>) -> Result<IntotoEnvelope, JsonError> {
    whole(value, |envelope| {
        let payload = envelope.optional("payload", Json::into_string)?;
        let payload_type = envelope.required("payloadType", Json::into_string)?;
        let signatures = envelope.list("signatures", MAX_SIGNATURES, |value| {
            whole(value, |object| {
                Ok(IntotoSignature {
                    key_id: object.or_default("keyid", Json::into_string)?,
                    public_key: object.required("publicKey", Json::into_bytes)?,
                    signature: object.required("sig", Json::into_bytes)?,
                })
            })
        })?;
        Ok((payload, payload_type, signatures))
    })
}

fn hashed_rekord_v2(spec: Json<'_>) -> Result<HashedRekordV2, JsonError> {
    let inner = |value| {
        whole(value, |object| {
            Ok(HashedRekordV2 {
                data: object.required("data", read_digest)?,
                signature: object.required("signature", signature_v2)?,
            })
        })
    };
    wrapped("hashedRekordV002", inner)(spec)
}

fn dsse_v2(spec: Json<'_>) -> Result<DsseV2, JsonError> {
    let inner = |value| {
        whole(value, |object| {
            Ok(DsseV2 {
                payload_hash: object.required("payloadHash", read_digest)?,
                signatures: object.list("signatures", MAX_SIGNATURES, signature_v2)?,
            })
        })
    };
    wrapped("dsseV002", inner)(spec)
}

fn signature_v2(value: Json<'_>) -> Result<SignatureV2, JsonError> {
    whole(value, |object| {
        Ok(SignatureV2 {
            content: object.required("content", Json::into_bytes)?,
            verifier: object.required("verifier", verifier)?,
        })
    })
}

fn verifier(value: Json<'_>) -> Result<Verifier, JsonError> {
    whole(value, |object| {
        let key_details = object.required("keyDetails", key_details)?;
        let key = object.optional("publicKey", read_certificate)?;
        let certificate = object.optional("x509Certificate", read_certificate)?;
        let material = match (key, certificate) {
            (Some(key), None) => VerifierMaterial::PublicKey(key),
            (None, Some(certificate)) => VerifierMaterial::Certificate(certificate),
            (None, None) => return Err(Problem::Missing("publicKey").here()),
            (Some(_), Some(_)) => {
                return Err(Problem::TwoAlternatives("publicKey", "x509Certificate").here());
            }
        };
        Ok(Verifier { key_details, material })
    })
}

/// Reads a `PublicKeyDetails` that must be known.
fn key_details(value: Json<'_>) -> Result<KeyDetails, JsonError> {
    let read = value.into_enumeration(KeyDetails::by_name, KeyDetails::by_number)?;
    read.map_err(|unknown| Problem::UnknownValue(unknown).here())
}
