//! The messages of the transparency log's API v1 (`rekor/openapi.yaml`).
//!
//! What a client sends is built here; what a server is sent is judged by the crate `entries`, because which
//! JSON is acceptable depends on the kind of entry.

mod entry_id;
mod proposal;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use entry_id::{EntryId, EntryIdError, TreeId};
pub use proposal::{propose_dsse, propose_hashedrekord};

/// The path under a log's base address where entries are created and read.
pub const ENTRIES_PATH: &str = "/api/v1/log/entries";

/// What entries are answered in: a map from the entry's id, in hex, to the entry.
pub type LogEntries = BTreeMap<String, LogEntry>;

/// An entry as the log tells it, without its id (`LogEntryAnon`).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// What is stored beside the log, such as the statement that an entry is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<Attestation>,
    /// The canonical body, byte for byte as it is hashed into the tree. Base64 on the wire.
    #[serde(with = "base64_bytes")]
    pub body: Vec<u8>,
    /// When the entry was added, in seconds since 1970.
    pub integrated_time: i64,
    /// SHA-256 of the log's `SubjectPublicKeyInfo`, in hex.
    #[serde(rename = "logID")]
    pub log_id: String,
    /// The entry's index over all shards of the log.
    pub log_index: u64,
    /// What makes the entry believable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
}

/// What is stored beside the log.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Attestation {
    /// The bytes. Base64 on the wire.
    #[serde(with = "base64_bytes")]
    pub data: Vec<u8>,
}

/// The log's promise, and the proof that it was kept.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// The proof that the entry is in the tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inclusion_proof: Option<InclusionProof>,
    /// The log's signature over [`set_payload`]. Base64 on the wire.
    #[serde(default, with = "base64_bytes")]
    pub signed_entry_timestamp: Vec<u8>,
}

/// A Merkle inclusion proof (RFC 9162 §2.1.3). Hashes are hex.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InclusionProof {
    /// The signed tree head that the proof leads to.
    pub checkpoint: String,
    /// The siblings on the way to the root, lowest first.
    pub hashes: Vec<String>,
    /// The index inside the shard.
    pub log_index: u64,
    /// The root at `tree_size`.
    pub root_hash: String,
    /// How many leaves the tree had.
    pub tree_size: u64,
}

/// The answer to `GET /api/v1/log`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogInfo {
    /// Shards that take no more entries, oldest first.
    #[serde(default)]
    pub inactive_shards: Vec<InactiveShard>,
    /// The root of the active shard, in hex.
    pub root_hash: String,
    /// The active shard's checkpoint.
    pub signed_tree_head: String,
    /// The active shard's tree id, in decimal.
    #[serde(rename = "treeID")]
    pub tree_id: String,
    /// How many entries the active shard has.
    pub tree_size: u64,
}

/// A shard that takes no more entries.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InactiveShard {
    /// Its root, in hex.
    pub root_hash: String,
    /// Its last checkpoint.
    pub signed_tree_head: String,
    /// Its tree id, in decimal.
    #[serde(rename = "treeID")]
    pub tree_id: String,
    /// How many entries it has.
    pub tree_size: u64,
}

/// The answer to `GET /api/v1/log/proof` (RFC 9162 §2.1.4). Hashes are hex.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsistencyProof {
    /// The nodes of the proof.
    pub hashes: Vec<String>,
    /// The root at the greater size.
    pub root_hash: String,
}

/// What every refusal says.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Error {
    /// Mostly the status; for a member that is missing or has a wrong form, a code of its own.
    pub code: u32,
    /// One sentence for the one who asked.
    pub message: String,
}

/// What a signed entry timestamp signs: RFC 8785 of the body, the time, the log's id and the index.
///
/// `log_id` is the 32 bytes that are hex on the wire; `log_index` counts over all shards.
#[must_use]
pub fn set_payload(
    body: &[u8],
    integrated_time: i64,
    log_id: &[u8; 32],
    log_index: u64,
) -> Vec<u8> {
    use base64::Engine as _;

    let mut text = String::with_capacity(body.len() * 4 / 3 + 200);
    text.push_str("{\"body\":\"");
    base64::engine::general_purpose::STANDARD.encode_string(body, &mut text);
    text.push_str("\",\"integratedTime\":");
    text.push_str(&integrated_time.to_string());
    text.push_str(",\"logID\":\"");
    text.push_str(&hex::encode(log_id));
    text.push_str("\",\"logIndex\":");
    text.push_str(&log_index.to_string());
    text.push('}');
    text.into_bytes()
}

/// Bytes that are standard base64 on the wire.
mod base64_bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize as _, Deserializer, de};

    pub(super) use crate::json::base64 as serialize;

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        STANDARD.decode(text.as_bytes()).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_set_signs_is_canonical_json() {
        let payload = set_payload(b"{}", 1_700_000_000, &[0xab; 32], 7);
        let value: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(serde_json_canonicalizer::to_vec(&value).unwrap(), payload);
        assert_eq!(value["body"], "e30=");
        assert_eq!(value["logIndex"], 7);
    }

    #[test]
    fn an_entry_without_proof_and_promise_can_be_read() {
        let text = r#"{"u":{"body":"e30=","integratedTime":1,"logID":"00","logIndex":0}}"#;
        let entries: LogEntries = serde_json::from_str(text).unwrap();
        assert_eq!(entries["u"].body, b"{}");
        assert_eq!(serde_json::to_string(&entries).unwrap(), text);
    }
}
