//! What is verified: a file, or only the digest of one.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use client::file::{self, FileError};
use client::release::BUNDLE;
use crypto::{Digest, HashAlgorithm};
use wire::bundle::{Bundle, MAX_BUNDLE};

use crate::failure::Failure;

/// The largest artifact that is read into memory. Only pure Ed25519 signatures need that; all others stream.
const MAX_IN_MEMORY: u64 = 1 << 30;

/// What was signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Input {
    /// A file; `-` is the standard input.
    File(PathBuf),
    /// A digest, such as `sha256:…`.
    Digest(Digest),
}

/// A digest that was typed is none.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a {algorithm} digest has {expected} hexadecimal digits")]
pub(crate) struct DigestError {
    algorithm: &'static str,
    expected: usize,
}

impl FromStr for Input {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let prefixed = text
            .split_once(':')
            .and_then(|(name, digits)| Some((HashAlgorithm::by_name(name)?, digits)));
        let Some((algorithm, digits)) = prefixed else { return Ok(Self::File(text.into())) };
        let digest = hex::decode(digits).ok().and_then(|bytes| Digest::new(algorithm, &bytes).ok());
        digest.map(Self::Digest).ok_or_else(|| DigestError {
            algorithm: algorithm.name(),
            expected: 2 * algorithm.length(),
        })
    }
}

impl std::fmt::Display for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Digest(digest) => write!(f, "{}:{}", digest.algorithm().name(), digest.to_hex()),
        }
    }
}

impl Input {
    /// The digests of the artifact, read once and in constant memory.
    pub(crate) fn digests(&self, algorithms: &[HashAlgorithm]) -> Result<Vec<Digest>, Failure> {
        match self {
            Self::File(path) => file::digest(path, algorithms).map_err(Failure::undecided),
            Self::Digest(digest) => Ok(vec![*digest]),
        }
    }

    /// The whole artifact, if it is at hand and can be read twice.
    pub(crate) fn contents(&self) -> Option<Result<Vec<u8>, Failure>> {
        match self {
            Self::File(path) if path != Path::new("-") => {
                Some(file::read(path, MAX_IN_MEMORY).map_err(Failure::undecided))
            }
            Self::File(_) | Self::Digest(_) => None,
        }
    }

    /// The bundle that goes with it: the one that was named, else the one beside it.
    ///
    /// Client specification, discovery: `{input}.sigstore.json`, then `{input}.sigstore`. Then that of a release in the
    /// same directory.
    pub(crate) fn find_bundle(&self, named: Option<&Path>) -> Result<PathBuf, Failure> {
        if let Some(path) = named {
            return Ok(path.to_owned());
        }
        let Self::File(artifact) = self else {
            return Err(Failure::usage("a digest has no bundle beside it")
                .hint("name the bundle with --bundle FILE"));
        };
        let candidates = [
            with_ending(artifact, ".sigstore.json"),
            with_ending(artifact, ".sigstore"),
            artifact.with_file_name(BUNDLE),
        ];
        candidates.iter().find(|path| path.exists()).cloned().ok_or_else(|| {
            // Whoever mistyped the name of the file need not look for its bundle.
            if let Err(error) = file::check_readable(artifact) {
                return unreadable(artifact, error);
            }
            let looked_for = candidates.each_ref().map(|path| path.display().to_string());
            Failure::undecided(format!("{self} has no bundle beside it"))
                .fact("looked for", looked_for.join(", "))
                .hint("name the bundle with --bundle FILE")
        })
    }
}

fn unreadable(artifact: &Path, error: FileError) -> Failure {
    match artifact.is_dir() {
        true => Failure::undecided(error)
            .hint("verify all files of a directory that were signed together with --all DIR"),
        false => Failure::undecided(error),
    }
}

/// `path` with `ending` added to its name.
pub(crate) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// Reads a bundle. One that cannot be understood proves nothing, which is a refusal.
pub(crate) fn read_bundle(path: &Path) -> Result<Bundle, Failure> {
    let bytes = file::read(path, MAX_BUNDLE as u64).map_err(Failure::undecided)?;
    Bundle::parse(&bytes).map_err(|error| {
        Failure::because(format!("{} is not a bundle that can be verified", path.display()), error)
            .fact("check", "bundle-format")
            .hint("give the file that the signer made, such as FILE.sigstore.json")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_a_file_unless_it_says_that_it_is_a_digest() {
        let file = |text: &str| Ok(Input::File(text.into()));
        assert_eq!("a.txt".parse(), file("a.txt"));
        assert_eq!("C:a.txt".parse(), file("C:a.txt"));
        let digest = HashAlgorithm::Sha256.digest(b"");
        assert_eq!(format!("sha256:{}", digest.to_hex()).parse(), Ok(Input::Digest(digest)));
        assert_eq!(
            "sha512:00".parse::<Input>(),
            Err(DigestError { algorithm: "sha512", expected: 128 })
        );
    }

    #[test]
    fn the_bundle_beside_the_file_is_found_in_the_order_of_the_specification() {
        let directory = tempfile::tempdir().unwrap();
        let artifact = directory.path().join("a.txt");
        let input = Input::File(artifact.clone());
        let told = |input: &Input| input.find_bundle(None).unwrap_err().to_text();
        assert!(told(&input).contains("a.txt cannot be read"), "{}", told(&input));
        assert!(told(&Input::File(directory.path().into())).contains("--all"));
        std::fs::write(&artifact, "").unwrap();
        assert!(told(&input).contains("has no bundle"), "{}", told(&input));
        for beside in [
            directory.path().join(BUNDLE),
            with_ending(&artifact, ".sigstore"),
            with_ending(&artifact, ".sigstore.json"),
        ] {
            std::fs::write(&beside, "{}").unwrap();
            assert_eq!(input.find_bundle(None).unwrap(), beside);
        }
    }
}
