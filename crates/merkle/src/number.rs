//! Positions and sizes: two numbers that are never the same thing.

use std::fmt;

/// The position of a leaf, counted from zero.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LeafIndex(u64);

/// The number of leaves in a tree.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TreeSize(u64);

impl LeafIndex {
    /// The leaf that follows `index` others.
    #[must_use]
    pub const fn new(index: u64) -> Self {
        Self(index)
    }

    /// The index as it is written on the wire.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl TreeSize {
    /// The tree without leaves.
    pub const ZERO: Self = Self(0);

    /// A tree of `leaves` leaves.
    #[must_use]
    pub const fn new(leaves: u64) -> Self {
        Self(leaves)
    }

    /// The size as it is written on the wire.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whether the tree reaches as far as `index`.
    #[must_use]
    pub const fn contains(self, index: LeafIndex) -> bool {
        index.0 < self.0
    }

    /// The index the next appended leaf will take.
    #[must_use]
    pub const fn next_index(self) -> LeafIndex {
        LeafIndex(self.0)
    }

    /// The index of the last leaf; `None` for the empty tree.
    #[must_use]
    pub const fn last_index(self) -> Option<LeafIndex> {
        match self.0.checked_sub(1) {
            Some(index) => Some(LeafIndex(index)),
            None => None,
        }
    }
}

impl fmt::Display for LeafIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for TreeSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_contains_the_leaves_before_its_size() {
        let size = TreeSize::new(3);
        assert!(size.contains(LeafIndex::new(2)));
        assert!(!size.contains(size.next_index()));
        assert_eq!(size.last_index(), Some(LeafIndex::new(2)));
        assert_eq!(TreeSize::ZERO.last_index(), None);
    }
}
