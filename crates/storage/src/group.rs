//! What 256 leaves become once they are complete: a bundle of entries, and a file of what is kept beside them.
//!
//! The file beside the bundle is
//!
//! ```text
//! magic 8 · flags 1 · CRC-32C of the identities 4
//! 256 rows: time 8 · entry offset 4 · length 4 · CRC-32C 4 · metadata offset 4 · length 4 · CRC-32C 4
//! 256 identities of 32 bytes, if the flag says so
//! all metadata, one after another
//! ```
//!
//! Offsets of entries are those in the bundle, without the framing. The last checksum of a row is over its other
//! 28 bytes and the metadata, so that the time is covered.

use bytes::Bytes;
use merkle::Hash;

use crate::bytes_codec::{Input, u32_length};
use crate::{Framing, Leaf};

/// How many leaves are stored together: the width of a tile.
pub const GROUP: usize = 256;

const MAGIC: [u8; 8] = *b"bullamt\x01";
const HEADER: usize = 13;
const ROW: usize = 32;
const HAS_IDENTITIES: u8 = 1;

/// The bundle of these leaves, as C2SP tlog-tiles has it where the framing is short.
pub(crate) fn encode_entries<'a>(
    framing: Framing,
    entries: impl Iterator<Item = &'a Bytes>,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        let length = u32_length(entry.len()).to_be_bytes();
        bytes.extend(&length[4 - framing.prefix()..]);
        bytes.extend(entry);
    }
    bytes
}

impl Framing {
    const fn prefix(self) -> usize {
        match self {
            Self::Short => 2,
            Self::Long => 4,
        }
    }
}

/// How many bytes these entries have in a bundle.
pub(crate) fn encode_entries_length<'a>(
    framing: Framing,
    entries: impl Iterator<Item = &'a [u8]>,
) -> usize {
    entries.map(|entry| framing.prefix() + entry.len()).sum()
}

/// Splits a bundle into its entries; `None` if it is not one.
pub(crate) fn decode_entries(framing: Framing, bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut input = Input(bytes);
    let mut entries = Vec::new();
    while !input.is_empty() {
        entries.push(match framing {
            Framing::Short => input.short_bytes()?,
            Framing::Long => input.long_bytes()?,
        });
    }
    Some(entries)
}

/// The file beside the bundle of these leaves.
pub(crate) fn encode_beside(framing: Framing, leaves: &[Leaf]) -> Vec<u8> {
    let identities = leaves.iter().any(|leaf| leaf.identity.is_some());
    let identity_bytes: Vec<u8> = if identities {
        leaves.iter().flat_map(|leaf| *leaf.identity.unwrap_or(leaf.hash).as_bytes()).collect()
    } else {
        Vec::new()
    };
    let mut bytes = Vec::new();
    bytes.extend(MAGIC);
    bytes.push(if identities { HAS_IDENTITIES } else { 0 });
    bytes.extend(crc32c::crc32c(&identity_bytes).to_be_bytes());

    let mut entry_offset = 0;
    let mut metadata_offset = HEADER + ROW * leaves.len() + identity_bytes.len();
    for leaf in leaves {
        entry_offset += framing.prefix();
        bytes.extend(row(leaf, entry_offset, metadata_offset));
        entry_offset += leaf.entry.len();
        metadata_offset += leaf.metadata.len();
    }
    bytes.extend(identity_bytes);
    leaves.iter().for_each(|leaf| bytes.extend(&leaf.metadata));
    bytes
}

fn row(leaf: &Leaf, entry_offset: usize, metadata_offset: usize) -> [u8; ROW] {
    let mut row = [0; ROW];
    row[..8].copy_from_slice(&leaf.time_ms.to_be_bytes());
    let numbers = [
        u32_length(entry_offset),
        u32_length(leaf.entry.len()),
        crc32c::crc32c(&leaf.entry),
        u32_length(metadata_offset),
        u32_length(leaf.metadata.len()),
    ];
    for (field, number) in row[8..28].as_chunks_mut::<4>().0.iter_mut().zip(numbers) {
        *field = number.to_be_bytes();
    }
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&row[..28]), &leaf.metadata);
    row[28..].copy_from_slice(&checksum.to_be_bytes());
    row
}

/// Where the row of the leaf at `position` is in the file beside the bundle.
pub(crate) const fn row_at(position: usize) -> (u64, usize) {
    ((HEADER + ROW * position) as u64, ROW)
}

/// Where the parts of one leaf are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) time_ms: i64,
    pub(crate) entry: (u64, usize),
    pub(crate) metadata: (u64, usize),
    entry_checksum: u32,
    metadata_checksum: u32,
    row_checksum: u32,
}

impl Row {
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let row_checksum = crc32c::crc32c(bytes.get(..28)?);
        let mut input = Input(bytes);
        let time_ms = input.i64()?;
        let (entry_offset, entry_length, entry_checksum) =
            (input.u32()?, input.u32()?, input.u32()?);
        let (offset, length, metadata_checksum) = (input.u32()?, input.u32()?, input.u32()?);
        // The row's own checksum is not known before the metadata is: this much is read at most.
        let plausible = entry_length as usize <= crate::MAX_LONG_ENTRY
            && length as usize <= crate::MAX_METADATA;
        plausible.then_some(Self {
            time_ms,
            entry: (u64::from(entry_offset), entry_length as usize),
            metadata: (u64::from(offset), length as usize),
            entry_checksum,
            metadata_checksum,
            row_checksum,
        })
    }

    /// Whether the leaf is what was written.
    pub(crate) fn is_sound(&self, entry: &[u8], metadata: &[u8]) -> bool {
        crc32c::crc32c(entry) == self.entry_checksum
            && crc32c::crc32c_append(self.row_checksum, metadata) == self.metadata_checksum
    }
}

/// Finds a leaf in the whole files of its group.
pub(crate) fn decode_leaf(entries: &[u8], beside: &[u8], position: usize) -> Option<Leaf> {
    let (at, length) = row_at(position);
    let row = Row::decode(slice(beside, (at, length))?)?;
    let (entry, metadata) = (slice(entries, row.entry)?, slice(beside, row.metadata)?);
    row.is_sound(entry, metadata).then(|| Leaf {
        hash: Hash::leaf(entry),
        identity: identities(beside).and_then(|all| all.get(position).copied()),
        time_ms: row.time_ms,
        entry: Bytes::copy_from_slice(entry),
        metadata: Bytes::copy_from_slice(metadata),
    })
}

fn slice(bytes: &[u8], (offset, length): (u64, usize)) -> Option<&[u8]> {
    bytes.get(usize::try_from(offset).ok()?..)?.get(..length)
}

/// The identities of a group, if it has any that are not leaf hashes.
pub(crate) fn identities(beside: &[u8]) -> Option<Vec<Hash>> {
    let mut input = Input(beside);
    let magic = input.array() == Some(MAGIC);
    let flags = input.u8()?;
    let checksum = input.u32()?;
    input.bytes(ROW * GROUP)?;
    if !magic || flags & HAS_IDENTITIES == 0 {
        return None;
    }
    let bytes = input.bytes(Hash::LENGTH * GROUP)?;
    let hashes = bytes.as_chunks().0.iter().copied().map(Hash::new).collect();
    (crc32c::crc32c(bytes) == checksum).then_some(hashes)
}

/// Whether the file beside a bundle is one, and says that identities are leaf hashes.
pub(crate) fn has_no_identities(beside: &[u8]) -> bool {
    let mut input = Input(beside);
    input.array() == Some(MAGIC) && input.u8() == Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(own: bool) -> Vec<Leaf> {
        (0..GROUP)
            .map(|n| {
                let entry = Bytes::from(format!("entry {n}"));
                Leaf {
                    hash: Hash::leaf(&entry),
                    identity: own.then(|| Hash::leaf(&n.to_be_bytes())),
                    time_ms: 1000,
                    entry,
                    metadata: Bytes::from(vec![7; n % 3]),
                }
            })
            .collect()
    }

    #[test]
    fn a_leaf_is_read_back_from_its_group() {
        for (framing, own) in [(Framing::Short, false), (Framing::Long, true)] {
            let leaves = leaves(own);
            let entries = encode_entries(framing, leaves.iter().map(|leaf| &leaf.entry));
            let beside = encode_beside(framing, &leaves);
            for (position, leaf) in leaves.iter().enumerate() {
                assert_eq!(decode_leaf(&entries, &beside, position).as_ref(), Some(leaf));
            }
            let bundled = decode_entries(framing, &entries).unwrap();
            assert!(bundled.iter().zip(&leaves).all(|(entry, leaf)| *entry == leaf.entry));
            assert_eq!(has_no_identities(&beside), !own);
        }
    }

    #[test]
    fn a_changed_time_metadata_or_entry_is_noticed() {
        let leaves = leaves(false);
        let entries = encode_entries(Framing::Short, leaves.iter().map(|leaf| &leaf.entry));
        let beside = encode_beside(Framing::Short, &leaves);
        let position = 5;
        let row = usize::try_from(row_at(position).0).unwrap();
        for at in row..row + ROW {
            let mut changed = beside.clone();
            changed[at] ^= 1;
            assert!(decode_leaf(&entries, &changed, position).is_none(), "{at}");
        }
        let mut changed = entries.clone();
        changed[2] ^= 1;
        assert!(decode_leaf(&changed, &beside, 0).is_none());
    }
}
