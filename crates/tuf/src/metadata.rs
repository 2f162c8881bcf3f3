//! The four kinds of metadata (TUF specification §4.3–§4.6).
//!
//! Members that are not known are passed over here; signatures are made over the JSON as it came, which keeps them.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Delegations, FileHashes, Key, KeyId, MismatchError, file_hash};

/// What every kind of metadata has.
pub trait Role: DeserializeOwned + Serialize {
    /// The value of `_type`.
    const TYPE: &'static str;

    /// The common members.
    fn header(&self) -> &Header;
}

/// The members that every kind of metadata has.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Header {
    /// The kind.
    #[serde(rename = "_type")]
    pub kind: String,
    /// The version of the specification, such as `1.0` or `1.0.31`.
    pub spec_version: String,
    /// The version of the metadata, counted from one.
    pub version: NonZeroU64,
    /// When they cease to be good.
    #[serde(with = "expires")]
    pub expires: jiff::Timestamp,
}

/// Which keys speak for which role.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Root {
    /// The common members.
    #[serde(flatten)]
    pub header: Header,
    /// Whether files carry their version or hash in their names.
    #[serde(default)]
    pub consistent_snapshot: bool,
    /// The keys.
    pub keys: BTreeMap<KeyId, Key>,
    /// The keys of each role.
    pub roles: RootRoles,
}

/// The four roles that a root delegates to. Others may be named beside them; they mean nothing.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RootRoles {
    /// Who may replace the root.
    pub root: RoleKeys,
    /// Who says what the targets are.
    pub targets: RoleKeys,
    /// Who says which metadata belong together.
    pub snapshot: RoleKeys,
    /// Who says that this is now.
    pub timestamp: RoleKeys,
}

/// The keys of a role, and how many of them must sign.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RoleKeys {
    /// The keys.
    pub keyids: Vec<KeyId>,
    /// How many different keys must sign. Zero is refused when it is read (CVE-2026-23992).
    pub threshold: NonZeroU64,
}

/// What can be downloaded, and which roles say more.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Targets {
    /// The common members.
    #[serde(flatten)]
    pub header: Header,
    /// Targets by name.
    pub targets: BTreeMap<String, TargetFile>,
    /// Roles that are asked for what is not here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegations: Option<Delegations>,
}

/// A file that can be downloaded.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TargetFile {
    /// Its length in bytes.
    pub length: u64,
    /// Its hashes.
    pub hashes: FileHashes,
    /// What the publisher says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<Value>,
}

/// Which versions of targets metadata belong together.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Snapshot {
    /// The common members.
    #[serde(flatten)]
    pub header: Header,
    /// Metadata files by name, such as `targets.json`. Roles that nothing delegates to any more may stay.
    pub meta: BTreeMap<String, MetaFile>,
}

/// Which snapshot is the newest.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Timestamp {
    /// The common members.
    #[serde(flatten)]
    pub header: Header,
    /// The snapshot.
    pub meta: TimestampMeta,
}

/// The one file that a timestamp speaks of.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TimestampMeta {
    /// The snapshot.
    #[serde(rename = "snapshot.json")]
    pub snapshot: MetaFile,
}

/// A metadata file. Length and hashes are optional; the version binds it in any case.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct MetaFile {
    /// Its version.
    pub version: NonZeroU64,
    /// Its length in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// Its hashes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hashes: Option<FileHashes>,
}

impl Header {
    /// The header of new metadata of kind `kind`.
    pub(crate) fn new(kind: &str, version: NonZeroU64, expires: jiff::Timestamp) -> Self {
        Self {
            kind: kind.to_owned(),
            spec_version: crate::SPEC_VERSION.to_owned(),
            version,
            expires,
        }
    }
}

impl TargetFile {
    /// A target with these contents.
    #[must_use]
    pub fn of(contents: &[u8], custom: Option<Value>) -> Self {
        let length = u64::try_from(contents.len()).unwrap_or(u64::MAX);
        Self { length, hashes: file_hash::of(contents), custom }
    }

    /// Checks that `contents` are this target.
    ///
    /// # Errors
    ///
    /// [`MismatchError`].
    pub fn check(&self, contents: &[u8]) -> Result<(), MismatchError> {
        file_hash::check(contents, Some(self.length), Some(&self.hashes))
    }
}

impl MetaFile {
    /// A metadata file of this version with these bytes.
    #[must_use]
    pub fn of(version: NonZeroU64, contents: &[u8]) -> Self {
        let length = u64::try_from(contents.len()).ok();
        Self { version, length, hashes: Some(file_hash::of(contents)) }
    }

    /// Checks length and hashes, as far as they are given.
    ///
    /// # Errors
    ///
    /// [`MismatchError`].
    pub fn check(&self, contents: &[u8]) -> Result<(), MismatchError> {
        file_hash::check(contents, self.length, self.hashes.as_ref())
    }
}

impl Role for Root {
    const TYPE: &'static str = "root";
    fn header(&self) -> &Header {
        &self.header
    }
}

impl Role for Targets {
    const TYPE: &'static str = "targets";
    fn header(&self) -> &Header {
        &self.header
    }
}

impl Role for Snapshot {
    const TYPE: &'static str = "snapshot";
    fn header(&self) -> &Header {
        &self.header
    }
}

impl Role for Timestamp {
    const TYPE: &'static str = "timestamp";
    fn header(&self) -> &Header {
        &self.header
    }
}

/// Times in metadata. Read with fractions and offsets, which the first public-good roots have; written as the
/// specification says, in whole seconds and with `Z`, because python-tuf reads nothing else.
mod expires {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(|_| de::Error::custom("the expiry is not an RFC 3339 time"))
    }
}
