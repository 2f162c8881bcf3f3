//! Where a log is kept: one directory, one journal, one anchor.
//!
//! The seam is two verbs: [`Store::open`] and [`Store::commit`]. A batch is committed as one value, and its one
//! sync is the commit point. What follows the commit (full tiles and bundles become files, identities become an
//! index) can be done at any later time, or again.
//!
//! The crate refuses to know what an entry is, who signs checkpoints, and what time it is. It starts no thread.
//!
//! Start reading at [`Store`], then [`Files`], the only way to the disk.

mod anchor;
mod archive;
mod bytes_codec;
mod disk;
mod files;
#[cfg(test)]
mod files_laws;
mod format;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod group;
mod index;
mod journal;
mod leaf;
mod meter;
mod record;
mod recovery;
mod segment;
#[cfg(any(test, feature = "simulation"))]
pub mod simulation;
mod store;

pub use anchor::{Anchor, AnchorError, Anchored};
pub use archive::{Archive, ArchiveError};
pub use disk::Disk;
pub use files::{File, Files, Lock};
pub use format::{Format, FormatError};
pub use group::GROUP;
pub use index::{FjallIndexes, Index, IndexError, IndexPosition, Indexes, Key, MemoryIndexes};
pub use journal::{JournalError, Segments};
pub use leaf::{Framing, Leaf, MAX_LONG_ENTRY, MAX_METADATA, MAX_SHORT_ENTRY};
pub use meter::{Meter, Readings};
pub use record::{Batch, Head};
pub use recovery::Recovered;
pub use segment::SEGMENT_BYTES;
pub use store::{CommitError, CreateError, OpenError, Opened, Settings, Store};
