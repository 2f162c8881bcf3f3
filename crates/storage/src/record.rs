//! One journal record: one batch, with everything that commits it.
//!
//! ```text
//! key 8 · length 4 · CRC-32C 4 · epoch 8 · previous 32 · body
//! ```
//!
//! The key is drawn from the log's secret instance number, so that no entry can look like a record. The length
//! is that of epoch, previous and body, and the checksum is over the length and those. `previous` is the
//! SHA-256 of the whole record before. The body is the batch: see [`encode`].

use bytes::Bytes;
use crypto::sha256;
use merkle::{Edge, Hash, LeafIndex, TreeSize};

use crate::Leaf;
use crate::bytes_codec::{Input, u32_length};

/// Marks the beginning of a record of one log.
pub(crate) type RecordKey = [u8; 8];

/// What is committed at once. `leaves` may be empty: a checkpoint alone.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// The leaves, in order.
    pub leaves: &'a [Leaf],
    /// The tree with them.
    pub edge: &'a Edge,
    /// When the checkpoint was signed, in milliseconds since 1970: not before any leaf's time.
    pub time_ms: i64,
    /// The signed checkpoint of that tree.
    pub checkpoint: &'a str,
    /// Whether nothing may follow.
    pub frozen: bool,
}

/// The newest state that is committed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Head {
    /// The tree.
    pub edge: Edge,
    /// When its checkpoint was signed.
    pub time_ms: i64,
    /// Its signed checkpoint.
    pub checkpoint: String,
    /// Whether nothing may follow.
    pub frozen: bool,
}

/// A record as it was read.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) epoch: u64,
    pub(crate) previous: [u8; 32],
    pub(crate) first: LeafIndex,
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) head: Head,
    /// SHA-256 of the whole record.
    pub(crate) hash: [u8; 32],
    /// How many bytes it has.
    pub(crate) length: usize,
}

/// Key, length and checksum.
pub(crate) const PREFIX: usize = 16;
const EPOCH_AND_PREVIOUS: usize = 40;

/// No batch comes near: it keeps a torn length from being believed.
const MAX_RECORD: usize = 256 * 1024 * 1024;

const FROZEN: u8 = 1;

/// Writes a record into `out`, which is emptied first, and answers with its hash.
pub(crate) fn encode(
    out: &mut Vec<u8>,
    key: RecordKey,
    epoch: u64,
    previous: &[u8; 32],
    batch: &Batch<'_>,
) -> [u8; 32] {
    out.clear();
    out.extend(key);
    out.extend([0; PREFIX - 8]);
    out.extend(epoch.to_be_bytes());
    out.extend(previous);
    encode_body(out, batch);
    seal(out);
    sha256(out)
}

/// Fills in length and checksum.
pub(crate) fn seal(record: &mut [u8]) {
    let length = u32_length(record.len() - PREFIX);
    record[8..12].copy_from_slice(&length.to_be_bytes());
    let checksum = checksum(length, &record[PREFIX..]);
    record[12..16].copy_from_slice(&checksum.to_be_bytes());
}

fn encode_body(out: &mut Vec<u8>, batch: &Batch<'_>) {
    out.extend(batch.edge.size().get().to_be_bytes());
    out.extend(batch.time_ms.to_be_bytes());
    out.push(if batch.frozen { FROZEN } else { 0 });
    out.extend(u32_length(batch.leaves.len()).to_be_bytes());
    for leaf in batch.leaves {
        out.extend(leaf.time_ms.to_be_bytes());
        out.push(u8::from(leaf.identity.is_some()));
        out.extend(leaf.identity.iter().flat_map(Hash::as_bytes));
        extend_long(out, &leaf.entry);
        extend_long(out, &leaf.metadata);
    }
    for peak in batch.edge.peaks() {
        out.extend(peak.as_bytes());
    }
    extend_long(out, batch.checkpoint.as_bytes());
}

fn extend_long(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u32_length(bytes.len()).to_be_bytes());
    out.extend(bytes);
}

fn checksum(length: u32, rest: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&length.to_be_bytes()), rest)
}

/// Reads the record at the beginning of `bytes`; `None` if there is no whole and sound one.
pub(crate) fn decode(bytes: &[u8], key: RecordKey) -> Option<Record> {
    let (body, length) = sound_body(bytes, key)?;
    let mut input = Input(body);
    let (epoch, previous) = (input.u64()?, input.array()?);
    let size = TreeSize::new(input.u64()?);
    let time_ms = input.i64()?;
    let frozen = input.u8()? == FROZEN;
    let count = input.u32()?;
    let first = LeafIndex::new(size.get().checked_sub(u64::from(count))?);
    let leaves = (0..count).map(|_| decode_leaf(&mut input)).collect::<Option<Vec<_>>>()?;
    let peaks = (0..size.get().count_ones())
        .map(|_| input.array().map(Hash::new))
        .collect::<Option<Vec<_>>>()?;
    let edge = Edge::from_peaks(size, peaks).ok()?;
    let checkpoint = String::from_utf8(input.long_bytes()?.to_vec()).ok()?;
    let head = Head { edge, time_ms, checkpoint, frozen };
    let hash = sha256(&bytes[..length]);
    input.is_empty().then_some(Record { epoch, previous, first, leaves, head, hash, length })
}

/// What the checksum covers, if it holds, and the length of the whole record.
fn sound_body(bytes: &[u8], key: RecordKey) -> Option<(&[u8], usize)> {
    let mut input = Input(bytes);
    if input.array() != Some(key) {
        return None;
    }
    let (length, expected) = (input.u32()?, input.u32()?);
    let body = input.bytes(usize::try_from(length).ok()?)?;
    let plausible = (EPOCH_AND_PREVIOUS..=MAX_RECORD).contains(&body.len());
    (plausible && checksum(length, body) == expected).then_some((body, PREFIX + body.len()))
}

fn decode_leaf(input: &mut Input<'_>) -> Option<Leaf> {
    let time_ms = input.i64()?;
    let identity = match input.u8()? {
        0 => None,
        _ => Some(Hash::new(input.array()?)),
    };
    let entry = input.long_bytes()?;
    let metadata = input.long_bytes()?;
    Some(Leaf {
        hash: Hash::leaf(entry),
        identity,
        time_ms,
        entry: Bytes::copy_from_slice(entry),
        metadata: Bytes::copy_from_slice(metadata),
    })
}

/// Whether a sound record begins anywhere in `bytes`.
pub(crate) fn is_anywhere(bytes: &[u8], key: RecordKey) -> bool {
    bytes
        .windows(key.len())
        .enumerate()
        .filter(|(_, window)| *window == key)
        .any(|(offset, _)| sound_body(&bytes[offset..], key).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: RecordKey = *b"test key";

    fn leaf(text: &str) -> Leaf {
        Leaf {
            hash: Hash::leaf(text.as_bytes()),
            identity: text.contains('c').then(|| Hash::leaf(b"identity")),
            time_ms: 1234,
            entry: Bytes::copy_from_slice(text.as_bytes()),
            metadata: Bytes::from_static(b"metadata"),
        }
    }

    fn record(texts: &[String]) -> Vec<u8> {
        let leaves: Vec<_> = texts.iter().map(|text| leaf(text)).collect();
        let mut edge = Edge::default();
        leaves.iter().for_each(|leaf| edge.append(leaf.hash));
        let batch = Batch {
            leaves: &leaves,
            edge: &edge,
            time_ms: 1234,
            checkpoint: "note",
            frozen: false,
        };
        let mut bytes = Vec::new();
        encode(&mut bytes, KEY, 7, &[9; 32], &batch);
        bytes
    }

    proptest! {
        #[test]
        fn a_record_is_read_back(texts in prop::collection::vec("[a-d]{0,5}", 0..5)) {
            let bytes = record(&texts);
            let record = decode(&bytes, KEY).unwrap();
            let expected: Vec<_> = texts.iter().map(|text| leaf(text)).collect();
            prop_assert_eq!(record.leaves, expected);
            prop_assert_eq!((record.epoch, record.previous, record.length), (7, [9; 32], bytes.len()));
            prop_assert_eq!(record.head.checkpoint, "note");
        }

        #[test]
        fn a_record_with_one_bit_changed_is_not_sound(bit: prop::sample::Index) {
            let mut bytes = record(&["abc".into(), "d".into()]);
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(decode(&bytes, KEY).is_none());
        }
    }

    #[test]
    fn a_record_cut_anywhere_is_not_sound() {
        let bytes = record(&["abc".into(), "d".into()]);
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length], KEY).is_none(), "{length}");
        }
    }

    #[test]
    fn a_record_is_found_behind_others_ruins() {
        let sound = record(&["abc".into()]);
        let mut bytes = sound.clone();
        bytes[20] ^= 1;
        assert!(!is_anywhere(&bytes, KEY));
        bytes.extend(&sound);
        assert!(is_anywhere(&bytes, KEY));
        assert!(!is_anywhere(&bytes, *b"that key"));
    }
}
