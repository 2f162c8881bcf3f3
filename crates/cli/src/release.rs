//! Releases at the command line: hashing one with something to watch, and what to do when files are none.

use client::release::{Release, ReleaseError};
use crypto::{Digest, HashAlgorithm};

use crate::failure::Failure;
use crate::output::byte_progress;

/// Statements name artifacts by SHA-256, which all verifiers know.
pub(crate) const ALGORITHM: HashAlgorithm = HashAlgorithm::Sha256;

/// The digest of each file, in their order.
pub(crate) fn hash(release: &Release) -> Result<Vec<Digest>, Failure> {
    let bar = byte_progress(release.length(), "hashing");
    let digests = release.digests(ALGORITHM, |bytes| bar.inc(bytes));
    bar.finish_and_clear();
    digests.map_err(Failure::undecided)
}

/// What it means that files are no release.
pub(crate) fn failure(error: ReleaseError) -> Failure {
    let hint = match &error {
        ReleaseError::TooMany { .. } => {
            "sign a list instead: sha256sum FILES > SHA256SUMS, bulla sign-blob SHA256SUMS; and verify with bulla \
             verify-blob --checksums SHA256SUMS"
        }
        ReleaseError::Kind { .. } => "name the files themselves, or take it out of the directory",
        ReleaseError::NotMaven { .. } => {
            "take it out of the repository, or name the directories of the versions with --maven, one at a time"
        }
        ReleaseError::NoArtifact(_) => {
            "artifacts are named for the directories that they are in: tool/1.0/tool-1.0.jar"
        }
        _ => return Failure::undecided(error),
    };
    Failure::undecided(error).hint(hint)
}
