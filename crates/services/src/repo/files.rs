//! The repository's files: on disk, checked; and in memory, as they are served.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use jiff::Timestamp;
use tuf::{Role, Root, Snapshot, TargetName, Targets, Unverified, Verified};
use wire::client_trust_config::ClientTrustConfig;
use wire::signing_config::SigningConfig;
use wire::trusted_root::TrustedRoot;

use super::{RepositoryFile, SIGNING_CONFIG, TRUSTED_ROOT};
use crate::durable;

/// The largest file that is read: a hundred times the largest that is written.
const MAX_FILE: u64 = 5_000_000;
/// Where targets are, below the repository.
const TARGETS: &str = "targets";

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
        source: io::Error,
    },
    /// A file is no metadata.
    #[error("{} cannot be read", path.display())]
    Parse {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: tuf::ParseError,
    },
    /// A file was not signed by those who must.
    #[error("{} is not signed as it must be", path.display())]
    Signature {
        /// Which.
        path: PathBuf,
        /// How many have signed.
        #[source]
        source: tuf::VerifyError,
    },
    /// A file has another version than its name says.
    #[error("{} is not the version that its name says", path.display())]
    Version {
        /// Which.
        path: PathBuf,
    },
    /// A target is missing, or is another file than the metadata describe.
    #[error("the target {} is not the file that the targets metadata describe", path.display())]
    Target {
        /// Its file.
        path: PathBuf,
        /// In what it differs.
        #[source]
        source: tuf::MismatchError,
    },
    /// The targets metadata have a name that cannot be a file's.
    #[error("the targets metadata have a name that cannot be used")]
    TargetName(#[source] tuf::TargetNameError),
    /// The repository has no targets metadata yet.
    #[error("{} has no targets metadata", directory.display())]
    NoTargets {
        /// The repository's directory.
        directory: PathBuf,
    },
    /// The root does not name the key that the server has for a role.
    #[error("the root does not name this server's {role} key")]
    KeyNotNamed {
        /// The role.
        role: &'static str,
    },
    /// Snapshot and timestamp could not be signed.
    #[error("snapshot and timestamp could not be signed")]
    Sign(#[source] tuf::publish::PublishError),
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

/// The newest metadata in a directory, verified from the first root on.
#[derive(Clone)]
pub(super) struct OnDisk {
    pub(super) root: Verified<Root>,
    pub(super) targets: Verified<Targets>,
    /// Every root from version 1 on, for clients that are behind.
    roots: Vec<Bytes>,
    /// Snapshot and timestamp, unless there are none that the root's keys have signed.
    pub(super) online: Option<Online>,
    /// The version for the next snapshot and timestamp: higher than that of any file, announced or not.
    pub(super) next_version: NonZeroU64,
}

/// A timestamp and the snapshot that it announces.
#[derive(Clone)]
pub(super) struct Online {
    pub(super) timestamp: Verified<tuf::Timestamp>,
    snapshot: Verified<Snapshot>,
}

impl Online {
    /// Whether these targets metadata are the ones that the snapshot has.
    pub(super) fn announces(&self, targets: &Verified<Targets>) -> bool {
        self.snapshot.meta.get("targets.json").is_some_and(|meta| {
            meta.version == targets.header.version && meta.check(targets.bytes()).is_ok()
        })
    }

    /// The version of the targets metadata that the snapshot has.
    fn targets_version(&self) -> Option<u64> {
        self.snapshot.meta.get("targets.json").map(|meta| meta.version.get())
    }
}

impl OnDisk {
    /// Reads and verifies the repository in `directory`.
    pub(super) fn read(directory: &Path) -> Result<Self, RepositoryError> {
        let (root, roots) = read_roots(directory)?;
        let online = read_online(directory, &root);
        let targets = read_targets(directory, &root, online.as_ref())?;
        let newest = newest(directory, Snapshot::TYPE)?;
        let announced = online.as_ref().map_or(0, |online| online.timestamp.header.version.get());
        let next_version = NonZeroU64::MIN.saturating_add(newest.max(announced));
        Ok(Self { root, targets, roots, online, next_version })
    }

    /// How long each role is still valid at `now`.
    pub(super) fn state(&self, now: Timestamp) -> Vec<RoleState> {
        fn row<T: Role>(metadata: &Verified<T>, now: Timestamp) -> RoleState {
            let header = metadata.header();
            RoleState {
                role: T::TYPE,
                version: header.version.get(),
                expires_in_seconds: header.expires.as_second() - now.as_second(),
            }
        }
        let mut rows = vec![row(&self.root, now), row(&self.targets, now)];
        if let Some(online) = &self.online {
            rows.extend([row(&online.snapshot, now), row(&online.timestamp, now)]);
        }
        rows
    }
}

/// The newest root, which follows from the first, and all of them.
fn read_roots(directory: &Path) -> Result<(Verified<Root>, Vec<Bytes>), RepositoryError> {
    let path = |version: u64| directory.join(format!("{version}.root.json"));
    let unsigned = |path: PathBuf| |source| RepositoryError::Signature { path, source };
    let first = path(1);
    let mut root = parse::<Root>(&first)?.trust_first().map_err(unsigned(first))?;
    let mut roots = vec![copy(&root)];
    loop {
        let version = root.header.version.get().saturating_add(1);
        let next = path(version);
        if !next.exists() {
            return Ok((root, roots));
        }
        root = parse::<Root>(&next)?.verify_successor(&root).map_err(unsigned(next.clone()))?;
        if root.header.version.get() != version {
            return Err(RepositoryError::Version { path: next });
        }
        roots.push(copy(&root));
    }
}

/// The newest targets metadata. Some that no snapshot has announced, and that are signed by holders whom only a root
/// names that is not there yet, are those of a publication that was cut off: until it is published again, what was
/// announced holds.
fn read_targets(
    directory: &Path,
    root: &Root,
    online: Option<&Online>,
) -> Result<Verified<Targets>, RepositoryError> {
    let newest = newest(directory, Targets::TYPE)?;
    if newest == 0 {
        return Err(RepositoryError::NoTargets { directory: directory.to_owned() });
    }
    let announced = online.and_then(Online::targets_version).filter(|version| *version < newest);
    match (targets_of(directory, newest, root), announced) {
        (Err(RepositoryError::Signature { .. }), Some(announced)) => {
            targets_of(directory, announced, root)
        }
        (found, _) => found,
    }
}

/// The targets metadata of this version, signed by the holders whom `root` names.
fn targets_of(
    directory: &Path,
    version: u64,
    root: &Root,
) -> Result<Verified<Targets>, RepositoryError> {
    let path = directory.join(format!("{version}.targets.json"));
    let targets = parse::<Targets>(&path)?
        .verify(Targets::TYPE, &root.keys, &root.roles.targets)
        .map_err(|source| RepositoryError::Signature { path: path.clone(), source })?;
    if targets.header.version.get() != version {
        return Err(RepositoryError::Version { path });
    }
    Ok(targets)
}

/// Timestamp and snapshot, if they are there and whole. If not, they are made: they hold nothing that would be lost.
fn read_online(directory: &Path, root: &Root) -> Option<Online> {
    let timestamp = parse::<tuf::Timestamp>(&directory.join("timestamp.json")).ok()?;
    let timestamp =
        timestamp.verify(tuf::Timestamp::TYPE, &root.keys, &root.roles.timestamp).ok()?;
    let meta = &timestamp.meta.snapshot;
    let bytes = read(&directory.join(format!("{}.snapshot.json", meta.version))).ok()?;
    meta.check(&bytes).ok()?;
    let snapshot = Unverified::<Snapshot>::parse(&bytes).ok()?;
    let snapshot = snapshot.verify(Snapshot::TYPE, &root.keys, &root.roles.snapshot).ok()?;
    Some(Online { timestamp, snapshot })
}

/// The highest version of the files `<version>.<role>.json`; zero without any.
fn newest(directory: &Path, role: &str) -> Result<u64, RepositoryError> {
    let io_error = |source| RepositoryError::Io { path: directory.to_owned(), source };
    let suffix = format!(".{role}.json");
    let mut newest = 0;
    for entry in std::fs::read_dir(directory).map_err(io_error)? {
        let name = entry.map_err(io_error)?.file_name();
        let version = name.to_str().and_then(|name| name.strip_suffix(&suffix));
        newest = newest.max(version.and_then(|version| version.parse().ok()).unwrap_or(0));
    }
    Ok(newest)
}

/// What is served, in memory.
pub(super) struct Current {
    pub(super) disk: OnDisk,
    /// Files whose name says which version they are.
    files: BTreeMap<String, Bytes>,
    pub(super) client_trust_config: Option<Bytes>,
}

impl Current {
    /// Reads the targets and checks them; the metadata are in `disk`.
    pub(super) fn new(directory: &Path, disk: OnDisk) -> Result<Self, RepositoryError> {
        let mut files = BTreeMap::new();
        for (version, root) in (1..).zip(&disk.roots) {
            files.insert(format!("{version}.root.json"), root.clone());
        }
        let mut targets = BTreeMap::new();
        for (name, target) in &disk.targets.targets {
            let name = TargetName::new(name).map_err(RepositoryError::TargetName)?;
            let hash = target.hashes.get("sha256").map_or("", String::as_str);
            let place = format!("{TARGETS}/{}", name.with_hash(hash));
            let path = directory.join(&place);
            let contents = Bytes::from(read(&path)?);
            let mismatch = |source| RepositoryError::Target { path, source };
            target.check(&contents).map_err(mismatch)?;
            targets.insert(name.as_str().to_owned(), contents.clone());
            files.insert(place, contents);
        }
        let version = disk.targets.header.version;
        files.insert(format!("{version}.targets.json"), copy(&disk.targets));
        if let Some(online) = &disk.online {
            let version = online.snapshot.header.version;
            files.insert(format!("{version}.snapshot.json"), copy(&online.snapshot));
            add_previous(directory, &mut files, version.get(), Snapshot::TYPE);
        }
        add_previous(directory, &mut files, version.get(), Targets::TYPE);
        let client_trust_config = client_trust_config(&targets);
        Ok(Self { disk, files, client_trust_config })
    }

    /// The file at `path` below the repository's URL.
    pub(super) fn file(&self, path: &str) -> Option<RepositoryFile> {
        let mutable = match path {
            "timestamp.json" => self.disk.online.as_ref().map(|online| copy(&online.timestamp)),
            // The newest root, under the name by which people look for it.
            "root.json" => self.disk.roots.last().cloned(),
            _ => None,
        };
        match mutable {
            Some(contents) => Some(RepositoryFile { contents, immutable: false }),
            None => {
                let contents = self.files.get(path)?.clone();
                Some(RepositoryFile { contents, immutable: true })
            }
        }
    }

    /// Whether no newer root or targets metadata have arrived in `directory`.
    pub(super) fn is_newest(&self, directory: &Path) -> bool {
        let next = |version: NonZeroU64, role: &str| {
            directory.join(format!("{}.{role}.json", version.saturating_add(1))).exists()
        };
        !next(self.disk.root.header.version, Root::TYPE)
            && !next(self.disk.targets.header.version, Targets::TYPE)
    }
}

/// Adds the version before, for a client that is in the middle of an update when the new one comes.
fn add_previous(directory: &Path, files: &mut BTreeMap<String, Bytes>, version: u64, role: &str) {
    let name = format!("{}.{role}.json", version.saturating_sub(1));
    if let Ok(bytes) = read(&directory.join(&name)) {
        files.insert(name, bytes.into());
    }
}

fn client_trust_config(targets: &BTreeMap<String, Bytes>) -> Option<Bytes> {
    let trusted_root = TrustedRoot::parse(targets.get(TRUSTED_ROOT)?).ok()?;
    let signing_config = SigningConfig::parse(targets.get(SIGNING_CONFIG)?).ok()?;
    Some(ClientTrustConfig { trusted_root, signing_config }.to_json().into())
}

fn copy<T>(metadata: &Verified<T>) -> Bytes {
    Bytes::copy_from_slice(metadata.bytes())
}

pub(super) fn parse<T: Role>(path: &Path) -> Result<Unverified<T>, RepositoryError> {
    let parsed = Unverified::parse(&read(path)?);
    parsed.map_err(|source| RepositoryError::Parse { path: path.to_owned(), source })
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, RepositoryError> {
    let io_error = |source| RepositoryError::Io { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(io_error)?.len() > MAX_FILE {
        return Err(io_error(io::ErrorKind::FileTooLarge.into()));
    }
    std::fs::read(path).map_err(io_error)
}

/// Writes a file of the repository, durably.
pub(super) fn write(directory: &Path, name: &str, contents: &[u8]) -> Result<(), RepositoryError> {
    let path = directory.join(name);
    durable::write(&path, contents, durable::PUBLIC)
        .map_err(|source| RepositoryError::Io { path, source })
}

/// Removes snapshots up to `version`. What cannot be removed does no harm.
pub(super) fn prune_snapshots(directory: &Path, version: u64) {
    for version in (1..=version).rev() {
        if std::fs::remove_file(directory.join(format!("{version}.snapshot.json"))).is_err() {
            return;
        }
    }
}
