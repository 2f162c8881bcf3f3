//! `dsse` 0.0.1: the hashes of an envelope and its payload, and who signed it. The envelope is not kept.

use std::collections::BTreeMap;

use crypto::HashAlgorithm;
use foreign::x509::Key;
use wire::body::{Body, DsseV1, DsseV1Signature, HashText};

use crate::envelope::{Envelope, MAX_SIGNATURES, SpareKeys};
use crate::json::Json;
use crate::refusal::EntryError;
use crate::spec::{required_bytes, required_str, sha256_text};
use crate::{Entry, Kind, base64, statement};

/// The kind.
pub(crate) struct Dsse;

impl Kind for Dsse {
    fn kind(&self) -> &'static str {
        "dsse"
    }

    fn version(&self) -> &'static str {
        "0.0.1"
    }

    fn admit(&self, spec: Json<'_>) -> Result<Entry, EntryError> {
        if !spec.is_object() {
            return Err(EntryError::NotAnObject);
        }
        let Some(proposed) = spec.object("proposedContent") else {
            stored(spec)?;
            return Err(EntryError::NotInsertable("proposed content"));
        };
        if has_read_only_members(spec) {
            return Err(EntryError::Mixed);
        }
        let text = proposed.str("envelope").ok_or(EntryError::Missing("envelope"))?;
        let keys = verifiers(proposed)?;
        let envelope = Envelope::from_json(&text)?;
        let key_by_signature = envelope.attribute(&keys, SpareKeys::Ignored)?;
        Ok(entry(&text, &envelope, &key_by_signature))
    }

    fn look_up(&self, spec: Json<'_>) -> Result<Vec<u8>, EntryError> {
        if spec.object("proposedContent").is_none() {
            return Ok(Body::DsseV1(stored(spec)?).to_canonical());
        }
        self.admit(spec).map(|entry| entry.body)
    }
}

/// Whether something is there that only a log can say.
fn has_read_only_members(spec: Json<'_>) -> bool {
    let signatures = spec.member("signatures");
    spec.object("envelopeHash").is_some()
        || spec.object("payloadHash").is_some()
        || signatures.is_some_and(|list| list.elements().any(Json::is_object))
}

/// The keys of the envelope's signers, at most one too many. What is no string, and the empty string, is skipped.
fn verifiers(proposed: Json<'_>) -> Result<Vec<Vec<u8>>, EntryError> {
    let list = proposed.member("verifiers").and_then(Json::as_array);
    let list = list.ok_or(EntryError::Missing("verifiers"))?;
    let texts = list.filter_map(Json::as_str).filter(|text| !text.is_empty());
    // One more than are looked at is enough to see that there are too many.
    let texts = texts.take(MAX_SIGNATURES + 1);
    let keys: Option<Vec<_>> = texts.map(|text| base64::decode(&text)).collect();
    keys.ok_or(EntryError::NotBase64("verifier"))
}

/// The body of an entry whose spec is what a log has.
fn stored(spec: Json<'_>) -> Result<DsseV1, EntryError> {
    if !["envelopeHash", "payloadHash"].iter().all(|name| spec.object(name).is_some()) {
        return Err(EntryError::Mixed);
    }
    let hash = |name, field| {
        let value = sha256_text(spec, name, field)?.into_owned();
        Ok::<_, EntryError>(HashText { algorithm: HashAlgorithm::Sha256, value })
    };
    let list = spec.member("signatures").and_then(Json::as_array).ok_or(EntryError::Mixed)?;
    let signatures: Result<Vec<_>, EntryError> =
        list.filter(|item| item.is_object()).map(stored_signature).collect();
    let mut signatures = signatures?;
    if signatures.is_empty() {
        return Err(EntryError::Mixed);
    }
    signatures.sort_by(|a, b| a.signature.cmp(&b.signature));
    Ok(DsseV1 {
        envelope_hash: hash("envelopeHash", "envelopeHash")?,
        payload_hash: hash("payloadHash", "payloadHash")?,
        signatures,
    })
}

fn stored_signature(item: Json<'_>) -> Result<DsseV1Signature, EntryError> {
    Ok(DsseV1Signature {
        signature: required_str(item, "signature", "signature")?.into_owned(),
        verifier: required_bytes(item, "verifier", "verifier")?,
    })
}

fn entry(text: &str, envelope: &Envelope, key_by_signature: &BTreeMap<&str, Key>) -> Entry {
    let envelope_hash = HashAlgorithm::Sha256.digest(text.as_bytes());
    let payload_hash = HashAlgorithm::Sha256.digest(&envelope.payload);
    let mut index_keys = Vec::new();
    let mut signatures = Vec::new();
    for (signature, key) in key_by_signature {
        let verifier = key.canonical_pem().into_bytes();
        index_keys.push(format!("sha256:{}", hex::encode(crypto::sha256(&verifier))));
        index_keys.extend(key.subjects());
        signatures.push(DsseV1Signature { signature: (*signature).to_owned(), verifier });
    }
    index_keys.push(format!("sha256:{}", payload_hash.to_hex()));
    index_keys.push(format!("sha256:{}", envelope_hash.to_hex()));
    if envelope.payload_type == wire::dsse::IN_TOTO {
        index_keys.extend(statement::subjects_and_materials(&envelope.payload));
    }
    let body = Body::DsseV1(DsseV1 {
        envelope_hash: envelope_hash.into(),
        payload_hash: payload_hash.into(),
        signatures,
    });
    Entry {
        kind: "dsse",
        version: "0.0.1",
        body: body.to_canonical(),
        index_keys,
        attestation: None,
    }
}
