//! Where the agent's socket is, and that nobody else can put one there.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// A directory that only the user can enter, for the socket and the lock.
#[derive(Clone, Debug)]
pub struct Place(PathBuf);

/// Why there is no place for a socket.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The directory cannot be made or looked at.
    #[error("the directory {} for the agent cannot be used", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Somebody else owns the directory or can enter it.
    #[error("others can enter the directory {}", path.display())]
    Open {
        /// Which.
        path: PathBuf,
    },
}

impl Place {
    /// `$XDG_RUNTIME_DIR/bulla`; without that variable `bulla-<user>` in the directory for temporary files.
    ///
    /// # Errors
    ///
    /// See [`PlaceError`].
    pub fn of_user() -> Result<Self, PlaceError> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let path = match runtime.filter(|path| path.is_absolute()) {
            Some(runtime) => runtime.join("bulla"),
            None => std::env::temp_dir().join(format!("bulla-{}", user())),
        };
        Self::at(&path)
    }

    /// This directory, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// See [`PlaceError`].
    pub fn at(path: &Path) -> Result<Self, PlaceError> {
        let failed = |source| PlaceError::Io { path: path.to_owned(), source };
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(failed(error));
            }
            _ => {}
        }
        // A symbolic link that somebody else has put here is no directory.
        let metadata = fs::symlink_metadata(path).map_err(failed)?;
        if !metadata.is_dir() || metadata.uid() != user() || metadata.mode() & 0o077 != 0 {
            return Err(PlaceError::Open { path: path.to_owned() });
        }
        Ok(Self(path.to_owned()))
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.0
    }

    /// The socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.0.join("git-agent.sock")
    }

    /// The file that the agent locks, so that there is one agent.
    pub(super) fn lock(&self) -> PathBuf {
        self.0.join("git-agent.lock")
    }
}

/// Who runs this process.
pub(super) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}
