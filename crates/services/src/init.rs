//! What `bulla init` makes: keys, certificates, the trust repository, logs and their anchors, the configuration file.

use std::path::PathBuf;

use jiff::Timestamp;
use url::Url;

pub use crate::instance::Instance;
use crate::keys::KeyDirectoryError;

/// What a new directory is to be.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// The directory to make.
    pub directory: PathBuf,
    /// The public URL. Its host is the first v2 log's origin for ever.
    pub url: Url,
    /// The directory for offline keys; by default `DIRECTORY/offline`.
    pub offline: Option<PathBuf>,
    /// A file with the passphrase; without it, `DIRECTORY/passphrase` is written.
    pub passphrase_file: Option<PathBuf>,
    /// How many holders have a key for TUF root and targets.
    pub root_keys: u8,
    /// How many of them must sign.
    pub threshold: u8,
    /// The organisation named in certificates.
    pub organization: String,
    /// Whether to make a certificate authority for the server's own TLS certificate.
    pub tls: bool,
    /// Where anchors are kept, outside the directory.
    pub anchors: PathBuf,
    /// Whether the directory is for development: everything is kept together, and that is said.
    pub dev: bool,
}

/// What is there after `init`.
#[derive(Clone, Debug)]
pub struct Initialised {
    /// Whether anything was made, or all was there before.
    pub made: bool,
    /// `SHA256:` and the hexadecimal SHA-256 of `1.root.json`.
    pub fingerprint: String,
    /// Where the offline keys are.
    pub offline: PathBuf,
    /// The permanent names.
    pub instance: Instance,
    /// What the operator should know, one sentence each.
    pub notes: Vec<String>,
}

/// Why a directory was not made.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// A key could not be made or written.
    #[error("the keys could not be made")]
    Keys(#[source] KeyDirectoryError),
}

/// Makes everything that a server needs in a directory, or finds that it is there.
///
/// # Errors
///
/// See [`InitError`].
pub fn init(options: &InitOptions, now: Timestamp) -> Result<Initialised, InitError> {
    let _ = (options, now);
    todo!()
}
