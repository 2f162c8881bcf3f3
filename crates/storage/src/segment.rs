//! Segment files: a header, then records.

use std::path::{Path, PathBuf};

use crate::bytes_codec::Input;
use crate::record::{self, Record, RecordKey};

/// key 8 · version 4 · number 8 · CRC-32C 4
pub(crate) const HEADER: usize = 24;

/// A segment that has grown beyond this is closed as soon as the next one is ready. Opening a log reads one or
/// two segments, so it bounds the time and memory of that.
pub const SEGMENT_BYTES: u64 = 4 * 1024 * 1024;

const VERSION: u32 = 1;

/// The name of segment `number`.
pub(crate) fn path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:020}"))
}

/// The number of the segment that is named so.
pub(crate) fn number(name: &str) -> Option<u64> {
    let digits = name.len() == 20 && name.bytes().all(|byte| byte.is_ascii_digit());
    if digits { name.parse().ok() } else { None }
}

/// The first bytes of a segment.
pub(crate) fn header(key: RecordKey, number: u64) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..8].copy_from_slice(&key);
    bytes[8..12].copy_from_slice(&VERSION.to_be_bytes());
    bytes[12..20].copy_from_slice(&number.to_be_bytes());
    let checksum = crc32c::crc32c(&bytes[..20]);
    bytes[20..].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// What a segment holds.
#[derive(Debug)]
pub(crate) struct Contents {
    /// The sound records from the beginning on, each with its offset.
    pub(crate) records: Vec<(u64, Record)>,
    /// Where the sound records end.
    pub(crate) end: u64,
    /// Whether bytes follow that are no record.
    pub(crate) ruined: bool,
    /// Whether, among those, a sound record follows.
    pub(crate) buried: bool,
}

/// Reads all records of a segment up to the first that is not sound.
pub(crate) fn scan(bytes: &[u8], key: RecordKey, number: u64) -> Contents {
    let mut records = Vec::new();
    let mut offset = 0;
    if bytes.starts_with(&header(key, number)) {
        offset = HEADER;
        while let Some(record) = record::decode(&bytes[offset..], key) {
            let length = record.length;
            records.push((offset as u64, record));
            offset += length;
        }
    }
    let rest = &bytes[offset..];
    Contents {
        records,
        end: offset as u64,
        ruined: !rest.is_empty(),
        buried: record::is_anywhere(rest, key),
    }
}

/// Whether the header is one that a newer program wrote.
pub(crate) fn is_newer(bytes: &[u8], key: RecordKey) -> bool {
    let mut input = Input(bytes);
    input.array() == Some(key) && input.u32().is_some_and(|version| version > VERSION)
}
