//! What points to content: its type, digest and size.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Digest, FetchError, media_type};

/// Points to a document or a blob (OCI Image Specification, Descriptors).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The type of the content.
    pub media_type: String,
    /// The digest of the content.
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
    /// For which machine an image of an index is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// What kind of artifact a document is. Whoever wrote the index says so: nothing may depend on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Free notes. Whoever wrote the document says so: nothing may depend on them.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Members that are not known here; kept when an index is written again.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// `null` is what some writers make of a map that is empty.
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Descriptor {
    /// Points to `bytes`.
    #[must_use]
    pub fn of(media_type: impl Into<String>, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::of(bytes), bytes.len() as u64)
    }

    /// Refuses content that is said to have more than `limit` bytes, before any of it is read.
    pub(crate) fn check_size(
        &self,
        limit: u64,
        what: impl FnOnce() -> String,
    ) -> Result<(), FetchError> {
        if self.size > limit {
            return Err(FetchError::TooLong { what: what(), size: self.size, limit });
        }
        Ok(())
    }

    /// Points to content that is known by its digest.
    #[must_use]
    pub fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.into(),
            digest,
            size,
            platform: None,
            artifact_type: None,
            annotations: BTreeMap::new(),
            other: BTreeMap::new(),
        }
    }

    /// The configuration of manifests that need none, `{}` (OCI Image Specification, Manifest § Guidance for an Empty
    /// Descriptor).
    #[must_use]
    pub fn empty() -> Self {
        Self::of(media_type::EMPTY, EMPTY_CONFIG)
    }

    /// Type, digest and size alone: how a `subject` names a document.
    #[must_use]
    pub fn bare(&self) -> Self {
        Self::new(self.media_type.clone(), self.digest, self.size)
    }
}

/// The bytes of the empty configuration.
pub(crate) const EMPTY_CONFIG: &[u8] = b"{}";

/// A kind of machine, such as `linux/arm64/v8`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Platform {
    /// The processor: `amd64`.
    pub architecture: String,
    /// The operating system: `linux`.
    pub os: String,
    /// The processor's variant: `v8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The version of the operating system, for Windows.
    #[serde(rename = "os.version", skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// Members that are not known here; kept when an index is written again.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// A text is no platform.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is no platform such as linux/amd64 or linux/arm64/v8")]
pub struct PlatformError(String);

impl Platform {
    /// Whether an image for `self` is what someone wants who asks for `wanted`. What `wanted` leaves open may be
    /// anything.
    #[must_use]
    pub fn satisfies(&self, wanted: &Self) -> bool {
        let open = |wanted: &Option<String>, found| wanted.is_none() || wanted == found;
        self.os == wanted.os
            && self.architecture == wanted.architecture
            && open(&wanted.variant, &self.variant)
            && open(&wanted.os_version, &self.os_version)
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    /// `OS/ARCHITECTURE[/VARIANT][:OS-VERSION]`, as the tools of Docker and Kubernetes write it.
    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let (path, os_version) = match text.split_once(':') {
            Some((path, version)) => (path, Some(version.to_owned())),
            None => (text, None),
        };
        let parts: Vec<_> = path.split('/').map(str::to_owned).collect();
        let (os, architecture, variant) = match <[String; 3]>::try_from(parts) {
            Ok([os, architecture, variant]) => (os, architecture, Some(variant)),
            Err(parts) => match <[String; 2]>::try_from(parts) {
                Ok([os, architecture]) => (os, architecture, None),
                Err(_) => return Err(PlatformError(text.to_owned())),
            },
        };
        let empty = |part: &String| part.is_empty();
        if empty(&os) || empty(&architecture) || variant.as_ref().is_some_and(empty) {
            return Err(PlatformError(text.to_owned()));
        }
        Ok(Self { architecture, os, variant, os_version, other: BTreeMap::new() })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if let Some(variant) = &self.variant {
            write!(f, "/{variant}")?;
        }
        self.os_version.as_ref().map_or(Ok(()), |version| write!(f, ":{version}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_are_not_known_survive() {
        let json = r#"{"mediaType":"a","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"platform":{"architecture":"amd64","os":"linux","os.features":["x"]},"data":"e30="}"#;
        let read: Descriptor = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
        assert_eq!(read.digest, Descriptor::empty().digest);
    }

    #[test]
    fn a_negative_size_is_none() {
        let json = r#"{"mediaType":"a","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":-1}"#;
        assert!(serde_json::from_str::<Descriptor>(json).is_err());
    }

    #[test]
    fn what_a_platform_leaves_open_may_be_anything() {
        let platform = |text: &str| text.parse::<Platform>().unwrap();
        assert!(platform("linux/arm64/v8").satisfies(&platform("linux/arm64")));
        assert!(!platform("linux/arm64").satisfies(&platform("linux/arm64/v8")));
        assert!(!platform("linux/amd64").satisfies(&platform("linux/arm64")));
        assert_eq!(platform("windows/amd64:10.0.1").to_string(), "windows/amd64:10.0.1");
        for text in ["", "linux", "linux/", "/amd64", "a/b/c/d", "linux/arm64/"] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }
}
