//! The first version of a trust repository.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::Path;

use crypto::SigningKey;
use jiff::Timestamp;
use tuf::TargetName;
use tuf::publish::{self, RootKeys};

use super::change::{ChangeError, make_directory, write_target};
use super::{RepositoryError, Target, files};

/// The first root, whose fingerprint clients are given.
const FIRST_ROOT: &str = "1.root.json";

/// Makes the repository in `directory`: targets, and the first root, which `holders` sign. The root is written last: a
/// directory that has it is whole. Snapshot and timestamp are made by the server.
///
/// # Errors
///
/// See [`ChangeError`].
pub fn create(
    directory: &Path,
    keys: &RootKeys,
    holders: &[&SigningKey],
    targets: &BTreeMap<String, Target>,
    now: Timestamp,
) -> Result<(), ChangeError> {
    make_directory(&directory.join("targets"))?;
    let mut described = BTreeMap::new();
    for (name, target) in targets {
        let name = TargetName::new(name)?;
        write_target(directory, &name, target)?;
        described.insert(name.as_str().to_owned(), target.describe());
    }
    let first = NonZeroU64::MIN;
    let metadata = publish::targets(first, described, now)?;
    files::write(directory, "1.targets.json", &publish::sign(&metadata, holders)?)?;
    let root = publish::root(first, keys, now)?;
    files::write(directory, FIRST_ROOT, &publish::sign(&root, holders)?)?;
    Ok(())
}

/// The fingerprint of the repository in `directory`, by which clients know it: `SHA256:` and the hexadecimal SHA-256 of the
/// bytes of its first root. `None` if there is no repository.
///
/// # Errors
///
/// [`RepositoryError::Io`].
pub fn fingerprint(directory: &Path) -> Result<Option<String>, RepositoryError> {
    let path = directory.join(FIRST_ROOT);
    if !path.exists() {
        return Ok(None);
    }
    Ok(Some(format!("SHA256:{}", hex::encode(crypto::sha256(&files::read(&path)?)))))
}
