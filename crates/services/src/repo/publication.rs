//! Publishing a change of trust: it is checked against the repository, and takes effect in one step.

use std::num::NonZeroU64;
use std::path::Path;

use tuf::{Role, Root, TargetName, Targets, Verified};

use super::change::{
    ChangeError, ROOT_SUFFIX, TARGETS_SUFFIX, file_of, metadata_files, next, still_signed,
};
use super::files::{self, OnDisk};
use super::{RepositoryError, known_target};

/// Checks a proposal against `repository` and puts its files there. Returns the roles that have new metadata.
///
/// Losing power between any two files loses nothing: the root is written last, targets that no metadata name are not looked
/// at, and metadata that no snapshot announces are announced by the next one, or published again.
///
/// # Errors
///
/// See [`ChangeError`]; [`RepositoryError::Signature`] says how many signatures are missing.
pub fn publish(proposal: &Path, repository: &Path) -> Result<Vec<&'static str>, ChangeError> {
    let disk = OnDisk::read(repository)?;
    let names = metadata_files(proposal)?;
    let named = |suffix: &str| names.iter().find(|name| name.ends_with(suffix));
    let root = named(ROOT_SUFFIX).map(|name| next_root(proposal, name, &disk)).transpose()?;
    let rules = root.as_ref().unwrap_or(&disk.root);
    let targets = named(TARGETS_SUFFIX);
    let targets = targets.map(|name| next_targets(proposal, name, &disk, rules)).transpose()?;
    if targets.is_none() {
        still_signed(&disk.targets, rules)?;
    }
    let mut published = Vec::new();
    if let Some(targets) = &targets {
        copy_targets(proposal, repository, targets)?;
        files::write(repository, &file_of::<Targets>(targets.header.version), targets.bytes())?;
        published.push(Targets::TYPE);
    }
    if let Some(root) = &root {
        files::write(repository, &file_of::<Root>(root.header.version), root.bytes())?;
        published.push(Root::TYPE);
    }
    if published.is_empty() { Err(ChangeError::Empty) } else { Ok(published) }
}

/// The root of a proposal, if it is the next one and those have signed it who must.
fn next_root(proposal: &Path, name: &str, disk: &OnDisk) -> Result<Verified<Root>, ChangeError> {
    let path = proposal.join(name);
    let root = files::parse::<Root>(&path)?
        .verify_successor(&disk.root)
        .map_err(|source| RepositoryError::Signature { path, source })?;
    must_follow::<Root>(root.header.version, disk.root.header.version)?;
    Ok(root)
}

/// The targets metadata of a proposal, if they are the next ones and the holders whom `root` names have signed them.
fn next_targets(
    proposal: &Path,
    name: &str,
    disk: &OnDisk,
    root: &Root,
) -> Result<Verified<Targets>, ChangeError> {
    let path = proposal.join(name);
    let targets = files::parse::<Targets>(&path)?
        .verify(Targets::TYPE, &root.keys, &root.roles.targets)
        .map_err(|source| RepositoryError::Signature { path, source })?;
    must_follow::<Targets>(targets.header.version, disk.targets.header.version)?;
    Ok(targets)
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
        known_target::check(name.as_str(), &contents)?;
        if !from.starts_with(repository) {
            files::write(repository, &place, &contents)?;
        }
    }
    Ok(())
}

fn must_follow<T: Role>(found: NonZeroU64, trusted: NonZeroU64) -> Result<(), ChangeError> {
    let expected = next(trusted);
    if found == expected {
        return Ok(());
    }
    Err(ChangeError::Stale { role: T::TYPE, expected: expected.get(), found: found.get() })
}
