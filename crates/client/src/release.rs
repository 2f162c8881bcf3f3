//! A release: files that are signed together, each by its name below one directory.
//!
//! What is in a release is decided by what is on the disk; what was signed, by a statement that was verified. Comparing
//! the two is [`compare`].

mod compare;
pub(crate) mod walk;

use std::path::{Component, Path, PathBuf};

use crypto::{Digest, HashAlgorithm};
use wire::statement::{MAX_SUBJECTS, Subject};

pub use compare::{Difference, compare};

use crate::cores;
use crate::file::{self, FileError};

/// The name of the bundle of a release, where no other is given.
pub const BUNDLE: &str = "release.sigstore.json";

/// Files by their names below a directory, sorted by name. No name comes twice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Release {
    directory: PathBuf,
    files: Vec<ReleaseFile>,
}

/// One file of a release.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ReleaseFile {
    /// Its path from the directory of the release, with `/` between the parts.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// How long it was when it was found.
    pub length: u64,
}

/// Why files are not a release.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// A file cannot be found, or a directory not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Names in statements are text.
    #[error("the name {} is not text in UTF-8, so that no statement can have it", .0.display())]
    Name(PathBuf),
    /// It is neither a file nor a directory, or a link to a directory, whose files could be anywhere.
    #[error("{} is {found}, which cannot be part of a release", path.display())]
    Kind {
        /// Which.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// The same in a Maven repository.
    #[error("{} is {found}, which Maven's layout does not have", path.display())]
    NotMaven {
        /// Which.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// There is nothing to sign.
    #[error("there is no file in {}", .0.display())]
    Empty(PathBuf),
    /// There is no artifact in Maven's layout.
    #[error("there is no artifact in {}, by the names of Maven's layout", .0.display())]
    NoArtifact(PathBuf),
    /// Other clients read no longer statements.
    #[error("there are {found} files or more, and a statement can be about {limit} at most", limit = MAX_SUBJECTS)]
    TooMany {
        /// How many there are.
        found: usize,
    },
}

impl Release {
    /// The files at `paths`, and all files below those that are directories. Names begin below the directory that all of
    /// them have in common.
    ///
    /// # Errors
    ///
    /// See [`ReleaseError`].
    pub fn of(paths: &[PathBuf]) -> Result<Self, ReleaseError> {
        let mut found = Vec::new();
        let mut directory: Option<PathBuf> = None;
        for path in paths {
            let (place, files) = walk::find(path)?;
            directory = Some(match directory {
                None => place,
                Some(known) => common(&known, &place),
            });
            found.extend(files);
        }
        Self::named(directory.unwrap_or_default(), found)
    }

    /// The same release without its bundle, which nobody could sign.
    ///
    /// # Errors
    ///
    /// [`ReleaseError::Empty`]: there is nothing else.
    pub fn without(mut self, bundle: &Path) -> Result<Self, ReleaseError> {
        // A bundle in a directory that is not there is no file of the release.
        if let Ok(bundle) = walk::real(bundle) {
            self.files.retain(|file| file.path != bundle);
        }
        if self.files.is_empty() {
            return Err(ReleaseError::Empty(self.directory));
        }
        Ok(self)
    }

    fn named(directory: PathBuf, found: Vec<walk::Found>) -> Result<Self, ReleaseError> {
        let mut files = Vec::with_capacity(found.len());
        for walk::Found { path, length } in found {
            let name = name(&directory, &path).ok_or_else(|| ReleaseError::Name(path.clone()))?;
            files.push(ReleaseFile { name, path, length });
        }
        files.sort_unstable();
        // The same file may have been named, and be in a directory that was named.
        files.dedup_by(|one, other| one.path == other.path);
        Ok(Self { directory, files })
    }

    /// The directory below which the names begin.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The files, sorted by name.
    #[must_use]
    pub fn files(&self) -> &[ReleaseFile] {
        &self.files
    }

    /// How many bytes all files have.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.files.iter().map(|file| file.length).sum()
    }

    /// Hashes all files, each once, on all processors and in constant memory. `advance` hears how many bytes are done.
    ///
    /// # Errors
    ///
    /// [`FileError::Read`]: the first file, by name, that cannot be read.
    pub fn digests(
        &self,
        algorithm: HashAlgorithm,
        advance: impl Fn(u64) + Sync,
    ) -> Result<Vec<Digest>, FileError> {
        // The longest first: the last thread to end then ends soonest.
        let mut order: Vec<usize> = (0..self.files.len()).collect();
        order
            .sort_by_key(|index| std::cmp::Reverse(self.files.get(*index).map(|file| file.length)));
        let hashed = cores::each(&order, |index| {
            let file = self.files.get(*index)?;
            Some((*index, file::digest_one(&file.path, algorithm, &advance)))
        });
        let mut hashed: Vec<_> = hashed.into_iter().flatten().collect();
        hashed.sort_unstable_by_key(|(index, _)| *index);
        hashed.into_iter().map(|(_, digest)| digest).collect()
    }

    /// The subjects of a statement about all files.
    ///
    /// # Errors
    ///
    /// [`ReleaseError::TooMany`].
    pub fn subjects(&self, digests: &[Digest]) -> Result<Vec<Subject>, ReleaseError> {
        if self.files.len() > MAX_SUBJECTS {
            return Err(ReleaseError::TooMany { found: self.files.len() });
        }
        let subject = |(file, digest): (&ReleaseFile, _)| Subject::new(&file.name, digest);
        Ok(self.files.iter().zip(digests).map(subject).collect())
    }
}

/// The directory that is above both.
fn common(one: &Path, other: &Path) -> PathBuf {
    let pairs = one.components().zip(other.components());
    pairs.take_while(|(a, b)| a == b).map(|(component, _)| component).collect()
}

/// The path below `directory`, with the separators of URLs on every system.
fn name(directory: &Path, path: &Path) -> Option<String> {
    let parts = path.strip_prefix(directory).ok()?.components();
    let text = |part: Component<'_>| part.as_os_str().to_str().map(str::to_owned);
    Some(parts.map(text).collect::<Option<Vec<_>>>()?.join("/"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A directory with these files, each with its name as its contents.
    fn directory(names: &[&str]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for name in names {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        directory
    }

    fn names(directory: &tempfile::TempDir, paths: &[&str]) -> Result<Vec<String>, ReleaseError> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| directory.path().join(path)).collect();
        let release = Release::of(&paths)?.without(&directory.path().join("dist").join(BUNDLE))?;
        Ok(release.files().iter().map(|file| file.name.clone()).collect())
    }

    #[test]
    fn names_begin_below_the_directory_that_all_have_in_common() {
        let here = directory(&["dist/b", "dist/sub/a", "dist/release.sigstore.json", "other"]);
        assert_eq!(names(&here, &["dist"]).unwrap(), ["b", "sub/a"]);
        assert_eq!(names(&here, &["dist/sub/a", "dist/b"]).unwrap(), ["b", "sub/a"]);
        assert_eq!(names(&here, &["dist/sub/a"]).unwrap(), ["a"]);
        assert_eq!(names(&here, &["dist/sub/../b", "dist/sub"]).unwrap(), ["b", "sub/a"]);
        assert_eq!(
            names(&here, &["dist", "other", "dist/b"]).unwrap(),
            ["dist/b", "dist/sub/a", "other"]
        );
    }

    #[test]
    fn a_link_is_the_file_it_points_to_but_never_a_directory() {
        let here = directory(&["dist/a", "elsewhere/b"]);
        let link = |target: &str, name: &str| {
            std::os::unix::fs::symlink(here.path().join(target), here.path().join(name)).unwrap();
        };
        link("elsewhere/b", "dist/link");
        assert_eq!(names(&here, &["dist"]).unwrap(), ["a", "link"]);
        link("elsewhere", "dist/away");
        assert!(matches!(names(&here, &["dist"]), Err(ReleaseError::Kind { .. })));
    }

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let here = directory(&["dist/a"]);
        let pipe = here.path().join("dist/pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if made.is_ok_and(|status| status.success()) {
            assert!(matches!(names(&here, &["dist"]), Err(ReleaseError::Kind { .. })));
            assert!(matches!(names(&here, &["dist/pipe"]), Err(ReleaseError::Kind { .. })));
        }
    }

    #[test]
    fn nothing_is_no_release() {
        let here = directory(&["dist/release.sigstore.json"]);
        assert!(matches!(names(&here, &["dist"]), Err(ReleaseError::Empty(_))));
        assert!(matches!(names(&here, &["none"]), Err(ReleaseError::File(_))));
    }

    #[test]
    fn every_file_is_hashed_once_whatever_its_length() {
        let here = directory(&["a", "b/c", "d"]);
        fs::write(here.path().join("d"), vec![1; 3 << 20]).unwrap();
        let release = Release::of(&[here.path().to_owned()]).unwrap();
        let done = std::sync::atomic::AtomicU64::new(0);
        let digests = release
            .digests(HashAlgorithm::Sha256, |bytes| {
                done.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
            })
            .unwrap();
        assert_eq!(done.into_inner(), release.length());
        let subjects = release.subjects(&digests).unwrap();
        for (name, contents) in
            [("a", b"a".to_vec()), ("b/c", b"b/c".to_vec()), ("d", vec![1; 3 << 20])]
        {
            let subject = subjects.iter().find(|subject| subject.name == name).unwrap();
            assert!(subject.has(&HashAlgorithm::Sha256.digest(&contents)), "{name}");
        }
    }
}
