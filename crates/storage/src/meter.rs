//! Counts what is asked of the disk.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{File, Files, Lock};

/// A file system that counts.
#[derive(Clone)]
pub struct Meter {
    files: Arc<dyn Files>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    syncs: AtomicU64,
    bytes: AtomicU64,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Readings {
    /// Syncs of files and directories.
    pub syncs: u64,
    /// Bytes written.
    pub bytes: u64,
}

impl Meter {
    /// Counts what is asked of `files` from now on.
    #[must_use]
    pub fn new(files: Arc<dyn Files>) -> Self {
        Self { files, counts: Arc::default() }
    }

    /// What was counted so far.
    #[must_use]
    pub fn readings(&self) -> Readings {
        Readings {
            syncs: self.counts.syncs.load(Ordering::Relaxed),
            bytes: self.counts.bytes.load(Ordering::Relaxed),
        }
    }

    fn metered(&self, file: Box<dyn File>) -> Box<dyn File> {
        Box::new(MeteredFile { file, counts: Arc::clone(&self.counts) })
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.fmt(f)
    }
}

impl Files for Meter {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.files.create_dir(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.files.list(path)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.files.read(path)
    }

    fn read_at(&self, path: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.files.read_at(path, offset, length)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        Ok(self.metered(self.files.create(path)?))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        Ok(self.metered(self.files.open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.files.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.files.remove(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.counts.syncs.fetch_add(1, Ordering::Relaxed);
        self.files.sync_dir(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        self.files.lock(path)
    }
}

struct MeteredFile {
    file: Box<dyn File>,
    counts: Arc<Counts>,
}

impl File for MeteredFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.counts.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.file.write_at(offset, bytes)
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        self.counts.syncs.fetch_add(1, Ordering::Relaxed);
        self.file.sync_data()
    }
}
