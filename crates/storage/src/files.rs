//! The only way to the disk: a trait small enough that a test can lose power in the middle of it.

use std::fmt;
use std::io;
use std::path::Path;

/// A file system. Nothing written is durable before it is synced, and no name before its directory is.
pub trait Files: Send + Sync + fmt::Debug {
    /// Makes a directory; one that exists is left alone. Its parent must exist.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// The names in a directory, in order.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;

    /// Reads a whole file.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Reads exactly `length` bytes at `offset`.
    ///
    /// # Errors
    ///
    /// Those of the file system, and [`io::ErrorKind::UnexpectedEof`].
    fn read_at(&self, path: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>>;

    /// Makes a file that must not exist.
    ///
    /// # Errors
    ///
    /// Those of the file system, and [`io::ErrorKind::AlreadyExists`].
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Opens a file that exists, for writing in place.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    fn open(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Gives a file another name in one step, replacing what has it.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    ///
    /// Those of the file system. Nothing is known then about any name changed since the last success.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Takes the exclusive lock at `path`, until the value is dropped. `None` if someone else has it.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>>;
}

/// A file that is open for writing.
pub trait File: Send {
    /// Writes all of `bytes` at `offset`, beyond the end if need be.
    ///
    /// # Errors
    ///
    /// Those of the file system. Any part of the bytes may be written then.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts or extends the file.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    fn set_len(&mut self, length: u64) -> io::Result<()>;

    /// Makes what was written durable, and the length that is needed to read it.
    ///
    /// # Errors
    ///
    /// Those of the file system. What was written since the last success may then be lost although it can be
    /// read, and a second call may say that all is well: write it again, or do not go on.
    fn sync_data(&mut self) -> io::Result<()>;
}

/// A lock that is held.
pub trait Lock: Send + Sync {}
