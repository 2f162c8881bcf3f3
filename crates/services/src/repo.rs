//! The trust repository: TUF metadata that tell clients which keys to trust, and that renew themselves.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use crypto::SigningKey;
use jiff::Timestamp;

/// The trust repository of a server.
pub struct TrustRepository {
    directory: PathBuf,
}

/// How long a role's metadata are still valid.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RoleState {
    /// `root`, `targets`, `snapshot` or `timestamp`.
    pub role: &'static str,
    /// The version that is served.
    pub version: u64,
    /// Seconds until it expires; negative if it has.
    pub expires_in_seconds: i64,
}

/// A file of the repository, as it is served.
#[derive(Clone, Debug)]
pub struct RepositoryFile {
    /// Its bytes.
    pub contents: Bytes,
    /// Whether its name says which version it is, so that it never changes.
    pub immutable: bool,
}

/// Why the repository cannot be opened or renewed. The operator's to fix.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// A file could not be read or written.
    #[error("{} cannot be used", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl TrustRepository {
    /// Opens the repository in `directory`, to be renewed with the keys of snapshot and timestamp.
    ///
    /// # Errors
    ///
    /// See [`RepositoryError`].
    pub fn open(
        directory: &Path,
        snapshot: SigningKey,
        timestamp: SigningKey,
    ) -> Result<Self, RepositoryError> {
        let _ = (snapshot, timestamp);
        Ok(Self { directory: directory.to_owned() })
    }

    /// The file at `path` below `/tuf/`, such as `timestamp.json` or `targets/<hash>.trusted_root.json`.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<RepositoryFile> {
        let _ = (path, &self.directory);
        todo!()
    }

    /// Trusted root and signing config in one (`…clienttrustconfig.v0.1+json`), from the current targets.
    #[must_use]
    pub fn client_trust_config(&self) -> Bytes {
        todo!()
    }

    /// Signs snapshot and timestamp anew if that is due at `now`, or if root or targets have new versions in the
    /// directory. Returns whether it did.
    ///
    /// # Errors
    ///
    /// See [`RepositoryError`].
    pub fn renew(&self, now: Timestamp) -> Result<bool, RepositoryError> {
        let _ = now;
        todo!()
    }

    /// How long each role is still valid at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> Vec<RoleState> {
        let _ = now;
        todo!()
    }
}
