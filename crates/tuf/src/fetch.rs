//! Where metadata come from, and where a client keeps them.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::sync::{Mutex, PoisonError};

/// Gets files of a repository.
pub trait Fetch: Sync {
    /// Why a file could not be fetched.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Fetches the file at `path` below the repository's URL, such as `2.root.json`; `None` if there is none.
    /// An answer of more than `limit` bytes is an error, and no more than that is read.
    ///
    /// # Errors
    ///
    /// The fetcher's own.
    fn fetch(
        &self,
        path: &str,
        limit: u64,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, Self::Error>> + Send;
}

/// Keeps a client's metadata under their names without version, such as `snapshot.json`. What is read back is verified
/// again: a store is not trusted.
pub trait MetadataStore: Sync {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// Any but that there is no such file.
    fn load(&self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// Replaces a file in one step: a reader sees the old bytes or the new ones.
    ///
    /// # Errors
    ///
    /// The old bytes are still there then.
    fn save(&self, name: &str, bytes: &[u8]) -> io::Result<()>;
}

/// A store that lasts as long as the process.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<BTreeMap<String, Vec<u8>>>);

impl MemoryStore {
    /// A store that holds these files.
    #[must_use]
    pub const fn new(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self(Mutex::new(files))
    }

    /// The files that it holds.
    #[must_use]
    pub fn into_files(self) -> BTreeMap<String, Vec<u8>> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MetadataStore for MemoryStore {
    fn load(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned())
    }

    fn save(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }
}
