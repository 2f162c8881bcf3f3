//! Transparency log entries as protocol buffers: `TransparencyLogEntry` of `sigstore_rekor.proto`.
//!
//! Signatures of git objects carry them in this form, without the body, which their reader makes again from what was
//! signed.

use super::{InclusionProof, KindVersion, MAX_PROOF_HASHES, TransparencyLogEntry};
use crate::protobuf::{Field, Once, ProtobufError, Writer, count, fields, text};

/// The longest entry. One without its body has two kilobytes: 64 hashes, a checkpoint with a few cosignatures.
const MAX_MESSAGE: usize = 1 << 16;

impl TransparencyLogEntry {
    /// Reads the binary form.
    ///
    /// # Errors
    ///
    /// [`ProtobufError`].
    pub fn from_protobuf(message: &[u8]) -> Result<Self, ProtobufError> {
        if message.len() > MAX_MESSAGE {
            return Err(ProtobufError::TooLong(MAX_MESSAGE));
        }
        let (mut index, mut log_id, mut kind) = (Once::new(), Once::new(), Once::new());
        let (mut time, mut promise, mut proof, mut body) =
            (Once::new(), Once::new(), Once::new(), Once::new());
        for field in fields(message) {
            match field? {
                Field::Number(1, value) => index.set(1, count(1, value)?)?,
                Field::Bytes(2, value) => log_id.set(2, only_bytes(value)?)?,
                Field::Bytes(3, value) => kind.set(3, kind_version(value)?)?,
                Field::Number(4, value) => time.set(4, value.cast_signed())?,
                Field::Bytes(5, value) => promise.set(5, only_bytes(value)?)?,
                Field::Bytes(6, value) => proof.set(6, inclusion_proof(value)?)?,
                Field::Bytes(7, value) => body.set(7, value.to_vec())?,
                other => return Err(other.unknown()),
            }
        }
        Ok(Self {
            log_index: index.get().unwrap_or_default(),
            log_id: log_id.get().unwrap_or_default(),
            kind_version: kind.get().unwrap_or_default(),
            integrated_time: time.get().unwrap_or_default(),
            // As in JSON, an empty promise is none.
            inclusion_promise: promise.get().filter(|promise| !promise.is_empty()),
            inclusion_proof: proof.get(),
            canonicalized_body: body.get().unwrap_or_default(),
        })
    }

    /// Writes the binary form, fields in the order of their numbers.
    #[must_use]
    pub fn to_protobuf(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.number(1, self.log_index);
        writer.message(2, &wrapped(&self.log_id));
        writer.message(3, &write_kind_version(&self.kind_version));
        writer.number(4, self.integrated_time.cast_unsigned());
        if let Some(promise) = &self.inclusion_promise {
            writer.message(5, &wrapped(promise));
        }
        if let Some(proof) = &self.inclusion_proof {
            writer.message(6, &write_inclusion_proof(proof));
        }
        writer.bytes(7, &self.canonicalized_body);
        writer.finish()
    }
}

/// A message that has bytes in its field 1 and nothing else: `LogId`, `InclusionPromise`, `Checkpoint`.
fn only_bytes(message: &[u8]) -> Result<Vec<u8>, ProtobufError> {
    let mut bytes = Once::new();
    for field in fields(message) {
        match field? {
            Field::Bytes(1, value) => bytes.set(1, value.to_vec())?,
            other => return Err(other.unknown()),
        }
    }
    Ok(bytes.get().unwrap_or_default())
}

fn kind_version(message: &[u8]) -> Result<KindVersion, ProtobufError> {
    let (mut kind, mut version) = (Once::new(), Once::new());
    for field in fields(message) {
        match field? {
            Field::Bytes(1, value) => kind.set(1, text(1, value)?)?,
            Field::Bytes(2, value) => version.set(2, text(2, value)?)?,
            other => return Err(other.unknown()),
        }
    }
    Ok(KindVersion {
        kind: kind.get().unwrap_or_default(),
        version: version.get().unwrap_or_default(),
    })
}

fn inclusion_proof(message: &[u8]) -> Result<InclusionProof, ProtobufError> {
    let (mut index, mut root, mut size, mut checkpoint) =
        (Once::new(), Once::new(), Once::new(), Once::new());
    let mut hashes = Vec::new();
    for field in fields(message) {
        match field? {
            Field::Number(1, value) => index.set(1, count(1, value)?)?,
            Field::Bytes(2, value) => root.set(2, value)?,
            Field::Number(3, value) => size.set(3, count(3, value)?)?,
            Field::Bytes(4, value) if hashes.len() < MAX_PROOF_HASHES => {
                hashes.push(hash(4, value)?);
            }
            Field::Bytes(4, _) => return Err(ProtobufError::Length(4)),
            Field::Bytes(5, value) => checkpoint.set(5, text(1, &only_bytes(value)?)?)?,
            other => return Err(other.unknown()),
        }
    }
    let root = root.get().filter(|root| !root.is_empty());
    Ok(InclusionProof {
        log_index: index.get().unwrap_or_default(),
        root_hash: root.map(|root| hash(2, root)).transpose()?,
        tree_size: size.get().unwrap_or_default(),
        hashes,
        checkpoint: checkpoint.get().unwrap_or_default(),
    })
}

fn hash(number: u64, value: &[u8]) -> Result<[u8; 32], ProtobufError> {
    value.try_into().map_err(|_| ProtobufError::Length(number))
}

/// The opposite of [`only_bytes`].
fn wrapped(bytes: &[u8]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.bytes(1, bytes);
    writer.finish()
}

fn write_kind_version(kind: &KindVersion) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.bytes(1, kind.kind.as_bytes());
    writer.bytes(2, kind.version.as_bytes());
    writer.finish()
}

fn write_inclusion_proof(proof: &InclusionProof) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.number(1, proof.log_index);
    writer.bytes(2, proof.root_hash.as_ref().map(<[u8; 32]>::as_slice).unwrap_or_default());
    writer.number(3, proof.tree_size);
    for hash in &proof.hashes {
        writer.message(4, hash);
    }
    if !proof.checkpoint.is_empty() {
        writer.message(5, &wrapped(proof.checkpoint.as_bytes()));
    }
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry() -> TransparencyLogEntry {
        TransparencyLogEntry {
            log_index: 300,
            log_id: vec![7; 32],
            kind_version: KindVersion::new("hashedrekord", "0.0.1"),
            integrated_time: 1_780_000_000,
            inclusion_promise: Some(vec![1, 2, 3]),
            inclusion_proof: Some(InclusionProof {
                log_index: 0,
                root_hash: Some([9; 32]),
                tree_size: 2,
                hashes: vec![[1; 32], [0; 32]],
                checkpoint: "log\n2\n".into(),
            }),
            canonicalized_body: Vec::new(),
        }
    }

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        let written = entry().to_protobuf();
        assert_eq!(TransparencyLogEntry::from_protobuf(&written), Ok(entry()));
        // The index, and the head of the log's id.
        assert_eq!(written[..7], [0x08, 0xac, 0x02, 0x12, 34, 0x0a, 32]);
    }

    #[test]
    fn an_empty_promise_is_none() {
        let read = TransparencyLogEntry::from_protobuf(&[0x2a, 0]).unwrap();
        assert_eq!(read.inclusion_promise, None);
    }

    #[test]
    fn what_readers_would_read_differently_is_refused() {
        let refused = |message: &[u8]| TransparencyLogEntry::from_protobuf(message).unwrap_err();
        assert_eq!(refused(&[0x08, 1, 0x08, 2]), ProtobufError::Repeated(1));
        assert_eq!(refused(&[0x2a, 0, 0x2a, 0]), ProtobufError::Repeated(5));
        let unknown = ProtobufError::UnknownField { number: 8, wire_type: 0 };
        assert_eq!(refused(&[0x40, 1]), unknown);
        // The index as bytes.
        let unknown = ProtobufError::UnknownField { number: 1, wire_type: 2 };
        assert_eq!(refused(&[0x0a, 0]), unknown);
        let mut negative = vec![0x08];
        negative.extend([0xff; 9]);
        negative.push(1);
        assert_eq!(refused(&negative), ProtobufError::Negative(1));
        assert_eq!(refused(&[0x1a, 3, 0x0a, 1, 0xff]), ProtobufError::Text(1));
        assert_eq!(refused(&[0x32, 3, 0x12, 1, 0]), ProtobufError::Length(2));
        assert_eq!(refused(&[0; MAX_MESSAGE + 1]), ProtobufError::TooLong(MAX_MESSAGE));
    }

    #[test]
    fn a_proof_with_more_hashes_than_a_tree_has_levels_is_refused() {
        let mut entry = entry();
        entry.inclusion_proof.as_mut().unwrap().hashes = vec![[0; 32]; MAX_PROOF_HASHES + 1];
        let refused = TransparencyLogEntry::from_protobuf(&entry.to_protobuf());
        assert_eq!(refused, Err(ProtobufError::Length(4)));
    }

    proptest! {
        #[test]
        fn what_was_read_is_written_to_the_same_meaning(message: Vec<u8>) {
            if let Ok(entry) = TransparencyLogEntry::from_protobuf(&message) {
                let again = TransparencyLogEntry::from_protobuf(&entry.to_protobuf());
                prop_assert_eq!(again, Ok(entry));
            }
        }
    }
}
