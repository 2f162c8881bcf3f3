//! The trust repository: TUF metadata that tell clients which keys to trust, and that renew themselves.
//!
//! Root and targets are signed by the holders' offline keys and only ever arrive as files ([`change`]). Snapshot and
//! timestamp are signed here, long before they expire: the new snapshot is written first and the timestamp that
//! announces it last, so that at each moment what is served is one consistent repository.

pub mod change;
mod create;
mod files;
mod known_target;
mod material;
mod publication;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use crypto::{PublicKey, SigningKey};
use jiff::{SignedDuration, Timestamp};
use tuf::publish::{self, PublishError};
use tuf::{MetaFile, RoleKeys};

use crate::clock::Clock;
pub use create::{create, fingerprint};
use files::{Current, OnDisk};
pub use files::{RepositoryError, RoleState};
pub use known_target::KnownTargetError;
pub use material::{
    SIGNING_CONFIG, SIGNING_CONFIG_REKOR_V1, TLS_CA, TRUSTED_ROOT, Target, TrustMaterial,
};

/// How often it is looked whether something is to be done. A published change of trust is seen within a minute.
const LOOK_INTERVAL: Duration = Duration::from_secs(60);
/// How many versions of the snapshot stay on disk: a client in the middle of an update needs the one before; the rest is
/// for people who look after something went wrong.
const KEPT_SNAPSHOTS: u64 = 30;

/// The trust repository of a server.
pub struct TrustRepository {
    directory: PathBuf,
    snapshot: SigningKey,
    timestamp: SigningKey,
    current: RwLock<Arc<Current>>,
    /// Held by whoever renews.
    renewing: Mutex<()>,
}

/// A file of the repository, as it is served.
#[derive(Clone, Debug)]
pub struct RepositoryFile {
    /// Its bytes.
    pub contents: Bytes,
    /// Whether its name says which version it is, so that it never changes.
    pub immutable: bool,
}

impl TrustRepository {
    /// Opens the repository in `directory`, to be renewed with the keys of snapshot and timestamp, and renews it if that
    /// is due at `now`: a server that was off for a month serves what is fresh from its first answer on.
    ///
    /// # Errors
    ///
    /// See [`RepositoryError`].
    pub fn open(
        directory: &Path,
        snapshot: SigningKey,
        timestamp: SigningKey,
        now: Timestamp,
    ) -> Result<Self, RepositoryError> {
        let mut disk = OnDisk::read(directory)?;
        if let Some(due) = due(&disk, now) {
            disk = sign(directory, &disk, &due, [&snapshot, &timestamp], now)?;
        }
        let current = RwLock::new(Arc::new(Current::new(directory, disk)?));
        let directory = directory.to_owned();
        Ok(Self { directory, snapshot, timestamp, current, renewing: Mutex::new(()) })
    }

    /// The file at `path` below `/tuf/`, such as `timestamp.json` or `targets/<hash>.trusted_root.json`.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<RepositoryFile> {
        self.current().file(path)
    }

    /// Trusted root and signing config in one (`…clienttrustconfig.v0.1+json`), from the current targets; `None` if these
    /// have no such files.
    #[must_use]
    pub fn client_trust_config(&self) -> Option<Bytes> {
        self.current().client_trust_config.clone()
    }

    /// Signs snapshot and timestamp anew if that is due at `now` or if there are new targets in the directory, and serves a
    /// new root that is there. Returns whether anything is new. What was served before is served on after an error.
    ///
    /// # Errors
    ///
    /// See [`RepositoryError`].
    pub fn renew(&self, now: Timestamp) -> Result<bool, RepositoryError> {
        let _one_at_a_time = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.current();
        let disk = if current.is_newest(&self.directory) {
            current.disk.clone()
        } else {
            OnDisk::read(&self.directory)?
        };
        let disk = match due(&disk, now) {
            Some(due) => {
                sign(&self.directory, &disk, &due, [&self.snapshot, &self.timestamp], now)?
            }
            None if disk.root.header.version == current.disk.root.header.version => {
                return Ok(false);
            }
            None => disk,
        };
        let next = Arc::new(Current::new(&self.directory, disk)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(true)
    }

    /// Renews whenever it is due, for as long as the future is polled.
    ///
    /// A failure is logged and tried again a minute later: six days remain before a client notices. Nothing is signed
    /// while the time cannot be trusted.
    pub async fn keep_fresh(self: Arc<Self>, clock: Clock) {
        loop {
            tokio::time::sleep(LOOK_INTERVAL).await;
            let now = match clock.now() {
                Ok(now) => now,
                Err(error) => {
                    tracing::warn!(%error, "the trust repository is not renewed without a time");
                    continue;
                }
            };
            let repository = Arc::clone(&self);
            // Signing and syncing take milliseconds, too long for the thread that answers requests.
            let renewed = tokio::task::spawn_blocking(move || repository.renew(now)).await;
            match renewed {
                Ok(Ok(true)) => tracing::info!("the trust repository was renewed"),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "the trust repository could not be renewed");
                }
                Err(error) => tracing::error!(%error, "the renewal of the trust repository ended"),
            }
        }
    }

    /// How long each role is still valid at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> Vec<RoleState> {
        self.current().disk.state(now)
    }

    fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Why snapshot and timestamp are to be signed, and with which version.
#[derive(Debug, Eq, PartialEq)]
struct Due {
    version: std::num::NonZeroU64,
}

/// What is to be signed at `now`, if anything.
fn due(disk: &OnDisk, now: Timestamp) -> Option<Due> {
    let fresh = disk.online.as_ref().is_some_and(|online| {
        let signed = online.timestamp.header.expires - publish::TIMESTAMP_PERIOD;
        now.duration_since(signed) < publish::RENEWAL_INTERVAL && online.announces(&disk.targets)
    });
    (!fresh).then_some(Due { version: disk.next_version })
}

/// Signs and writes the next snapshot and then the timestamp that announces it.
fn sign(
    directory: &Path,
    disk: &OnDisk,
    due: &Due,
    [snapshot_key, timestamp_key]: [&SigningKey; 2],
    now: Timestamp,
) -> Result<OnDisk, RepositoryError> {
    // Root and targets say who may sign; a key that they do not name would make a repository that nobody can read.
    let roles = &disk.root.roles;
    must_be_named(disk, &roles.snapshot, snapshot_key.public_key(), "snapshot")?;
    must_be_named(disk, &roles.timestamp, timestamp_key.public_key(), "timestamp")?;
    let made = make(disk, due, [snapshot_key, timestamp_key], now);
    let (snapshot, timestamp) = made.map_err(RepositoryError::Sign)?;
    files::write(directory, &format!("{}.snapshot.json", due.version), &snapshot)?;
    files::write(directory, "timestamp.json", &timestamp)?;
    files::prune_snapshots(directory, due.version.get().saturating_sub(KEPT_SNAPSHOTS));
    OnDisk::read(directory)
}

fn make(
    disk: &OnDisk,
    due: &Due,
    [snapshot_key, timestamp_key]: [&SigningKey; 2],
    now: Timestamp,
) -> Result<(Vec<u8>, Vec<u8>), PublishError> {
    let targets = MetaFile::of(disk.targets.header.version, disk.targets.bytes());
    let snapshot = publish::snapshot(due.version, targets, now)?;
    let snapshot = publish::sign(&snapshot, &[snapshot_key])?;
    let timestamp = publish::timestamp(due.version, MetaFile::of(due.version, &snapshot), now)?;
    let timestamp = publish::sign(&timestamp, &[timestamp_key])?;
    Ok((snapshot, timestamp))
}

fn must_be_named(
    disk: &OnDisk,
    rule: &RoleKeys,
    key: &PublicKey,
    role: &'static str,
) -> Result<(), RepositoryError> {
    let names = |id| {
        disk.root
            .keys
            .get(id)
            .and_then(tuf::Key::public_key)
            .is_some_and(|(named, _)| named == *key)
    };
    if rule.keyids.iter().any(names) { Ok(()) } else { Err(RepositoryError::KeyNotNamed { role }) }
}

/// When snapshot and timestamp are signed next, if nothing changes before.
#[must_use]
pub const fn renewal_interval() -> SignedDuration {
    publish::RENEWAL_INTERVAL
}
