//! What the log answers: an entry with its proof, or an error.

use serde::{Serialize, Serializer};

use crate::json;

/// An entry with the proof that it is in the log (`rekor/v1/sigstore_rekor.proto`), to be written.
///
/// It borrows what the log has, so that nothing is copied on the way out. Numbers are strings and empty
/// members are there, as protojson has it. There is neither promise nor time: a v2 log gives none.
#[derive(Clone, Copy, Debug)]
pub struct TransparencyLogEntry<'a> {
    /// The entry's index.
    pub log_index: u64,
    /// The log's full checkpoint key id: 32 bytes, whose first four are the key hint of its notes.
    pub log_id: &'a [u8],
    /// The entry's kind.
    pub kind: &'a str,
    /// The version of the kind.
    pub version: &'a str,
    /// The root that the proof leads to.
    pub root_hash: &'a [u8],
    /// How many leaves the tree had.
    pub tree_size: u64,
    /// The siblings on the way to the root, lowest first.
    pub hashes: &'a [&'a [u8]],
    /// The signed note that vouches for the root.
    pub checkpoint: &'a str,
    /// The canonical body, byte for byte as it is hashed into the tree.
    pub body: &'a [u8],
}

impl TransparencyLogEntry<'_> {
    /// The entry as it is answered.
    ///
    /// # Panics
    ///
    /// Never: it has no member that JSON could not hold.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // Base64 of the body, of at most 63 hashes, and of what is around them.
        let mut json = Vec::with_capacity(self.body.len() / 3 * 4 + self.hashes.len() * 48 + 1024);
        serde_json::to_writer(&mut json, self)
            .expect("an entry has only strings, lists and objects");
        json
    }
}

/// What every refusal says: `google.rpc.Status`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Error<'a> {
    /// The gRPC code.
    pub code: u32,
    /// What the existing server says.
    pub message: &'a str,
    /// What it does not say: the reason.
    pub details: Vec<ErrorInfo>,
}

/// A reason for people to read: `google.rpc.DebugInfo`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ErrorInfo {
    #[serde(rename = "@type")]
    kind: &'static str,
    detail: String,
}

impl ErrorInfo {
    /// The reason `detail`.
    #[must_use]
    pub const fn new(detail: String) -> Self {
        Self { kind: "type.googleapis.com/google.rpc.DebugInfo", detail }
    }
}

impl Serialize for TransparencyLogEntry<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        EntryMessage {
            log_index: self.log_index,
            log_id: LogId { key_id: self.log_id },
            kind_version: KindVersion { kind: self.kind, version: self.version },
            integrated_time: 0,
            inclusion_promise: None,
            inclusion_proof: InclusionProof {
                log_index: self.log_index,
                root_hash: self.root_hash,
                tree_size: self.tree_size,
                hashes: self.hashes,
                checkpoint: Checkpoint { envelope: self.checkpoint },
            },
            canonicalized_body: self.body,
        }
        .serialize(to)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryMessage<'a> {
    #[serde(serialize_with = "json::decimal")]
    log_index: u64,
    log_id: LogId<'a>,
    kind_version: KindVersion<'a>,
    #[serde(serialize_with = "json::decimal")]
    integrated_time: u64,
    inclusion_promise: Option<()>,
    inclusion_proof: InclusionProof<'a>,
    #[serde(serialize_with = "json::base64")]
    canonicalized_body: &'a [u8],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogId<'a> {
    #[serde(serialize_with = "json::base64")]
    key_id: &'a [u8],
}

#[derive(Serialize)]
struct KindVersion<'a> {
    kind: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InclusionProof<'a> {
    #[serde(serialize_with = "json::decimal")]
    log_index: u64,
    #[serde(serialize_with = "json::base64")]
    root_hash: &'a [u8],
    #[serde(serialize_with = "json::decimal")]
    tree_size: u64,
    #[serde(serialize_with = "json::base64_list")]
    hashes: &'a [&'a [u8]],
    checkpoint: Checkpoint<'a>,
}

#[derive(Serialize)]
struct Checkpoint<'a> {
    envelope: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_written_as_protojson() {
        let entry = TransparencyLogEntry {
            log_index: 61,
            log_id: &[0; 3],
            kind: "hashedrekord",
            version: "0.0.2",
            root_hash: &[0; 3],
            tree_size: 62,
            hashes: &[&[0; 32]],
            checkpoint: "a\n",
            body: b"{}",
        };
        assert_eq!(
            String::from_utf8(entry.to_json()).unwrap(),
            concat!(
                r#"{"logIndex":"61","logId":{"keyId":"AAAA"},"#,
                r#""kindVersion":{"kind":"hashedrekord","version":"0.0.2"},"integratedTime":"0","#,
                r#""inclusionPromise":null,"inclusionProof":{"logIndex":"61","rootHash":"AAAA","#,
                r#""treeSize":"62","hashes":["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="],"#,
                r#""checkpoint":{"envelope":"a\n"}},"canonicalizedBody":"e30="}"#,
            )
        );
    }
}
