//! Files of the user: read under a limit, hashed in constant memory, written all or nothing.

mod mapped;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crypto::{Digest, HashAlgorithm, Hasher, random_array};

/// How much of a file is in memory while it is hashed: large enough that system calls do not count.
const CHUNK: usize = 128 * 1024;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is longer than anything that is expected there.
    #[error("{} is longer than {limit} bytes", path.display())]
    TooLong {
        /// Which.
        path: PathBuf,
        /// The most that is read.
        limit: u64,
    },
    /// It cannot be written.
    #[error("{} cannot be written", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Who may read a file that is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Readers {
    /// Whoever the umask lets.
    Everyone,
    /// Its owner only (mode 0600).
    Owner,
}

/// Reads a whole file of at most `limit` bytes; `-` is the standard input.
///
/// # Errors
///
/// [`FileError::Read`] or [`FileError::TooLong`].
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let failed = |source| FileError::Read { path: path.to_owned(), source };
    let mut contents = Vec::new();
    open(path).map_err(failed)?.take(limit + 1).read_to_end(&mut contents).map_err(failed)?;
    if contents.len() as u64 > limit {
        return Err(FileError::TooLong { path: path.to_owned(), limit });
    }
    Ok(contents)
}

/// Hashes a file with each of `algorithms`, in one pass and in constant memory; `-` is the standard input.
///
/// # Errors
///
/// [`FileError::Read`].
pub fn digest(path: &Path, algorithms: &[HashAlgorithm]) -> Result<Vec<Digest>, FileError> {
    let mut hashers: Vec<Hasher> = algorithms.iter().copied().map(Hasher::new).collect();
    stream(path, |chunk| hashers.iter_mut().for_each(|hasher| hasher.update(chunk)))?;
    Ok(hashers.into_iter().map(Hasher::finish).collect())
}

/// As [`digest`], and the whole file if it has at most `limit` bytes.
///
/// # Errors
///
/// [`FileError::Read`].
pub fn digest_and_short(
    path: &Path,
    algorithms: &[HashAlgorithm],
    limit: usize,
) -> Result<(Vec<Digest>, Option<Vec<u8>>), FileError> {
    let mut hashers: Vec<Hasher> = algorithms.iter().copied().map(Hasher::new).collect();
    let mut short = Some(Vec::new());
    stream(path, |chunk| {
        hashers.iter_mut().for_each(|hasher| hasher.update(chunk));
        short = short.take().filter(|start| start.len() + chunk.len() <= limit).map(|mut start| {
            start.extend_from_slice(chunk);
            start
        });
    })?;
    Ok((hashers.into_iter().map(Hasher::finish).collect(), short))
}

/// Hashes a file with one algorithm. `advance` hears of the bytes that are done.
///
/// # Errors
///
/// [`FileError::Read`].
pub fn digest_one(
    path: &Path,
    algorithm: HashAlgorithm,
    advance: impl Fn(u64),
) -> Result<Digest, FileError> {
    let mut hasher = Hasher::new(algorithm);
    let mut take = |chunk: &[u8]| {
        hasher.update(chunk);
        advance(chunk.len() as u64);
    };
    let failed = |source| FileError::Read { path: path.to_owned(), source };
    let is_input = path == Path::new("-");
    if is_input || !mapped::stream(path, &mut take).map_err(failed)? {
        stream(path, take)?;
    }
    Ok(hasher.finish())
}

/// Reads a file to its end, in pieces of at most [`CHUNK`].
fn stream(path: &Path, mut take: impl FnMut(&[u8])) -> Result<(), FileError> {
    let failed = |source| FileError::Read { path: path.to_owned(), source };
    let mut file = open(path).map_err(failed)?;
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(read) => take(&chunk[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    // The kernel reads further ahead. Where it cannot, nothing is lost.
    let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::Sequential);
    Ok(Box::new(file))
}

/// Writes a file so that at any time, and after a crash, the old or the new contents are there in full.
///
/// # Errors
///
/// [`FileError::Write`].
pub fn write(path: &Path, contents: &[u8], readers: Readers) -> Result<(), FileError> {
    let staged = staged_name(path);
    let written = stage(&staged, contents, readers).and_then(|()| fs::rename(&staged, path));
    written.map_err(|source| {
        let _ = fs::remove_file(&staged);
        FileError::Write { path: path.to_owned(), source }
    })
}

/// A name beside `path`, so that the rename stays within one file system.
fn staged_name(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{:016x}", u64::from_be_bytes(random_array())));
    path.with_file_name(name)
}

fn stage(staged: &Path, contents: &[u8], readers: Readers) -> io::Result<()> {
    let mode = match readers {
        Readers::Everyone => 0o666,
        Readers::Owner => 0o600,
    };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(staged)?;
    file.write_all(contents)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_digest_does_not_depend_on_how_the_file_is_cut() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("large");
        let contents = vec![7; 3 * CHUNK + 1];
        fs::write(&path, &contents).unwrap();
        let both = [HashAlgorithm::Sha256, HashAlgorithm::Sha512];
        let digests = digest(&path, &both).unwrap();
        assert_eq!(digests, both.map(|algorithm| algorithm.digest(&contents)));
    }

    #[test]
    fn a_long_file_has_the_digest_of_what_it_holds() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("long");
        // Below, at and above the lengths at which it is read otherwise.
        for length in [(1 << 20) - 1, 1 << 20, (16 << 20) + 12_345] {
            let contents: Vec<u8> = (0..length).map(|i: u32| (i >> 3).to_le_bytes()[0]).collect();
            fs::write(&path, &contents).unwrap();
            let done = std::cell::Cell::new(0);
            let advance = |bytes| done.set(done.get() + bytes);
            let digest = digest_one(&path, HashAlgorithm::Sha256, advance).unwrap();
            assert_eq!(digest, HashAlgorithm::Sha256.digest(&contents), "{length}");
            assert_eq!(done.get(), u64::from(length));
        }
    }

    #[test]
    fn a_file_longer_than_the_limit_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert!(matches!(read(&path, 4), Err(FileError::TooLong { limit: 4, .. })));
        assert!(matches!(read(directory.path(), 4), Err(FileError::Read { .. })));
    }

    #[test]
    fn a_secret_is_readable_by_its_owner_only_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        write(&path, b"old", Readers::Everyone).unwrap();
        write(&path, b"new", Readers::Owner).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
