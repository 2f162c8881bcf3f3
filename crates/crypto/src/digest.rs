//! Message digests: SHA-256, SHA-384 and SHA-512.

use aws_lc_rs::digest as backend;

/// A hash function that Sigstore formats may name.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum HashAlgorithm {
    /// SHA-256, FIPS 180-4.
    Sha256,
    /// SHA-384, FIPS 180-4.
    Sha384,
    /// SHA-512, FIPS 180-4.
    Sha512,
}

impl HashAlgorithm {
    /// The number of bytes in a digest.
    #[must_use]
    pub const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The name in Rekor v1 and in-toto documents: `sha256`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Finds the algorithm that is written `name` in Rekor v1 and in-toto documents. Case counts.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        [Self::Sha256, Self::Sha384, Self::Sha512].into_iter().find(|a| a.name() == name)
    }

    /// The name in the Sigstore protocol buffers: `SHA2_256`.
    #[must_use]
    pub const fn proto_name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA2_256",
            Self::Sha384 => "SHA2_384",
            Self::Sha512 => "SHA2_512",
        }
    }

    /// The number in the Sigstore protocol buffers (`HashAlgorithm` of `sigstore_common.proto`).
    #[must_use]
    pub const fn proto_number(self) -> i64 {
        match self {
            Self::Sha256 => 1,
            Self::Sha384 => 2,
            Self::Sha512 => 3,
        }
    }

    /// Hashes `data` at once.
    #[must_use]
    pub fn digest(self, data: &[u8]) -> Digest {
        Digest(backend::digest(self.backend(), data), self)
    }

    pub(crate) fn backend(self) -> &'static backend::Algorithm {
        match self {
            Self::Sha256 => &backend::SHA256,
            Self::Sha384 => &backend::SHA384,
            Self::Sha512 => &backend::SHA512,
        }
    }
}

/// A digest and the algorithm that made it.
#[derive(Clone, Copy)]
pub struct Digest(backend::Digest, HashAlgorithm);

/// The bytes given are not as many as the algorithm makes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a digest of {} bytes was expected, {found} were found", .algorithm.length())]
pub struct DigestLengthError {
    /// The algorithm that was named.
    pub algorithm: HashAlgorithm,
    /// How many bytes there were.
    pub found: usize,
}

impl Digest {
    /// Takes over a digest that was made elsewhere.
    ///
    /// # Errors
    ///
    /// If `bytes` has another length than `algorithm` makes.
    pub fn new(algorithm: HashAlgorithm, bytes: &[u8]) -> Result<Self, DigestLengthError> {
        backend::Digest::import_less_safe(bytes, algorithm.backend())
            .map(|digest| Self(digest, algorithm))
            .map_err(|_| DigestLengthError { algorithm, found: bytes.len() })
    }

    /// The algorithm that made it.
    #[must_use]
    pub const fn algorithm(&self) -> HashAlgorithm {
        self.1
    }

    /// The raw bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_ref()
    }

    /// The bytes as lower-case hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(self.as_bytes())
    }

    pub(crate) fn backend(&self) -> &backend::Digest {
        &self.0
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.1 == other.1 && self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Digest {}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.1.name(), self.to_hex())
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.1.name(), self.to_hex())
    }
}

/// A digest in the making, for inputs that do not fit in memory.
pub struct Hasher(backend::Context, HashAlgorithm);

impl Hasher {
    /// Begins a digest.
    #[must_use]
    pub fn new(algorithm: HashAlgorithm) -> Self {
        Self(backend::Context::new(algorithm.backend()), algorithm)
    }

    /// Adds `data` to what is hashed.
    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// Ends the digest.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finish(), self.1)
    }
}

/// SHA-256 of `data`.
#[must_use]
pub fn sha256(data: &[u8]) -> [u8; 32] {
    fixed(HashAlgorithm::Sha256, data)
}

/// SHA-384 of `data`.
#[must_use]
pub fn sha384(data: &[u8]) -> [u8; 48] {
    fixed(HashAlgorithm::Sha384, data)
}

/// SHA-512 of `data`.
#[must_use]
pub fn sha512(data: &[u8]) -> [u8; 64] {
    fixed(HashAlgorithm::Sha512, data)
}

fn fixed<const N: usize>(algorithm: HashAlgorithm, data: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(algorithm.digest(data).as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_nothing_is_the_published_one() {
        assert_eq!(
            hex::encode(sha256(b"")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn hashing_in_pieces_gives_the_same_digest() {
        let mut hasher = Hasher::new(HashAlgorithm::Sha512);
        hasher.update(b"one ");
        hasher.update(b"two");
        assert_eq!(hasher.finish(), HashAlgorithm::Sha512.digest(b"one two"));
    }

    #[test]
    fn a_digest_of_another_length_is_refused() {
        let refused = Digest::new(HashAlgorithm::Sha384, &[0; 32]);
        assert_eq!(refused, Err(DigestLengthError { algorithm: HashAlgorithm::Sha384, found: 32 }));
    }
}
