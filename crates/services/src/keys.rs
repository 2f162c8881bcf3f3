//! The private keys that a server uses, in one directory of encrypted files.
//!
//! Keys that serve and keys that only change trust are apart (design: online and offline keys): a
//! [`KeyDirectory`] of [`OnlineKey`]s is what `serve` opens; [`OfflineKey`]s live in a directory of their own.

use std::path::{Path, PathBuf};

use crypto::{KeyKind, SigningKey};
use zeroize::Zeroizing;

/// A key that a running server signs with.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum OnlineKey {
    /// Signs certificates: the intermediate's.
    CertificateAuthority,
    /// Signs SCTs and tree heads of the CT log.
    CtLog,
    /// Signs entries (SET) and checkpoints of the Rekor v1 log.
    RekorV1,
    /// Signs checkpoints of the Rekor v2 log.
    RekorV2,
    /// Signs timestamps.
    TimestampAuthority,
    /// Signs ID tokens.
    IdentityProvider,
    /// Signs the TUF snapshot.
    TufSnapshot,
    /// Signs the TUF timestamp.
    TufTimestamp,
    /// Issues the server's own TLS certificate, where `init` was asked for one.
    TlsAuthority,
}

/// A key that changes what clients trust, and that no server needs.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum OfflineKey {
    /// Signs the certificate authority's intermediate.
    CertificateRoot,
    /// Signs the timestamp authority's certificate.
    TimestampRoot,
    /// Signs TUF root and targets: the key of the holder with this number, counted from one.
    TufHolder(u8),
}

/// A passphrase, wiped when it is dropped.
pub struct Passphrase(Zeroizing<Vec<u8>>);

/// Encrypted private keys in a directory that nobody else can read.
pub struct KeyDirectory {
    path: PathBuf,
}

/// Why a key, or the passphrase for it, cannot be had. The operator's to fix.
#[derive(Debug, thiserror::Error)]
pub enum KeyDirectoryError {
    /// A file or directory could not be read or written.
    #[error("{} cannot be used", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Others than the owner can read a secret.
    #[error("{} can be read by others (mode {mode:03o}): chmod go= it", path.display())]
    Exposed {
        /// Which file or directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// There is no passphrase in any of the places where it is looked for.
    #[error("there is no passphrase: give --passphrase-file, a systemd credential `passphrase`, or {}", looked_for.display())]
    NoPassphrase {
        /// The file in the directory itself.
        looked_for: PathBuf,
    },
    /// A passphrase is empty or longer than any that is used.
    #[error("the passphrase in {} is empty or too long", path.display())]
    PassphraseLength {
        /// The file that holds it.
        path: PathBuf,
    },
    /// The file does not open.
    #[error("{} does not open", path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// Why.
        #[source]
        source: crypto::key_file::KeyFileError,
    },
    /// The file holds a key of another kind than its role has.
    #[error("{} holds a key of another kind than its role needs", path.display())]
    Kind {
        /// The key file.
        path: PathBuf,
    },
}

impl OnlineKey {
    /// Every online key.
    pub const ALL: &[Self] = &[
        Self::CertificateAuthority,
        Self::CtLog,
        Self::RekorV1,
        Self::RekorV2,
        Self::TimestampAuthority,
        Self::IdentityProvider,
        Self::TufSnapshot,
        Self::TufTimestamp,
        Self::TlsAuthority,
    ];

    /// The name of its file, without `.pem`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CertificateAuthority => "ca",
            Self::CtLog => "ct",
            Self::RekorV1 => "rekor-v1",
            Self::RekorV2 => "rekor-v2",
            Self::TimestampAuthority => "tsa",
            Self::IdentityProvider => "idp",
            Self::TufSnapshot => "tuf-snapshot",
            Self::TufTimestamp => "tuf-timestamp",
            Self::TlsAuthority => "tls-ca",
        }
    }

    /// The kind of key that the role has.
    #[must_use]
    pub const fn kind(self) -> KeyKind {
        match self {
            Self::RekorV2 => KeyKind::Ed25519,
            // The strictest client decides: ID tokens are RS256.
            Self::IdentityProvider => KeyKind::Rsa { bits: 2048 },
            _ => KeyKind::EcdsaP256,
        }
    }
}

impl Passphrase {
    /// Looks for the passphrase of the directory `directory`: in the file `explicit` if one is named, else in the
    /// systemd credential `passphrase`, else in `DIRECTORY/passphrase`.
    ///
    /// # Errors
    ///
    /// [`KeyDirectoryError::NoPassphrase`], or what is wrong with the file that was found.
    pub fn find(explicit: Option<&Path>, directory: &Path) -> Result<Self, KeyDirectoryError> {
        let _ = (explicit, directory);
        todo!()
    }
}

impl KeyDirectory {
    /// Opens the directory at `path`, whose files are encrypted under `passphrase`.
    ///
    /// # Errors
    ///
    /// [`KeyDirectoryError::Exposed`] if others can read it, [`KeyDirectoryError::Io`] if it is not there.
    pub fn open(path: &Path, passphrase: &Passphrase) -> Result<Self, KeyDirectoryError> {
        let _ = &passphrase.0;
        Ok(Self { path: path.to_owned() })
    }

    /// Reads the key of `role`. The passphrase is worked into a key once for all files of the directory.
    ///
    /// # Errors
    ///
    /// See [`KeyDirectoryError`].
    pub fn load(&self, role: OnlineKey) -> Result<SigningKey, KeyDirectoryError> {
        let _ = (role, &self.path);
        todo!()
    }
}
