//! Finding the files of a model.

use std::fs::{self, FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use wire::model::{ModelPath, PathError};

use super::ModelFile;

/// The most files of one model, so that a mistyped path does not fill the memory.
const MAX_FILES: usize = 2_000_000;

/// What is made of symbolic links.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Symlinks {
    /// The model is refused: a link can be made to lead elsewhere without a trace.
    Refused,
    /// A link to a file is that file.
    Followed,
}

/// Why the files of a model cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// A file or directory cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is a symbolic link.
    #[error("{} is a symbolic link", path.display())]
    Symlink {
        /// Which.
        path: PathBuf,
    },
    /// There is a symbolic link to a directory. Verifiers do not look into those, so nobody would notice a change.
    #[error("{} is a symbolic link to a directory, whose files would not be signed", path.display())]
    SymlinkToDirectory {
        /// Which.
        path: PathBuf,
    },
    /// There is a socket, a pipe or a device.
    #[error("{} is neither a file nor a directory", path.display())]
    Special {
        /// Which.
        path: PathBuf,
    },
    /// The name of a file is not text.
    #[error("the name of {} is not UTF-8, so that no manifest can hold it", path.display())]
    NotText {
        /// Which.
        path: PathBuf,
    },
    /// The name of a file cannot be in a manifest.
    #[error("a file cannot be in a manifest")]
    Name(#[from] PathError),
    /// There are too many files.
    #[error("{} has more than {MAX_FILES} files", root.display())]
    TooMany {
        /// The model.
        root: PathBuf,
    },
}

/// The files of the model at `root`, in no particular order.
pub(super) fn walk(
    root: &Path,
    ignored: &[ModelPath],
    symlinks: Symlinks,
) -> Result<Vec<ModelFile>, WalkError> {
    // The root itself may be a link: the caller named it.
    let metadata = fs::metadata(root).map_err(failed(root))?;
    if metadata.is_file() {
        return Ok(vec![ModelFile { path: ModelPath::whole(), length: metadata.len() }]);
    }
    let mut walk = Walk { root, ignored, symlinks, directories: Vec::new(), files: Vec::new() };
    walk.directory(root, None)?;
    while let Some(path) = walk.directories.pop() {
        walk.directory(&root.join(path.as_str()), Some(&path))?;
    }
    Ok(walk.files)
}

struct Walk<'a> {
    root: &'a Path,
    ignored: &'a [ModelPath],
    symlinks: Symlinks,
    directories: Vec<ModelPath>,
    files: Vec<ModelFile>,
}

impl Walk<'_> {
    fn directory(&mut self, path: &Path, name: Option<&ModelPath>) -> Result<(), WalkError> {
        for entry in fs::read_dir(path).map_err(failed(path))? {
            let entry = entry.map_err(failed(path))?;
            let place = entry.path();
            let own = entry.file_name().into_string();
            let own = own.map_err(|_| WalkError::NotText { path: place.clone() })?;
            let name = match name {
                Some(directory) => ModelPath::new(&format!("{directory}/{own}"))?,
                None => ModelPath::new(&own)?,
            };
            if self.ignored.iter().any(|ignored| name.is_within(ignored)) {
                continue;
            }
            let kind = entry.file_type().map_err(failed(&place))?;
            self.entry(&place, name, kind)?;
        }
        Ok(())
    }

    fn entry(&mut self, place: &Path, name: ModelPath, kind: FileType) -> Result<(), WalkError> {
        if kind.is_dir() {
            self.directories.push(name);
            return Ok(());
        }
        let length = self.file(place, kind)?.len();
        if self.files.len() == MAX_FILES {
            return Err(WalkError::TooMany { root: self.root.to_owned() });
        }
        self.files.push(ModelFile { path: name, length });
        Ok(())
    }

    /// The file at `place`, behind a link if that may be.
    fn file(&self, place: &Path, kind: FileType) -> Result<Metadata, WalkError> {
        let path = || place.to_owned();
        if kind.is_symlink() && self.symlinks == Symlinks::Refused {
            return Err(WalkError::Symlink { path: path() });
        }
        let metadata = fs::metadata(place).map_err(failed(place))?;
        match metadata.file_type() {
            it if it.is_file() => Ok(metadata),
            it if it.is_dir() => Err(WalkError::SymlinkToDirectory { path: path() }),
            _ => Err(WalkError::Special { path: path() }),
        }
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> WalkError {
    let path = path.to_owned();
    move |source| WalkError::Read { path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(files: &[ModelFile]) -> Vec<&str> {
        let mut names: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn all_files_are_found_but_what_is_ignored() {
        let model = tempfile::tempdir().unwrap();
        for directory in ["a/b", ".git/objects"] {
            fs::create_dir_all(model.path().join(directory)).unwrap();
        }
        for file in ["a/b/c", "a/d", "e", ".git/objects/x", ".gitignore", "a/.gitignore"] {
            fs::write(model.path().join(file), file).unwrap();
        }
        let ignored = [".git", ".gitignore"].map(|path| ModelPath::new(path).unwrap());
        let files = walk(model.path(), &ignored, Symlinks::Refused).unwrap();
        assert_eq!(names(&files), ["a/.gitignore", "a/b/c", "a/d", "e"]);
        assert_eq!(files.iter().find(|file| file.path.as_str() == "a/b/c").unwrap().length, 5);
    }

    #[test]
    fn a_single_file_is_a_model() {
        let model = tempfile::tempdir().unwrap();
        let file = model.path().join("model.gguf");
        fs::write(&file, "weights").unwrap();
        let files = walk(&file, &[], Symlinks::Refused).unwrap();
        assert_eq!(files, [ModelFile { path: ModelPath::whole(), length: 7 }]);
    }

    #[test]
    fn links_are_followed_to_files_only_and_only_if_that_is_asked_for() {
        let model = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("blob"), "12345").unwrap();
        symlink(elsewhere.path().join("blob"), model.path().join("link")).unwrap();
        let refused = walk(model.path(), &[], Symlinks::Refused);
        assert!(matches!(refused, Err(WalkError::Symlink { .. })));
        let files = walk(model.path(), &[], Symlinks::Followed).unwrap();
        assert_eq!((names(&files), files[0].length), (vec!["link"], 5));

        symlink(elsewhere.path(), model.path().join("directory")).unwrap();
        let refused = walk(model.path(), &[], Symlinks::Followed);
        assert!(matches!(refused, Err(WalkError::SymlinkToDirectory { .. })));
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let model = tempfile::tempdir().unwrap();
        let socket = std::os::unix::net::UnixListener::bind(model.path().join("socket")).unwrap();
        let refused = walk(model.path(), &[], Symlinks::Refused);
        assert!(matches!(refused, Err(WalkError::Special { .. })));
        drop(socket);
        fs::remove_file(model.path().join("socket")).unwrap();
        let name = std::ffi::OsStr::from_bytes(b"\xff");
        fs::write(model.path().join(name), "").unwrap();
        let refused = walk(model.path(), &[], Symlinks::Refused);
        assert!(matches!(refused, Err(WalkError::NotText { .. })));
    }
}
