//! Transparency log entries, as logs answer and bundles carry them.

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use crate::json::{self, Json, JsonError, Problem, Unknown, excerpt};

/// The most hashes in an inclusion proof: a tree has at most 2⁶⁴ leaves.
pub const MAX_PROOF_HASHES: usize = 64;
/// The longest answer of a log: the reference client reads ten megabytes at most.
const MAX_ENTRY: usize = 10 << 20;

/// An entry of a transparency log, with the log's evidence for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TransparencyLogEntry {
    /// The entry's index in the whole log. In Rekor v1 it counts over all shards.
    pub log_index: u64,
    /// Which log: the SHA-256 of its key, or in Rekor v2 the untruncated key id of its checkpoints.
    pub log_id: Vec<u8>,
    /// What kind of entry the body says it is.
    pub kind_version: KindVersion,
    /// When the log says it took the entry, in seconds since 1970: worth nothing without a verified
    /// promise. Zero in Rekor v2.
    pub integrated_time: i64,
    /// The signed entry timestamp (SET) of Rekor v1.
    pub inclusion_promise: Option<Vec<u8>>,
    /// The proof that the log's tree contains the entry.
    pub inclusion_proof: Option<InclusionProof>,
    /// The entry's body, byte for byte as it is hashed into the tree.
    pub canonicalized_body: Vec<u8>,
}

/// The kind and version of an entry, such as `hashedrekord` and `0.0.1`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct KindVersion {
    /// The kind.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The version of the kind, called `apiVersion` in a body.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
}

/// A proof that a tree contains a leaf (RFC 9162 §2.1.3), with the log's signature over the tree.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InclusionProof {
    /// The index in the tree. In Rekor v1 it counts within the shard.
    pub log_index: u64,
    /// The root of the tree; `None` if it is left out, as in Rekor v2 it may be.
    pub root_hash: Option<[u8; 32]>,
    /// The number of leaves of the tree; zero if it is left out, as in Rekor v2 it may be.
    pub tree_size: u64,
    /// The hashes from the leaf's sibling up to the root.
    pub hashes: Vec<[u8; 32]>,
    /// The checkpoint, a signed note; empty if it is left out.
    pub checkpoint: String,
}

impl TransparencyLogEntry {
    /// Reads the JSON of an entry, such as Rekor v2's answer.
    ///
    /// # Errors
    ///
    /// [`JsonError`] with the place of the mistake.
    pub fn parse(document: &[u8]) -> Result<Self, JsonError> {
        Self::read(json::parse(document, MAX_ENTRY)?)
    }

    /// Reads an entry from a document around it.
    ///
    /// # Errors
    ///
    /// As [`Self::parse`].
    pub fn read(value: Json<'_>) -> Result<Self, JsonError> {
        let mut object = value.into_object()?;
        let entry = Self {
            log_index: object.or_default("logIndex", Json::into_u64)?,
            log_id: object.or_default("logId", read_log_id)?,
            kind_version: object.or_default("kindVersion", KindVersion::read)?,
            integrated_time: object.or_default("integratedTime", Json::into_i64)?,
            inclusion_promise: object.optional("inclusionPromise", read_promise)?.flatten(),
            inclusion_proof: object.optional("inclusionProof", InclusionProof::read)?,
            canonicalized_body: object.or_default("canonicalizedBody", Json::into_bytes)?,
        };
        object.finish(Unknown::Refused)?;
        Ok(entry)
    }
}

impl KindVersion {
    /// As much of it as a refusal quotes.
    #[must_use]
    pub fn excerpt(&self) -> Self {
        Self { kind: excerpt(&self.kind), version: excerpt(&self.version) }
    }

    /// The kind and version with these names.
    #[must_use]
    pub fn new(kind: &str, version: &str) -> Self {
        Self { kind: kind.to_owned(), version: version.to_owned() }
    }

    fn read(value: Json<'_>) -> Result<Self, JsonError> {
        let mut object = value.into_object()?;
        let kind_version = Self {
            kind: object.or_default("kind", Json::into_string)?,
            version: object.or_default("version", Json::into_string)?,
        };
        object.finish(Unknown::Refused)?;
        Ok(kind_version)
    }
}

impl std::fmt::Display for KindVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.version)
    }
}

impl InclusionProof {
    fn read(value: Json<'_>) -> Result<Self, JsonError> {
        let mut object = value.into_object()?;
        let proof = Self {
            log_index: object.or_default("logIndex", Json::into_u64)?,
            root_hash: object.optional("rootHash", read_root)?.flatten(),
            tree_size: object.or_default("treeSize", Json::into_u64)?,
            hashes: object.list("hashes", MAX_PROOF_HASHES, Json::into_byte_array)?,
            checkpoint: object.or_default("checkpoint", read_checkpoint)?,
        };
        object.finish(Unknown::Refused)?;
        Ok(proof)
    }
}

/// Reads a `LogId`.
pub(crate) fn read_log_id(value: Json<'_>) -> Result<Vec<u8>, JsonError> {
    let mut object = value.into_object()?;
    let id = object.or_default("keyId", Json::into_bytes)?;
    object.finish(Unknown::Refused)?;
    Ok(id)
}

/// An empty promise is none: protojson cannot tell them apart.
fn read_promise(value: Json<'_>) -> Result<Option<Vec<u8>>, JsonError> {
    let mut object = value.into_object()?;
    let promise = object.or_default("signedEntryTimestamp", Json::into_bytes)?;
    object.finish(Unknown::Refused)?;
    Ok(Some(promise).filter(|promise| !promise.is_empty()))
}

fn read_root(value: Json<'_>) -> Result<Option<[u8; 32]>, JsonError> {
    let bytes = value.into_bytes()?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let found = bytes.len();
    let root = bytes.try_into().map_err(|_| Problem::Length { expected: 32, found }.here())?;
    Ok(Some(root))
}

fn read_checkpoint(value: Json<'_>) -> Result<String, JsonError> {
    let mut object = value.into_object()?;
    let envelope = object.or_default("envelope", Json::into_string)?;
    object.finish(Unknown::Refused)?;
    Ok(envelope)
}

/// `LogId`.
#[derive(Serialize)]
struct LogId<'a> {
    #[serde(rename = "keyId", serialize_with = "json::base64")]
    key_id: &'a [u8],
}

/// `InclusionPromise`.
#[derive(Serialize)]
struct Promise<'a> {
    #[serde(rename = "signedEntryTimestamp", serialize_with = "json::base64")]
    signed_entry_timestamp: &'a [u8],
}

/// `Checkpoint`.
#[derive(Serialize)]
struct Checkpoint<'a> {
    envelope: &'a str,
}

impl Serialize for TransparencyLogEntry {
    /// Writes it as bundles carry it: default values are left out, but for those of the first entry of a log, which some
    /// readers want to see (sigstore-models 0.0.6).
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("TransparencyLogEntry", 7)?;
        object.serialize_field("logIndex", &self.log_index.to_string())?;
        object.serialize_field("logId", &LogId { key_id: &self.log_id })?;
        object.serialize_field("kindVersion", &self.kind_version)?;
        if self.integrated_time != 0 {
            object.serialize_field("integratedTime", &self.integrated_time.to_string())?;
        }
        if let Some(promise) = &self.inclusion_promise {
            let promise = Promise { signed_entry_timestamp: promise };
            object.serialize_field("inclusionPromise", &promise)?;
        }
        if let Some(proof) = &self.inclusion_proof {
            object.serialize_field("inclusionProof", proof)?;
        }
        let body = json::base64_text(&self.canonicalized_body);
        object.serialize_field("canonicalizedBody", &body)?;
        object.end()
    }
}

/// A list of byte strings in base64.
struct Hashes<'a>(&'a [[u8; 32]]);

impl Serialize for Hashes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json::base64_list(self.0, serializer)
    }
}

impl Serialize for InclusionProof {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("InclusionProof", 5)?;
        object.serialize_field("logIndex", &self.log_index.to_string())?;
        if let Some(root) = &self.root_hash {
            object.serialize_field("rootHash", &json::base64_text(root))?;
        }
        if self.tree_size != 0 {
            object.serialize_field("treeSize", &self.tree_size.to_string())?;
        }
        object.serialize_field("hashes", &Hashes(&self.hashes))?;
        if !self.checkpoint.is_empty() {
            object.serialize_field("checkpoint", &Checkpoint { envelope: &self.checkpoint })?;
        }
        object.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first() -> TransparencyLogEntry {
        TransparencyLogEntry {
            log_index: 0,
            log_id: vec![1, 2],
            kind_version: KindVersion::new("hashedrekord", "0.0.2"),
            integrated_time: 0,
            inclusion_promise: None,
            inclusion_proof: Some(InclusionProof {
                log_index: 0,
                root_hash: Some([0; 32]),
                tree_size: 1,
                hashes: Vec::new(),
                checkpoint: "a\n".into(),
            }),
            canonicalized_body: b"{}".to_vec(),
        }
    }

    #[test]
    fn a_bundle_leaves_defaults_out_but_for_the_first_index_and_any_form_is_read() {
        let root = "A".repeat(43) + "=";
        let terse = format!(
            r#"{{"logId":{{"keyId":"AQI="}},"kindVersion":{{"kind":"hashedrekord","version":"0.0.2"}},"inclusionProof":{{"rootHash":"{root}","treeSize":"1","checkpoint":{{"envelope":"a\n"}}}},"canonicalizedBody":"e30="}}"#
        );
        let ours = format!(
            r#"{{"logIndex":"0","logId":{{"keyId":"AQI="}},"kindVersion":{{"kind":"hashedrekord","version":"0.0.2"}},"inclusionProof":{{"logIndex":"0","rootHash":"{root}","treeSize":"1","hashes":[],"checkpoint":{{"envelope":"a\n"}}}},"canonicalizedBody":"e30="}}"#
        );
        let full = format!(
            r#"{{"logIndex":"0","logId":{{"keyId":"AQI="}},"kindVersion":{{"kind":"hashedrekord","version":"0.0.2"}},"integratedTime":"0","inclusionPromise":null,"inclusionProof":{{"logIndex":"0","rootHash":"{root}","treeSize":"1","hashes":[],"checkpoint":{{"envelope":"a\n"}}}},"canonicalizedBody":"e30="}}"#
        );
        assert_eq!(serde_json::to_string(&first()).expect("it can be written"), ours);
        for text in [terse, ours, full] {
            assert_eq!(TransparencyLogEntry::parse(text.as_bytes()), Ok(first()));
        }
    }

    #[test]
    fn an_empty_promise_is_none() {
        let text = r#"{"inclusionPromise":{"signedEntryTimestamp":""}}"#;
        let entry = TransparencyLogEntry::parse(text.as_bytes()).expect("it can be read");
        assert_eq!(entry.inclusion_promise, None);
    }
}
