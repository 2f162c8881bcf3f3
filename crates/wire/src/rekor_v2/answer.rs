//! What the log answers: an entry with its proof, or an error.

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

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
    pub hashes: &'a [[u8; 32]],
    /// The signed note that vouches for the root.
    pub checkpoint: &'a str,
    /// The canonical body, byte for byte as it is hashed into the tree.
    pub body: &'a [u8],
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
            log_index: Decimal(self.log_index),
            log_id: LogId { key_id: Base64(self.log_id) },
            kind_version: KindVersion { kind: self.kind, version: self.version },
            integrated_time: Decimal(0),
            inclusion_promise: None,
            inclusion_proof: InclusionProof {
                log_index: Decimal(self.log_index),
                root_hash: Base64(self.root_hash),
                tree_size: Decimal(self.tree_size),
                hashes: Hashes(self.hashes),
                checkpoint: Checkpoint { envelope: self.checkpoint },
            },
            canonicalized_body: Base64(self.body),
        }
        .serialize(to)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryMessage<'a> {
    log_index: Decimal,
    log_id: LogId<'a>,
    kind_version: KindVersion<'a>,
    integrated_time: Decimal,
    inclusion_promise: Option<()>,
    inclusion_proof: InclusionProof<'a>,
    canonicalized_body: Base64<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogId<'a> {
    key_id: Base64<'a>,
}

#[derive(Serialize)]
struct KindVersion<'a> {
    kind: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InclusionProof<'a> {
    log_index: Decimal,
    root_hash: Base64<'a>,
    tree_size: Decimal,
    hashes: Hashes<'a>,
    checkpoint: Checkpoint<'a>,
}

#[derive(Serialize)]
struct Checkpoint<'a> {
    envelope: &'a str,
}

/// A 64-bit number, which protojson writes as a string.
struct Decimal(u64);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

struct Base64<'a>(&'a [u8]);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&Base64Display::new(self.0, &STANDARD))
    }
}

struct Hashes<'a>(&'a [[u8; 32]]);

impl Serialize for Hashes<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter().map(|hash| Base64(hash)))
    }
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
            hashes: &[[0; 32]],
            checkpoint: "a\n",
            body: b"{}",
        };
        assert_eq!(
            serde_json::to_string(&entry).unwrap(),
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
