//! What a client sends: `CreateEntryRequest`.
//!
//! Read by the rules of protojson: members have two names, unknown and repeated ones are refused, `null` is
//! absence, bytes are base64 of either alphabet. What is missing is found missing by the crate `entries`,
//! not here, because the log tells the two refusals apart.

use std::fmt;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use crypto::KeyDetails;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::body::VerifierMaterial;

/// What is asked to be added. Exactly one kind can be asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Proposal {
    /// A `hashedrekord` 0.0.2.
    HashedRekord(HashedRekordRequest),
    /// A `dsse` 0.0.2, which logs no longer take.
    Dsse,
}

/// The body of `POST /api/v2/log/entries`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CreateEntryRequest {
    /// What is proposed, if anything.
    pub proposal: Option<Proposal>,
}

/// Why a body is no [`CreateEntryRequest`].
#[derive(Debug, thiserror::Error)]
#[error("the request is not the JSON form of a CreateEntryRequest")]
pub struct RequestError(#[from] serde_json::Error);

/// A signature over the digest of an artifact.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct HashedRekordRequest {
    /// The digest of what was signed. Which algorithm it is follows from the key details.
    #[serde(with = "proto_bytes")]
    pub digest: Vec<u8>,
    /// The signature, and who can check it.
    #[serde(deserialize_with = "object")]
    pub signature: Option<Signature>,
}

/// A signature, and who can check it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Signature {
    /// The signature's bytes.
    #[serde(with = "proto_bytes")]
    pub content: Vec<u8>,
    /// Who can check it.
    #[serde(deserialize_with = "object")]
    pub verifier: Option<Verifier>,
}

/// A key or a certificate, and what the client says of its algorithm.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "VerifierMessage", into = "VerifierMessage")]
pub struct Verifier {
    /// The key or certificate.
    pub material: Option<VerifierMaterial>,
    /// The algorithm; `None` where it is missing or not one that [`KeyDetails`] lists.
    pub key_details: Option<KeyDetails>,
}

impl CreateEntryRequest {
    /// Reads the first JSON value of `body`; what follows it is ignored, as the existing server does. An
    /// empty body is a request for nothing.
    ///
    /// # Errors
    ///
    /// [`RequestError`] if it is not JSON of this form.
    pub fn from_json(body: &[u8]) -> Result<Self, RequestError> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let mut json = serde_json::Deserializer::from_slice(body);
        let message: Option<RequestMessage> = object(&mut json)?;
        let null = || <serde_json::Error as de::Error>::custom("null is no request");
        Ok(message.ok_or_else(null)?.try_into()?)
    }

    /// Asks for a `hashedrekord`.
    #[must_use]
    pub fn hashed_rekord(request: HashedRekordRequest) -> Self {
        Self { proposal: Some(Proposal::HashedRekord(request)) }
    }

    /// The request as a client sends it.
    ///
    /// # Errors
    ///
    /// None that can arise: the form has no maps with other keys than strings.
    pub fn to_json(&self) -> Result<Vec<u8>, RequestError> {
        let message = match &self.proposal {
            Some(Proposal::HashedRekord(request)) => {
                RequestMessage { hashed_rekord: Some(request.clone()), dsse: None }
            }
            Some(Proposal::Dsse) | None => RequestMessage::default(),
        };
        Ok(serde_json::to_vec(&message)?)
    }
}

/// The request as it stands on the wire.
#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct RequestMessage {
    #[serde(
        rename = "hashedRekordRequestV002",
        alias = "hashed_rekord_request_v002",
        deserialize_with = "object",
        skip_serializing_if = "Option::is_none"
    )]
    hashed_rekord: Option<HashedRekordRequest>,
    #[serde(rename = "dsseRequestV002", alias = "dsse_request_v002", skip_serializing)]
    dsse: Option<IgnoredAny>,
}

impl TryFrom<RequestMessage> for CreateEntryRequest {
    type Error = serde_json::Error;

    fn try_from(message: RequestMessage) -> Result<Self, serde_json::Error> {
        let proposal = match (message.hashed_rekord, message.dsse) {
            (Some(_), Some(_)) => {
                return Err(de::Error::custom("two kinds of entry are asked for"));
            }
            (Some(request), None) => Some(Proposal::HashedRekord(request)),
            (None, Some(_)) => Some(Proposal::Dsse),
            (None, None) => None,
        };
        Ok(Self { proposal })
    }
}

/// A verifier as it stands on the wire.
#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct VerifierMessage {
    #[serde(
        alias = "public_key",
        deserialize_with = "object",
        skip_serializing_if = "Option::is_none"
    )]
    public_key: Option<RawBytes>,
    #[serde(
        rename = "x509Certificate",
        alias = "x509_certificate",
        deserialize_with = "object",
        skip_serializing_if = "Option::is_none"
    )]
    certificate: Option<RawBytes>,
    #[serde(alias = "key_details", with = "key_details")]
    key_details: Option<KeyDetails>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct RawBytes {
    #[serde(alias = "raw_bytes", with = "proto_bytes")]
    raw_bytes: Vec<u8>,
}

impl TryFrom<VerifierMessage> for Verifier {
    type Error = &'static str;

    fn try_from(message: VerifierMessage) -> Result<Self, &'static str> {
        let material = match (message.public_key, message.certificate) {
            (Some(_), Some(_)) => return Err("there are both a public key and a certificate"),
            (Some(key), None) => Some(VerifierMaterial::PublicKey(key.raw_bytes)),
            (None, Some(certificate)) => Some(VerifierMaterial::Certificate(certificate.raw_bytes)),
            (None, None) => None,
        };
        Ok(Self { material, key_details: message.key_details })
    }
}

impl From<Verifier> for VerifierMessage {
    fn from(verifier: Verifier) -> Self {
        let (public_key, certificate) = match verifier.material {
            Some(VerifierMaterial::PublicKey(raw_bytes)) => (Some(RawBytes { raw_bytes }), None),
            Some(VerifierMaterial::Certificate(raw_bytes)) => (None, Some(RawBytes { raw_bytes })),
            None => (None, None),
        };
        Self { public_key, certificate, key_details: verifier.key_details }
    }
}

/// A message or `null`. What serde derives would also take an array for it.
fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    struct Object<T>(std::marker::PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }

        fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
            Ok(None)
        }
    }

    from.deserialize_any(Object(std::marker::PhantomData))
}

/// The enum `PublicKeyDetails`: a name or a number.
mod key_details {
    use super::{Deserializer, KeyDetails, Serializer, Visitor, de, fmt};

    pub(super) fn serialize<S: Serializer>(
        details: &Option<KeyDetails>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(details.map_or("PUBLIC_KEY_DETAILS_UNSPECIFIED", |d| d.proto().0))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<KeyDetails>, D::Error> {
        from.deserialize_any(Details)
    }

    struct Details;

    impl Visitor<'_> for Details {
        type Value = Option<KeyDetails>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the name or number of a PublicKeyDetails")
        }

        fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
            Ok(KeyDetails::by_name(name))
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
            Ok(i64::try_from(number).ok().and_then(KeyDetails::by_number))
        }

        fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }
}

/// The type `bytes` of protojson: base64 of either alphabet, padded or not. Padding bits may be anything.
mod proto_bytes {
    use super::{
        DecodePaddingMode, Deserializer, Engine, GeneralPurpose, GeneralPurposeConfig, Visitor,
        alphabet, de, fmt,
    };

    const LAX: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LAX);
    const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LAX);

    pub(super) use crate::json::base64 as serialize;

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        from.deserialize_any(Bytes)
    }

    struct Bytes;

    impl Visitor<'_> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("base64")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<u8>, E> {
            let engine = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
            engine.decode(text).map_err(|_| E::custom("bytes that are no base64"))
        }

        fn visit_unit<E: de::Error>(self) -> Result<Vec<u8>, E> {
            Ok(Vec::new())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<CreateEntryRequest, RequestError> {
        CreateEntryRequest::from_json(text.as_bytes())
    }

    fn request() -> CreateEntryRequest {
        CreateEntryRequest::hashed_rekord(HashedRekordRequest {
            digest: vec![0xff; 32],
            signature: Some(Signature {
                content: vec![1, 2],
                verifier: Some(Verifier {
                    material: Some(VerifierMaterial::PublicKey(vec![3])),
                    key_details: Some(KeyDetails::EcdsaP256Sha256),
                }),
            }),
        })
    }

    #[test]
    fn a_request_is_read_as_it_is_written_and_by_its_other_names() {
        let text = String::from_utf8(request().to_json().unwrap()).unwrap();
        assert_eq!(read(&text).unwrap(), request());
        let snake = text
            .replace("hashedRekordRequestV002", "hashed_rekord_request_v002")
            .replace("publicKey", "public_key")
            .replace("rawBytes", "raw_bytes")
            .replace("\"PKIX_ECDSA_P256_SHA_256\"", "5")
            .replace('/', "_")
            .replace("=\"", "\"");
        assert_eq!(read(&snake).unwrap(), request());
    }

    #[test]
    fn what_follows_the_request_is_ignored_and_nothing_is_a_request_for_nothing() {
        assert_eq!(read("{} trailing").unwrap(), CreateEntryRequest::default());
        assert_eq!(read(" \n").unwrap(), CreateEntryRequest::default());
        assert_eq!(
            read(r#"{"hashedRekordRequestV002":null}"#).unwrap(),
            CreateEntryRequest::default()
        );
    }

    #[test]
    fn unknown_repeated_and_contradicting_members_are_refused() {
        for text in [
            "null",
            "[]",
            "\u{feff}{}",
            r#"{"extra":1}"#,
            r#"{"hashedRekordRequestV002":["AA=="]}"#,
            r#"{"hashedRekordRequestV002":{},"hashed_rekord_request_v002":{}}"#,
            r#"{"hashedRekordRequestV002":{},"dsseRequestV002":{}}"#,
            r#"{"hashedRekordRequestV002":{"digest":"AA==="}}"#,
            r#"{"hashedRekordRequestV002":{"digest":"A-A/"}}"#,
            r#"{"hashedRekordRequestV002":{"digest":"A A="}}"#,
            r#"{"hashedRekordRequestV002":{"signature":{"verifier":{"publicKey":{},"x509Certificate":{}}}}}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        read(r#"{"hashedRekordRequestV002":{"signature":{"verifier":{"publicKey":{},"x509Certificate":null}}}}"#)
            .unwrap();
    }
}
