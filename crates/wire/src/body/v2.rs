//! Bodies of Rekor v2: the JSON form of protocol buffers.

use crypto::{Digest, KeyDetails};
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use crate::json;

/// `hashedrekord` 0.0.2: a signature over a digest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HashedRekordV2 {
    /// The digest that was signed.
    pub data: Digest,
    /// The signature, and whose it is.
    pub signature: SignatureV2,
}

/// `dsse` 0.0.2: the signatures of an envelope that is not in the log. No log takes it any more.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DsseV2 {
    /// The digest of the payload.
    pub payload_hash: Digest,
    /// The signatures, in the order of their bytes.
    pub signatures: Vec<SignatureV2>,
}

/// A signature, and whose it is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct SignatureV2 {
    /// The signature's bytes.
    #[serde(serialize_with = "json::base64")]
    pub content: Vec<u8>,
    /// Whose it is.
    pub verifier: Verifier,
}

/// Whose signature it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verifier {
    /// What the submitter says the key is. The log holds only its hash against the signature.
    pub key_details: KeyDetails,
    /// The key, or the certificate that has it.
    pub material: VerifierMaterial,
}

/// A key, or the certificate that has it; DER, byte for byte as submitted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum VerifierMaterial {
    /// A `SubjectPublicKeyInfo`.
    PublicKey(Vec<u8>),
    /// A certificate.
    Certificate(Vec<u8>),
}

/// `HashOutput`, and a key's or certificate's `rawBytes`.
struct WrittenDigest<'a>(&'a Digest);

#[derive(Serialize)]
struct RawBytes<'a> {
    #[serde(rename = "rawBytes", serialize_with = "json::base64")]
    raw_bytes: &'a [u8],
}

impl Serialize for WrittenDigest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("HashOutput", 2)?;
        object.serialize_field("algorithm", self.0.algorithm().proto_name())?;
        object.serialize_field("digest", &json::base64_text(self.0.as_bytes()))?;
        object.end()
    }
}

impl Serialize for Verifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Verifier", 2)?;
        object.serialize_field("keyDetails", self.key_details.proto().0)?;
        match &self.material {
            VerifierMaterial::PublicKey(raw_bytes) => {
                object.serialize_field("publicKey", &RawBytes { raw_bytes })?;
            }
            VerifierMaterial::Certificate(raw_bytes) => {
                object.serialize_field("x509Certificate", &RawBytes { raw_bytes })?;
            }
        }
        object.end()
    }
}

impl Serialize for HashedRekordV2 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("HashedRekordV002", 2)?;
        object.serialize_field("data", &WrittenDigest(&self.data))?;
        object.serialize_field("signature", &self.signature)?;
        object.end()
    }
}

impl Serialize for DsseV2 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("DsseV002", 2)?;
        object.serialize_field("payloadHash", &WrittenDigest(&self.payload_hash))?;
        object.serialize_field("signatures", &self.signatures)?;
        object.end()
    }
}
