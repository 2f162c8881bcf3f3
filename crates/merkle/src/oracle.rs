//! What the tests believe: the definitions of RFC 6962 section 2.1, transcribed and never optimised.

use proptest::prelude::*;

use crate::Hash;

/// Trees of up to 300 leaves: one full tile and a ragged edge. The leaves are distinct.
pub(crate) fn tree() -> impl Strategy<Value = Vec<Hash>> {
    (1..300_u16).prop_map(|size| (0..size).map(|n| Hash::leaf(&n.to_be_bytes())).collect())
}

/// `MTH(D[n])`. Slow, and obviously right.
pub(crate) fn root(tree: &[Hash]) -> Hash {
    match tree {
        [] => Hash::of_empty_tree(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = split(tree);
            Hash::node(&root(left), &root(right))
        }
    }
}

/// `PATH(m, D[n])`.
pub(crate) fn path(m: usize, tree: &[Hash]) -> Vec<Hash> {
    if tree.len() == 1 {
        return Vec::new();
    }
    let (left, right) = split(tree);
    if m < left.len() {
        [path(m, left), vec![root(right)]].concat()
    } else {
        [path(m - left.len(), right), vec![root(left)]].concat()
    }
}

/// `PROOF(m, D[n])`.
pub(crate) fn consistency(m: usize, tree: &[Hash]) -> Vec<Hash> {
    subproof(m, tree, true)
}

/// `SUBPROOF(m, D[n], b)`.
fn subproof(m: usize, tree: &[Hash], whole: bool) -> Vec<Hash> {
    if m == tree.len() {
        return if whole { Vec::new() } else { vec![root(tree)] };
    }
    let (left, right) = split(tree);
    if m <= left.len() {
        [subproof(m, left, whole), vec![root(right)]].concat()
    } else {
        [subproof(m - left.len(), right, false), vec![root(left)]].concat()
    }
}

/// `D[0:k]` and `D[k:n]`, where `k` is the largest power of two smaller than `n`.
fn split(tree: &[Hash]) -> (&[Hash], &[Hash]) {
    tree.split_at(tree.len().next_power_of_two() / 2)
}
