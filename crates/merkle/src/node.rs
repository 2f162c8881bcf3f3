//! The name of a complete subtree.

use crate::tile_path::TILE_HEIGHT;

/// A complete subtree: `2^level` leaves, preceded by `index` others of its size. A leaf is at level 0.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Node {
    /// The height over the leaves, at most 63.
    pub level: u32,
    /// The position among the nodes of its level.
    pub index: u64,
}

impl Node {
    /// The node over exactly the leaves from `start` up to and without `end`; `None` if no single one is.
    #[must_use]
    pub const fn over(start: u64, end: u64) -> Option<Self> {
        if end <= start {
            return None;
        }
        let leaves = end - start;
        if !leaves.is_power_of_two() || !start.is_multiple_of(leaves) {
            return None;
        }
        Some(Self { level: leaves.trailing_zeros(), index: start / leaves })
    }

    /// The level of tiles that holds the node (C2SP tlog-tiles, "Merkle Tree").
    #[must_use]
    pub const fn tile_level(self) -> u32 {
        self.level / TILE_HEIGHT
    }

    /// The height of the node over the lowest hashes of its tile.
    #[must_use]
    pub const fn height_in_tile(self) -> u32 {
        self.level % TILE_HEIGHT
    }

    /// The number of the tile that holds the node, among those of its level.
    #[must_use]
    pub const fn tile_index(self) -> u64 {
        self.index >> (TILE_HEIGHT - self.height_in_tile())
    }

    /// The position of the node among those of its height in its tile.
    #[must_use]
    pub const fn position_in_tile(self) -> u64 {
        self.index & ((1 << (TILE_HEIGHT - self.height_in_tile())) - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_aligned_powers_of_two_are_nodes() {
        assert_eq!(Node::over(8, 12), Some(Node { level: 2, index: 2 }));
        assert_eq!(Node::over(0, 1), Some(Node { level: 0, index: 0 }));
        assert_eq!(Node::over(0, 1 << 63), Some(Node { level: 63, index: 0 }));
        assert_eq!(Node::over(2, 6), None);
        assert_eq!(Node::over(0, 3), None);
        assert_eq!(Node::over(3, 3), None);
    }

    #[test]
    fn a_node_of_level_eight_is_the_lowest_hash_of_a_tile_above() {
        let node = Node { level: 8, index: 257 };
        assert_eq!((node.tile_level(), node.tile_index(), node.position_in_tile()), (1, 1, 1));
        let below = Node { level: 7, index: 3 };
        assert_eq!((below.tile_level(), below.tile_index(), below.position_in_tile()), (0, 1, 1));
    }
}
