//! The names of a Sigstore that are fixed for ever when its directory is made: `instance.json`.
//!
//! They are in log checkpoints, in certificates and in trust roots that clients keep. What an operator may change is in
//! `bulla.toml`; this file is not to be edited.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;
use wire::rekor_v1::TreeId;

use crate::durable;
use crate::transparency::Shard;

/// The version of a directory's layout that this program makes and opens.
pub const FORMAT: u32 = 1;
/// The file's name.
const NAME: &str = "instance.json";
/// The largest file: a hundred times what is written.
const MAX_FILE: usize = 64 << 10;

/// The names that are fixed for ever when a directory is made.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// The version of the directory's layout.
    pub format: u32,
    /// The public URL, without a final slash.
    pub url: String,
    /// When the directory was made, in whole seconds: from then on its keys are to be trusted.
    pub created: Timestamp,
    /// The organisation named in certificates.
    pub organization: String,
    /// The origin of the Rekor v2 log: a bare host name, because Go clients compare it with the host of the log's URL.
    pub rekor_v2_origin: String,
    /// The tree of the Rekor v1 log.
    #[serde(with = "tree_id")]
    pub rekor_v1_tree: TreeId,
    /// The origin of the CT log: its submission prefix without the scheme.
    pub ct_origin: String,
}

/// Why a directory's names cannot be read or made. The operator's to fix.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// The file could not be read or written.
    #[error("{} cannot be used", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is not what `init` wrote.
    #[error("{} is damaged", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A newer program made the directory.
    #[error("{} has format {found}; this program knows formats up to {FORMAT}", path.display())]
    Newer {
        /// Which.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The URL cannot be the public URL of a Sigstore.
    #[error("{url} cannot be the public URL: {reason}")]
    Url {
        /// The URL.
        url: Url,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl Instance {
    /// New names under the public URL `url`.
    ///
    /// # Errors
    ///
    /// [`InstanceError::Url`].
    pub fn new(url: &Url, organization: &str, now: Timestamp) -> Result<Self, InstanceError> {
        let refuse = |reason| Err(InstanceError::Url { url: url.clone(), reason });
        let Some(host) = url.host_str() else { return refuse("it has no host") };
        if !matches!(url.scheme(), "http" | "https") {
            return refuse("it is neither https nor http");
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return refuse("it has a path, and the parts of a Sigstore have fixed paths below it");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("it has credentials");
        }
        let place = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Ok(Self {
            format: FORMAT,
            url: format!("{}://{place}", url.scheme()),
            created: whole_second(now),
            organization: organization.to_owned(),
            rekor_v2_origin: host.to_owned(),
            rekor_v1_tree: new_tree_id(),
            ct_origin: format!("{place}/ct/1"),
        })
    }

    /// The public host, without a port.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.rekor_v2_origin
    }

    /// The address of the part at `path` below the public URL, such as `/auth`.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The Rekor v1 log's names.
    #[must_use]
    pub fn rekor_v1_shard(&self) -> Shard {
        Shard { host: self.host().to_owned(), tree: self.rekor_v1_tree, first_index: 0 }
    }

    /// Reads the names of the directory; `None` if it was not made yet.
    ///
    /// # Errors
    ///
    /// See [`InstanceError`].
    pub fn read(directory: &Path) -> Result<Option<Self>, InstanceError> {
        /// Only the version, whatever else is there.
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let path = directory.join(NAME);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(InstanceError::Io { path, source }),
        };
        let bytes = &bytes[..bytes.len().min(MAX_FILE)];
        let malformed = |source| InstanceError::Malformed { path: path.clone(), source };
        let Format { format } = serde_json::from_slice(bytes).map_err(malformed)?;
        if format > FORMAT {
            return Err(InstanceError::Newer { path, found: format });
        }
        serde_json::from_slice(bytes).map(Some).map_err(malformed)
    }

    /// Keeps the names in the directory.
    ///
    /// # Errors
    ///
    /// [`InstanceError::Io`].
    pub(crate) fn write(&self, directory: &Path) -> Result<(), InstanceError> {
        let path = directory.join(NAME);
        let malformed = |source| InstanceError::Malformed { path: path.clone(), source };
        let mut text = serde_json::to_vec_pretty(self).map_err(malformed)?;
        text.push(b'\n');
        durable::write(&path, &text, durable::PUBLIC)
            .map_err(|source| InstanceError::Io { path: path.clone(), source })
    }
}

/// The start of the second that `time` is in: certificates and metadata have no fractions.
fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// A random tree id, as Trillian's are: positive numbers of 63 bits.
fn new_tree_id() -> TreeId {
    let random = u64::from_be_bytes(crypto::random_array()) >> 1;
    TreeId::new(random.max(1)).expect("it is between 1 and 2^63 - 1")
}

/// A tree id in JSON: a decimal string, because other programs read numbers of 63 bits as fractions.
mod tree_id {
    use serde::{Deserialize, Deserializer, Serializer, de};
    use wire::rekor_v1::TreeId;

    pub(super) fn serialize<S: Serializer>(tree: &TreeId, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(&tree.get())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<TreeId, D::Error> {
        let text = String::deserialize(from)?;
        let tree = text.parse().ok().and_then(TreeId::new);
        tree.ok_or_else(|| de::Error::custom("the tree id is not a positive number of 63 bits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(url: &str) -> Result<Instance, InstanceError> {
        Instance::new(&url.parse().unwrap(), "Example", "2026-01-01T00:00:00.9Z".parse().unwrap())
    }

    #[test]
    fn names_are_made_of_the_public_url() {
        let local = make("http://localhost:8080").unwrap();
        assert_eq!(local.rekor_v2_origin, "localhost");
        assert_eq!(local.ct_origin, "localhost:8080/ct/1");
        assert_eq!(local.at("/auth"), "http://localhost:8080/auth");
        let public = make("https://sigstore.example.com/").unwrap();
        assert_eq!(public.at("/api/v1/timestamp"), "https://sigstore.example.com/api/v1/timestamp");
        assert_eq!(public.ct_origin, "sigstore.example.com/ct/1");
        assert_eq!(public.created, "2026-01-01T00:00:00Z".parse().unwrap());
    }

    #[test]
    fn a_url_with_more_than_a_host_and_a_port_is_refused() {
        for url in [
            "https://example.com/sigstore",
            "https://example.com/?a",
            "https://example.com/#a",
            "https://a:b@example.com/",
            "ftp://example.com/",
            "unix:/run/x",
        ] {
            assert!(matches!(make(url), Err(InstanceError::Url { .. })), "{url}");
        }
    }

    #[test]
    fn the_directory_of_a_newer_program_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Instance::read(directory.path()).unwrap(), None);
        let instance = make("https://example.com").unwrap();
        instance.write(directory.path()).unwrap();
        assert_eq!(Instance::read(directory.path()).unwrap(), Some(instance));
        let newer = br#"{"format": 2, "something": "else"}"#;
        durable::write(&directory.path().join(NAME), newer, 0o644).unwrap();
        assert!(matches!(
            Instance::read(directory.path()),
            Err(InstanceError::Newer { found: 2, .. })
        ));
    }
}
