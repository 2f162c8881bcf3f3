//! The passphrase of a directory of keys, and where it comes from.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crypto::key_file::{Cost, Keyring};
use zeroize::Zeroizing;

/// The longest passphrase: nobody types more, and a file that is longer is another file.
const MAX_LENGTH: u64 = 1024;
/// How long one of ours is: 256 random bits in hexadecimal.
const RANDOM_LENGTH: usize = 64;
/// The name of the file in a directory, and of the systemd credential.
const NAME: &str = "passphrase";

/// A passphrase, wiped when it is dropped.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<Vec<u8>>);

/// Why there is no passphrase. The operator's to fix.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// There is none in any of the places where it is looked for.
    #[error("there is no passphrase for the keys: give --passphrase-file, a systemd credential `passphrase`, or {}", looked_for.display())]
    Missing {
        /// The file in the directory itself.
        looked_for: PathBuf,
    },
    /// The file that was named or found cannot be read.
    #[error("the passphrase in {} cannot be read", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Everybody on the machine can read it.
    #[error("{} can be read by others (mode {mode:03o})", path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is empty, or longer than any that is used.
    #[error("the passphrase in {} is empty or has more than {MAX_LENGTH} bytes", path.display())]
    Length {
        /// Which file.
        path: PathBuf,
    },
}

impl Passphrase {
    /// A new one of 256 random bits.
    #[must_use]
    pub fn random() -> Self {
        let bits = Zeroizing::new(crypto::random_array::<32>());
        Self(Zeroizing::new(hex::encode(bits.as_slice()).into_bytes()))
    }

    /// Looks for the passphrase of the keys in `directory`: in the file `explicit` if one is named, else in the
    /// systemd credential `passphrase`, else in `DIRECTORY/passphrase`. One line end after it is not part of it.
    ///
    /// # Errors
    ///
    /// See [`PassphraseError`].
    pub fn find(explicit: Option<&Path>, directory: &Path) -> Result<Self, PassphraseError> {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY");
        Self::find_among(explicit, credentials.as_deref(), directory)
    }

    fn find_among(
        explicit: Option<&Path>,
        credentials: Option<&OsStr>,
        directory: &Path,
    ) -> Result<Self, PassphraseError> {
        let credential = credentials.map(|directory| Path::new(directory).join(NAME));
        let own = Self::file_in(directory);
        // The file that was named must be there; each of the others may be.
        let place = match (explicit, credential) {
            (Some(explicit), _) => explicit.to_owned(),
            (None, Some(credential)) if credential.exists() => credential,
            _ if own.exists() => own,
            _ => return Err(PassphraseError::Missing { looked_for: own }),
        };
        Self::read(&place)
    }

    /// Where the passphrase of `directory` is, unless it comes from elsewhere.
    #[must_use]
    pub fn file_in(directory: &Path) -> PathBuf {
        directory.join(NAME)
    }

    fn read(path: &Path) -> Result<Self, PassphraseError> {
        let io = |source| PassphraseError::Io { path: path.to_owned(), source };
        let file = std::fs::File::open(path).map_err(io)?;
        let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
        // The group may read: systemd and orchestrators hand secrets over that way.
        if mode & 0o007 != 0 {
            return Err(PassphraseError::Exposed { path: path.to_owned(), mode });
        }
        let mut text = Zeroizing::new(Vec::with_capacity(64));
        file.take(MAX_LENGTH + 3).read_to_end(&mut text).map_err(io)?;
        for end in [b'\n', b'\r'] {
            if text.last() == Some(&end) {
                text.pop();
            }
        }
        if text.is_empty() || u64::try_from(text.len()).is_ok_and(|length| length > MAX_LENGTH) {
            return Err(PassphraseError::Length { path: path.to_owned() });
        }
        Ok(Self(text))
    }

    /// The passphrase as `init` writes it into a file.
    #[must_use]
    pub(crate) fn line(&self) -> Zeroizing<Vec<u8>> {
        let mut line = Zeroizing::new(Vec::with_capacity(self.0.len() + 1));
        line.extend_from_slice(&self.0);
        line.push(b'\n');
        line
    }

    /// A ring for the files under this passphrase. New files are made as costly to open as the passphrase needs: one of
    /// ours cannot be guessed at any price.
    pub(super) fn ring(&self) -> Keyring {
        let random = self.0.len() == RANDOM_LENGTH && self.0.iter().all(u8::is_ascii_hexdigit);
        let cost = if random { Cost::Random } else { Cost::Chosen };
        Keyring::new(self.0.clone(), cost)
    }
}

impl From<&str> for Passphrase {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.as_bytes().to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durable;

    fn found(passphrase: Result<Passphrase, PassphraseError>) -> Vec<u8> {
        passphrase.unwrap().0.to_vec()
    }

    #[test]
    fn the_file_that_is_named_comes_first_then_the_credential_then_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let (path, credentials) = (directory.path(), directory.path().join("credentials"));
        let named = path.join("named");
        durable::make_private_directory(&credentials).unwrap();
        let find = |explicit: Option<&Path>| {
            Passphrase::find_among(explicit, Some(credentials.as_os_str()), path)
        };
        assert!(matches!(find(None), Err(PassphraseError::Missing { .. })));
        assert!(matches!(find(Some(&named)), Err(PassphraseError::Io { .. })));
        durable::write(&path.join(NAME), b"own\n", 0o600).unwrap();
        assert_eq!(found(find(None)), b"own");
        durable::write(&credentials.join(NAME), b"credential", 0o440).unwrap();
        assert_eq!(found(find(None)), b"credential");
        durable::write(&named, b"named \r\n", 0o600).unwrap();
        assert_eq!(found(find(Some(&named))), b"named ");
    }

    #[test]
    fn a_passphrase_that_everybody_can_read_or_that_is_none_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(NAME);
        let check = |contents: &[u8], mode: u32| {
            durable::write(&path, contents, mode).unwrap();
            Passphrase::find_among(None, None, directory.path())
        };
        assert!(matches!(check(b"p", 0o644), Err(PassphraseError::Exposed { mode: 0o644, .. })));
        assert!(matches!(check(b"", 0o600), Err(PassphraseError::Length { .. })));
        assert!(matches!(check(b"\n", 0o600), Err(PassphraseError::Length { .. })));
        assert!(matches!(check(&[b'p'; 1025], 0o600), Err(PassphraseError::Length { .. })));
        assert_eq!(found(check(&[b'p'; 1024], 0o600)).len(), 1024);
    }
}
