//! Hash functions for the contents of large files, and hashing them in parts at the same time.
//!
//! OpenSSF Model Signing 1.0 names three: SHA-256, BLAKE2b and BLAKE3. Only BLAKE3 is a tree, so that one file can keep
//! several processors busy; [`Parts`] hides the difference.

mod parts;

use std::fmt;

use blake2::{Blake2b512, Digest as _};

use crate::{HashAlgorithm, Hasher};

pub use parts::{PartHasher, PartOutcome, Parts};

/// A hash function for contents.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ContentHash {
    /// SHA-256, FIPS 180-4.
    Sha256,
    /// BLAKE2b with 64 bytes, RFC 7693.
    Blake2b,
    /// BLAKE3 with 32 bytes.
    Blake3,
}

impl ContentHash {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Blake2b, Self::Blake3];

    /// The name in manifests: `blake2b`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Blake2b => "blake2b",
            Self::Blake3 => "blake3",
        }
    }

    /// Finds the function that manifests call `name`. Case counts.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.name() == name)
    }

    /// The number of bytes in a digest.
    #[must_use]
    pub const fn length(self) -> usize {
        match self {
            Self::Sha256 | Self::Blake3 => 32,
            Self::Blake2b => 64,
        }
    }

    /// Hashes `contents` at once.
    #[must_use]
    pub fn digest(self, contents: &[u8]) -> ContentDigest {
        let mut hasher = ContentHasher::new(self);
        hasher.update(contents);
        hasher.finish()
    }
}

/// A digest of contents, and the function that made it.
#[derive(Clone, Eq, PartialEq)]
pub struct ContentDigest {
    hash: ContentHash,
    bytes: Vec<u8>,
}

impl ContentDigest {
    /// Takes over a digest that was made elsewhere; `None` if it has another length than `hash` makes.
    #[must_use]
    pub fn new(hash: ContentHash, bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() == hash.length()).then_some(Self { hash, bytes })
    }

    /// The function that made it.
    #[must_use]
    pub const fn hash(&self) -> ContentHash {
        self.hash
    }

    /// The raw bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes as lower-case hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(&self.bytes)
    }
}

impl fmt::Debug for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.hash.name(), self.to_hex())
    }
}

/// A digest of contents in the making.
enum ContentHasher {
    Sha256(Hasher),
    Blake2b(Box<Blake2b512>),
    Blake3(Box<blake3::Hasher>),
}

impl ContentHasher {
    fn new(hash: ContentHash) -> Self {
        match hash {
            ContentHash::Sha256 => Self::Sha256(Hasher::new(HashAlgorithm::Sha256)),
            ContentHash::Blake2b => Self::Blake2b(Box::default()),
            ContentHash::Blake3 => Self::Blake3(Box::default()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Blake2b(hasher) => hasher.update(bytes),
            Self::Blake3(hasher) => {
                hasher.update(bytes);
            }
        }
    }

    fn finish(self) -> ContentDigest {
        match self {
            Self::Sha256(hasher) => ContentDigest {
                hash: ContentHash::Sha256,
                bytes: hasher.finish().as_bytes().to_vec(),
            },
            Self::Blake2b(hasher) => {
                ContentDigest { hash: ContentHash::Blake2b, bytes: hasher.finalize().to_vec() }
            }
            Self::Blake3(hasher) => ContentDigest {
                hash: ContentHash::Blake3,
                bytes: hasher.finalize().as_bytes().to_vec(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digests_of_nothing_are_the_published_ones() {
        let published = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419\
             d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce",
            "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
        ];
        for (hash, expected) in ContentHash::ALL.into_iter().zip(published) {
            assert_eq!(hash.digest(b"").to_hex(), expected, "{hash:?}");
            assert_eq!(ContentHash::by_name(hash.name()), Some(hash));
        }
    }

    #[test]
    fn a_digest_of_another_length_is_none() {
        assert_eq!(ContentDigest::new(ContentHash::Blake2b, vec![0; 32]), None);
        assert!(ContentDigest::new(ContentHash::Blake2b, vec![0; 64]).is_some());
    }
}
