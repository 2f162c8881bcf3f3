//! Maven's repository layout: which of its files are artifacts.
//!
//! `<group, as directories>/<artifact>/<version>/<artifact>-<version>[-<classifier>].<extension>`; a snapshot's files
//! have a time in the place of the word SNAPSHOT. Whatever else is there, such as metadata and indexes, is not signed.

use std::path::{Path, PathBuf};

use crate::file::FileError;
use crate::release::{ReleaseError, walk};

/// The endings of files that go with an artifact and are none: checksums, signatures, and what downloads leave behind.
const COMPANIONS: &[&str] = &[
    ".md5",
    ".sha1",
    ".sha256",
    ".sha512",
    ".asc",
    ".sigstore.json",
    ".sigstore",
    ".lastUpdated",
    ".part",
    ".lock",
    ".tmp",
];

/// The artifacts of a repository or of a part of one, sorted by path.
///
/// # Errors
///
/// [`ReleaseError`]: what cannot be read, is no file, or that there is no artifact.
pub fn artifacts(repository: &Path) -> Result<Vec<PathBuf>, ReleaseError> {
    // Artifacts have the names of the directories in which they are, and not of a link to one.
    let real = repository.canonicalize();
    let real = real.map_err(|source| FileError::Read { path: repository.to_owned(), source })?;
    let (_, files) = walk::find(&real).map_err(in_a_repository)?;
    let mut paths: Vec<PathBuf> = files.into_iter().map(|file| file.path).collect();
    paths.retain(|path| is_artifact(path));
    paths.sort_unstable();
    if paths.is_empty() {
        return Err(ReleaseError::NoArtifact(repository.to_owned()));
    }
    Ok(paths)
}

/// What a release cannot have is told of a repository.
fn in_a_repository(error: ReleaseError) -> ReleaseError {
    match error {
        ReleaseError::Kind { path, found } => ReleaseError::NotMaven { path, found },
        other => other,
    }
}

/// Whether the name of a file is made of those of the two directories that it is in.
fn is_artifact(path: &Path) -> bool {
    let mut parts = path.components().rev().map(|part| part.as_os_str().to_str());
    let (Some(Some(file)), Some(Some(version)), Some(Some(artifact))) =
        (parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    // A snapshot's version ends in SNAPSHOT, or, in a remote repository, in the time of its upload.
    let version = version.strip_suffix("-SNAPSHOT").unwrap_or(version);
    let rest = file
        .strip_prefix(artifact)
        .and_then(|rest| rest.strip_prefix('-'))
        .and_then(|rest| rest.strip_prefix(version));
    rest.is_some_and(|rest| rest.starts_with(['-', '.']))
        && !COMPANIONS.iter().any(|ending| file.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifacts_are_named_for_their_directories() {
        for path in [
            "org/acme/tool/1.0/tool-1.0.jar",
            "org/acme/tool/1.0/tool-1.0.pom",
            "org/acme/tool/1.0/tool-1.0.module",
            "org/acme/tool/1.0/tool-1.0-sources.jar",
            "org/acme/tool/1.0/tool-1.0-cyclonedx.json",
            "org/acme/tool/1.1-SNAPSHOT/tool-1.1-20260102.030405-6.jar",
            "org/acme/tool/1.1-SNAPSHOT/tool-1.1-SNAPSHOT.jar",
        ] {
            assert!(is_artifact(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn a_link_to_a_version_is_that_version_and_one_within_a_repository_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let tool = directory.path().join("org/acme/tool");
        std::fs::create_dir_all(tool.join("1.0")).unwrap();
        std::fs::write(tool.join("1.0/tool-1.0.jar"), "a jar").unwrap();
        let expected = vec![tool.canonicalize().unwrap().join("1.0/tool-1.0.jar")];
        assert_eq!(artifacts(directory.path()).unwrap(), expected);
        std::os::unix::fs::symlink("1.0", tool.join("latest")).unwrap();
        assert_eq!(artifacts(&tool.join("latest")).unwrap(), expected);
        let refused = artifacts(directory.path()).unwrap_err();
        assert!(matches!(refused, ReleaseError::NotMaven { path, .. } if path.ends_with("latest")));
    }

    #[test]
    fn what_goes_with_an_artifact_is_none() {
        for path in [
            "org/acme/tool/1.0/tool-1.0.jar.sha1",
            "org/acme/tool/1.0/tool-1.0.jar.asc",
            "org/acme/tool/1.0/tool-1.0.jar.asc.md5",
            "org/acme/tool/1.0/tool-1.0.jar.sigstore.json",
            "org/acme/tool/1.0/tool-1.0.jar.lastUpdated",
            "org/acme/tool/maven-metadata.xml",
            "org/acme/tool/1.1-SNAPSHOT/maven-metadata.xml",
            "org/acme/tool/1.0/_remote.repositories",
            "org/acme/tool/1.0/tool-2.0.jar",
            "org/acme/tool/1.0/tool-1.01.jar",
            "archetype-catalog.xml",
        ] {
            assert!(!is_artifact(Path::new(path)), "{path}");
        }
    }
}
