//! A directory of encrypted keys that nobody else can read.

use std::io;
use std::marker::PhantomData;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crypto::SigningKey;
use crypto::key_file::{KeyFileError, Keyring};

use super::{KeyRole, OnlineKey, Passphrase};
use crate::durable;

/// The largest key file: an encrypted RSA key of 4096 bits has 3,500 bytes.
const MAX_FILE: u64 = 64 << 10;

/// Encrypted private keys of roles `R`, in a directory that nobody else can read.
///
/// The passphrase is worked into a key once for all files of the directory. Drop it when the keys are loaded: that
/// wipes passphrase and key.
pub struct KeyDirectory<R = OnlineKey> {
    path: PathBuf,
    ring: Mutex<Keyring>,
    role: PhantomData<fn(R)>,
}

/// Why a key cannot be had or kept. The operator's to fix.
#[derive(Debug, thiserror::Error)]
pub enum KeyDirectoryError {
    /// A file or directory could not be read or written.
    #[error("{} cannot be used", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others than the owner can read a secret, or could replace it.
    #[error("{} is open to others (mode {mode:03o})", path.display())]
    Exposed {
        /// Which file or directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is too long to be a key.
    #[error("{} has more than {MAX_FILE} bytes, too many for a key", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// The file does not open.
    #[error("{} does not open", path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// Why.
        #[source]
        source: KeyFileError,
    },
    /// The file holds a key of another kind than its role has.
    #[error("{} holds a key of another kind than its role needs", path.display())]
    Kind {
        /// The key file.
        path: PathBuf,
    },
}

impl<R: KeyRole> KeyDirectory<R> {
    /// Opens the directory at `path`, whose files are encrypted under `passphrase`.
    ///
    /// # Errors
    ///
    /// [`KeyDirectoryError::Exposed`] if others can enter it, [`KeyDirectoryError::Io`] if it is not there.
    pub fn open(path: &Path, passphrase: &Passphrase) -> Result<Self, KeyDirectoryError> {
        refuse_exposed(path)?;
        let ring = Mutex::new(passphrase.ring());
        Ok(Self { path: path.to_owned(), ring, role: PhantomData })
    }

    /// Opens the directory at `path`, and makes it if it is not there.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub fn make(path: &Path, passphrase: &Passphrase) -> Result<Self, KeyDirectoryError> {
        durable::make_private_directory(path).map_err(|source| io_error(path, source))?;
        Self::open(path, passphrase)
    }

    /// Whether there is a file for `role`.
    #[must_use]
    pub fn contains(&self, role: R) -> bool {
        self.file(role).exists()
    }

    /// Reads the key of `role`.
    ///
    /// # Errors
    ///
    /// See [`KeyDirectoryError`].
    pub fn load(&self, role: R) -> Result<SigningKey, KeyDirectoryError> {
        let path = self.file(role);
        refuse_exposed(&path)?;
        let length = std::fs::metadata(&path).map_err(|source| io_error(&path, source))?.len();
        if length > MAX_FILE {
            return Err(KeyDirectoryError::TooLong { path });
        }
        let pem = std::fs::read(&path).map_err(|source| io_error(&path, source))?;
        let opened = self.ring().open(&pem);
        let key = opened.map_err(|source| KeyDirectoryError::Key { path: path.clone(), source })?;
        if key.kind() != role.kind() {
            return Err(KeyDirectoryError::Kind { path });
        }
        Ok(key)
    }

    /// Keeps `key` as the key of `role`; a key that is there is never replaced.
    ///
    /// # Errors
    ///
    /// [`KeyDirectoryError::Io`] if there is one, or the file cannot be written.
    pub fn keep(&self, role: R, key: &SigningKey) -> Result<(), KeyDirectoryError> {
        let path = self.file(role);
        if path.exists() {
            return Err(io_error(&path, io::ErrorKind::AlreadyExists.into()));
        }
        let sealed = self.ring().seal(key);
        let pem = sealed.map_err(|source| KeyDirectoryError::Key { path: path.clone(), source })?;
        durable::write(&path, pem.as_bytes(), durable::SECRET)
            .map_err(|source| io_error(&path, source))
    }

    fn file(&self, role: R) -> PathBuf {
        self.path.join(format!("{}.pem", role.name()))
    }

    fn ring(&self) -> MutexGuard<'_, Keyring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refuse_exposed(path: &Path) -> Result<(), KeyDirectoryError> {
    let metadata = std::fs::metadata(path).map_err(|source| io_error(path, source))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyDirectoryError::Exposed { path: path.to_owned(), mode });
    }
    Ok(())
}

fn io_error(path: &Path, source: io::Error) -> KeyDirectoryError {
    KeyDirectoryError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    const ROLE: OnlineKey = OnlineKey::CtLog;

    fn directory() -> (tempfile::TempDir, KeyDirectory) {
        let directory = tempfile::tempdir().unwrap();
        let keys = KeyDirectory::make(&directory.path().join("keys"), &"secret".into()).unwrap();
        (directory, keys)
    }

    fn chmod(path: &Path, mode: u32) {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_key_is_read_back_with_the_passphrase_and_not_without() {
        let (_keep, keys) = directory();
        let key = SigningKey::generate(ROLE.kind()).unwrap();
        keys.keep(ROLE, &key).unwrap();
        assert_eq!(keys.load(ROLE).unwrap().public_key(), key.public_key());
        let other = KeyDirectory::<OnlineKey>::open(&keys.path, &"other".into()).unwrap();
        let source = KeyFileError::Passphrase;
        assert!(
            matches!(other.load(ROLE), Err(KeyDirectoryError::Key { source: s, .. }) if s == source)
        );
    }

    #[test]
    fn a_key_that_is_there_is_never_replaced() {
        let (_keep, keys) = directory();
        let key = SigningKey::generate(ROLE.kind()).unwrap();
        keys.keep(ROLE, &key).unwrap();
        let other = SigningKey::generate(ROLE.kind()).unwrap();
        assert!(matches!(keys.keep(ROLE, &other), Err(KeyDirectoryError::Io { .. })));
        assert_eq!(keys.load(ROLE).unwrap().public_key(), key.public_key());
    }

    #[test]
    fn what_others_could_read_is_refused() {
        let (_keep, keys) = directory();
        keys.keep(ROLE, &SigningKey::generate(ROLE.kind()).unwrap()).unwrap();
        let file = keys.file(ROLE);
        for mode in [0o640, 0o604, 0o620] {
            chmod(&file, mode);
            assert!(
                matches!(keys.load(ROLE), Err(KeyDirectoryError::Exposed { mode: m, .. }) if m == mode)
            );
        }
        chmod(&file, 0o400);
        keys.load(ROLE).unwrap();
        chmod(&keys.path, 0o750);
        let opened = KeyDirectory::<OnlineKey>::open(&keys.path, &"secret".into());
        assert!(matches!(opened, Err(KeyDirectoryError::Exposed { mode: 0o750, .. })));
    }

    #[test]
    fn a_key_of_another_kind_or_a_file_that_is_no_key_is_refused() {
        let (_keep, keys) = directory();
        keys.keep(OnlineKey::RekorV2, &SigningKey::generate(ROLE.kind()).unwrap()).unwrap();
        assert!(matches!(keys.load(OnlineKey::RekorV2), Err(KeyDirectoryError::Kind { .. })));
        durable::write(&keys.file(ROLE), &[b'x'; 100_000], 0o600).unwrap();
        assert!(matches!(keys.load(ROLE), Err(KeyDirectoryError::TooLong { .. })));
        durable::write(&keys.file(ROLE), b"x", 0o600).unwrap();
        let source = KeyFileError::Malformed;
        assert!(
            matches!(keys.load(ROLE), Err(KeyDirectoryError::Key { source: s, .. }) if s == source)
        );
    }
}
