//! One leaf, and what is kept beside it.

use bytes::Bytes;
use merkle::Hash;

/// One leaf of a log, and what is kept beside it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Leaf {
    /// [`Hash::leaf`] of the entry.
    pub hash: Hash,
    /// What makes it the same as another submission, if that is not the leaf's hash.
    pub identity: Option<Hash>,
    /// When it was logged, in milliseconds since 1970.
    pub time_ms: i64,
    /// The bytes that are hashed.
    pub entry: Bytes,
    /// What else must be remembered.
    pub metadata: Bytes,
}

/// How the length of an entry is written in a bundle. Fixed for the life of a log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Framing {
    /// Two bytes, so that bundles are those of C2SP tlog-tiles.
    Short,
    /// Four bytes, in bundles of our own.
    Long,
}

/// The longest entry of [`Framing::Short`]: its length is two bytes (C2SP tlog-tiles, "Log Entries").
pub const MAX_SHORT_ENTRY: usize = 65_535;

/// The longest entry of [`Framing::Long`]: a bundle of 256 stays below 256 MiB.
pub const MAX_LONG_ENTRY: usize = 1024 * 1024;

/// The longest metadata of one leaf: room for an attestation of 100 KiB and a chain, many times over.
pub const MAX_METADATA: usize = 1024 * 1024;

impl Framing {
    /// The longest entry.
    #[must_use]
    pub const fn max_entry(self) -> usize {
        match self {
            Self::Short => MAX_SHORT_ENTRY,
            Self::Long => MAX_LONG_ENTRY,
        }
    }

    /// The framing for entries of up to `max_entry` bytes; `None` if neither is enough.
    #[must_use]
    pub const fn for_entries(max_entry: usize) -> Option<Self> {
        if max_entry <= MAX_SHORT_ENTRY {
            Some(Self::Short)
        } else if max_entry <= MAX_LONG_ENTRY {
            Some(Self::Long)
        } else {
            None
        }
    }
}
