//! The tree that grows.

use crate::{Hash, TreeSize};

/// The right edge of a tree: the roots of its largest complete subtrees, biggest first.
///
/// It is all one needs to keep in order to append leaves and to know the root.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Edge {
    size: TreeSize,
    peaks: Vec<Hash>,
}

/// The parts do not make an edge: a tree of `size` leaves has one peak for each one-bit of its size.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a tree of {size} leaves does not have {peaks} peaks")]
pub struct EdgeError {
    /// The size that was given.
    pub size: TreeSize,
    /// How many peaks were given.
    pub peaks: usize,
}

impl Edge {
    /// The edge of a tree of `size` leaves, from the roots of its complete subtrees, biggest first.
    ///
    /// # Errors
    ///
    /// If the number of peaks does not fit the size.
    pub fn from_peaks(size: TreeSize, peaks: Vec<Hash>) -> Result<Self, EdgeError> {
        if size.get().count_ones() as usize == peaks.len() {
            Ok(Self { size, peaks })
        } else {
            Err(EdgeError { size, peaks: peaks.len() })
        }
    }

    /// Appends one leaf.
    ///
    /// This is adding one to a binary number: every one-bit of the size is a peak, and a carry
    /// merges peaks of equal height.
    pub fn append(&mut self, leaf: Hash) {
        let carries = self.size.get().trailing_ones() as usize;
        let carried = self.peaks.split_off(self.peaks.len() - carries);
        let peak = carried.iter().rev().fold(leaf, |right, left| Hash::node(left, &right));

        self.peaks.push(peak);
        self.size = TreeSize::new(self.size.get() + 1);
    }

    /// The number of leaves.
    #[must_use]
    pub const fn size(&self) -> TreeSize {
        self.size
    }

    /// The roots of the complete subtrees, biggest first.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.peaks
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| Hash::node(&left, &right))
            .unwrap_or_else(Hash::of_empty_tree)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{root, tree};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_grown_tree_has_the_root_of_the_rfc(tree in tree()) {
            let mut edge = Edge::default();
            for leaf in &tree {
                edge.append(*leaf);
            }
            prop_assert_eq!(edge.size().get(), tree.len() as u64);
            prop_assert_eq!(edge.root(), root(&tree));
            let again = Edge::from_peaks(edge.size(), edge.peaks().to_vec());
            prop_assert_eq!(again, Ok(edge));
        }
    }

    #[test]
    fn the_tree_without_leaves_has_the_root_of_nothing() {
        assert_eq!(Edge::default().root(), Hash::of_empty_tree());
    }

    #[test]
    fn peaks_that_do_not_fit_the_size_are_refused() {
        let size = TreeSize::new(3);
        let refused = Edge::from_peaks(size, vec![Hash::leaf(b"leaf")]);
        assert_eq!(refused, Err(EdgeError { size, peaks: 1 }));
    }
}
