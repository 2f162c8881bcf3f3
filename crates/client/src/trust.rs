//! Which keys a client trusts: the public-good instance, which is embedded, and those that were added.
//!
//! What is kept on disk are TUF metadata and targets. They are verified again each time they are read, from the root whose
//! fingerprint the user gave, and nothing is fetched but by [`TrustStore::add`] and [`TrustStore::update`].

mod file;
mod instance;
mod public_good;
mod record;
mod repository;
mod store;

use std::io;
use std::path::PathBuf;

use bytes::Bytes;
use jiff::Timestamp;
use url::Url;

pub use public_good::{NAME as PUBLIC_GOOD, ROOT_FINGERPRINT as PUBLIC_GOOD_ROOT};
pub use store::TrustStore;

/// Whom to trust, as the user says it with `--trust` or `BULLA_TRUST`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum TrustChoice {
    /// The instance that was added last, or the public-good instance if none was.
    #[default]
    Default,
    /// The instance with this name: its host and port, or `sigstore.dev`.
    Named(String),
    /// A trusted root or client trust config in a file.
    File(PathBuf),
}

/// The trust material of one instance, verified.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trust {
    /// The name of the instance.
    pub name: String,
    /// `trusted_root.json`.
    pub trusted_root: Bytes,
    /// `signing_config.v0.2.json`; absent for a bare trusted root.
    pub signing_config: Option<Bytes>,
    /// The signing config for Rekor v1, if the instance has one of its own.
    pub signing_config_rekor_v1: Option<Bytes>,
    /// The signing config for Rekor v2, if the instance has one of its own.
    pub signing_config_rekor_v2: Option<Bytes>,
    /// The certificate authority of the instance's own TLS certificates (PEM), if it has one.
    pub tls_ca: Option<Bytes>,
    /// What the user should know about the age of the material, one sentence each.
    pub warnings: Vec<String>,
}

/// One instance in the store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TrustEntry {
    /// Its name.
    pub name: String,
    /// Where its TUF repository is.
    pub url: Url,
    /// The fingerprint of the root that its trust begins with.
    pub fingerprint: String,
    /// That root, byte for byte.
    pub first_root: Vec<u8>,
    /// Whether it is used when nothing else is said.
    pub default: bool,
    /// When its metadata were last fetched.
    pub updated: Timestamp,
    /// The version and expiry of each role.
    pub roles: Vec<(String, u64, Timestamp)>,
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
        source: io::Error,
    },
    /// The fingerprint is none.
    #[error("{0:?} is not a fingerprint: SHA256: and 64 hexadecimal digits")]
    FingerprintForm(String),
    /// The server's first root has another fingerprint. Either one was copied wrongly, or somebody is in between.
    #[error("the first root at {url} has the fingerprint {found}, not {expected}")]
    Fingerprint {
        /// Where the root was fetched.
        url: String,
        /// What the user gave.
        expected: String,
        /// What the root has.
        found: String,
    },
    /// There is no TUF repository.
    #[error("there is no TUF repository at {url}, nor at {url}tuf/")]
    NoRepository {
        /// Where it was looked for.
        url: Url,
    },
    /// A URL cannot be that of a repository.
    #[error("{url} is not an http or https URL with a host")]
    Url {
        /// The URL.
        url: Url,
    },
    /// What the server sent was refused, or could not be fetched. What was trusted before still is.
    #[error("the trust material of {name} was not updated")]
    Update {
        /// The instance.
        name: String,
        /// Why.
        #[source]
        source: Box<tuf::UpdateError<net::RequestError>>,
    },
    /// The server could not be asked.
    #[error("{url} could not be asked for its first root")]
    Request {
        /// Where.
        url: Url,
        /// Why.
        #[source]
        source: Box<net::RequestError>,
    },
    /// What is kept was changed, or is of a newer program.
    #[error("the trust material kept of {name} is damaged; add or update it again")]
    Damaged {
        /// The instance.
        name: String,
        /// What is wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The repository has no trusted root.
    #[error("the repository of {name} has no {target}")]
    MissingTarget {
        /// The instance.
        name: String,
        /// The target.
        target: &'static str,
    },
    /// The file holds neither a trusted root nor a client trust config.
    #[error("{} is neither a trusted root nor a client trust config", path.display())]
    NotTrustMaterial {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
