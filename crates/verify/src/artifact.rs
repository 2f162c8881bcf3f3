//! The artifact, as the verifier sees it: its bytes, or only digests of them.

use std::cell::OnceCell;

use crypto::{Digest, HashAlgorithm, Hasher};

/// Every algorithm that may be asked for.
const ALGORITHMS: [HashAlgorithm; 3] =
    [HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Sha512];

/// What is said to have been signed.
#[derive(Debug)]
pub struct Artifact<'a> {
    bytes: Option<&'a [u8]>,
    /// In the order of [`ALGORITHMS`]. With bytes at hand, a digest is made when it is first asked for.
    digests: [OnceCell<Digest>; 3],
}

impl<'a> Artifact<'a> {
    /// An artifact that is in memory.
    #[must_use]
    pub fn from_bytes(bytes: &'a [u8]) -> Self {
        Self { bytes: Some(bytes), digests: Default::default() }
    }

    /// An artifact that is known by one digest only, and may not be there at all.
    #[must_use]
    pub fn from_digest(digest: Digest) -> Self {
        [digest].into_iter().collect()
    }

    /// The artifact's bytes, if they are at hand.
    pub(crate) fn bytes(&self) -> Option<&'a [u8]> {
        self.bytes
    }

    /// The artifact's digest, if it is known or can be made.
    pub(crate) fn digest(&self, algorithm: HashAlgorithm) -> Option<&Digest> {
        let known = &self.digests[place(algorithm)];
        match self.bytes {
            Some(bytes) => Some(known.get_or_init(|| algorithm.digest(bytes))),
            None => known.get(),
        }
    }

    /// The algorithms whose digest is known or can be made.
    pub(crate) fn algorithms(&self) -> impl Iterator<Item = HashAlgorithm> {
        let known = |algorithm: &HashAlgorithm| {
            self.bytes.is_some() || self.digests[place(*algorithm)].get().is_some()
        };
        ALGORITHMS.into_iter().filter(known)
    }
}

/// An artifact that is known by several digests. The first of an algorithm counts.
impl FromIterator<Digest> for Artifact<'_> {
    fn from_iter<I: IntoIterator<Item = Digest>>(digests: I) -> Self {
        let artifact = Self { bytes: None, digests: Default::default() };
        for digest in digests {
            artifact.digests[place(digest.algorithm())].get_or_init(|| digest);
        }
        artifact
    }
}

const fn place(algorithm: HashAlgorithm) -> usize {
    match algorithm {
        HashAlgorithm::Sha256 => 0,
        HashAlgorithm::Sha384 => 1,
        HashAlgorithm::Sha512 => 2,
    }
}

/// Digests in the making: an artifact that streams by, in constant memory.
pub struct Digests(Vec<Hasher>);

impl Digests {
    /// Begins the digests of an artifact.
    ///
    /// Which algorithms are needed, [`Policy::algorithms`](crate::Policy::algorithms) says.
    #[must_use]
    pub fn new(algorithms: &[HashAlgorithm]) -> Self {
        Self(algorithms.iter().copied().map(Hasher::new).collect())
    }

    /// Takes in the next bytes of the artifact.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.iter_mut().for_each(|hasher| hasher.update(bytes));
    }

    /// The artifact that streamed by.
    #[must_use]
    pub fn finish(self) -> Artifact<'static> {
        self.0.into_iter().map(Hasher::finish).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_streamed_artifact_has_the_digests_of_the_whole() {
        let mut digests = Digests::new(&[HashAlgorithm::Sha256, HashAlgorithm::Sha512]);
        digests.update(b"hello ");
        digests.update(b"world");
        let (streamed, whole) = (digests.finish(), Artifact::from_bytes(b"hello world"));
        for algorithm in [HashAlgorithm::Sha256, HashAlgorithm::Sha512] {
            assert_eq!(streamed.digest(algorithm), whole.digest(algorithm));
        }
        assert_eq!(streamed.digest(HashAlgorithm::Sha384), None);
        assert!(streamed.bytes().is_none());
    }
}
