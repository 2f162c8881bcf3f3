//! Checking that a tree has only grown.

use crate::{Hash, TreeSize};

/// Why a consistency proof was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConsistencyError {
    /// A tree never shrinks.
    #[error("a tree of {old} leaves cannot grow into one of {new}")]
    Shrunk {
        /// The size that was seen first.
        old: TreeSize,
        /// The size that was seen later.
        new: TreeSize,
    },
    /// No two trees of these sizes have a proof of this length.
    #[error("the consistency proof has the wrong number of hashes")]
    ProofLength,
    /// The proof does not lead to the old root: the old tree is no prefix of the new one.
    #[error("the consistency proof does not lead to the old root")]
    OldRoot,
    /// The proof does not lead to the new root.
    #[error("the consistency proof does not lead to the new root")]
    NewRoot,
}

/// Checks that the tree of `old_size` leaves with `old_root` is a prefix of the one of `new_size` leaves with
/// `new_root`.
///
/// The steps are those of RFC 9162 section 2.1.4.2, whose `fn` and `sn` are `node` and `last` here. Beyond them,
/// every tree is a prefix of itself, and the tree without leaves of any; their proofs are empty (C2SP
/// tlog-witness).
///
/// # Errors
///
/// See [`ConsistencyError`].
pub fn verify_consistency(
    old_size: TreeSize,
    old_root: Hash,
    new_size: TreeSize,
    new_root: Hash,
    proof: &[Hash],
) -> Result<(), ConsistencyError> {
    if old_size > new_size {
        return Err(ConsistencyError::Shrunk { old: old_size, new: new_size });
    }
    if old_size == new_size || old_size == TreeSize::ZERO {
        return verify_trivial(old_size, old_root, new_size, new_root, proof);
    }
    // 1 and 2. A complete old tree is a node of the new one, and its hash is left out of the proof.
    let (first, rest) = if old_size.get().is_power_of_two() {
        (old_root, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(ConsistencyError::ProofLength)?;
        (*first, rest)
    };
    // 3.
    let (mut node, mut last) = (old_size.get() - 1, new_size.get() - 1);
    // 4.
    while node % 2 == 1 {
        (node, last) = (node / 2, last / 2);
    }
    // 5.
    let (mut old, mut new) = (first, first);
    // 6.
    for hash in rest {
        if last == 0 {
            return Err(ConsistencyError::ProofLength);
        }
        if node % 2 == 1 || node == last {
            old = Hash::node(hash, &old);
            new = Hash::node(hash, &new);
            while node.is_multiple_of(2) && node != 0 {
                (node, last) = (node / 2, last / 2);
            }
        } else {
            new = Hash::node(&new, hash);
        }
        (node, last) = (node / 2, last / 2);
    }
    // 7.
    if last != 0 {
        return Err(ConsistencyError::ProofLength);
    }
    roots(old == old_root, new == new_root)
}

fn verify_trivial(
    old_size: TreeSize,
    old_root: Hash,
    new_size: TreeSize,
    new_root: Hash,
    proof: &[Hash],
) -> Result<(), ConsistencyError> {
    if !proof.is_empty() {
        return Err(ConsistencyError::ProofLength);
    }
    let old_holds = old_size != TreeSize::ZERO || old_root == Hash::of_empty_tree();
    let new_holds = old_size != new_size || old_root == new_root;
    roots(old_holds, new_holds)
}

fn roots(old_holds: bool, new_holds: bool) -> Result<(), ConsistencyError> {
    match (old_holds, new_holds) {
        (true, true) => Ok(()),
        (false, _) => Err(ConsistencyError::OldRoot),
        (true, false) => Err(ConsistencyError::NewRoot),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{consistency, root, tree};
    use proptest::prelude::*;
    use proptest::sample::Index;

    proptest! {
        #[test]
        fn every_prefix_can_be_proved(tree in tree(), m: Index) {
            let m = m.index(tree.len()) + 1;
            prop_assert_eq!(check(&tree, m, &consistency(m, &tree)), Ok(()));
        }

        #[test]
        fn a_proof_for_one_size_holds_for_no_other(tree in tree(), m: Index, n: Index) {
            let (m, n) = (m.index(tree.len()) + 1, n.index(tree.len()) + 1);
            prop_assume!(m != n);
            prop_assert!(check(&tree, n, &consistency(m, &tree)).is_err());
        }

        #[test]
        fn a_proof_one_hash_longer_or_shorter_is_refused(tree in tree(), m: Index) {
            let m = m.index(tree.len()) + 1;
            let proof = consistency(m, &tree);

            let longer = [proof.as_slice(), &[tree[0]]].concat();
            prop_assert!(check(&tree, m, &longer).is_err());

            if let Some((_, shorter)) = proof.split_last() {
                prop_assert!(check(&tree, m, shorter).is_err());
            }
        }

        #[test]
        fn a_tree_with_another_leaf_is_no_prefix(tree in tree(), m: Index, at: Index) {
            let m = m.index(tree.len()) + 1;
            let mut forked = tree[..m].to_vec();
            forked[at.index(m)] = Hash::leaf(b"forked");
            let refused = verify_consistency(
                size(m), root(&forked), size(tree.len()), root(&tree), &consistency(m, &tree),
            );
            prop_assert!(refused.is_err());
        }
    }

    #[test]
    fn a_tree_does_not_shrink() {
        let leaf = Hash::leaf(b"leaf");
        let (old, new) = (size(2), size(1));
        let refused = verify_consistency(old, leaf, new, leaf, &[]);
        assert_eq!(refused, Err(ConsistencyError::Shrunk { old, new }));
    }

    #[test]
    fn two_roots_at_one_size_are_a_fork() {
        let (left, right) = (Hash::leaf(b"left"), Hash::leaf(b"right"));
        let refused = verify_consistency(size(1), left, size(1), right, &[]);
        assert_eq!(refused, Err(ConsistencyError::NewRoot));
    }

    #[test]
    fn the_empty_tree_is_a_prefix_of_any_and_has_one_root() {
        let leaf = Hash::leaf(b"leaf");
        let empty = Hash::of_empty_tree();
        assert_eq!(verify_consistency(TreeSize::ZERO, empty, size(1), leaf, &[]), Ok(()));
        let refused = verify_consistency(TreeSize::ZERO, leaf, size(1), leaf, &[]);
        assert_eq!(refused, Err(ConsistencyError::OldRoot));
        let refused = verify_consistency(TreeSize::ZERO, empty, size(1), leaf, &[leaf]);
        assert_eq!(refused, Err(ConsistencyError::ProofLength));
    }

    #[test]
    fn the_largest_tree_does_not_overflow() {
        let leaf = Hash::leaf(b"leaf");
        for old in [1, 2, 3, 1 << 63, u64::MAX - 1] {
            for length in 0..130 {
                let proof = vec![leaf; length];
                let found = verify_consistency(
                    TreeSize::new(old),
                    leaf,
                    TreeSize::new(u64::MAX),
                    leaf,
                    &proof,
                );
                assert!(found.is_err(), "{old} {length}");
            }
        }
    }

    /// The only place that calls the function under test with a whole tree.
    fn check(tree: &[Hash], old: usize, proof: &[Hash]) -> Result<(), ConsistencyError> {
        verify_consistency(size(old), root(&tree[..old]), size(tree.len()), root(tree), proof)
    }

    fn size(leaves: usize) -> TreeSize {
        TreeSize::new(leaves as u64)
    }
}
