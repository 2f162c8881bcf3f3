//! The files of a layout in a tar archive.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tempfile::NamedTempFile;

use super::{MARKER, MARKER_JSON};
use crate::{AccessError, Digest, Document, Index, MAX_DOCUMENT};

/// How many entries an archive may have.
const MAX_ENTRIES: usize = 100_000;
/// What `index.json` is called in an archive.
const INDEX: &str = "index.json";

/// A tar archive that is a layout. What is put into it waits until it is written as a whole.
pub(super) struct Archive {
    path: PathBuf,
    /// The archive, if it is there already, and where each of its files is: where it begins, and its size.
    file: Option<File>,
    places: BTreeMap<String, (u64, u64)>,
    waiting: HashMap<String, NamedTempFile>,
    index: Option<Bytes>,
    removed: Vec<String>,
}

impl Archive {
    pub(super) fn open(path: &Path) -> Result<Self, AccessError> {
        let mut archive = Self::create(path);
        let file = File::open(path).map_err(|source| archive.failed(source))?;
        archive.places = archive.find(&file)?;
        archive.file = Some(file);
        let marker = archive.read(MARKER, MAX_DOCUMENT)?;
        check_marker(path, marker.as_deref())?;
        archive.index()?;
        Ok(archive)
    }

    pub(super) fn create(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            file: None,
            places: BTreeMap::new(),
            waiting: HashMap::new(),
            index: None,
            removed: Vec::new(),
        }
    }

    /// Where the files are. Links, names that lead out, and two files of one name, of which two readers would each take
    /// another, are refused.
    fn find(&self, file: &File) -> Result<BTreeMap<String, (u64, u64)>, AccessError> {
        let mut places = BTreeMap::new();
        let mut archive = tar::Archive::new(file);
        let length = file.metadata().map_err(|source| self.failed(source))?.len();
        // Raw: a header that gives a long name could be of any length, and layouts have no long names.
        let entries = archive.entries_with_seek().map_err(|source| self.failed(source))?;
        for entry in entries.raw(true) {
            let entry =
                entry.map_err(|error| self.refused(format!("it cannot be read: {error}")))?;
            let kind = entry.header().entry_type();
            if matches!(
                kind,
                tar::EntryType::Directory | tar::EntryType::XGlobalHeader | tar::EntryType::XHeader
            ) {
                continue;
            }
            let path = entry
                .path()
                .map_err(|error| self.refused(format!("a name cannot be read: {error}")))?;
            let name = plain(&path)
                .ok_or_else(|| self.refused(format!("{} leads out of it", path.display())))?;
            if !matches!(kind, tar::EntryType::Regular | tar::EntryType::Continuous) {
                return Err(self.refused(format!("{name} is no file")));
            }
            let place = (entry.raw_file_position(), entry.size());
            if place.0.checked_add(place.1).is_none_or(|end| end > length) {
                return Err(self.refused(format!("{name} is cut off")));
            }
            if places.len() >= MAX_ENTRIES {
                return Err(self.refused(format!("it has more than {MAX_ENTRIES} files")));
            }
            if places.insert(name.clone(), place).is_some() {
                return Err(self.refused(format!("it has two files called {name}")));
            }
        }
        Ok(places)
    }

    pub(super) fn index(&self) -> Result<Bytes, AccessError> {
        if let Some(index) = &self.index {
            return Ok(index.clone());
        }
        let empty = || Document::of_index(Index::new(Vec::new())).bytes().clone();
        match self.read(INDEX, MAX_DOCUMENT)? {
            Some(index) => Ok(index),
            None if self.file.is_none() => Ok(empty()),
            None => Err(self.refused("it has no index.json".to_owned())),
        }
    }

    pub(super) fn put_index(&mut self, bytes: &[u8]) {
        self.index = Some(Bytes::copy_from_slice(bytes));
    }

    pub(super) fn open_blob(
        &self,
        digest: Digest,
    ) -> Result<Option<(PathBuf, File, u64, u64)>, AccessError> {
        let name = name(digest);
        if let Some(waiting) = self.waiting.get(&name) {
            let file = waiting.reopen().map_err(|source| self.failed(source))?;
            let size = file.metadata().map_err(|source| self.failed(source))?.len();
            return Ok(Some((self.path.clone(), file, 0, size)));
        }
        let (Some(_), Some((at, size))) = (&self.file, self.places.get(&name)) else {
            return Ok(None);
        };
        // A handle of its own: two readers must not move each other.
        let file = File::open(&self.path).map_err(|source| self.failed(source))?;
        Ok(Some((self.path.clone(), file, *at, *size)))
    }

    pub(super) fn document_bytes(&self, digest: Digest) -> Result<Option<Bytes>, AccessError> {
        self.read(&name(digest), MAX_DOCUMENT)
    }

    pub(super) fn put_blob(&mut self, digest: Digest, bytes: &[u8]) -> Result<(), AccessError> {
        let mut staging = self.staging()?;
        staging.write_all(bytes).map_err(|source| self.failed(source))?;
        self.keep(digest, staging);
        Ok(())
    }

    pub(super) fn staging(&self) -> Result<NamedTempFile, AccessError> {
        NamedTempFile::new_in(self.directory()).map_err(|source| self.failed(source))
    }

    pub(super) fn keep(&mut self, digest: Digest, staging: NamedTempFile) {
        self.waiting.insert(name(digest), staging);
    }

    pub(super) fn remove_blob(&mut self, digest: Digest) {
        self.waiting.remove(&name(digest));
        self.removed.push(name(digest));
    }

    pub(super) fn blobs(&self, longest: u64) -> Vec<Digest> {
        let small =
            self.places.iter().filter(|(_, (_, size))| *size <= longest).map(|(name, _)| name);
        let mut names: Vec<_> = small.chain(self.waiting.keys()).collect();
        names.sort();
        names.dedup();
        let digest =
            |name: &String| format!("sha256:{}", name.strip_prefix("blobs/sha256/")?).parse().ok();
        names.into_iter().filter_map(digest).collect()
    }

    /// Writes the whole archive anew, beside the old one, and puts it in its place.
    pub(super) fn commit(&mut self) -> Result<(), AccessError> {
        if self.index.is_none() && self.waiting.is_empty() && self.removed.is_empty() {
            return Ok(());
        }
        let staging = self.staging()?;
        self.write(&staging).map_err(|source| self.failed(source))?;
        staging.as_file().sync_data().map_err(|source| self.failed(source))?;
        staging.persist(&self.path).map_err(|error| self.failed(error.error))?;
        *self = Self::open(&self.path)?;
        Ok(())
    }

    fn write(&self, staging: &NamedTempFile) -> std::io::Result<()> {
        let mut builder = tar::Builder::new(staging.as_file());
        append(&mut builder, MARKER, MARKER_JSON.len() as u64, MARKER_JSON)?;
        let index = self.index().map_err(std::io::Error::other)?;
        append(&mut builder, INDEX, index.len() as u64, &*index)?;
        for (name, (at, size)) in &self.places {
            let replaced = self.waiting.contains_key(name) || self.removed.contains(name);
            let Some(mut file) =
                self.file.as_ref().filter(|_| !replaced && name != MARKER && name != INDEX)
            else {
                continue;
            };
            file.seek(SeekFrom::Start(*at))?;
            append(&mut builder, name, *size, file.take(*size))?;
        }
        for (name, waiting) in &self.waiting {
            let file = waiting.reopen()?;
            append(&mut builder, name, file.metadata()?.len(), file)?;
        }
        builder.finish()
    }

    fn read(&self, name: &str, limit: usize) -> Result<Option<Bytes>, AccessError> {
        let (mut file, at, size) = if let Some(waiting) = self.waiting.get(name) {
            let file = waiting.reopen().map_err(|source| self.failed(source))?;
            let size = file.metadata().map_err(|source| self.failed(source))?.len();
            (file, 0, size)
        } else {
            let (Some(file), Some((at, size))) = (&self.file, self.places.get(name)) else {
                return Ok(None);
            };
            (file.try_clone().map_err(|source| self.failed(source))?, *at, *size)
        };
        if size > limit as u64 {
            return Err(self.refused(format!("{name} is longer than {limit} bytes")));
        }
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(at))
            .and_then(|_| file.take(size).read_to_end(&mut bytes))
            .map_err(|source| self.failed(source))?;
        Ok(Some(bytes.into()))
    }

    fn directory(&self) -> &Path {
        let parent = self.path.parent().unwrap_or(Path::new("."));
        if parent.as_os_str().is_empty() { Path::new(".") } else { parent }
    }

    fn failed(&self, source: std::io::Error) -> AccessError {
        AccessError::File { path: self.path.clone(), source }
    }

    fn refused(&self, reason: String) -> AccessError {
        AccessError::Layout { path: self.path.clone(), reason }
    }
}

fn append(
    builder: &mut tar::Builder<&File>,
    name: &str,
    size: u64,
    content: impl std::io::Read,
) -> std::io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    builder.append_data(&mut header, name, content)
}

/// The name of an entry without `./`, if no part of it leads elsewhere.
fn plain(path: &Path) -> Option<String> {
    use std::path::Component;
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

fn name(digest: Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().name(), digest.to_hex())
}

/// `oci-layout` must say version 1 (OCI Image Layout Specification, `oci-layout` file).
pub(super) fn check_marker(path: &Path, marker: Option<&[u8]>) -> Result<(), AccessError> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Marker {
        image_layout_version: String,
    }
    let refused = |reason: String| AccessError::Layout { path: path.to_owned(), reason };
    let marker = marker.ok_or_else(|| refused("it has no file oci-layout".to_owned()))?;
    let marker: Marker =
        serde_json::from_slice(marker).map_err(|error| refused(error.to_string()))?;
    if marker.image_layout_version.starts_with("1.") {
        return Ok(());
    }
    Err(refused(format!("its version {:?} is not 1", marker.image_layout_version)))
}
