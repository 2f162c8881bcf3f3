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
use tuf::{KeyId, Role, RoleKeys, Root, TargetName, Targets, Verified, VerifyError};

use super::files::{self, OnDisk};
use super::{RepositoryError, Target};
use crate::durable;

/// How the name of proposed or published root metadata ends.
const ROOT_SUFFIX: &str = ".root.json";
/// How that of targets metadata ends.
const TARGETS_SUFFIX: &str = ".targets.json";
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
                write_target(proposal, &name, target)?;
                targets.insert(name.as_str().to_owned(), target.describe());
            }
            None => {
                targets.remove(name.as_str());
            }
        }
    }
    let version = next(disk.targets.header.version);
    let metadata = publish::targets(version, targets, now)?;
    files::write(proposal, &file_of::<Targets>(version), &publish::sign(&metadata, &[])?)?;
    Ok(())
}

/// Proposes the next root of `repository` in the directory `proposal`: with other keys, or the same for another year.
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
    Ok(())
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

/// Checks a proposal against `repository` and puts its files there. Returns the roles that have new metadata.
///
/// Losing power between any two files loses nothing: targets that no metadata name are not looked at, and metadata that no
/// snapshot announces are announced by the next one.
///
/// # Errors
///
/// See [`ChangeError`]; [`RepositoryError::Signature`] says how many signatures are missing.
pub fn publish(proposal: &Path, repository: &Path) -> Result<Vec<&'static str>, ChangeError> {
    let disk = OnDisk::read(repository)?;
    let names = metadata_files(proposal)?;
    let named = |suffix: &str| names.iter().find(|name| name.ends_with(suffix));
    let mut published = Vec::new();
    let mut root = (*disk.root).clone();
    if let Some(name) = named(ROOT_SUFFIX) {
        let path = proposal.join(name);
        let next = files::parse::<Root>(&path)?
            .verify_successor(&disk.root)
            .map_err(|source| RepositoryError::Signature { path, source })?;
        must_follow::<Root>(next.header.version, disk.root.header.version)?;
        root = (*next).clone();
        published.push((name.clone(), next.bytes().to_vec(), Root::TYPE));
    }
    if let Some(name) = named(TARGETS_SUFFIX) {
        let path = proposal.join(name);
        let next = files::parse::<Targets>(&path)?
            .verify(Targets::TYPE, &root.keys, &root.roles.targets)
            .map_err(|source| RepositoryError::Signature { path, source })?;
        must_follow::<Targets>(next.header.version, disk.targets.header.version)?;
        copy_targets(proposal, repository, &next)?;
        published.push((name.clone(), next.bytes().to_vec(), Targets::TYPE));
    }
    for (name, bytes, _) in &published {
        files::write(repository, name, bytes)?;
    }
    if published.is_empty() {
        return Err(ChangeError::Empty);
    }
    Ok(published.into_iter().map(|(_, _, role)| role).collect())
}

/// Copies the targets that the repository does not have, and checks all.
fn copy_targets(proposal: &Path, repository: &Path, targets: &Targets) -> Result<(), ChangeError> {
    for (name, target) in &targets.targets {
        let name = TargetName::new(name)?;
        let hash = target.hashes.get("sha256").map_or("", String::as_str);
        let place = format!("targets/{}", name.with_hash(hash));
        let from = [repository.join(&place), proposal.join(&place)]
            .into_iter()
            .find(|path| path.exists())
            .unwrap_or_else(|| proposal.join(&place));
        let contents = files::read(&from)?;
        let mismatch = |source| RepositoryError::Target { path: from.clone(), source };
        target.check(&contents).map_err(mismatch)?;
        if !from.starts_with(repository) {
            files::write(repository, &place, &contents)?;
        }
    }
    Ok(())
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
fn metadata_files(proposal: &Path) -> Result<Vec<String>, RepositoryError> {
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

fn must_follow<T: Role>(found: NonZeroU64, trusted: NonZeroU64) -> Result<(), ChangeError> {
    let expected = next(trusted);
    if found == expected {
        return Ok(());
    }
    Err(ChangeError::Stale { role: T::TYPE, expected: expected.get(), found: found.get() })
}

fn next(version: NonZeroU64) -> NonZeroU64 {
    version.saturating_add(1)
}

fn file_of<T: Role>(version: NonZeroU64) -> String {
    format!("{version}.{}.json", T::TYPE)
}

pub(super) fn make_directory(path: &Path) -> Result<(), RepositoryError> {
    durable::make_private_directory(path)
        .map_err(|source| RepositoryError::Io { path: path.to_owned(), source })
}
