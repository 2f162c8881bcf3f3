//! Making metadata: what a repository's owner and its server write and sign.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use crypto::{PublicKey, SigningKey};
use jiff::{SignedDuration, Timestamp as Time};
use serde::Serialize;

use crate::metadata::{Header, RootRoles, TimestampMeta};
use crate::verify::{Envelope, Signature};
use crate::{
    CanonicalError, Key, KeyId, MetaFile, ParseError, Role, RoleKeys, Root, Snapshot, TargetFile,
    Targets, Timestamp, Unverified, canonical_json,
};

/// How long root and targets are good: their keys are offline, and a year between ceremonies is what people keep up.
pub const OFFLINE_PERIOD: SignedDuration = SignedDuration::from_hours(365 * 24);
/// How long a snapshot is good.
pub const SNAPSHOT_PERIOD: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long a timestamp is good, and so how long a client can be kept from seeing what is new.
pub const TIMESTAMP_PERIOD: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How often snapshot and timestamp are signed anew: six days remain in which to mend what keeps it from happening.
pub const RENEWAL_INTERVAL: SignedDuration = SignedDuration::from_hours(24);

/// The keys that a root names.
#[derive(Clone, Debug)]
pub struct RootKeys {
    /// The holders of the offline keys, who sign root and targets.
    pub holders: Vec<PublicKey>,
    /// How many of them must sign.
    pub threshold: NonZeroU64,
    /// The snapshot's key.
    pub snapshot: PublicKey,
    /// The timestamp's key.
    pub timestamp: PublicKey,
}

/// Why metadata could not be made or signed.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// A key is of a kind that TUF clients do not read.
    #[error("TUF keys are P-256 or Ed25519")]
    KeyKind,
    /// More holders must sign than there are.
    #[error("{threshold} of {holders} holders cannot sign")]
    Threshold {
        /// How many must sign.
        threshold: u64,
        /// How many there are.
        holders: usize,
    },
    /// The metadata have no canonical form.
    #[error("the metadata have no canonical form")]
    NotCanonical(#[source] CanonicalError),
    /// The metadata cannot be written as JSON.
    #[error("the metadata cannot be written")]
    Json(#[source] serde_json::Error),
    /// A key did not sign.
    #[error("a key could not sign")]
    Signing(#[source] crypto::SigningKeyError),
    /// The file to sign cannot be read.
    #[error("the metadata to sign cannot be read")]
    Parse(#[source] ParseError),
    /// Time ran out of the range of dates.
    #[error("the expiry is beyond the range of dates")]
    Time(#[source] jiff::Error),
}

/// A root that names `keys`, good for [`OFFLINE_PERIOD`] from `now`.
///
/// # Errors
///
/// [`PublishError::KeyKind`], [`PublishError::Threshold`].
pub fn root(version: NonZeroU64, keys: &RootKeys, now: Time) -> Result<Root, PublishError> {
    let mut all = BTreeMap::new();
    let mut name = |keys: &[PublicKey], threshold| -> Result<RoleKeys, PublishError> {
        let mut keyids = Vec::new();
        for key in keys {
            let key = Key::new(key).ok_or(PublishError::KeyKind)?;
            // Clients refuse a role that names a key twice, and count it once.
            if !keyids.contains(&key.id()) {
                keyids.push(key.id());
            }
            all.insert(key.id(), key);
        }
        Ok(RoleKeys { keyids, threshold })
    };
    let holders = name(&keys.holders, keys.threshold)?;
    if keys.threshold.get() > u64::try_from(holders.keyids.len()).unwrap_or(u64::MAX) {
        let (threshold, holders) = (keys.threshold.get(), holders.keyids.len());
        return Err(PublishError::Threshold { threshold, holders });
    }
    let snapshot = name(std::slice::from_ref(&keys.snapshot), NonZeroU64::MIN)?;
    let timestamp = name(std::slice::from_ref(&keys.timestamp), NonZeroU64::MIN)?;
    Ok(Root {
        header: Header::new(Root::TYPE, version, after(now, OFFLINE_PERIOD)?),
        consistent_snapshot: true,
        keys: all,
        roles: RootRoles { root: holders.clone(), targets: holders, snapshot, timestamp },
    })
}

/// Targets, good for [`OFFLINE_PERIOD`] from `now`.
///
/// # Errors
///
/// [`PublishError::Time`].
pub fn targets(
    version: NonZeroU64,
    targets: BTreeMap<String, TargetFile>,
    now: Time,
) -> Result<Targets, PublishError> {
    let header = Header::new(Targets::TYPE, version, after(now, OFFLINE_PERIOD)?);
    Ok(Targets { header, targets, delegations: None })
}

/// A snapshot with the targets metadata in `targets`, good for [`SNAPSHOT_PERIOD`] from `now`.
///
/// # Errors
///
/// [`PublishError::Time`].
pub fn snapshot(
    version: NonZeroU64,
    targets: MetaFile,
    now: Time,
) -> Result<Snapshot, PublishError> {
    let header = Header::new(Snapshot::TYPE, version, after(now, SNAPSHOT_PERIOD)?);
    let meta = BTreeMap::from([(format!("{}.json", Targets::TYPE), targets)]);
    Ok(Snapshot { header, meta })
}

/// A timestamp that announces `snapshot`, good for [`TIMESTAMP_PERIOD`] from `now`.
///
/// # Errors
///
/// [`PublishError::Time`].
pub fn timestamp(
    version: NonZeroU64,
    snapshot: MetaFile,
    now: Time,
) -> Result<Timestamp, PublishError> {
    let header = Header::new(Timestamp::TYPE, version, after(now, TIMESTAMP_PERIOD)?);
    Ok(Timestamp { header, meta: TimestampMeta { snapshot } })
}

fn after(now: Time, period: SignedDuration) -> Result<Time, PublishError> {
    now.checked_add(period).map_err(PublishError::Time)
}

/// The metadata as a file, signed by `keys`. Without keys it is a proposal that waits for signatures.
///
/// # Errors
///
/// See [`PublishError`].
pub fn sign<T: Role>(metadata: &T, keys: &[&SigningKey]) -> Result<Vec<u8>, PublishError> {
    let signed = serde_json::to_value(metadata).map_err(PublishError::Json)?;
    let canonical = canonical_json(&signed).map_err(PublishError::NotCanonical)?;
    let mut signatures = Vec::new();
    for key in keys {
        signatures.push(signature(key, &canonical)?);
    }
    file(&Envelope { signatures, signed })
}

/// Adds the signature of `key` to a file. What is signed is the file as it is, with members that are not known here.
/// Signing again replaces the signature that was there.
///
/// # Errors
///
/// See [`PublishError`].
pub fn add_signature<T: Role>(bytes: &[u8], key: &SigningKey) -> Result<Vec<u8>, PublishError> {
    let unsigned = Unverified::<T>::parse(bytes).map_err(PublishError::Parse)?;
    let (mut envelope, canonical) = unsigned.into_envelope();
    let signature = signature(key, &canonical)?;
    envelope.signatures.retain(|old| old.keyid != signature.keyid);
    envelope.signatures.push(signature);
    file(&envelope)
}

/// The id of `key` in metadata of ours.
///
/// # Errors
///
/// [`PublishError::KeyKind`].
pub fn key_id(key: &PublicKey) -> Result<KeyId, PublishError> {
    Key::new(key).map(|key| key.id()).ok_or(PublishError::KeyKind)
}

fn signature(key: &SigningKey, canonical: &[u8]) -> Result<Signature, PublishError> {
    let keyid = key_id(key.public_key())?;
    let sig = key.sign(canonical).map_err(PublishError::Signing)?;
    Ok(Signature { keyid, sig: hex::encode(sig) })
}

/// Indented by one space, for people to read and for `diff`.
fn file(envelope: &Envelope) -> Result<Vec<u8>, PublishError> {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    envelope.serialize(&mut serializer).map_err(PublishError::Json)?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use crypto::KeyKind;

    use super::*;

    #[test]
    fn a_holder_who_is_named_twice_is_one_and_cannot_sign_for_two() {
        let [one, other, online] = std::array::from_fn(|_| {
            SigningKey::generate(KeyKind::EcdsaP256).unwrap().public_key().clone()
        });
        let root_of = |holders: [&PublicKey; 2]| {
            let keys = RootKeys {
                holders: holders.map(Clone::clone).to_vec(),
                threshold: NonZeroU64::new(2).unwrap(),
                snapshot: online.clone(),
                timestamp: online.clone(),
            };
            root(NonZeroU64::MIN, &keys, Time::UNIX_EPOCH)
        };
        assert_eq!(root_of([&one, &other]).unwrap().roles.root.keyids.len(), 2);
        let refused = root_of([&one, &one]).unwrap_err();
        assert!(matches!(refused, PublishError::Threshold { threshold: 2, holders: 1 }));
    }
}
