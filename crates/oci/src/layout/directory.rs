//! The files of a layout in a directory.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rustix::fs::{FlockOperation, Mode, OFlags};
use tempfile::NamedTempFile;

use super::{MARKER, MARKER_JSON};
use crate::{AccessError, Digest, Index, MAX_DOCUMENT};

/// A directory that is a layout. No link in it is followed.
pub(super) struct Directory {
    path: PathBuf,
}

/// Holds others off who would change the index of the same directory.
pub(super) struct Alone(#[expect(dead_code, reason = "it is the lock")] Option<File>);

impl Directory {
    pub(super) fn open(path: &Path) -> Result<Self, AccessError> {
        let directory = Self { path: path.to_owned() };
        let marker = directory.read(MARKER, MAX_DOCUMENT)?;
        super::archive::check_marker(path, marker.as_deref())?;
        directory.index()?;
        Ok(directory)
    }

    pub(super) fn create(path: &Path) -> Result<Self, AccessError> {
        let directory = Self { path: path.to_owned() };
        let blobs = path.join("blobs/sha256");
        std::fs::create_dir_all(&blobs).map_err(|source| failed(&blobs, source))?;
        let index = crate::Document::of_index(Index::new(Vec::new()));
        directory.write(path, "index.json", index.bytes())?;
        directory.write(path, MARKER, MARKER_JSON)?;
        Ok(directory)
    }

    pub(super) fn index(&self) -> Result<Bytes, AccessError> {
        let index = self.read("index.json", MAX_DOCUMENT)?;
        index.ok_or_else(|| failed(&self.path.join("index.json"), ErrorKind::NotFound.into()))
    }

    pub(super) fn put_index(&self, bytes: &[u8]) -> Result<(), AccessError> {
        self.write(&self.path, "index.json", bytes)
    }

    pub(super) fn alone(&self) -> Result<Alone, AccessError> {
        let Some(file) = self.open_file(MARKER)? else { return Ok(Alone(None)) };
        rustix::fs::flock(&file, FlockOperation::LockExclusive)
            .map_err(|source| failed(&self.path.join(MARKER), source.into()))?;
        Ok(Alone(Some(file)))
    }

    /// A blob, where it begins, and its size.
    pub(super) fn open_blob(
        &self,
        digest: Digest,
    ) -> Result<Option<(PathBuf, File, u64, u64)>, AccessError> {
        let name = name(digest);
        let Some(file) = self.open_file(&name)? else { return Ok(None) };
        let path = self.path.join(&name);
        let size = file.metadata().map_err(|source| failed(&path, source))?.len();
        Ok(Some((path, file, 0, size)))
    }

    pub(super) fn document_bytes(&self, digest: Digest) -> Result<Option<Bytes>, AccessError> {
        self.read(&name(digest), MAX_DOCUMENT)
    }

    pub(super) fn put_blob(&self, digest: Digest, bytes: &[u8]) -> Result<(), AccessError> {
        let directory = self.blobs_directory(digest)?;
        self.write(&directory, &digest.to_hex(), bytes)
    }

    /// A file to write a blob into that is not there yet.
    pub(super) fn staging(&self) -> Result<NamedTempFile, AccessError> {
        let directory = self.checked_directory("blobs")?;
        NamedTempFile::new_in(&directory).map_err(|source| failed(&directory, source))
    }

    /// Gives a written file its place. Its content has the digest.
    pub(super) fn keep(&self, digest: Digest, staging: NamedTempFile) -> Result<(), AccessError> {
        let directory = self.blobs_directory(digest)?;
        persist(&directory.join(digest.to_hex()), staging)
    }

    pub(super) fn remove_blob(&self, digest: Digest) -> Result<(), AccessError> {
        let path = self.blobs_directory(digest)?.join(digest.to_hex());
        std::fs::remove_file(&path).map_err(|source| failed(&path, source))
    }

    /// The blobs that have no more than `longest` bytes.
    pub(super) fn blobs(&self, longest: u64) -> Result<Vec<Digest>, AccessError> {
        let directory = self.checked_directory("blobs/sha256")?;
        let entries = match directory.read_dir() {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(failed(&directory, source)),
        };
        let digest = |entry: std::io::Result<std::fs::DirEntry>| {
            let entry = entry.ok()?;
            let small = entry
                .metadata()
                .is_ok_and(|metadata| metadata.is_file() && metadata.len() <= longest);
            let name = entry.file_name();
            format!("sha256:{}", name.to_str().filter(|_| small)?).parse().ok()
        };
        Ok(entries.filter_map(digest).collect())
    }

    /// A directory below, none of whose parts is a link.
    fn checked_directory(&self, below: &str) -> Result<PathBuf, AccessError> {
        let mut path = self.path.clone();
        for part in below.split('/') {
            path.push(part);
            if path.symlink_metadata().is_ok_and(|metadata| !metadata.is_dir()) {
                return Err(refused(&self.path, format!("{} is no directory", path.display())));
            }
        }
        Ok(path)
    }

    fn blobs_directory(&self, digest: Digest) -> Result<PathBuf, AccessError> {
        let directory = self.checked_directory(&format!("blobs/{}", digest.algorithm().name()))?;
        std::fs::create_dir_all(&directory).map_err(|source| failed(&directory, source))?;
        Ok(directory)
    }

    fn read(&self, name: &str, limit: usize) -> Result<Option<Bytes>, AccessError> {
        let Some(file) = self.open_file(name)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(limit as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|source| failed(&self.path.join(name), source))?;
        if bytes.len() > limit {
            return Err(refused(&self.path, format!("{name} is longer than {limit} bytes")));
        }
        Ok(Some(bytes.into()))
    }

    /// Opens a regular file below, without following a link in any part of its name; nothing if it is not there.
    fn open_file(&self, name: &str) -> Result<Option<File>, AccessError> {
        let whole = self.path.join(name);
        let mut at = File::open(&self.path).map_err(|source| failed(&self.path, source))?;
        let mut parts = name.split('/').peekable();
        while let Some(part) = parts.next() {
            let kind = if parts.peek().is_some() { OFlags::DIRECTORY } else { OFlags::NONBLOCK };
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | kind;
            at = match rustix::fs::openat(&at, part, flags, Mode::empty()) {
                Ok(opened) => opened.into(),
                Err(rustix::io::Errno::NOENT) => return Ok(None),
                Err(rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR) => {
                    return Err(refused(&self.path, format!("{name} is, or lies behind, a link")));
                }
                Err(source) => return Err(failed(&whole, source.into())),
            };
        }
        let metadata = at.metadata().map_err(|source| failed(&whole, source))?;
        if metadata.is_file() {
            return Ok(Some(at));
        }
        Err(refused(&self.path, format!("{name} is no file")))
    }

    fn write(&self, directory: &Path, name: &str, bytes: &[u8]) -> Result<(), AccessError> {
        let mut file =
            NamedTempFile::new_in(directory).map_err(|source| failed(directory, source))?;
        file.write_all(bytes).map_err(|source| failed(directory, source))?;
        persist(&directory.join(name), file)
    }
}

fn persist(path: &Path, file: NamedTempFile) -> Result<(), AccessError> {
    use std::os::unix::fs::PermissionsExt as _;
    let readable = std::fs::Permissions::from_mode(0o644);
    let kept = file.as_file().set_permissions(readable).and_then(|()| {
        file.as_file().sync_data()?;
        file.persist(path).map(drop).map_err(|error| error.error)
    });
    kept.map_err(|source| failed(path, source))
}

fn name(digest: Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().name(), digest.to_hex())
}

fn failed(path: &Path, source: std::io::Error) -> AccessError {
    AccessError::File { path: path.to_owned(), source }
}

fn refused(path: &Path, reason: String) -> AccessError {
    AccessError::Layout { path: path.to_owned(), reason }
}
