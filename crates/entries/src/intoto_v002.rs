//! `intoto` 0.0.2: an envelope without its payload, which is stored beside the log as an attestation.

use crypto::{Digest, HashAlgorithm};
use foreign::x509::Key;
use wire::body::{Body, HashText, IntotoSignature, IntotoV2};

use crate::envelope::{Envelope, MAX_SIGNATURES, SpareKeys};
use crate::json::Json;
use crate::refusal::EntryError;
use crate::spec::{required_object, sha256_text};
use crate::{Attestation, Entry, Kind, base64, envelope, statement};

/// The longest attestation that is stored, compared with ¾ of the length of its base64: the existing server's
/// limit, and its way to compare.
const MAX_ATTESTATION: usize = 100 << 10;

/// The kind.
pub(crate) struct Intoto;

/// A spec whose base64 is decoded. What a log has of it is without payload.
struct Spec {
    /// The text of the payload's base64; empty if there is none.
    payload: Vec<u8>,
    payload_type: String,
    signatures: Vec<IntotoSignature>,
    hash: HashText,
}

impl Kind for Intoto {
    fn kind(&self) -> &'static str {
        "intoto"
    }

    fn version(&self) -> &'static str {
        "0.0.2"
    }

    fn admit(&self, spec: Json<'_>) -> Result<Entry, EntryError> {
        let spec = Spec::read(spec)?;
        if spec.payload.is_empty() {
            return Err(EntryError::NotInsertable("envelope content"));
        }
        let envelope = spec.verify()?;
        entry(spec, &envelope)
    }

    fn look_up(&self, spec: Json<'_>) -> Result<Vec<u8>, EntryError> {
        let read = Spec::read(spec)?;
        let payload_hash = if read.payload.is_empty() {
            let content = required_object(spec, "content", "content")?;
            sha256_hash(content, "payloadHash", "content.payloadHash")?
        } else {
            HashAlgorithm::Sha256.digest(&read.verify()?.payload).into()
        };
        Ok(read.into_body(payload_hash))
    }
}

impl Spec {
    fn read(spec: Json<'_>) -> Result<Self, EntryError> {
        if !spec.is_object() {
            return Err(EntryError::NotAnObject);
        }
        let content = required_object(spec, "content", "content")?;
        let sent = required_object(content, "envelope", "content.envelope")?;
        let payload_type = sent.str("payloadType");
        let payload_type = payload_type.ok_or(EntryError::Missing("payloadType"))?.into_owned();
        let list = sent.member("signatures").and_then(Json::as_array);
        let list = list.ok_or(EntryError::Missing("signatures"))?;
        let signatures: Result<Vec<_>, EntryError> =
            list.filter(|item| item.is_object()).take(MAX_SIGNATURES + 1).map(signature).collect();
        let signatures = signatures?;
        envelope::check_count("signatures", signatures.len())?;
        let payload = sent.str("payload").unwrap_or_default();
        Ok(Self {
            payload: base64::decode(&payload).ok_or(EntryError::NotBase64("payload"))?,
            payload_type,
            signatures,
            hash: sha256_hash(content, "hash", "content.hash")?,
        })
    }

    /// Checks that keys and signatures belong together. Key and signature of one item need not.
    fn verify(&self) -> Result<Envelope, EntryError> {
        let texts: Result<Vec<String>, EntryError> =
            self.signatures.iter().map(|item| text(&item.signature, "sig")).collect();
        let payload = text(&self.payload, "payload")?;
        let envelope = Envelope::new(self.payload_type.clone(), &payload, texts?)?;
        let keys: Vec<Vec<u8>> =
            self.signatures.iter().map(|item| item.public_key.clone()).collect();
        envelope.attribute(&keys, SpareKeys::Verify)?;
        // What follows decodes the payload once more, and only the standard alphabet.
        base64::decode(&payload).ok_or(EntryError::NotBase64("payload"))?;
        Ok(envelope)
    }

    fn into_body(self, payload_hash: HashText) -> Vec<u8> {
        Body::IntotoV2(IntotoV2 {
            payload: None,
            payload_type: self.payload_type,
            signatures: self.signatures,
            hash: self.hash,
            payload_hash,
        })
        .to_canonical()
    }
}

/// A digest that is kept as the submitter wrote it, and never checked.
fn sha256_hash(of: Json<'_>, name: &str, field: &'static str) -> Result<HashText, EntryError> {
    let value = sha256_text(of, name, field)?.into_owned();
    Ok(HashText { algorithm: HashAlgorithm::Sha256, value })
}

fn signature(item: Json<'_>) -> Result<IntotoSignature, EntryError> {
    let bytes = |name, field| {
        let text = item.str(name).ok_or(EntryError::Missing(field))?;
        base64::decode(&text).ok_or(EntryError::NotBase64(field))
    };
    Ok(IntotoSignature {
        key_id: item.str("keyid").unwrap_or_default().into_owned(),
        public_key: bytes("publicKey", "publicKey")?,
        signature: bytes("sig", "sig")?,
    })
}

/// Base64 that was itself in base64.
fn text(bytes: &[u8], field: &'static str) -> Result<String, EntryError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| EntryError::NotBase64(field))
}

fn entry(spec: Spec, envelope: &Envelope) -> Result<Entry, EntryError> {
    let payload_hash = HashAlgorithm::Sha256.digest(&envelope.payload);
    let index_keys = index_keys(&spec, envelope, &payload_hash)?;
    let length_by_base64 = spec.payload.len() / 4 * 3;
    let attestation = (length_by_base64 <= MAX_ATTESTATION).then(|| Attestation {
        key: format!("sha256:{}", payload_hash.to_hex()),
        data: envelope.payload.clone(),
    });
    Ok(Entry {
        kind: "intoto",
        version: "0.0.2",
        body: spec.into_body(payload_hash.into()),
        index_keys,
        attestation,
    })
}

/// The keys of the index. The existing server makes none at all where the statement cannot be read.
fn index_keys(
    spec: &Spec,
    envelope: &Envelope,
    payload_hash: &Digest,
) -> Result<Vec<String>, EntryError> {
    let mut keys = Vec::new();
    for item in &spec.signatures {
        let key = Key::from_pem(&item.public_key).map_err(|error| EntryError::Key(error.into()))?;
        let digest = crypto::sha256(key.canonical_pem().as_bytes());
        keys.push(format!("sha256:{}", hex::encode(digest)));
        keys.extend(key.subjects());
    }
    keys.push(format!("sha256:{}", payload_hash.to_hex()));
    if envelope.payload_type == wire::dsse::IN_TOTO {
        match statement::subjects_and_slsa_materials(&envelope.payload) {
            Some(found) => keys.extend(found),
            None => keys.clear(),
        }
    }
    Ok(keys)
}
