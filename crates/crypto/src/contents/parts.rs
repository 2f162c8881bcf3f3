//! Contents in parts, each hashed by itself, in any order, at the same time.

use std::ops::Range;

use blake3::hazmat::{
    ChainingValue, HasherExt, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root,
};

use super::{ContentDigest, ContentHash, ContentHasher};

/// The length of a part: a subtree of BLAKE3, so a power of two; large enough that the work of handing it out does not
/// count, small enough that a file of a gigabyte keeps many processors busy.
const PART: u64 = 16 << 20;

/// The parts of some contents, and what is known of their digests.
#[derive(Debug)]
pub struct Parts {
    hash: ContentHash,
    length: u64,
    /// Chaining values of subtrees, by position; empty where there is one part only.
    subtrees: Vec<Option<ChainingValue>>,
    missing: usize,
}

/// A part's digest in the making.
pub struct PartHasher {
    position: usize,
    state: State,
}

enum State {
    Whole(ContentHasher),
    Subtree(Box<blake3::Hasher>),
}

/// A part's digest.
#[derive(Debug)]
pub struct PartOutcome {
    position: usize,
    digest: PartDigest,
}

#[derive(Debug)]
enum PartDigest {
    Whole(ContentDigest),
    Subtree(ChainingValue),
}

impl Parts {
    /// The parts of contents with `length` bytes.
    #[must_use]
    pub fn new(hash: ContentHash, length: u64) -> Self {
        let missing = match hash {
            ContentHash::Blake3 if length > PART => length.div_ceil(PART),
            _ => 1,
        };
        let missing = usize::try_from(missing).unwrap_or(usize::MAX);
        let subtrees = if missing == 1 { Vec::new() } else { vec![None; missing] };
        Self { hash, length, subtrees, missing }
    }

    /// Which bytes each part has, in order. There is at least one part.
    #[must_use]
    pub fn ranges(&self) -> Vec<Range<u64>> {
        if self.subtrees.is_empty() {
            return std::iter::once(0..self.length).collect();
        }
        let step = usize::try_from(PART).unwrap_or(usize::MAX);
        let starts = (0..self.length).step_by(step);
        starts.map(|start| start..self.length.min(start + PART)).collect()
    }

    /// Begins the digest of the part at `position` of [`Self::ranges`].
    #[must_use]
    pub fn hasher(&self, position: usize) -> PartHasher {
        let state = if self.subtrees.is_empty() {
            State::Whole(ContentHasher::new(self.hash))
        } else {
            let mut hasher = Box::new(blake3::Hasher::new());
            hasher.set_input_offset(position as u64 * PART);
            State::Subtree(hasher)
        };
        PartHasher { position, state }
    }

    /// Takes a part's digest. Whoever brings the last one gets the digest of the whole.
    pub fn put(&mut self, outcome: PartOutcome) -> Option<ContentDigest> {
        let subtree = match outcome.digest {
            PartDigest::Whole(digest) => return Some(digest),
            PartDigest::Subtree(subtree) => subtree,
        };
        if self.subtrees.get_mut(outcome.position)?.replace(subtree).is_none() {
            self.missing -= 1;
        }
        if self.missing > 0 {
            return None;
        }
        let subtrees: Vec<ChainingValue> = self.subtrees.iter().flatten().copied().collect();
        let (left, right) = split(&subtrees, self.length);
        let root = merge_subtrees_root(&left, &right, Mode::Hash);
        ContentDigest::new(ContentHash::Blake3, root.as_bytes().to_vec())
    }
}

/// The chaining values of the two halves of contents that are longer than one part (BLAKE3 §2.1: the left subtree is
/// full, with the most chunks that leave something for the right one).
fn split(subtrees: &[ChainingValue], length: u64) -> (ChainingValue, ChainingValue) {
    let left = left_subtree_len(length);
    let position = usize::try_from(left / PART).unwrap_or(usize::MAX).min(subtrees.len());
    let (before, after) = subtrees.split_at(position);
    (merged(before, left), merged(after, length - left))
}

fn merged(subtrees: &[ChainingValue], length: u64) -> ChainingValue {
    match subtrees {
        [] => ChainingValue::default(),
        [one] => *one,
        several => {
            let (left, right) = split(several, length);
            merge_subtrees_non_root(&left, &right, Mode::Hash)
        }
    }
}

impl PartHasher {
    /// Takes in the next bytes of the part.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Whole(hasher) => hasher.update(bytes),
            State::Subtree(hasher) => {
                hasher.update(bytes);
            }
        }
    }

    /// Ends the part's digest.
    #[must_use]
    pub fn finish(self) -> PartOutcome {
        let digest = match self.state {
            State::Whole(hasher) => PartDigest::Whole(hasher.finish()),
            State::Subtree(hasher) => PartDigest::Subtree(hasher.finalize_non_root()),
        };
        PartOutcome { position: self.position, digest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes in parts, the last part first.
    fn in_parts(hash: ContentHash, contents: &[u8]) -> (usize, ContentDigest) {
        let mut parts = Parts::new(hash, contents.len() as u64);
        let ranges = parts.ranges();
        let mut digest = None;
        for (position, range) in ranges.iter().enumerate().rev() {
            let mut hasher = parts.hasher(position);
            let (start, end) =
                (usize::try_from(range.start).unwrap(), usize::try_from(range.end).unwrap());
            hasher.update(&contents[start..end]);
            assert_eq!(digest, None, "the last part only completes the digest");
            digest = parts.put(hasher.finish());
        }
        (ranges.len(), digest.unwrap())
    }

    #[test]
    fn the_order_and_number_of_parts_make_no_difference() {
        let part = usize::try_from(PART).unwrap();
        let contents: Vec<u8> = (0..=250).cycle().take(5 * part + 1).collect();
        for length in [0, 1, part, part + 1, 2 * part, 3 * part - 1, 4 * part, 5 * part + 1] {
            for hash in ContentHash::ALL {
                let (count, digest) = in_parts(hash, &contents[..length]);
                assert_eq!(digest, hash.digest(&contents[..length]), "{hash:?} {length}");
                let tree = hash == ContentHash::Blake3 && length > part;
                assert_eq!(count, if tree { length.div_ceil(part) } else { 1 });
            }
        }
    }
}
