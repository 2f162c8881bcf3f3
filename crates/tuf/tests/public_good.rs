//! The metadata of the public-good instance, from its first root of 2021 on, are read as they are.
//!
//! The history holds what a client must survive: keys in hexadecimal, one key under two ids, empty signatures, expiry
//! times with offsets and fractions, `spec_version` of two components, members that nobody defined.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test fail it by panicking")]

use std::path::PathBuf;

use tuf::{Expiry, MemoryStore, MetadataStore, TargetFile, TargetName, TrustError, TrustedSet};

/// Where the public-good metadata are, if they are there.
fn data() -> Option<PathBuf> {
    testdata::path("trust")
}

fn root(directory: &std::path::Path, version: u32) -> Vec<u8> {
    std::fs::read(directory.join(format!("tuf-public-good/root_history/{version}.root.json")))
        .unwrap()
}

/// The whole repository as a client keeps it.
fn store(directory: &std::path::Path) -> MemoryStore {
    let store = MemoryStore::default();
    for version in 2..=15 {
        store.save(&format!("{version}.root.json"), &root(directory, version)).unwrap();
    }
    for name in ["timestamp.json", "snapshot.json", "targets.json", "registry.npmjs.org.json"] {
        let bytes = std::fs::read(directory.join("tuf-public-good").join(name)).unwrap();
        store.save(name, &bytes).unwrap();
    }
    store
}

/// Fetches from a store, as if it were a repository.
struct Nothing;

impl tuf::Fetch for Nothing {
    type Error = std::io::Error;
    async fn fetch(&self, _path: &str, _limit: u64) -> Result<Option<Vec<u8>>, Self::Error> {
        Ok(None)
    }
}

#[test]
fn every_root_follows_from_the_one_before_it() {
    let Some(data) = data() else { return };
    for first in 1..=15 {
        let mut set = TrustedSet::from_root(&root(&data, first), Expiry::Use)
            .unwrap_or_else(|error| panic!("root {first}: {error:?}"));
        for next in first + 1..=15 {
            set.update_root(&root(&data, next))
                .unwrap_or_else(|error| panic!("root {next} after {first}: {error:?}"));
        }
        assert_eq!(set.root().header.version.get(), 15);
    }
    println!("golden tuf-public-good: 15 cases, 15 equal, 0 exceptions");
}

#[test]
fn a_root_cannot_be_left_out_or_go_back() {
    let Some(data) = data() else { return };
    let mut set = TrustedSet::from_root(&root(&data, 5), Expiry::Use).unwrap();
    for wrong in [4, 5, 7] {
        let error = set.update_root(&root(&data, wrong)).unwrap_err();
        assert!(
            matches!(error, TrustError::Version { expected: 6, .. } | TrustError::Signature { .. }),
            "{error:?}"
        );
    }
    set.update_root(&root(&data, 6)).unwrap();
}

#[test]
fn the_whole_repository_is_verified_down_to_its_targets() {
    let Some(data) = data() else { return };
    let set = tuf::load(&root(&data, 1), &store(&data)).unwrap();
    let targets = set.targets("targets").unwrap();
    assert_eq!(set.timestamp().unwrap().header.version.get(), 762);
    let check = |name: &str, file: &str| {
        let target: &TargetFile = &targets.targets[name];
        target.check(&std::fs::read(data.join(file)).unwrap()).unwrap();
    };
    check("trusted_root.json", "trusted_root.json");
    check("signing_config.v0.2.json", "signing_config.v0.2.json");
}

#[test]
fn a_client_that_updates_refuses_what_has_expired() {
    let Some(data) = data() else { return };
    let at = |now: &str| -> Result<TrustedSet, TrustError> {
        let now = now.parse().unwrap();
        let mut set = TrustedSet::from_root(&root(&data, 15), Expiry::Refuse { now })?;
        let read = |name: &str| std::fs::read(data.join("tuf-public-good").join(name)).unwrap();
        set.update_timestamp(&read("timestamp.json"))?;
        set.update_snapshot(&read("snapshot.json"), true)?;
        set.update_targets(&read("targets.json"))?;
        Ok(set)
    };
    at("2026-08-28T19:25:55Z").unwrap();
    let expired = |result: Result<TrustedSet, TrustError>| match result {
        Err(TrustError::Expired { role, .. }) => role,
        other => panic!("{other:?}"),
    };
    assert_eq!(expired(at("2026-08-28T19:25:56Z")), "timestamp");
    assert_eq!(expired(at("2026-11-20T13:58:18Z")), "root");
}

#[tokio::test]
async fn a_target_of_a_delegated_role_is_found() {
    let Some(data) = data() else { return };
    let store = store(&data);
    let mut set = tuf::load(&root(&data, 15), &store).unwrap();
    let name = TargetName::new("registry.npmjs.org/keys.json").unwrap();
    let found = tuf::find_target(&mut set, &name, &Nothing, &store).await.unwrap();
    assert!(found.is_some());
    let other = TargetName::new("registry.npmjs.org/a/b").unwrap();
    assert!(tuf::find_target(&mut set, &other, &Nothing, &store).await.unwrap().is_none());
}
