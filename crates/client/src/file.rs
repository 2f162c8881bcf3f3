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

/// Checks, without reading it, that a file is there and may be read; `-` is the standard input.
///
/// # Errors
///
/// [`FileError::Read`].
pub fn check_readable(path: &Path) -> Result<(), FileError> {
    if path == Path::new("-") {
        return Ok(());
    }
    let found = fs::metadata(path).and_then(|found| match found.is_dir() {
        true => Err(io::ErrorKind::IsADirectory.into()),
        // Opened and closed again, a pipe would be lost to its writer.
        false => Ok(rustix::fs::access(path, rustix::fs::Access::READ_OK)?),
    });
    found.map_err(|source| FileError::Read { path: path.to_owned(), source })
}

/// Checks that a file of `length` bytes could be written at `path` now. Nothing is left there.
///
/// # Errors
///
/// [`FileError::Write`].
pub fn check_writable(path: &Path, length: u64) -> Result<(), FileError> {
    if is_stream(path) {
        return Ok(());
    }
    let failed = |source| FileError::Write { path: path.to_owned(), source };
    if path.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    let staged = staged_name(path);
    let found = create(&staged, Readers::Owner).and_then(|file| reserve(&file, length));
    let _ = fs::remove_file(&staged);
    found.map_err(failed)
}

/// Has the file system find room for so many bytes. One that cannot say so beforehand has it.
fn reserve(file: &File, length: u64) -> io::Result<()> {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let reserved = rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, length);
    match reserved.map_err(io::Error::from) {
        Err(error) if matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge) => {
            Err(error)
        }
        _ => Ok(()),
    }
}

/// Writes a file so that at any time, and after a crash, the old or the new contents are there in full. What is no file but
/// a device or a pipe, such as `/dev/stdout`, is written to.
///
/// # Errors
///
/// [`FileError::Write`].
pub fn write(path: &Path, contents: &[u8], readers: Readers) -> Result<(), FileError> {
    let failed = |source| FileError::Write { path: path.to_owned(), source };
    if is_stream(path) {
        let opened = OpenOptions::new().append(true).open(path);
        return opened.and_then(|mut stream| stream.write_all(contents)).map_err(failed);
    }
    let staged = staged_name(path);
    let written = stage(&staged, contents, readers).and_then(|()| fs::rename(&staged, path));
    written.map_err(|source| {
        let _ = fs::remove_file(&staged);
        failed(source)
    })
}

/// Whether `path` names a device, a pipe or an open file of this process: a rename would put a file in its place.
fn is_stream(path: &Path) -> bool {
    let is_special = |found: fs::Metadata| !found.is_file() && !found.is_dir();
    path.starts_with("/dev/fd")
        || path.starts_with("/proc")
        || ["/dev/stdout", "/dev/stderr"].iter().any(|stream| path == Path::new(stream))
        || fs::metadata(path).is_ok_and(is_special)
}

/// A name beside `path`, so that the rename stays within one file system.
fn staged_name(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{:016x}", u64::from_be_bytes(random_array())));
    path.with_file_name(name)
}

fn stage(staged: &Path, contents: &[u8], readers: Readers) -> io::Result<()> {
    let mut file = create(staged, readers)?;
    file.write_all(contents)?;
    file.sync_all()
}

fn create(staged: &Path, readers: Readers) -> io::Result<File> {
    let mode = match readers {
        Readers::Everyone => 0o666,
        Readers::Owner => 0o600,
    };
    OpenOptions::new().write(true).create_new(true).mode(mode).open(staged)
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

    #[test]
    fn whether_a_file_can_be_written_is_found_out_without_leaving_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bundle");
        check_writable(&path, 1 << 14).unwrap();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        fs::create_dir(&path).unwrap();
        for (nowhere, kind) in [
            (path, io::ErrorKind::IsADirectory),
            (directory.path().join("none/bundle"), io::ErrorKind::NotFound),
        ] {
            let refused = check_writable(&nowhere, 1).unwrap_err();
            assert!(
                matches!(&refused, FileError::Write { source, .. } if source.kind() == kind),
                "{refused:?}"
            );
        }
    }

    #[test]
    fn whether_a_file_can_be_read_is_found_out_without_reading_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        check_readable(&path).unwrap_err();
        check_readable(directory.path()).unwrap_err();
        fs::write(&path, "").unwrap();
        check_readable(&path).unwrap();
        check_readable(Path::new("-")).unwrap();
    }

    /// Was wrong: a file took the place of the device.
    #[test]
    fn a_device_stays_a_device() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("nothing");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        check_writable(&link, 1).unwrap();
        write(&link, b"gone", Readers::Everyone).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&link).unwrap(), b"");
    }
}
