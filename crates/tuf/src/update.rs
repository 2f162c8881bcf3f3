//! The client's procedure (TUF specification §5): root, timestamp, snapshot, targets; then a target.
//!
//! Each file is kept in the store after it was verified, and only then.

use std::io;

use crate::name::encode_role;
use crate::{
    Delegation, Expiry, Fetch, MetadataStore, MismatchError, Role, Root, Snapshot, TargetFile,
    TargetName, Targets, TrustError, TrustedSet,
};

/// The largest files that are fetched when nothing says how long they are: python-tuf's limits.
const MAX_ROOT: u64 = 512_000;
const MAX_TIMESTAMP: u64 = 16_384;
const MAX_SNAPSHOT: u64 = 2_000_000;
const MAX_TARGETS: u64 = 5_000_000;
/// How many new roots are followed in one update; more is an endless chain (§5.3.3).
const MAX_ROOTS: usize = 256;
/// How many delegated roles are asked for one target (§5.6.7).
const MAX_DELEGATIONS: usize = 32;

/// Why an update or a download did not succeed. What was trusted before still is.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError<E: std::error::Error + 'static> {
    /// A file was refused.
    #[error("the repository's metadata were refused")]
    Refused(#[from] TrustError),
    /// A file could not be fetched.
    #[error("{path} could not be fetched")]
    Fetch {
        /// Its path in the repository.
        path: String,
        /// Why.
        #[source]
        source: E,
    },
    /// A file that must be there is not.
    #[error("the repository has no {path}")]
    Missing {
        /// Its path in the repository.
        path: String,
    },
    /// The client's own store cannot be read or written.
    #[error("{name} could not be kept")]
    Store {
        /// The file's name in the store.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A chain of roots has no end.
    #[error("there are more than {MAX_ROOTS} new roots")]
    TooManyRoots,
    /// A target is not the file that the metadata describe.
    #[error("the target {name} is not the file that the metadata describe")]
    Target {
        /// Its name.
        name: String,
        /// In what it differs.
        #[source]
        source: MismatchError,
    },
}

/// Brings the metadata in `store` up to date, beginning with the bytes of a root that is trusted.
///
/// # Errors
///
/// See [`UpdateError`].
pub async fn refresh<F: Fetch, S: MetadataStore>(
    root: &[u8],
    fetch: &F,
    store: &S,
    now: jiff::Timestamp,
) -> Result<TrustedSet, UpdateError<F::Error>> {
    let mut set = TrustedSet::from_root(root, Expiry::Refuse { now })?;
    follow_roots(&mut set, fetch, store).await?;
    refresh_timestamp(&mut set, fetch, store).await?;
    refresh_snapshot(&mut set, fetch, store).await?;
    refresh_targets(&mut set, fetch, store).await?;
    Ok(set)
}

/// Verifies what is in `store` again, beginning with the bytes of a root that is trusted, and fetches nothing.
/// Metadata may have expired: see [`Expiry::Use`].
///
/// # Errors
///
/// See [`UpdateError`]; [`UpdateError::Missing`] if the store does not hold all four roles.
pub fn load<S: MetadataStore>(
    root: &[u8],
    store: &S,
) -> Result<TrustedSet, UpdateError<std::convert::Infallible>> {
    let mut set = TrustedSet::from_root(root, Expiry::Use)?;
    while let Some(bytes) = read(store, &next_root(&set))? {
        set.update_root(&bytes)?;
    }
    let stored = |name: &str| {
        read(store, name)?.ok_or_else(|| UpdateError::Missing { path: name.to_owned() })
    };
    set.update_timestamp(&stored("timestamp.json")?)?;
    set.update_snapshot(&stored("snapshot.json")?, true)?;
    set.update_targets(&stored("targets.json")?)?;
    Ok(set)
}

/// §5.3: every root from the trusted one to the newest, those in the store first. A stored root that does not follow
/// is fetched again.
async fn follow_roots<F: Fetch, S: MetadataStore>(
    set: &mut TrustedSet,
    fetch: &F,
    store: &S,
) -> Result<(), UpdateError<F::Error>> {
    for _ in 0..MAX_ROOTS {
        let name = next_root(set);
        if let Some(bytes) = read(store, &name)?
            && set.update_root(&bytes).is_ok()
        {
            continue;
        }
        let Some(bytes) = fetch_optional(fetch, &name, MAX_ROOT).await? else { return Ok(()) };
        set.update_root(&bytes)?;
        keep(store, &name, &bytes)?;
    }
    Err(UpdateError::TooManyRoots)
}

/// §5.4. The stored timestamp is what the new one must not be older than; one that no longer verifies (its key was
/// replaced, or the file was damaged) is no obstacle.
async fn refresh_timestamp<F: Fetch, S: MetadataStore>(
    set: &mut TrustedSet,
    fetch: &F,
    store: &S,
) -> Result<(), UpdateError<F::Error>> {
    let name = "timestamp.json";
    if let Some(bytes) = read(store, name)? {
        let _ = set.update_timestamp(&bytes);
    }
    let bytes = fetch_needed(fetch, name, MAX_TIMESTAMP).await?;
    if set.update_timestamp(&bytes)? {
        keep(store, name, &bytes)?;
    }
    Ok(())
}

/// §5.5.
async fn refresh_snapshot<F: Fetch, S: MetadataStore>(
    set: &mut TrustedSet,
    fetch: &F,
    store: &S,
) -> Result<(), UpdateError<F::Error>> {
    if let Some(bytes) = read(store, "snapshot.json")?
        && set.update_snapshot(&bytes, false).is_ok()
    {
        return Ok(());
    }
    let meta = set.announced_snapshot()?.clone();
    let path = versioned(set, Snapshot::TYPE, meta.version.get());
    let bytes = fetch_needed(fetch, &path, meta.length.unwrap_or(MAX_SNAPSHOT)).await?;
    set.update_snapshot(&bytes, true)?;
    keep(store, "snapshot.json", &bytes)
}

/// §5.6, the top role.
async fn refresh_targets<F: Fetch, S: MetadataStore>(
    set: &mut TrustedSet,
    fetch: &F,
    store: &S,
) -> Result<(), UpdateError<F::Error>> {
    if let Some(bytes) = read(store, "targets.json")?
        && set.update_targets(&bytes).is_ok()
    {
        return Ok(());
    }
    let meta = set.announced_targets(Targets::TYPE)?;
    let path = versioned(set, Targets::TYPE, meta.version.get());
    let bytes = fetch_needed(fetch, &path, meta.length.unwrap_or(MAX_TARGETS)).await?;
    set.update_targets(&bytes)?;
    keep(store, "targets.json", &bytes)
}

/// Looks a target up, in the top role and then in the roles that it delegates to, in the order of the specification
/// (§5.6.7): each role before its own delegations, and nothing after a terminating one that covers the name.
///
/// # Errors
///
/// See [`UpdateError`]. A name that no role knows is `None`.
pub async fn find_target<F: Fetch, S: MetadataStore>(
    set: &mut TrustedSet,
    name: &TargetName,
    fetch: &F,
    store: &S,
) -> Result<Option<TargetFile>, UpdateError<F::Error>> {
    // Roles still to be asked, the next one last, each with the role that delegates to it.
    let mut waiting: Vec<(String, Option<Delegation>)> = vec![(String::new(), None)];
    let mut asked: Vec<String> = Vec::new();
    while let Some((parent, delegation)) = waiting.pop() {
        let role =
            delegation.as_ref().map_or(Targets::TYPE, |delegation| &delegation.name).to_owned();
        if asked.contains(&role) || asked.len() > MAX_DELEGATIONS {
            continue;
        }
        if let Some(delegation) = &delegation {
            refresh_delegated(set, &parent, delegation, fetch, store).await?;
        }
        asked.push(role.clone());
        let Some(metadata) = set.targets(&role) else { continue };
        if let Some(target) = metadata.targets.get(name.as_str()) {
            return Ok(Some(target.clone()));
        }
        let delegations = metadata.delegations.iter().flat_map(|all| &all.roles);
        let mut covering = Vec::new();
        for delegation in delegations.filter(|delegation| delegation.covers(name.as_str())) {
            covering.push((role.clone(), Some(delegation.clone())));
            if delegation.terminating {
                waiting.clear();
                break;
            }
        }
        waiting.extend(covering.into_iter().rev());
    }
    Ok(None)
}

async fn refresh_delegated<F: Fetch, S: MetadataStore>(
    set: &mut TrustedSet,
    parent: &str,
    delegation: &Delegation,
    fetch: &F,
    store: &S,
) -> Result<(), UpdateError<F::Error>> {
    let name = format!("{}.json", encode_role(&delegation.name));
    if let Some(bytes) = read(store, &name)?
        && set.update_delegated(parent, delegation, &bytes).is_ok()
    {
        return Ok(());
    }
    let meta = set.announced_targets(&delegation.name)?;
    let path = versioned(set, &delegation.name, meta.version.get());
    let bytes = fetch_needed(fetch, &path, meta.length.unwrap_or(MAX_TARGETS)).await?;
    set.update_delegated(parent, delegation, &bytes)?;
    keep(store, &name, &bytes)
}

/// Fetches the target `name`, which the metadata describe as `target`, and checks it (§5.7).
///
/// # Errors
///
/// See [`UpdateError`].
pub async fn download<F: Fetch>(
    set: &TrustedSet,
    name: &TargetName,
    target: &TargetFile,
    fetch: &F,
) -> Result<Vec<u8>, UpdateError<F::Error>> {
    let hash = target.hashes.get("sha256").or_else(|| target.hashes.get("sha512"));
    let path = match hash {
        // A hash that is not plain hexadecimal would be a path of its own.
        Some(hash) if set.root().consistent_snapshot && hex::decode(hash).is_ok() => {
            format!("targets/{}", name.with_hash(hash))
        }
        _ => format!("targets/{}", name.as_str()),
    };
    let bytes = fetch_needed(fetch, &path, target.length).await?;
    let mismatch = |source| UpdateError::Target { name: name.as_str().to_owned(), source };
    target.check(&bytes).map_err(mismatch)?;
    Ok(bytes)
}

fn next_root(set: &TrustedSet) -> String {
    let next = set.root().header().version.get().saturating_add(1);
    format!("{next}.{}.json", Root::TYPE)
}

fn versioned(set: &TrustedSet, role: &str, version: u64) -> String {
    let role = encode_role(role);
    if set.root().consistent_snapshot {
        format!("{version}.{role}.json")
    } else {
        format!("{role}.json")
    }
}

async fn fetch_optional<F: Fetch>(
    fetch: &F,
    path: &str,
    limit: u64,
) -> Result<Option<Vec<u8>>, UpdateError<F::Error>> {
    fetch
        .fetch(path, limit)
        .await
        .map_err(|source| UpdateError::Fetch { path: path.to_owned(), source })
}

async fn fetch_needed<F: Fetch>(
    fetch: &F,
    path: &str,
    limit: u64,
) -> Result<Vec<u8>, UpdateError<F::Error>> {
    fetch_optional(fetch, path, limit)
        .await?
        .ok_or_else(|| UpdateError::Missing { path: path.to_owned() })
}

fn read<S: MetadataStore, E: std::error::Error>(
    store: &S,
    name: &str,
) -> Result<Option<Vec<u8>>, UpdateError<E>> {
    store.load(name).map_err(|source| UpdateError::Store { name: name.to_owned(), source })
}

fn keep<S: MetadataStore, E: std::error::Error>(
    store: &S,
    name: &str,
    bytes: &[u8],
) -> Result<(), UpdateError<E>> {
    store.save(name, bytes).map_err(|source| UpdateError::Store { name: name.to_owned(), source })
}
