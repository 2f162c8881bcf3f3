//! The readers of files, for the fuzzer. What a checksum guards is given its checksum here, since none would be guessed.

use bytes::Bytes;

use crate::format::Format;
use crate::leaf::Framing;
use crate::record::{self, Batch, RecordKey};
use crate::{anchor, group, segment};

const KEY: RecordKey = *b"fuzz key";

/// Reads `rest` as what follows the checksum of a record, alone and in a segment.
pub fn record(rest: &[u8]) {
    let mut bytes = KEY.to_vec();
    bytes.resize(record::PREFIX, 0);
    bytes.extend(rest);
    record::seal(&mut bytes);
    let segment = [&segment::header(KEY, 1), bytes.as_slice()].concat();
    let contents = segment::scan(&segment, KEY, 1);
    let Some(record) = record::decode(&bytes, KEY) else {
        return assert!(contents.records.is_empty());
    };
    assert_eq!(contents.end, segment.len() as u64, "the segment ends with its record");

    let head = &record.head;
    let batch = Batch {
        leaves: &record.leaves,
        edge: &head.edge,
        time_ms: head.time_ms,
        checkpoint: &head.checkpoint,
        frozen: head.frozen,
    };
    record::encode(&mut bytes, KEY, record.epoch, &record.previous, &batch);
    let again = record::decode(&bytes, KEY).expect("what was written is read");
    assert_eq!((again.leaves, again.head), (record.leaves, record.head));
}

/// Reads a segment as it is, after its header.
pub fn segment(rest: &[u8]) {
    let bytes = [&segment::header(KEY, 1), rest].concat();
    assert!(segment::scan(&bytes, KEY, 1).end <= bytes.len() as u64);
    let _ = segment::scan(rest, KEY, 1);
}

/// Reads the file of an anchor.
pub fn anchor(bytes: &[u8]) {
    let _ = anchor::read_slot(bytes, 0, &[7; 16]);
}

/// Reads the file that says what a directory is.
pub fn format(bytes: &[u8]) {
    let _ = Format::parse(bytes);
}

/// Reads an entry bundle, and the same bytes as the file beside it.
pub fn bundle(bytes: &[u8]) {
    for framing in [Framing::Short, Framing::Long] {
        if let Some(entries) = group::decode_entries(framing, bytes) {
            let entries: Vec<_> = entries.into_iter().map(Bytes::copy_from_slice).collect();
            assert_eq!(group::encode_entries(framing, entries.iter()), bytes);
        }
    }
    let _ = (group::identities(bytes), group::has_no_identities(bytes));
    let _ = group::decode_leaf(bytes, bytes, 0);
}
