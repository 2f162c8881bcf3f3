//! What a client sends to have an entry added.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::Digest;
use serde_json::{Value, json};

/// Proposes a `hashedrekord` 0.0.1: the body of `POST /api/v1/log/entries`.
///
/// `signature` was made over `digest`; `pem` is the key or the certificate (or chain) that checks it.
#[must_use]
pub fn propose_hashedrekord(digest: &Digest, signature: &[u8], pem: &str) -> Value {
    json!({
        "kind": "hashedrekord",
        "apiVersion": "0.0.1",
        "spec": {
            "data": { "hash": { "algorithm": digest.algorithm().name(), "value": digest.to_hex() } },
            "signature": {
                "content": STANDARD.encode(signature),
                "publicKey": { "content": STANDARD.encode(pem) },
            },
        },
    })
}

/// Proposes a `dsse` 0.0.1: the body of `POST /api/v1/log/entries`.
///
/// `envelope` is the JSON text of the DSSE envelope, whose hash goes into the log as it is; `pems` are the
/// keys or certificates that check its signatures.
#[must_use]
pub fn propose_dsse(envelope: &str, pems: &[&str]) -> Value {
    let verifiers: Vec<String> = pems.iter().map(|pem| STANDARD.encode(pem)).collect();
    json!({
        "kind": "dsse",
        "apiVersion": "0.0.1",
        "spec": { "proposedContent": { "envelope": envelope, "verifiers": verifiers } },
    })
}
