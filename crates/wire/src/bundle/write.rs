//! Writing bundles, member for member in the order of the reference clients.

use crypto::Digest;
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use super::{Bundle, Content, MessageSignature, SignerMaterial, VerificationMaterial};
use crate::json;

impl Bundle {
    /// The bundle's JSON on one line, as it is written into a file.
    ///
    /// # Panics
    ///
    /// Never: a bundle has no member that JSON could not hold.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a bundle has only strings, lists and objects")
    }
}

impl Serialize for Bundle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Bundle", 3)?;
        object.serialize_field("mediaType", self.media_type.name())?;
        object.serialize_field("verificationMaterial", &self.material)?;
        match &self.content {
            Content::Message(message) => object.serialize_field("messageSignature", message)?,
            Content::Dsse(envelope) => object.serialize_field("dsseEnvelope", envelope)?,
        }
        object.end()
    }
}

/// `X509Certificate`.
#[derive(Serialize)]
struct Certificate<'a> {
    #[serde(rename = "rawBytes", serialize_with = "json::base64")]
    raw_bytes: &'a [u8],
}

/// `X509CertificateChain`.
#[derive(Serialize)]
struct Chain<'a> {
    certificates: Vec<Certificate<'a>>,
}

/// `PublicKeyIdentifier`.
#[derive(Serialize)]
struct KeyHint<'a> {
    hint: &'a str,
}

/// `RFC3161SignedTimestamp`.
#[derive(Serialize)]
struct Timestamp<'a> {
    #[serde(rename = "signedTimestamp", serialize_with = "json::base64")]
    signed_timestamp: &'a [u8],
}

/// `TimestampVerificationData`.
#[derive(Serialize)]
struct Timestamps<'a> {
    #[serde(rename = "rfc3161Timestamps")]
    rfc3161_timestamps: Vec<Timestamp<'a>>,
}

/// `HashOutput`.
#[derive(Serialize)]
struct HashOutput<'a> {
    algorithm: &'static str,
    #[serde(serialize_with = "json::base64")]
    digest: &'a [u8],
}

impl Serialize for VerificationMaterial {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("VerificationMaterial", 3)?;
        match &self.signer {
            SignerMaterial::Certificate(leaf) => {
                object.serialize_field("certificate", &Certificate { raw_bytes: leaf })?;
            }
            SignerMaterial::Chain(chain) => {
                let certificates = chain.iter().map(|raw_bytes| Certificate { raw_bytes });
                let chain = Chain { certificates: certificates.collect() };
                object.serialize_field("x509CertificateChain", &chain)?;
            }
            SignerMaterial::PublicKey { hint } => {
                object.serialize_field("publicKey", &KeyHint { hint })?;
            }
        }
        if !self.entries.is_empty() {
            object.serialize_field("tlogEntries", &self.entries)?;
        }
        if !self.timestamps.is_empty() {
            let timestamps = self.timestamps.iter();
            let timestamps = timestamps.map(|response| Timestamp { signed_timestamp: response });
            let timestamps = Timestamps { rfc3161_timestamps: timestamps.collect() };
            object.serialize_field("timestampVerificationData", &timestamps)?;
        }
        object.end()
    }
}

impl Serialize for MessageSignature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("MessageSignature", 2)?;
        if let Some(digest) = &self.digest {
            object.serialize_field("messageDigest", &hash_output(digest))?;
        }
        object.serialize_field("signature", &json::base64_text(&self.signature))?;
        object.end()
    }
}

fn hash_output(digest: &Digest) -> HashOutput<'_> {
    HashOutput { algorithm: digest.algorithm().proto_name(), digest: digest.as_bytes() }
}
