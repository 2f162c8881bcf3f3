//! Changes of trust: proposed on one machine, signed by the holders on theirs, published on the server.
//!
//! A proposal is a directory with the next version of root or targets metadata, the files of new targets, and a copy of the
//! root that is trusted now. It can be carried about: holders add their signatures one after another. Publishing checks
//! the whole against the repository and puts the files there, metadata last; the server notices, and signs the
//! snapshot that announces them.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::Path;

use crypto::{PublicKey, SigningKey};
use jiff::Timestamp;
use tuf::publish::{self, PublishError, RootKeys};
use tuf::{
    KeyId, Role, RoleKeys, Root, TargetFile, TargetName, Targets, Unverified, Verified, VerifyError,
};

use super::files::{self, OnDisk};
use super::known_target::{self, KnownTargetError};
pub use super::publication::publish;
use super::{RepositoryError, Target};
use crate::durable;

/// How the name of proposed or published root metadata ends.
pub(super) const ROOT_SUFFIX: &str = ".root.json";
/// How that of targets metadata ends.
pub(super) const TARGETS_SUFFIX: &str = ".targets.json";
/// The copy in a proposal of the root that is trusted now.
const TRUSTED_NOW: &str = "root.json";

/// Why a change of trust was not proposed, signed or published.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// A file of the repository or the proposal cannot be used.
    #[error("the repository or the proposal cannot be used")]
    Files(#[from] RepositoryError),
    /// The new metadata could not be made or signed.
    #[error("the metadata could not be made")]
    Make(#[from] PublishError),
    /// A target's name cannot be a file's.
    #[error("a target's name cannot be used")]
    Name(#[from] tuf::TargetNameError),
    /// A change would break the clients of the repository.
    #[error("clients of the repository could not use it any more")]
    Known(#[from] KnownTargetError),
    /// The new root names other holders, who have not signed what the repository holds.
    #[error("the new root names holders who have not signed the targets metadata")]
    TargetsVoid {
        /// How many have signed.
        #[source]
        source: VerifyError,
    },
    /// The proposal holds nothing to sign or publish.
    #[error("the proposal holds neither root nor targets metadata")]
    Empty,
    /// The proposal was made for an earlier version of the repository.
    #[error(
        "the proposed {role} metadata have version {found}, but version {expected} is next; propose the change again"
    )]
    Stale {
        /// The role.
        role: &'static str,
        /// The version that is next.
        expected: u64,
        /// The version of the proposal.
        found: u64,
    },
    /// The key is not one of those that may sign.
    #[error("the key {} is no holder's; the root names others", id.as_str())]
    NotAHolder {
        /// The key's id.
        id: tuf::KeyId,
    },
}

/// Where a proposal stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signatures {
    /// `root` or `targets`.
    pub role: &'static str,
    /// The version that it will be.
    pub version: u64,
    /// How many holders have signed; never more than must.
    pub signed: u64,
    /// How many must.
    pub threshold: u64,
}

/// Which targets change: new contents by name, or `None` for a target that goes.
pub type TargetChanges = BTreeMap<String, Option<Target>>;

/// Proposes the next targets metadata of `repository` in the directory `proposal`. Without changes, it is the same again
/// with a new year to live.
///
/// # Errors
///
/// See [`ChangeError`].
pub fn propose_targets(
    repository: &Path,
    proposal: &Path,
    changes: &TargetChanges,
    now: Timestamp,
) -> Result<(), ChangeError> {
    let disk = OnDisk::read(repository)?;
    let mut targets = disk.targets.targets.clone();
    begin(proposal, &disk)?;
    make_directory(&proposal.join("targets"))?;
    for (name, change) in changes {
        let name = TargetName::new(name)?;
        match change {
            Some(target) => {
                known_target::check(name.as_str(), &target.contents)?;
                write_target(proposal, &name, target)?;
                let mut described = target.describe();
                // What older clients find a target by stays with its name.
                described.custom =
                    described.custom.or_else(|| targets.get(name.as_str())?.custom.clone());
                targets.insert(name.as_str().to_owned(), described);
            }
            None => {
                let removed = targets.remove(name.as_str());
                known_target::may_go(name.as_str(), removed.is_some())?;
            }
        }
    }
    write_targets(proposal, &disk, targets, now)
}

/// Writes the next targets metadata into a proposal, unsigned.
fn write_targets(
    proposal: &Path,
    disk: &OnDisk,
    targets: BTreeMap<String, TargetFile>,
    now: Timestamp,
) -> Result<(), ChangeError> {
    let version = next(disk.targets.header.version);
    let metadata = publish::targets(version, targets, now)?;
    files::write(proposal, &file_of::<Targets>(version), &publish::sign(&metadata, &[])?)?;
    Ok(())
}

/// Proposes the next root of `repository` in the directory `proposal`: with other keys, or the same for another year. The
/// holders of a new root must sign the targets, too, which are then proposed with it.
///
/// # Errors
///
/// See [`ChangeError`].
pub fn propose_root(
    repository: &Path,
    proposal: &Path,
    keys: &RootKeys,
    now: Timestamp,
) -> Result<(), ChangeError> {
    let disk = OnDisk::read(repository)?;
    begin(proposal, &disk)?;
    let version = next(disk.root.header.version);
    let root = publish::root(version, keys, now)?;
    files::write(proposal, &file_of::<Root>(version), &publish::sign(&root, &[])?)?;
    let proposed = proposal.join(file_of::<Targets>(next(disk.targets.header.version)));
    if still_signed(&disk.targets, &root).is_err() && !proposed.exists() {
        write_targets(proposal, &disk, disk.targets.targets.clone(), now)?;
    }
    Ok(())
}

/// Checks that the holders whom `root` names have signed the targets metadata that are there.
pub(super) fn still_signed(targets: &Verified<Targets>, root: &Root) -> Result<(), ChangeError> {
    let again = Unverified::<Targets>::parse(targets.bytes()).map_err(PublishError::Parse)?;
    match again.verify(Targets::TYPE, &root.keys, &root.roles.targets) {
        Ok(_) => Ok(()),
        Err(source) => Err(ChangeError::TargetsVoid { source }),
    }
}

/// The keys that the newest root of `repository` names, to be changed and proposed anew.
///
/// # Errors
///
/// See [`ChangeError`].
pub fn root_keys(repository: &Path) -> Result<RootKeys, ChangeError> {
    let disk = OnDisk::read(repository)?;
    let keys_of = |rule: &tuf::RoleKeys| -> Vec<PublicKey> {
        let keys = rule.keyids.iter().filter_map(|id| disk.root.keys.get(id));
        keys.filter_map(|key| key.public_key().map(|(key, _)| key)).collect()
    };
    let roles = &disk.root.roles;
    let one =
        |rule, role| keys_of(rule).into_iter().next().ok_or(RepositoryError::KeyNotNamed { role });
    Ok(RootKeys {
        holders: keys_of(&roles.root),
        threshold: roles.root.threshold,
        snapshot: one(&roles.snapshot, "snapshot")?,
        timestamp: one(&roles.timestamp, "timestamp")?,
    })
}

/// Adds the signatures of `keys` to the metadata of a proposal, and tells where it stands then. It needs the proposal's
/// directory and nothing else, so that it can be carried to where the keys are.
///
/// # Errors
///
/// See [`ChangeError`].
pub fn sign(proposal: &Path, keys: &[SigningKey]) -> Result<Vec<Signatures>, ChangeError> {
    let roots = Roots::read(proposal)?;
    for key in keys {
        let id = publish::key_id(key.public_key())?;
        if !roots.name(&id) {
            return Err(ChangeError::NotAHolder { id });
        }
    }
    for name in metadata_files(proposal)? {
        if name.ends_with(ROOT_SUFFIX) {
            sign_file::<Root>(proposal, &name, keys)?;
        } else {
            sign_file::<Targets>(proposal, &name, keys)?;
        }
    }
    standing(proposal)
}

fn sign_file<T: Role>(proposal: &Path, name: &str, keys: &[SigningKey]) -> Result<(), ChangeError> {
    let mut bytes = files::read(&proposal.join(name))?;
    for key in keys {
        bytes = publish::add_signature::<T>(&bytes, key)?;
    }
    files::write(proposal, name, &bytes)?;
    Ok(())
}

/// How many holders have signed what is in a proposal.
///
/// # Errors
///
/// See [`ChangeError`].
pub fn standing(proposal: &Path) -> Result<Vec<Signatures>, ChangeError> {
    let roots = Roots::read(proposal)?;
    let mut standing = Vec::new();
    for name in metadata_files(proposal)? {
        let path = proposal.join(&name);
        standing.push(if name.ends_with(ROOT_SUFFIX) {
            let root = files::parse::<Root>(&path)?;
            let version = root.claims().header.version;
            let rule = &roots.trusted.roles.root;
            row(version, rule, root.verify_successor(&roots.trusted))
        } else {
            let targets = files::parse::<Targets>(&path)?;
            let version = targets.claims().header.version;
            let root = roots.proposed.as_ref().unwrap_or(&roots.trusted);
            let rule = &root.roles.targets;
            row(version, rule, targets.verify(Targets::TYPE, &root.keys, rule))
        });
    }
    if standing.is_empty() { Err(ChangeError::Empty) } else { Ok(standing) }
}

fn row<T: Role>(
    version: NonZeroU64,
    rule: &RoleKeys,
    checked: Result<Verified<T>, VerifyError>,
) -> Signatures {
    let (signed, threshold) = match checked {
        Ok(_) => (rule.threshold.get(), rule.threshold.get()),
        Err(missing) => (missing.valid, missing.threshold),
    };
    Signatures { role: T::TYPE, version: version.get(), signed, threshold }
}

/// The roots that say who may sign a proposal. They were carried about with it and vouch for nothing; publishing asks the
/// repository's own.
struct Roots {
    trusted: Root,
    proposed: Option<Root>,
}

impl Roots {
    fn read(proposal: &Path) -> Result<Self, ChangeError> {
        let trusted = files::parse::<Root>(&proposal.join(TRUSTED_NOW))?.claims().clone();
        let names = metadata_files(proposal)?;
        let proposed = names.iter().find(|name| name.ends_with(ROOT_SUFFIX));
        let proposed =
            proposed.map(|name| files::parse::<Root>(&proposal.join(name))).transpose()?;
        Ok(Self { trusted, proposed: proposed.map(|root| root.claims().clone()) })
    }

    /// Whether one of them has `id` among the holders.
    fn name(&self, id: &KeyId) -> bool {
        std::iter::once(&self.trusted).chain(&self.proposed).any(|root| {
            root.roles.root.keyids.contains(id) || root.roles.targets.keyids.contains(id)
        })
    }
}

/// Makes the directory of a proposal.
fn begin(proposal: &Path, disk: &OnDisk) -> Result<(), RepositoryError> {
    make_directory(proposal)?;
    files::write(proposal, TRUSTED_NOW, disk.root.bytes())
}

/// Writes a target under the name that has its hash.
pub(super) fn write_target(
    directory: &Path,
    name: &TargetName,
    target: &Target,
) -> Result<(), RepositoryError> {
    let hash = hex::encode(crypto::sha256(&target.contents));
    files::write(directory, &format!("targets/{}", name.with_hash(&hash)), &target.contents)
}

/// The metadata files of a proposal.
pub(super) fn metadata_files(proposal: &Path) -> Result<Vec<String>, RepositoryError> {
    let io_error = |source| RepositoryError::Io { path: proposal.to_owned(), source };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(proposal).map_err(io_error)? {
        let name = entry.map_err(io_error)?.file_name().to_string_lossy().into_owned();
        if name.ends_with(ROOT_SUFFIX) || name.ends_with(TARGETS_SUFFIX) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

pub(super) fn next(version: NonZeroU64) -> NonZeroU64 {
    version.saturating_add(1)
}

pub(super) fn file_of<T: Role>(version: NonZeroU64) -> String {
    format!("{version}.{}.json", T::TYPE)
}

pub(super) fn make_directory(path: &Path) -> Result<(), RepositoryError> {
    durable::make_private_directory(path)
        .map_err(|source| RepositoryError::Io { path: path.to_owned(), source })
}
