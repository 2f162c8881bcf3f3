//! Making the proofs that [`verify_inclusion`](crate::verify_inclusion) and
//! [`verify_consistency`](crate::verify_consistency) check.
//!
//! The hashes of complete subtrees come from a closure, so that the same lines make proofs from memory, from
//! files and from another log's tiles.

use crate::{Hash, LeafIndex, Node, TreeSize};

/// No inclusion path has more hashes, and no consistency proof more than one beyond it: a tree has at most 2^64
/// leaves.
pub const MAX_PROOF: usize = 64;

/// The path from the leaf at `index` to the root of the tree of `size` leaves: `PATH(m, D[n])` of RFC 9162
/// §2.1.3.1.
///
/// `None` if the leaf is outside the tree.
///
/// # Errors
///
/// Those of `node`, which is asked for complete subtrees within the first `size` leaves.
pub fn inclusion_path<E>(
    index: LeafIndex,
    size: TreeSize,
    mut node: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Option<Vec<Hash>>, E> {
    if !size.contains(index) {
        return Ok(None);
    }
    let mut siblings = Vec::new();
    let (mut start, mut end) = (0, size.get());
    while end - start > 1 {
        let middle = start + split(end - start);
        if index.get() < middle {
            siblings.push(subtree(middle, end, &mut node)?);
            end = middle;
        } else {
            siblings.push(subtree(start, middle, &mut node)?);
            start = middle;
        }
    }
    siblings.reverse();
    Ok(Some(siblings))
}

/// The proof that the tree of `old` leaves is a prefix of the one of `new` leaves: `PROOF(m, D[n])` of RFC 9162
/// §2.1.4.1, and empty for `old` = 0.
///
/// `None` if `old` is larger than `new`.
///
/// # Errors
///
/// Those of `node`, which is asked for complete subtrees within the first `new` leaves.
pub fn consistency_proof<E>(
    old: TreeSize,
    new: TreeSize,
    mut node: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Option<Vec<Hash>>, E> {
    if old > new {
        return Ok(None);
    }
    if old == TreeSize::ZERO {
        return Ok(Some(Vec::new()));
    }
    let mut hashes = Vec::new();
    let (mut start, mut end) = (0, new.get());
    while old.get() != end {
        let middle = start + split(end - start);
        if old.get() <= middle {
            hashes.push(subtree(middle, end, &mut node)?);
            end = middle;
        } else {
            hashes.push(subtree(start, middle, &mut node)?);
            start = middle;
        }
    }
    // The verifier knows the old tree's root, so it is left out where it is this subtree.
    if start != 0 {
        hashes.push(subtree(start, end, &mut node)?);
    }
    hashes.reverse();
    Ok(Some(hashes))
}

/// The root of the first `size` leaves.
///
/// # Errors
///
/// Those of `node`, which is asked for complete subtrees within the first `size` leaves.
pub fn root_at<E>(
    size: TreeSize,
    mut node: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Hash, E> {
    if size == TreeSize::ZERO {
        return Ok(Hash::of_empty_tree());
    }
    subtree(0, size.get(), &mut node)
}

/// `MTH(D[start:end])`, from the complete subtrees it is made of, right to left.
fn subtree<E>(
    start: u64,
    end: u64,
    node: &mut impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Hash, E> {
    let mut peaks = Vec::new();
    let mut from = start;
    while from < end {
        // The largest power of two that fits: `start` is aligned to every one that does.
        let leaves = 1 << (end - from).ilog2();
        peaks.push(Node { level: u64::ilog2(leaves), index: from / leaves });
        from += leaves;
    }
    let last = peaks.pop().expect("a subtree has at least one leaf");
    let mut hash = node(last)?;
    for peak in peaks.into_iter().rev() {
        hash = Hash::node(&node(peak)?, &hash);
    }
    Ok(hash)
}

/// The largest power of two smaller than `leaves`, which are at least two.
const fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle;
    use proptest::prelude::*;
    use proptest::sample::Index;
    use std::convert::Infallible;

    proptest! {
        #[test]
        fn paths_are_those_of_the_rfc(tree in oracle::tree(), m: Index) {
            let m = m.index(tree.len());
            let path = inclusion_path(LeafIndex::new(m as u64), size(&tree), nodes(&tree));
            prop_assert_eq!(path, Ok(Some(oracle::path(m, &tree))));
        }

        #[test]
        fn consistency_proofs_are_those_of_the_rfc(tree in oracle::tree(), m: Index) {
            let m = m.index(tree.len()) + 1;
            let proof = consistency_proof(size(&tree[..m]), size(&tree), nodes(&tree));
            prop_assert_eq!(proof, Ok(Some(oracle::consistency(m, &tree))));
        }

        #[test]
        fn roots_are_those_of_the_rfc(tree in oracle::tree(), m: Index) {
            let old = &tree[..m.index(tree.len() + 1)];
            prop_assert_eq!(root_at(size(old), nodes(&tree)), Ok(oracle::root(old)));
        }
    }

    #[test]
    fn nothing_is_proved_outside_the_tree() {
        let tree = [Hash::leaf(b"leaf")];
        assert_eq!(inclusion_path(LeafIndex::new(1), size(&tree), nodes(&tree)), Ok(None));
        assert_eq!(consistency_proof(TreeSize::new(2), size(&tree), nodes(&tree)), Ok(None));
    }

    #[test]
    fn the_largest_tree_does_not_overflow() {
        let any = |_: Node| Ok::<_, Infallible>(Hash::leaf(b"node"));
        let size = TreeSize::new(u64::MAX);
        let path = inclusion_path(LeafIndex::new(u64::MAX - 1), size, any).unwrap().unwrap();
        assert!(path.len() <= MAX_PROOF);
        let first = inclusion_path(LeafIndex::new(0), size, any).unwrap().unwrap();
        assert_eq!(first.len(), MAX_PROOF);
        let proof = consistency_proof(TreeSize::new(u64::MAX - 1), size, any).unwrap().unwrap();
        assert!(proof.len() <= MAX_PROOF + 1);
    }

    fn size(tree: &[Hash]) -> TreeSize {
        TreeSize::new(tree.len() as u64)
    }

    fn nodes(tree: &[Hash]) -> impl Fn(Node) -> Result<Hash, Infallible> + '_ {
        |node| {
            let leaves = 1_usize << node.level;
            let start = usize::try_from(node.index).unwrap() * leaves;
            Ok(oracle::root(&tree[start..start + leaves]))
        }
    }
}
