//! Checking that a leaf is in a tree.

use crate::{Hash, LeafIndex, TreeSize};

/// Why an inclusion proof was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InclusionError {
    /// The proof is about a leaf that this tree cannot have.
    #[error("leaf {index} is outside a tree of {size} leaves")]
    Outside {
        /// The leaf.
        index: LeafIndex,
        /// The tree.
        size: TreeSize,
    },
    /// No tree of this size has a path of this length to this leaf.
    #[error("the inclusion path has the wrong number of hashes")]
    PathLength,
    /// The path is well formed, and proves inclusion in another tree.
    #[error("the inclusion path leads to a different root")]
    Root {
        /// Where the path leads.
        computed: Hash,
    },
}

/// Checks that `leaf` is at `index` in the tree of `size` leaves whose root is `root`.
///
/// # Errors
///
/// See [`InclusionError`].
pub fn verify_inclusion(
    leaf: Hash,
    index: LeafIndex,
    path: &[Hash],
    size: TreeSize,
    root: Hash,
) -> Result<(), InclusionError> {
    let computed = root_from_inclusion_path(leaf, index, path, size)?;
    if computed == root { Ok(()) } else { Err(InclusionError::Root { computed }) }
}

/// The root of the only tree of `size` leaves in which `path` leads from `leaf` at `index`.
///
/// The steps are those of RFC 9162 section 2.1.3.2, whose `fn` and `sn` are `node` and `last` here.
///
/// # Errors
///
/// [`InclusionError::Outside`] and [`InclusionError::PathLength`].
pub fn root_from_inclusion_path(
    leaf: Hash,
    index: LeafIndex,
    path: &[Hash],
    size: TreeSize,
) -> Result<Hash, InclusionError> {
    // 1. The leaf must be in the tree at all.
    if !size.contains(index) {
        return Err(InclusionError::Outside { index, size });
    }
    // 2. `node` climbs from the leaf; `last` climbs from the tree's last leaf beside it.
    let (mut node, mut last) = (index.get(), size.get() - 1);
    // 3.
    let mut hash = leaf;
    // 4.
    for sibling in path {
        if last == 0 {
            return Err(InclusionError::PathLength);
        }
        if node % 2 == 1 || node == last {
            hash = Hash::node(sibling, &hash);
            // On the ragged right edge a node can have no sibling for several levels.
            while node.is_multiple_of(2) && node != 0 {
                (node, last) = (node / 2, last / 2);
            }
        } else {
            hash = Hash::node(&hash, sibling);
        }
        (node, last) = (node / 2, last / 2);
    }
    // 5.
    if last == 0 { Ok(hash) } else { Err(InclusionError::PathLength) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{path, root, tree};
    use proptest::prelude::*;
    use proptest::sample::Index;

    proptest! {
        #[test]
        fn every_leaf_can_be_proved(tree in tree(), m: Index) {
            let m = m.index(tree.len());
            prop_assert_eq!(check(&tree, m, m, &path(m, &tree)), Ok(()));
        }

        #[test]
        fn a_proof_for_one_position_holds_at_no_other(tree in tree(), m: Index, n: Index) {
            let (m, n) = (m.index(tree.len()), n.index(tree.len()));
            prop_assume!(m != n);
            prop_assert!(check(&tree, m, n, &path(m, &tree)).is_err());
        }

        #[test]
        fn a_path_one_hash_longer_or_shorter_is_refused(tree in tree(), m: Index) {
            let m = m.index(tree.len());
            let path = path(m, &tree);

            let longer = [path.as_slice(), &[tree[m]]].concat();
            prop_assert!(check(&tree, m, m, &longer).is_err());

            if let Some((_, shorter)) = path.split_last() {
                prop_assert!(check(&tree, m, m, shorter).is_err());
            }
        }

        #[test]
        fn a_path_with_one_bit_changed_is_refused(tree in tree(), m: Index, at: Index, bit in 0..256_usize) {
            let m = m.index(tree.len());
            let mut path = path(m, &tree);
            prop_assume!(!path.is_empty());
            let at = at.index(path.len());
            let mut bytes = *path[at].as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            path[at] = Hash::new(bytes);
            let found = check(&tree, m, m, &path);
            let other_root = matches!(found, Err(InclusionError::Root { .. }));
            prop_assert!(other_root);
        }
    }

    #[test]
    fn a_leaf_outside_the_tree_is_refused() {
        let (index, size) = (LeafIndex::new(3), TreeSize::new(3));
        let leaf = Hash::leaf(b"leaf");
        let refused = verify_inclusion(leaf, index, &[], size, leaf);
        assert_eq!(refused, Err(InclusionError::Outside { index, size }));
        let empty = verify_inclusion(leaf, LeafIndex::new(0), &[], TreeSize::ZERO, leaf);
        assert!(matches!(empty, Err(InclusionError::Outside { .. })));
    }

    #[test]
    fn a_tree_of_one_leaf_has_no_path() {
        let (leaf, first) = (Hash::leaf(b"leaf"), LeafIndex::new(0));
        verify_inclusion(leaf, first, &[], TreeSize::new(1), leaf).unwrap();
        for length in [1, 65] {
            let refused =
                verify_inclusion(leaf, first, &vec![leaf; length], TreeSize::new(1), leaf);
            assert_eq!(refused, Err(InclusionError::PathLength), "{length}");
        }
    }

    #[test]
    fn the_largest_tree_does_not_overflow() {
        let (leaf, size) = (Hash::leaf(b"leaf"), TreeSize::new(u64::MAX));
        for index in [0, 1, u64::MAX / 2, u64::MAX - 2, u64::MAX - 1] {
            for length in 0..70 {
                let path = vec![leaf; length];
                let found = verify_inclusion(leaf, LeafIndex::new(index), &path, size, leaf);
                assert!(found.is_err(), "{index} {length}");
            }
        }
        let beyond = LeafIndex::new(u64::MAX);
        assert!(matches!(
            verify_inclusion(leaf, beyond, &[], size, leaf),
            Err(InclusionError::Outside { .. })
        ));
    }

    /// The only place that calls the function under test.
    fn check(
        tree: &[Hash],
        leaf: usize,
        index: usize,
        path: &[Hash],
    ) -> Result<(), InclusionError> {
        let size = TreeSize::new(tree.len() as u64);
        verify_inclusion(tree[leaf], LeafIndex::new(index as u64), path, size, root(tree))
    }
}
