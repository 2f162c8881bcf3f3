//! Finds the files of a release on the disk.

use std::fs::{self, FileType, Metadata};
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use super::ReleaseError;
use crate::file::FileError;

/// The most files that are looked at: a mistyped `/` shall not be walked to its end.
const MAX_FILES: usize = 100_000;

/// A file that was found.
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) length: u64,
}

/// The files at `path`, and the directory that they are in.
pub(crate) fn find(path: &Path) -> Result<(PathBuf, Vec<Found>), ReleaseError> {
    let real = real(path).map_err(|error| unreadable(path, error))?;
    let metadata = fs::metadata(&real).map_err(|error| unreadable(path, error))?;
    if metadata.is_dir() {
        let mut files = Vec::new();
        walk(&real, &mut files)?;
        return Ok((real, files));
    }
    let directory = real.parent().unwrap_or(&real).to_owned();
    Ok((directory, vec![file(real, &metadata)?]))
}

/// The path without links and `..` in the directories, but with the file's own name, which may be that of a link.
pub(crate) fn real(path: &Path) -> io::Result<PathBuf> {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => {
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            Ok(parent.canonicalize()?.join(name))
        }
        // `/`, `..` and the like are directories.
        _ => path.canonicalize(),
    }
}

fn walk(directory: &Path, files: &mut Vec<Found>) -> Result<(), ReleaseError> {
    let entries = fs::read_dir(directory).map_err(|error| unreadable(directory, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(directory, error))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| unreadable(&path, error))?;
        if kind.is_dir() {
            walk(&path, files)?;
            continue;
        }
        // Follows links: what counts is the contents.
        let metadata = fs::metadata(&path).map_err(|error| unreadable(&path, error))?;
        if metadata.is_dir() {
            return Err(ReleaseError::Kind { path, found: "a link to a directory" });
        }
        files.push(file(path, &metadata)?);
        if files.len() > MAX_FILES {
            return Err(ReleaseError::TooMany { found: files.len() });
        }
    }
    Ok(())
}

fn file(path: PathBuf, metadata: &Metadata) -> Result<Found, ReleaseError> {
    match special(metadata.file_type()) {
        Some(found) => Err(ReleaseError::Kind { path, found }),
        None => Ok(Found { path, length: metadata.len() }),
    }
}

/// What it is, if reading it could go on for ever.
fn special(kind: FileType) -> Option<&'static str> {
    match kind {
        _ if kind.is_file() => None,
        _ if kind.is_fifo() => Some("a pipe"),
        _ if kind.is_socket() => Some("a socket"),
        _ => Some("a device"),
    }
}

fn unreadable(path: &Path, source: io::Error) -> FileError {
    FileError::Read { path: path.to_owned(), source }
}
