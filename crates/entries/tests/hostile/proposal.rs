//! Good proposals, and changing one thing in them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::{HashAlgorithm, KeyKind, SigningKey};
use entries::{AdmitError, Entry, EntryError};
use serde_json::{Value, json};

pub(crate) const PAYLOAD: &[u8] = br#"{"subject":[{"digest":{"sha256":"aa"}}]}"#;
pub(crate) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

pub(crate) fn key() -> SigningKey {
    SigningKey::generate(KeyKind::EcdsaP256).unwrap()
}

pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn admit(proposed: &Value) -> Result<Entry, AdmitError> {
    entries::admit_v1(entries::V1, proposed.to_string().as_bytes())
}

/// The reason for which an entry is refused by its kind.
pub(crate) fn refusal(proposed: &Value) -> EntryError {
    match admit(proposed) {
        Err(AdmitError::Entry(error)) => error,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn hashedrekord(key: &SigningKey) -> Value {
    let digest = HashAlgorithm::Sha256.digest(b"artifact");
    let signature = key.sign(b"artifact").unwrap();
    wire::rekor_v1::propose_hashedrekord(&digest, &signature, &key.public_key().to_pem())
}

/// An envelope with one signature by each key.
pub(crate) fn envelope(payload: &[u8], keys: &[SigningKey]) -> Value {
    let pae = wire::dsse::pae(PAYLOAD_TYPE, payload);
    let signatures: Vec<Value> =
        keys.iter().map(|key| json!({"sig": base64(key.sign(&pae).unwrap())})).collect();
    json!({"payloadType": PAYLOAD_TYPE, "payload": base64(payload), "signatures": signatures})
}

pub(crate) fn dsse_of(envelope: &str, keys: &[SigningKey]) -> Value {
    let pems: Vec<String> = keys.iter().map(|key| key.public_key().to_pem()).collect();
    let pems: Vec<&str> = pems.iter().map(String::as_str).collect();
    wire::rekor_v1::propose_dsse(envelope, &pems)
}

pub(crate) fn dsse(keys: &[SigningKey]) -> Value {
    dsse_of(&envelope(PAYLOAD, keys).to_string(), keys)
}

pub(crate) fn intoto(keys: &[SigningKey]) -> Value {
    let mut envelope = envelope(PAYLOAD, keys);
    envelope["payload"] = base64(envelope["payload"].as_str().unwrap()).into();
    for (item, key) in envelope["signatures"].as_array_mut().unwrap().iter_mut().zip(keys) {
        item["sig"] = base64(item["sig"].as_str().unwrap()).into();
        item["publicKey"] = base64(key.public_key().to_pem()).into();
    }
    let hash = json!({"algorithm": "sha256", "value": "00".repeat(32)});
    json!({
        "kind": "intoto",
        "apiVersion": "0.0.2",
        "spec": {"content": {"envelope": envelope, "hash": hash}},
    })
}

/// One good proposal of each kind.
pub(crate) fn each_kind() -> [Value; 3] {
    [hashedrekord(&key()), dsse(&[key()]), intoto(&[key()])]
}
