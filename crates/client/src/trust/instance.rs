//! One instance: fetched and verified into a record, and verified again out of it.

use std::collections::BTreeMap;

use bytes::Bytes;
use crypto::sha256;
use jiff::Timestamp;
use tuf::{Fetch, MemoryStore, MetadataStore, TargetName, TrustedSet};
use url::Url;
use wire::trusted_root::TrustedRoot;

use super::record::Record;
use super::{Trust, TrustEntry, TrustError};

/// The largest root metadata, as TUF clients read it.
pub(super) const MAX_ROOT: u64 = 512_000;
/// The target that must be there.
const TRUSTED_ROOT: &str = "trusted_root.json";
/// The targets that are kept if they are there.
const SIGNING_CONFIG: &str = "signing_config.v0.2.json";
const SIGNING_CONFIG_REKOR_V1: &str = "signing_config_rekor_v1.v0.2.json";
const SIGNING_CONFIG_REKOR_V2: &str = "signing_config_rekor_v2.v0.2.json";
const TLS_CA: &str = "tls_ca.pem";
const TARGETS: [&str; 5] =
    [TRUSTED_ROOT, SIGNING_CONFIG, SIGNING_CONFIG_REKOR_V1, SIGNING_CONFIG_REKOR_V2, TLS_CA];
/// The longest target that is kept.
const MAX_TARGET: u64 = 4 << 20;

/// The root with which trust begins: a version, and the SHA-256 of its bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Anchor {
    pub(super) version: u64,
    digest: [u8; 32],
}

impl Anchor {
    /// Reads a fingerprint: `SHA256:` and 64 hexadecimal digits, in either case.
    pub(super) fn parse(version: u64, fingerprint: &str) -> Result<Self, TrustError> {
        let malformed = || TrustError::FingerprintForm(fingerprint.chars().take(100).collect());
        let (name, digits) = fingerprint.trim().split_once(':').ok_or_else(malformed)?;
        let mut digest = [0; 32];
        let read = hex::decode_to_slice(digits, &mut digest);
        if !name.eq_ignore_ascii_case("sha256") || read.is_err() {
            return Err(malformed());
        }
        Ok(Self { version, digest })
    }

    pub(super) fn fingerprint(&self) -> String {
        format!("SHA256:{}", hex::encode(self.digest))
    }

    /// Checks that `root` is the root with which trust begins.
    pub(super) fn check(&self, url: &Url, root: &[u8]) -> Result<(), TrustError> {
        if sha256(root) == self.digest {
            return Ok(());
        }
        Err(TrustError::Fingerprint {
            url: url.to_string(),
            expected: self.fingerprint(),
            found: format!("SHA256:{}", hex::encode(sha256(root))),
        })
    }
}

/// Brings an instance up to date: `root` are the bytes that the anchor's fingerprint belongs to, `known` is what is kept of
/// it, if anything.
pub(super) async fn fetch<F: Fetch<Error = net::RequestError>>(
    place: (&str, &Url),
    anchor: &Anchor,
    root: &[u8],
    known: Option<&Record>,
    repository: &F,
    now: Timestamp,
) -> Result<Record, TrustError> {
    let (name, url) = place;
    anchor.check(url, root)?;
    let failed = |source| TrustError::Update { name: name.to_owned(), source: Box::new(source) };
    let store = known.map(Record::metadata).unwrap_or_default();
    // The store is memory, whose writes do not fail.
    let _ = store.save(&Record::anchor_file(anchor.version), root);
    let mut set = tuf::refresh(root, repository, &store, now).await.map_err(failed)?;
    let mut targets = BTreeMap::new();
    for target in TARGETS {
        let bytes = fetch_target(&mut set, target, known, repository, &store).await;
        if let Some(bytes) = bytes.map_err(failed)? {
            targets.insert(target.to_owned(), bytes);
        }
    }
    let missing = || TrustError::MissingTarget { name: name.to_owned(), target: TRUSTED_ROOT };
    let trusted_root = targets.get(TRUSTED_ROOT).ok_or_else(missing)?;
    // Refused now rather than at the first verification.
    TrustedRoot::parse(trusted_root).map_err(|source| damaged(name, source))?;
    let anchor = (anchor.version, anchor.fingerprint());
    Ok(Record::new(name, url, anchor, now, store, targets))
}

/// A target, from what is kept if it is still the one that the metadata describe.
async fn fetch_target<F: Fetch<Error = net::RequestError>>(
    set: &mut TrustedSet,
    name: &str,
    known: Option<&Record>,
    repository: &F,
    store: &MemoryStore,
) -> Result<Option<Vec<u8>>, tuf::UpdateError<net::RequestError>> {
    let Ok(target_name) = TargetName::new(name) else { return Ok(None) };
    let Some(target) = tuf::find_target(set, &target_name, repository, store).await? else {
        return Ok(None);
    };
    let kept = known.and_then(|known| known.target(name));
    if let Some(kept) = kept.filter(|kept| target.check(kept).is_ok()) {
        return Ok(Some(kept.to_vec()));
    }
    if target.length > MAX_TARGET {
        return Ok(None);
    }
    tuf::download(set, &target_name, &target, repository).await.map(Some)
}

/// Verifies what is kept of an instance, from the root with the fingerprint that the user gave.
pub(super) fn open(record: &Record, now: Timestamp) -> Result<Trust, TrustError> {
    let set = verify(record)?;
    let target = |name: &str| -> Result<Option<Bytes>, TrustError> {
        let Some(bytes) = record.target(name) else { return Ok(None) };
        let described = set.targets("targets").and_then(|targets| targets.targets.get(name));
        let missing =
            || damaged(&record.name, io_error("a target is kept that the metadata do not know"));
        let described = described.ok_or_else(missing)?;
        described.check(bytes).map_err(|source| damaged(&record.name, source))?;
        Ok(Some(Bytes::copy_from_slice(bytes)))
    };
    let missing = || TrustError::MissingTarget { name: record.name.clone(), target: TRUSTED_ROOT };
    Ok(Trust {
        name: record.name.clone(),
        trusted_root: target(TRUSTED_ROOT)?.ok_or_else(missing)?,
        signing_config: target(SIGNING_CONFIG)?,
        signing_config_rekor_v1: target(SIGNING_CONFIG_REKOR_V1)?,
        signing_config_rekor_v2: target(SIGNING_CONFIG_REKOR_V2)?,
        tls_ca: target(TLS_CA)?,
        warnings: age_warning(record, &set, now).into_iter().collect(),
    })
}

/// Verifies the metadata of a record.
fn verify(record: &Record) -> Result<TrustedSet, TrustError> {
    let anchor = Anchor::parse(record.root_version, &record.fingerprint)?;
    anchor.check(&record.url, record.anchor_bytes())?;
    tuf::load(record.anchor_bytes(), &record.metadata()).map_err(|e| damaged(&record.name, e))
}

/// Says how old the material is, once any of its metadata has expired.
fn age_warning(record: &Record, set: &TrustedSet, now: Timestamp) -> Option<String> {
    let roles = set.roles();
    let expired =
        roles.iter().filter(|role| role.expires <= now).min_by_key(|role| role.expires)?;
    Some(format!(
        "the trust material of {name} was last updated {} days ago, and its {} metadata have expired; hint: bulla trust update {name}",
        now.duration_since(record.updated).as_hours() / 24,
        expired.role,
        name = record.name,
    ))
}

/// The instance as it is listed.
pub(super) fn entry(record: &Record, default: bool) -> Result<TrustEntry, TrustError> {
    let roles = verify(record)?.roles();
    Ok(TrustEntry {
        name: record.name.clone(),
        url: record.url.clone(),
        fingerprint: record.fingerprint.clone(),
        first_root: record.anchor_bytes().to_vec(),
        default,
        updated: record.updated,
        roles: roles.into_iter().map(|role| (role.role, role.version, role.expires)).collect(),
    })
}

fn io_error(what: &'static str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, what)
}

pub(super) fn damaged(
    name: &str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> TrustError {
    TrustError::Damaged { name: name.to_owned(), source: Box::new(source) }
}
