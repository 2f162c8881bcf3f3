//! Length and hashes of a file, as one piece of metadata gives them for another.

use std::collections::BTreeMap;

use crypto::HashAlgorithm;

/// Hashes of a file by the name of the algorithm, in hexadecimal.
pub type FileHashes = BTreeMap<String, String>;

/// A file is not the one that the metadata describe.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MismatchError {
    /// It has another length.
    #[error("the file has {found} bytes where the metadata say {expected}")]
    Length {
        /// What the metadata say.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// One of its hashes is another one.
    #[error("the file's {0} hash is not the one in the metadata")]
    Hash(&'static str),
    /// The metadata give hashes, but none that can be checked.
    #[error("the metadata give no hash that can be checked")]
    NoKnownHash,
}

/// Checks `contents` against what is given of length and hashes. Every hash that is known must agree.
pub(crate) fn check(
    contents: &[u8],
    length: Option<u64>,
    hashes: Option<&FileHashes>,
) -> Result<(), MismatchError> {
    let found = u64::try_from(contents.len()).unwrap_or(u64::MAX);
    if let Some(expected) = length.filter(|expected| *expected != found) {
        return Err(MismatchError::Length { expected, found });
    }
    let Some(hashes) = hashes else { return Ok(()) };
    let mut known = 0_usize;
    for (name, algorithm) in [("sha256", HashAlgorithm::Sha256), ("sha512", HashAlgorithm::Sha512)]
    {
        let Some(expected) = hashes.get(name) else { continue };
        known += 1;
        if hex::decode(expected).ok().as_deref() != Some(algorithm.digest(contents).as_bytes()) {
            return Err(MismatchError::Hash(name));
        }
    }
    if known == 0 { Err(MismatchError::NoKnownHash) } else { Ok(()) }
}

/// The SHA-256 of `contents`, as metadata of ours give it.
pub(crate) fn of(contents: &[u8]) -> FileHashes {
    FileHashes::from([("sha256".to_owned(), hex::encode(crypto::sha256(contents)))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_hash_must_agree_and_one_must_be_known() {
        let good = of(b"file");
        assert_eq!(check(b"file", Some(4), Some(&good)), Ok(()));
        assert_eq!(check(b"file", None, None), Ok(()));
        assert_eq!(check(b"life", Some(4), Some(&good)), Err(MismatchError::Hash("sha256")));
        assert_eq!(
            check(b"file", Some(5), Some(&good)),
            Err(MismatchError::Length { expected: 5, found: 4 })
        );
        let mut two = good;
        two.insert("sha512".to_owned(), "00".to_owned());
        assert_eq!(check(b"file", None, Some(&two)), Err(MismatchError::Hash("sha512")));
        let unknown = FileHashes::from([("md5".to_owned(), "00".to_owned())]);
        assert_eq!(check(b"file", None, Some(&unknown)), Err(MismatchError::NoKnownHash));
        assert_eq!(check(b"file", None, Some(&FileHashes::new())), Err(MismatchError::NoKnownHash));
    }
}
