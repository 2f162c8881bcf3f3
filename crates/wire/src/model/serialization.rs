//! How the files of a model become resources with digests.

use std::num::NonZeroU64;
use std::ops::Range;

use crypto::ContentHash;

use super::ModelPath;

/// The length of shards where a signer does not say otherwise.
pub const DEFAULT_SHARD_SIZE: NonZeroU64 = NonZeroU64::new(1_000_000_000).expect("it is not zero");

/// How the files of a model become resources with digests.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Serialization {
    /// What a resource is.
    pub method: Method,
    /// The hash function.
    pub hash: ContentHash,
    /// Whether the signer followed symbolic links. A verifier decides that for itself.
    pub allow_symlinks: bool,
    /// What the signer left out, with everything below it.
    pub ignore_paths: Vec<ModelPath>,
}

/// What a resource is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// A file.
    Files,
    /// A piece of a file, of this length at most. Empty files have none, so nothing is said about them.
    Shards(NonZeroU64),
}

impl Method {
    /// The name in manifests.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Shards(_) => "shards",
        }
    }

    /// The shards of a file with `length` bytes; `None` if it is taken as a whole.
    #[must_use]
    pub fn shards(self, length: u64) -> Option<impl Iterator<Item = Range<u64>>> {
        let Self::Shards(size) = self else { return None };
        let ends = (0..length.div_ceil(size.get())).map(move |n| {
            let start = n * size.get();
            start..length.min(start.saturating_add(size.get()))
        });
        Some(ends)
    }
}

impl Serialization {
    /// What manifests call the function that made the digest of a resource. That of a shard has its size in it.
    #[must_use]
    pub fn algorithm(&self) -> String {
        match self.method {
            Method::Files => self.hash.name().to_owned(),
            Method::Shards(size) => format!("{}-sharded-{size}", self.hash.name()),
        }
    }

    /// Whether the signer left `path` out.
    #[must_use]
    pub fn ignores(&self, path: &ModelPath) -> bool {
        self.ignore_paths.iter().any(|ignored| path.is_within(ignored))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_cover_a_file_and_the_last_one_is_what_is_left() {
        let method = Method::Shards(NonZeroU64::new(4).unwrap());
        let shards = |length| {
            let bounds = method.shards(length).unwrap().map(|shard| (shard.start, shard.end));
            bounds.collect::<Vec<_>>()
        };
        assert_eq!(shards(0), []);
        assert_eq!(shards(4), [(0, 4)]);
        assert_eq!(shards(9), [(0, 4), (4, 8), (8, 9)]);
        assert!(Method::Files.shards(9).is_none());
    }
}
