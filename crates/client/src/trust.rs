//! Which keys a client trusts: the public-good instance, which is embedded, and those that were added.
//!
//! What is kept on disk are verified TUF metadata and targets. They are verified again each time they are read, and
//! nothing is fetched but by [`TrustStore::add`] and [`TrustStore::update`].

use std::path::PathBuf;

use bytes::Bytes;
use jiff::Timestamp;
use url::Url;

/// Whom to trust, as the user says it with `--trust` or `BULLA_TRUST`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum TrustChoice {
    /// The instance that was added last, or the public-good instance if none was.
    #[default]
    Default,
    /// The instance with this name: its host, or `sigstore.dev`.
    Named(String),
    /// A trusted root or client trust config in a file.
    File(PathBuf),
}

/// The trust material of one instance, verified.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The name of the instance.
    pub name: String,
    /// `trusted_root.json`.
    pub trusted_root: Bytes,
    /// `signing_config.v0.2.json`; absent for a bare trusted root.
    pub signing_config: Option<Bytes>,
    /// The signing config for Rekor v1, if the instance has one of its own.
    pub signing_config_rekor_v1: Option<Bytes>,
    /// The certificate authority of the instance's own TLS certificates (PEM), if it has one.
    pub tls_ca: Option<Bytes>,
    /// What the user should know about the age of the material, one sentence each.
    pub warnings: Vec<String>,
}

/// One instance in the store.
#[derive(Clone, Debug)]
pub struct TrustEntry {
    /// Its name.
    pub name: String,
    /// Where its TUF repository is.
    pub url: Url,
    /// The fingerprint of its first root.
    pub fingerprint: String,
    /// Whether it is used when nothing else is said.
    pub default: bool,
    /// When its metadata were last fetched.
    pub updated: Timestamp,
    /// The version and expiry of each role.
    pub roles: Vec<(String, u64, Timestamp)>,
}

/// The instances that a user trusts, in the user's data directory.
pub struct TrustStore {
    directory: Option<PathBuf>,
}

/// Why trust material cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// No instance has this name.
    #[error("no instance named {0} was added")]
    Unknown(String),
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

impl TrustStore {
    /// The user's store: `$XDG_DATA_HOME/bulla`, else `~/.local/share/bulla`. Without a home, or with one that cannot be
    /// written to, what is added lasts as long as the process.
    #[must_use]
    pub fn of_user() -> Self {
        Self { directory: None }
    }

    /// A store in `directory`, which is made when something is added.
    #[must_use]
    pub fn at(directory: PathBuf) -> Self {
        Self { directory: Some(directory) }
    }

    /// Reads the trust material that `choice` names. Opens no socket.
    ///
    /// # Errors
    ///
    /// See [`TrustError`].
    pub fn load(&self, choice: &TrustChoice, now: Timestamp) -> Result<Trust, TrustError> {
        let _ = (choice, now, &self.directory);
        todo!()
    }

    /// Trusts the instance at `url` (its public URL, or that of its TUF repository), if the bytes of its first root
    /// have the fingerprint `SHA256:…`. It becomes the default.
    ///
    /// # Errors
    ///
    /// See [`TrustError`].
    pub async fn add(
        &self,
        url: &Url,
        fingerprint: &str,
        now: Timestamp,
    ) -> Result<TrustEntry, TrustError> {
        let _ = (url, fingerprint, now);
        todo!()
    }

    /// Fetches what is new of the instance `name`; of the default, if none is named.
    ///
    /// # Errors
    ///
    /// See [`TrustError`].
    pub async fn update(
        &self,
        name: Option<&str>,
        now: Timestamp,
    ) -> Result<TrustEntry, TrustError> {
        let _ = (name, now);
        todo!()
    }

    /// Forgets the instance `name`.
    ///
    /// # Errors
    ///
    /// [`TrustError::Unknown`].
    pub fn remove(&self, name: &str) -> Result<(), TrustError> {
        let _ = name;
        todo!()
    }

    /// Every instance, the default first.
    ///
    /// # Errors
    ///
    /// See [`TrustError`].
    pub fn list(&self) -> Result<Vec<TrustEntry>, TrustError> {
        todo!()
    }
}
