//! Bodies of Rekor v1: texts are kept as the submitter wrote them.

use crypto::HashAlgorithm;
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use crate::json;

/// A digest as text, whose hexadecimal digits may be of either case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HashText {
    /// The algorithm.
    pub algorithm: HashAlgorithm,
    /// The digest in hexadecimal digits, as the submitter wrote it.
    pub value: String,
}

impl HashText {
    /// The digest's bytes, if the text is hexadecimal.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        hex::decode(&self.value).ok()
    }
}

impl From<crypto::Digest> for HashText {
    fn from(digest: crypto::Digest) -> Self {
        Self { algorithm: digest.algorithm(), value: digest.to_hex() }
    }
}

impl Serialize for HashText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Hash", 2)?;
        object.serialize_field("algorithm", self.algorithm.name())?;
        object.serialize_field("value", &self.value)?;
        object.end()
    }
}

/// `hashedrekord` 0.0.1: a signature over a digest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HashedRekordV1 {
    /// The digest that was signed.
    pub hash: HashText,
    /// The signature's bytes.
    pub signature: Vec<u8>,
    /// The PEM text of a public key, a certificate, or several certificates.
    pub public_key: Vec<u8>,
}

impl Serialize for HashedRekordV1 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Data<'a> {
            hash: &'a HashText,
        }
        #[derive(Serialize)]
        struct Signature<'a> {
            #[serde(serialize_with = "json::base64")]
            content: &'a [u8],
            #[serde(rename = "publicKey")]
            public_key: PublicKey<'a>,
        }
        #[derive(Serialize)]
        struct PublicKey<'a> {
            #[serde(serialize_with = "json::base64")]
            content: &'a [u8],
        }
        let public_key = PublicKey { content: &self.public_key };
        let mut object = serializer.serialize_struct("HashedRekord", 2)?;
        object.serialize_field("data", &Data { hash: &self.hash })?;
        object.serialize_field("signature", &Signature { content: &self.signature, public_key })?;
        object.end()
    }
}

/// `dsse` 0.0.1: the signatures of an envelope that is not in the log.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DsseV1 {
    /// The digest of the envelope's JSON text as it was submitted. A bundle does not keep that text.
    pub envelope_hash: HashText,
    /// The digest of the payload.
    pub payload_hash: HashText,
    /// The signatures, in the order of their texts.
    pub signatures: Vec<DsseV1Signature>,
}

/// One signature of a [`DsseV1`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct DsseV1Signature {
    /// The signature in base64, as the submitter's envelope had it.
    pub signature: String,
    /// The PEM text of the public key or certificate.
    #[serde(serialize_with = "json::base64")]
    pub verifier: Vec<u8>,
}

/// `intoto` 0.0.1: the digest of an envelope. The signature itself is not in the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IntotoV1 {
    /// The digest of the envelope's JSON text as it was submitted, which the log has checked.
    pub hash: HashText,
    /// The digest of the payload; the first logs left it out.
    pub payload_hash: Option<HashText>,
    /// The PEM text of the public key or certificate.
    pub public_key: Vec<u8>,
}

impl Serialize for IntotoV1 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Content<'a> {
            hash: &'a HashText,
            #[serde(skip_serializing_if = "Option::is_none")]
            payload_hash: &'a Option<HashText>,
        }
        let content = Content { hash: &self.hash, payload_hash: &self.payload_hash };
        let mut object = serializer.serialize_struct("Intoto", 2)?;
        object.serialize_field("content", &content)?;
        object.serialize_field("publicKey", &json::base64_text(&self.public_key))?;
        object.end()
    }
}

/// `intoto` 0.0.2: an envelope without its payload.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IntotoV2 {
    /// The base64 text of the payload's base64 text. The log drops it; some test bodies have it.
    pub payload: Option<String>,
    /// The type of the payload.
    pub payload_type: String,
    /// The signatures, in the envelope's order.
    pub signatures: Vec<IntotoSignature>,
    /// What the submitter says is the digest of the envelope: nobody checks it.
    pub hash: HashText,
    /// The digest of the payload.
    pub payload_hash: HashText,
}

/// One signature of an [`IntotoV2`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct IntotoSignature {
    /// A hint at the key; empty if there is none.
    #[serde(rename = "keyid", skip_serializing_if = "String::is_empty")]
    pub key_id: String,
    /// The PEM text of the public key or certificate, as the submitter wrote it.
    #[serde(rename = "publicKey", serialize_with = "json::base64")]
    pub public_key: Vec<u8>,
    /// The base64 text of the signature (which the body has in base64 once more).
    #[serde(rename = "sig", serialize_with = "json::base64")]
    pub signature: Vec<u8>,
}

impl Serialize for IntotoV2 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Envelope<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            payload: &'a Option<String>,
            payload_type: &'a str,
            signatures: &'a [IntotoSignature],
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Content<'a> {
            envelope: Envelope<'a>,
            hash: &'a HashText,
            payload_hash: &'a HashText,
        }
        let envelope = Envelope {
            payload: &self.payload,
            payload_type: &self.payload_type,
            signatures: &self.signatures,
        };
        let content = Content { envelope, hash: &self.hash, payload_hash: &self.payload_hash };
        let mut object = serializer.serialize_struct("Intoto", 1)?;
        object.serialize_field("content", &content)?;
        object.end()
    }
}
