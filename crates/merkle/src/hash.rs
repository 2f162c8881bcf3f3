//! The hashes of a tree (RFC 9162 §2.1.1), with SHA-256.

use std::fmt;

use crypto::{HashAlgorithm, Hasher, sha256};

/// A SHA-256 value in a Merkle tree: of a leaf, of a node, or of a whole tree.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Hash([u8; 32]);

/// A hash was expected, and the bytes are not 32.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a hash has 32 bytes, not {found}")]
pub struct HashLengthError {
    /// How many bytes there were.
    pub found: usize,
}

/// Keeps leaves apart from nodes, so that no entry can be presented as an interior node.
const LEAF: u8 = 0x00;
const NODE: u8 = 0x01;

impl Hash {
    /// The number of bytes in a hash.
    pub const LENGTH: usize = 32;

    /// Takes over a hash that was made elsewhere.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Takes over a hash from bytes of a length not yet known.
    ///
    /// # Errors
    ///
    /// If there are not exactly 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HashLengthError> {
        bytes.try_into().map(Self).map_err(|_| HashLengthError { found: bytes.len() })
    }

    /// `SHA-256(0x00 ‖ entry)`: the hash of a leaf.
    #[must_use]
    pub fn leaf(entry: &[u8]) -> Self {
        let mut hasher = Hasher::new(HashAlgorithm::Sha256);
        hasher.update(&[LEAF]);
        hasher.update(entry);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hasher.finish().as_bytes());
        Self(bytes)
    }

    /// `SHA-256(0x01 ‖ left ‖ right)`: the hash of a node.
    #[must_use]
    pub fn node(left: &Self, right: &Self) -> Self {
        let mut input = [NODE; 65];
        input[1..33].copy_from_slice(&left.0);
        input[33..].copy_from_slice(&right.0);
        Self(sha256(&input))
    }

    /// `SHA-256()`: the root of the tree without leaves.
    #[must_use]
    pub fn of_empty_tree() -> Self {
        Self(sha256(&[]))
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The bytes as lower-case hexadecimal digits, as Rekor v1 writes them.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl AsRef<[u8]> for Hash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_of_nothing_is_the_published_one() {
        assert_eq!(
            Hash::of_empty_tree().to_hex(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn leaves_and_nodes_are_told_apart() {
        let (left, right) = (Hash::leaf(b"left"), Hash::leaf(b"right"));
        let children = [*left.as_bytes(), *right.as_bytes()].concat();
        assert_ne!(Hash::node(&left, &right), Hash::leaf(&children));
        assert_eq!(Hash::leaf(b"").as_bytes(), &sha256(&[0]));
    }

    #[test]
    fn thirty_one_bytes_are_no_hash() {
        assert_eq!(Hash::from_bytes(&[0; 31]), Err(HashLengthError { found: 31 }));
    }
}
