//! Digests as registries write them: `sha256:` and hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use crypto::HashAlgorithm;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of some content: algorithm and digest (OCI Image Specification, Descriptors § Digests). SHA-256 is what is
/// made here; SHA-512 is read.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Digest(crypto::Digest);

/// A text is no digest.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DigestError {
    /// There is no `algorithm:` before the digits, or another algorithm.
    #[error("{0:?} does not begin with sha256: or sha512:")]
    Algorithm(String),
    /// The digits are not as many as they should be, or are no lower-case hexadecimal digits.
    #[error("{text:?} has no {expected} lower-case hexadecimal digits")]
    Digits {
        /// The text, cut.
        text: String,
        /// How many there must be.
        expected: usize,
    },
}

impl Digest {
    /// SHA-256 of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(HashAlgorithm::Sha256.digest(bytes))
    }

    /// The algorithm that made it.
    #[must_use]
    pub const fn algorithm(&self) -> HashAlgorithm {
        self.0.algorithm()
    }

    /// The raw bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        self.0.to_hex()
    }

    /// `sha256-` and the digits: how tags that belong to a digest begin (OCI Distribution Specification 1.1, Referrers
    /// Tag Schema).
    #[must_use]
    pub fn to_tag(&self) -> String {
        // A tag has at most 128 characters: `sha512-` and 128 digits are cut to 64 digits there.
        format!("{}-{:.64}", self.algorithm().name(), self.to_hex())
    }
}

impl From<crypto::Digest> for Digest {
    fn from(digest: crypto::Digest) -> Self {
        Self(digest)
    }
}

impl From<Digest> for crypto::Digest {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let cut = || text.chars().take(160).collect::<String>();
        let (algorithm, digits) = match text.split_once(':') {
            Some(("sha256", digits)) => (HashAlgorithm::Sha256, digits),
            Some(("sha512", digits)) => (HashAlgorithm::Sha512, digits),
            _ => return Err(DigestError::Algorithm(cut())),
        };
        let expected = 2 * algorithm.length();
        let wrong = || DigestError::Digits { text: cut(), expected };
        let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() != expected || !digits.bytes().all(lower) {
            return Err(wrong());
        }
        let bytes = hex::decode(digits).map_err(|_| wrong())?;
        crypto::Digest::new(algorithm, &bytes).map(Self).map_err(|_| wrong())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::hash::Hash for Digest {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl PartialOrd for Digest {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Digest {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.algorithm(), self.as_bytes()).cmp(&(other.algorithm(), other.as_bytes()))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_digest_is_written_as_it_was_read() {
        assert_eq!(Digest::of(b"").to_string(), EMPTY);
        assert_eq!(EMPTY.parse(), Ok(Digest::of(b"")));
        let long = format!("sha512:{}", "0f".repeat(64));
        assert_eq!(long.parse::<Digest>().unwrap().to_string(), long);
    }

    #[test]
    fn only_one_spelling_names_a_content() {
        let wrong = [
            "",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "SHA256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            &EMPTY.to_uppercase().replace("SHA256", "sha256"),
            &format!("{EMPTY}0"),
            &EMPTY[..EMPTY.len() - 1],
            "sha256:../../../../../../../../../../../../../../../../../../etc/passwd",
        ];
        for text in wrong {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_tag_is_short_enough_for_every_algorithm() {
        assert_eq!(Digest::of(b"").to_tag(), EMPTY.replace(':', "-"));
        let long: Digest = format!("sha512:{}", "0f".repeat(64)).parse().unwrap();
        assert_eq!(long.to_tag(), format!("sha512-{}", "0f".repeat(32)));
    }
}
