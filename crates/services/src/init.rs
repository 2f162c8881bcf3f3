//! What `bulla init` makes: keys, certificates, logs with their anchors, and the trust repository.
//!
//! It can be interrupted at any point and run again: each thing that is there is kept, what is missing is made, and the
//! first TUF root is written last. A directory that has it is whole, and nothing in it is changed.

mod certificates;
mod logs;
mod new_keys;

use std::io;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use crypto::SigningKey;
use jiff::Timestamp;
use pki::DistinguishedName;
use tuf::publish::RootKeys;
use url::Url;

use crate::durable;
pub use crate::instance::{Instance, InstanceError};
use crate::keys::{KeyDirectoryError, OfflineKey, OnlineKey, Passphrase, PassphraseError};
use crate::layout::Layout;
use crate::repo::change::ChangeError;
use crate::repo::{self, RepositoryError, TrustMaterial};
use certificates::Certificates;
pub use certificates::CertificatesError;
pub use logs::LogsError;
use new_keys::{Keys, NewKeys};

/// The most holders of TUF keys: more people than come to a ceremony.
const MAX_HOLDERS: u8 = 16;

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

/// Why a directory was not made. Running `init` again goes on where it stopped.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The directory itself cannot be used.
    #[error("{} cannot be used", path.display())]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The names cannot be made of the URL, or those in the directory cannot be read.
    #[error("the permanent names cannot be used")]
    Instance(#[from] InstanceError),
    /// The directory was made for another public URL, which is fixed for ever.
    #[error(
        "the directory was made for {made_for}, which is fixed for ever; a new address needs a new directory"
    )]
    OtherUrl {
        /// The URL in the directory.
        made_for: String,
    },
    /// So many holders cannot be, or so many of them cannot sign.
    #[error(
        "{threshold} of {holders} holders is not possible: up to {MAX_HOLDERS} holders, and no more signatures than holders"
    )]
    Holders {
        /// How many must sign.
        threshold: u8,
        /// How many there are.
        holders: u8,
    },
    /// There is no passphrase.
    #[error("there is no passphrase for the keys")]
    Passphrase(#[from] PassphraseError),
    /// A key could not be made or written.
    #[error("the keys could not be made")]
    Keys(#[from] KeyDirectoryError),
    /// The backend did not make a key.
    #[error("a key could not be made")]
    Generate(#[from] crypto::SigningKeyError),
    /// A certificate could not be made or read.
    #[error("the certificates could not be made")]
    Certificates(#[from] CertificatesError),
    /// A log could not be made.
    #[error("the logs could not be made")]
    Logs(#[from] LogsError),
    /// The trust repository could not be made.
    #[error("the trust repository could not be made")]
    Repository(#[from] ChangeError),
    /// The trust repository that is there cannot be read.
    #[error("the trust repository cannot be read")]
    Fingerprint(#[from] RepositoryError),
}

/// Makes everything that a server needs in a directory, or finds that it is there.
///
/// # Errors
///
/// See [`InitError`].
pub fn init(options: &InitOptions, now: Timestamp) -> Result<Initialised, InitError> {
    let layout = Layout::new(&options.directory);
    let offline = options.offline.clone().unwrap_or_else(|| layout.offline());
    let instance = establish_instance(options, now)?;
    let made = match repo::fingerprint(&layout.tuf())? {
        Some(_) => false,
        None => {
            make(options, &layout, &offline, &instance)?;
            true
        }
    };
    let fingerprint = repo::fingerprint(&layout.tuf())?.unwrap_or_default();
    let notes = if made { notes(options, &offline) } else { Vec::new() };
    Ok(Initialised { made, fingerprint, offline, instance, notes })
}

/// The names in the directory; new ones if it has none.
fn establish_instance(options: &InitOptions, now: Timestamp) -> Result<Instance, InitError> {
    let new = Instance::new(&options.url, &options.organization, now)?;
    if let Some(instance) = Instance::read(&options.directory)? {
        if instance.url != new.url {
            return Err(InitError::OtherUrl { made_for: instance.url });
        }
        return Ok(instance);
    }
    refuse_impossible_holders(options)?;
    // Once it is written it is fixed: a name that no certificate can bear would never let the directory be finished.
    DistinguishedName::new(&options.organization, "root").map_err(CertificatesError::from)?;
    make_directory(&options.directory)?;
    new.write(&options.directory)?;
    Ok(new)
}

fn refuse_impossible_holders(options: &InitOptions) -> Result<(), InitError> {
    let (holders, threshold) = (options.root_keys, options.threshold);
    if threshold == 0 || threshold > holders || holders > MAX_HOLDERS {
        return Err(InitError::Holders { threshold, holders });
    }
    Ok(())
}

fn make(
    options: &InitOptions,
    layout: &Layout,
    offline: &Path,
    instance: &Instance,
) -> Result<(), InitError> {
    refuse_impossible_holders(options)?;
    let passphrase = establish_passphrase(options, layout.directory())?;
    make_directory(offline)?;
    let offline_passphrase = establish_passphrase(options, offline)?;
    let keys = NewKeys { tls: options.tls, holders: options.root_keys }
        .establish((&layout.keys(), &passphrase), (offline, &offline_passphrase))?;
    let certificates = Certificates::establish(layout, instance, &keys)?;
    let root_keys = root_keys(options, &keys);
    let targets = TrustMaterial {
        instance,
        ca: &certificates.ca,
        ct: keys.public(OnlineKey::CtLog),
        rekor_v1: keys.public(OnlineKey::RekorV1),
        rekor_v2: keys.public(OnlineKey::RekorV2),
        tsa: &certificates.tsa,
        tls_ca: certificates.tls_ca.as_ref(),
    }
    .targets();
    make_directory(&layout.logs())?;
    make_directory(&options.anchors)?;
    logs::establish(layout, &options.anchors, instance, &keys)?;
    let holders: Vec<&SigningKey> = keys.holders().collect();
    repo::create(&layout.tuf(), &root_keys, &holders, &targets, instance.created)?;
    Ok(())
}

fn root_keys(options: &InitOptions, keys: &Keys) -> RootKeys {
    RootKeys {
        holders: keys.holders().map(|key| key.public_key().clone()).collect(),
        threshold: NonZeroU64::new(options.threshold.into()).unwrap_or(NonZeroU64::MIN),
        snapshot: keys.public(OnlineKey::TufSnapshot).clone(),
        timestamp: keys.public(OnlineKey::TufTimestamp).clone(),
    }
}

/// The passphrase of the keys below `directory`: the operator's, or one of ours in the directory.
fn establish_passphrase(options: &InitOptions, directory: &Path) -> Result<Passphrase, InitError> {
    match Passphrase::find(options.passphrase_file.as_deref(), directory) {
        Err(PassphraseError::Missing { looked_for }) => {
            let new = Passphrase::random();
            durable::write(&looked_for, &new.line(), durable::SECRET)
                .map_err(|source| InitError::Io { path: looked_for, source })?;
            Ok(new)
        }
        found => Ok(found?),
    }
}

fn make_directory(path: &Path) -> Result<(), InitError> {
    durable::make_private_directory(path)
        .map_err(|source| InitError::Io { path: path.to_owned(), source })
}

fn notes(options: &InitOptions, offline: &Path) -> Vec<String> {
    let mut notes = Vec::new();
    let own = Passphrase::file_in(&options.directory);
    if options.dev {
        notes.push(
            "this directory is for development: whoever has it has every key, the offline ones too"
                .to_owned(),
        );
        return notes;
    }
    notes.push(format!(
        "move {} to a medium of its own: its keys change what clients trust, and no server needs them",
        offline.display()
    ));
    if own.exists() {
        notes.push(format!(
            "the passphrase of the keys is in {}: a copy of the directory is a copy of the keys; --passphrase-file or a systemd credential keeps them apart",
            own.display()
        ));
    }
    if options.root_keys > 1 {
        notes.push(format!(
            "give each of the {} holders one of the files {}; {} of them sign a change of trust",
            options.root_keys,
            offline.join("tuf-*.pem").display(),
            options.threshold
        ));
    }
    notes
}

/// The roles of the offline keys of `holders` holders.
fn offline_roles(holders: u8) -> impl Iterator<Item = OfflineKey> {
    [OfflineKey::CertificateRoot, OfflineKey::TimestampRoot]
        .into_iter()
        .chain((1..=holders).map(OfflineKey::TufHolder))
}
