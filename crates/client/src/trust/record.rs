//! What is kept of one instance: one file with all metadata and targets, so that whoever reads it sees one state.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tuf::MemoryStore;
use url::Url;

/// The version of the file's format. A newer one is refused.
const FORMAT: u32 = 1;
/// The longest file: a hundred times what the public-good instance takes.
const MAX_FILE: u64 = 64 << 20;
/// Where targets stand among the files.
const TARGETS: &str = "targets/";

/// What is kept of one instance. Nothing in it is trusted because it is there.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    format: u32,
    /// The instance's name.
    pub(super) name: String,
    /// Where its TUF repository is, with a final slash.
    pub(super) url: Url,
    /// The version of the root with which trust begins.
    pub(super) root_version: u64,
    /// The fingerprint of that root.
    pub(super) fingerprint: String,
    /// When it was last fetched.
    pub(super) updated: Timestamp,
    /// Metadata by their names in a client's store, targets below `targets/`. All of them are text.
    files: BTreeMap<String, String>,
}

/// A record's file is no record.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    /// It cannot be read as JSON.
    #[error("the file cannot be read")]
    Json(#[source] serde_json::Error),
    /// A newer program wrote it.
    #[error("the file has format {0}; this program knows formats up to {FORMAT}")]
    Newer(u32),
    /// It is longer than any record.
    #[error("the file has more than {MAX_FILE} bytes")]
    TooLong,
}

impl Record {
    /// A record of an instance with what is in `store` and these targets.
    pub(super) fn new(
        name: &str,
        url: &Url,
        anchor: (u64, String),
        updated: Timestamp,
        store: MemoryStore,
        targets: BTreeMap<String, Vec<u8>>,
    ) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let metadata = store.into_files().into_iter();
        let targets = targets.into_iter().map(|(name, bytes)| (format!("{TARGETS}{name}"), bytes));
        Self {
            format: FORMAT,
            name: name.to_owned(),
            url: url.clone(),
            root_version: anchor.0,
            fingerprint: anchor.1,
            updated,
            files: metadata.chain(targets).map(|(name, bytes)| (name, text(bytes))).collect(),
        }
    }

    /// Reads the file at `path`; `None` if there is none.
    pub(super) fn read(path: &Path) -> io::Result<Option<Result<Self, RecordError>>> {
        match std::fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
            Ok(metadata) if metadata.len() > MAX_FILE => {
                return Ok(Some(Err(RecordError::TooLong)));
            }
            Ok(_) => {}
        }
        Ok(Some(Self::parse(&std::fs::read(path)?)))
    }

    fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        /// Only the version, whatever else is there.
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } = serde_json::from_slice(bytes).map_err(RecordError::Json)?;
        if format > FORMAT {
            return Err(RecordError::Newer(format));
        }
        serde_json::from_slice(bytes).map_err(RecordError::Json)
    }

    /// The file's contents.
    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a record is made of texts, numbers and a map of texts")
    }

    /// The file with the root with which trust begins.
    pub(super) fn anchor_file(version: u64) -> String {
        format!("{version}.root.json")
    }

    /// The bytes of that root, as far as they are there.
    pub(super) fn anchor_bytes(&self) -> &[u8] {
        self.files.get(&Self::anchor_file(self.root_version)).map_or(&[], |text| text.as_bytes())
    }

    /// The metadata, as a client's store of them.
    pub(super) fn metadata(&self) -> MemoryStore {
        let metadata = self.files.iter().filter(|(name, _)| !name.starts_with(TARGETS));
        MemoryStore::new(metadata.map(|(n, text)| (n.clone(), text.clone().into_bytes())).collect())
    }

    /// A target, as far as it is there.
    pub(super) fn target(&self, name: &str) -> Option<&[u8]> {
        self.files.get(&format!("{TARGETS}{name}")).map(String::as_bytes)
    }
}
