//! DSSE envelopes, and the bytes that are signed for them.
//!
//! Dead Simple Signing Envelope, protocol and data structure v1.0.2.

use crypto::{Digest, HashAlgorithm, Hasher};
use serde::Serialize;

use crate::json::{self, Json, JsonError, Object, Unknown};

/// The payload type of in-toto statements, the only one that Sigstore clients verify.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

/// The most signatures that are read in one envelope: the existing log takes no more than ten.
const MAX_SIGNATURES: usize = 32;
/// The longest envelope: a bundle's limit, see [`crate::bundle::MAX_BUNDLE`].
const MAX_ENVELOPE: usize = crate::bundle::MAX_BUNDLE;

/// A signed payload with its type.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// The payload, byte for byte as it was signed.
    #[serde(serialize_with = "json::base64")]
    pub payload: Vec<u8>,
    /// What the payload is, such as [`IN_TOTO`].
    pub payload_type: String,
    /// The signatures. Each is over [`Envelope::pae`].
    pub signatures: Vec<Signature>,
}

/// One signature of an envelope.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Signature {
    /// The signature's bytes.
    #[serde(rename = "sig", serialize_with = "json::base64")]
    pub signature: Vec<u8>,
    /// An unauthenticated hint at the key; empty if there is none.
    #[serde(rename = "keyid", skip_serializing_if = "String::is_empty")]
    pub key_id: String,
}

impl Envelope {
    /// Reads an envelope's JSON. Unknown members are refused.
    ///
    /// # Errors
    ///
    /// [`JsonError`] with the place of the mistake.
    pub fn parse(document: &[u8]) -> Result<Self, JsonError> {
        Self::read(json::parse(document, MAX_ENVELOPE)?)
    }

    /// Reads an envelope from a document around it.
    ///
    /// # Errors
    ///
    /// As [`Self::parse`].
    pub fn read(value: Json<'_>) -> Result<Self, JsonError> {
        let mut object = value.into_object()?;
        let envelope = Self {
            payload: object.or_default("payload", Json::into_bytes)?,
            payload_type: object.or_default("payloadType", Json::into_string)?,
            signatures: object.list("signatures", MAX_SIGNATURES, Signature::read)?,
        };
        object.finish(Unknown::Refused)?;
        Ok(envelope)
    }

    /// The envelope's JSON, as it is submitted to a log of Rekor v1 and attached to images in the older way.
    /// Such a log keeps the digest of this very text.
    ///
    /// # Panics
    ///
    /// Never: an envelope has no member that JSON could not hold.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an envelope has only strings and lists")
    }

    /// The envelope's JSON with the members in the order in which cosign before version 3 submitted and attached
    /// them: the entry kind `intoto` 0.0.1 is bound to a signature by the digest of this text alone.
    #[must_use]
    pub fn to_older_json(&self) -> String {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let signature = |signature: &Signature| {
            let (key_id, bytes) =
                (text(&signature.key_id), json::base64_text(&signature.signature));
            format!(r#"{{"keyid":{key_id},"sig":"{bytes}"}}"#)
        };
        let signatures: Vec<_> = self.signatures.iter().map(signature).collect();
        format!(
            r#"{{"payloadType":{},"payload":"{}","signatures":[{}]}}"#,
            text(&self.payload_type),
            json::base64_text(&self.payload),
            signatures.join(","),
        )
    }

    /// The bytes that are signed, see [`pae`].
    #[must_use]
    pub fn pae(&self) -> Vec<u8> {
        pae(&self.payload_type, &self.payload)
    }

    /// The digest of [`Self::pae`], without a copy of the payload.
    #[must_use]
    pub fn pae_digest(&self, algorithm: HashAlgorithm) -> Digest {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(&pae_header(&self.payload_type, self.payload.len()));
        hasher.update(&self.payload);
        hasher.finish()
    }
}

impl Signature {
    fn read(value: Json<'_>) -> Result<Self, JsonError> {
        let mut object: Object<'_> = value.into_object()?;
        let signature = Self {
            signature: object.or_default("sig", Json::into_bytes)?,
            key_id: object.or_default("keyid", Json::into_string)?,
        };
        object.finish(Unknown::Refused)?;
        Ok(signature)
    }
}

/// DSSE pre-authentication encoding: `"DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload`, where
/// lengths count bytes of UTF-8 in decimal.
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut encoded = pae_header(payload_type, payload.len());
    encoded.extend_from_slice(payload);
    encoded
}

fn pae_header(payload_type: &str, length: usize) -> Vec<u8> {
    format!("DSSEv1 {} {payload_type} {length} ", payload_type.len()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_that_of_the_specification() {
        let expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
        assert_eq!(pae("http://example.com/HelloWorld", b"hello world"), expected);
    }

    #[test]
    fn lengths_count_bytes_not_characters() {
        // U+0174 has the low byte of "t": an encoder that truncates code points confuses them.
        assert_eq!(pae("\u{174}", "é".as_bytes()), "DSSEv1 2 \u{174} 2 é".as_bytes());
        assert_ne!(pae("\u{174}", b""), pae("t", b""));
    }

    #[test]
    fn the_digest_is_that_of_the_encoding() {
        let envelope =
            Envelope { payload: vec![0, 255], payload_type: "é".into(), signatures: Vec::new() };
        let digest = HashAlgorithm::Sha384.digest(&envelope.pae());
        assert_eq!(envelope.pae_digest(HashAlgorithm::Sha384), digest);
    }

    #[test]
    fn an_envelope_is_read_as_it_was_written() {
        let envelope = Envelope {
            payload: b"{}".to_vec(),
            payload_type: IN_TOTO.into(),
            signatures: vec![Signature { signature: vec![1, 2], key_id: String::new() }],
        };
        let text = envelope.to_json();
        let expected = r#"{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AQI="}]}"#;
        assert_eq!(text, expected);
        assert_eq!(Envelope::parse(text.as_bytes()).as_ref(), Ok(&envelope));
        let older = r#"{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"keyid":"","sig":"AQI="}]}"#;
        assert_eq!(envelope.to_older_json(), older);
        assert_eq!(Envelope::parse(older.as_bytes()), Ok(envelope));
    }
}
