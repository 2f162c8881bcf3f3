//! Merkle trees as transparency logs have them: hashes, proofs, tiles, signed notes and checkpoints.
//!
//! Everything here is a pure function of its arguments. The crate knows the shape of a tree (RFC 9162 §2), the
//! names and contents of tiles (C2SP tlog-tiles), and the text of notes and checkpoints (C2SP signed-note,
//! tlog-checkpoint). It knows no entry, no file and no key of its own.
//!
//! Start reading at [`verify_inclusion`] and [`Edge`]; [`inclusion_path`] and [`consistency_proof`] make what
//! the verifiers check. [`SignedNote`] and [`Checkpoint`] are what a log signs.

mod checkpoint;
mod consistency;
mod edge;
mod hash;
mod inclusion;
mod node;
pub mod note;
mod number;
#[cfg(test)]
mod oracle;
mod proof;
mod tile;
mod tile_path;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use consistency::{ConsistencyError, verify_consistency};
pub use edge::{Edge, EdgeError};
pub use hash::{Hash, HashLengthError};
pub use inclusion::{InclusionError, root_from_inclusion_path, verify_inclusion};
pub use node::Node;
pub use note::SignedNote;
pub use number::{LeafIndex, TreeSize};
pub use proof::{MAX_PROOF, consistency_proof, inclusion_path, root_at};
pub use tile::{Tile, TileError, node_from_tiles};
pub use tile_path::{TILE_WIDTH, TileKind, TilePath, TilePathError};
