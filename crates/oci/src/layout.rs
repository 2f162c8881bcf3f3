//! A directory or archive that is laid out as images (OCI Image Layout 1.0).

mod archive;
mod directory;
mod files;
mod referrers;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::blob::Source;
use crate::{
    AccessError, AttachError, Attached, BlobReader, Descriptor, Digest, Document, FetchError,
    Index, MAX_DOCUMENT, PushError, Target, media_type,
};
use archive::Archive;
use directory::Directory;
use files::Files;
use referrers::parse_any;

/// The annotation that gives an entry of `index.json` its tag (OCI Image Specification, Annotations).
const TAG: &str = "org.opencontainers.image.ref.name";
/// The annotation by which cosign finds an image again, its legacy signatures and its legacy attestations.
const KIND: &str = "kind";
const KIND_IMAGE: &str = "dev.cosignproject.cosign/image";
const KIND_INDEX: &str = "dev.cosignproject.cosign/imageIndex";
const KIND_SIGNATURES: &str = "dev.cosignproject.cosign/sigs";
const KIND_ATTESTATIONS: &str = "dev.cosignproject.cosign/atts";
/// The file that says what a directory is, and what it says.
const MARKER: &str = "oci-layout";
const MARKER_JSON: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// A directory or archive that is laid out as images (OCI Image Layout 1.0). Its documents are found by their tag, or by
/// their digest. Links, and names that lead out of it, are refused.
#[derive(Clone)]
pub struct Layout(Arc<Inner>);

struct Inner {
    path: PathBuf,
    files: Mutex<Files>,
}

impl Layout {
    /// Opens a directory, or a tar archive of one.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn open(path: &Path) -> Result<Self, AccessError> {
        let files = if path.is_dir() {
            Files::Directory(Directory::open(path)?)
        } else {
            Files::Archive(Archive::open(path)?)
        };
        Ok(Self::of(path, files))
    }

    /// Opens a layout, and makes it if there is nothing: an archive if the name ends in `.tar`, else a directory.
    ///
    /// # Errors
    ///
    /// If it cannot be made, or what is there is none.
    pub fn create(path: &Path) -> Result<Self, AccessError> {
        let empty =
            path.is_dir() && path.read_dir().is_ok_and(|mut entries| entries.next().is_none());
        if path.exists() && !empty {
            return Self::open(path);
        }
        let files = if path.extension().is_some_and(|extension| extension == "tar") {
            Files::Archive(Archive::create(path))
        } else {
            Files::Directory(Directory::create(path)?)
        };
        Ok(Self::of(path, files))
    }

    fn of(path: &Path, files: Files) -> Self {
        Self(Arc::new(Inner { path: path.to_owned(), files: Mutex::new(files) }))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.0.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wrong(&self, reason: impl Into<String>) -> AccessError {
        AccessError::Layout { path: self.0.path.clone(), reason: reason.into() }
    }

    fn index(&self) -> Result<Index, FetchError> {
        let bytes = self.files().index()?;
        let what = || format!("index.json in {self}");
        let document = Document::parse(media_type::INDEX, bytes)
            .map_err(|source| FetchError::Document { what: what(), source })?;
        Ok(document.into_index().unwrap_or_else(|| Index::new(Vec::new())))
    }

    /// The images: what has a tag or says that it is an image, and is no signature of another.
    ///
    /// # Errors
    ///
    /// If the index cannot be read.
    pub fn images(&self) -> Result<Vec<Descriptor>, FetchError> {
        let mut images = Vec::new();
        for entry in self.index()?.manifests {
            let is_signature =
                legacy_kind(&entry).is_some() || tag(&entry).is_some_and(is_legacy_tag);
            let is_document = media_type::is_index(&entry.media_type)
                || media_type::is_manifest(&entry.media_type);
            if is_document && !is_signature && self.document(&entry)?.subject().is_none() {
                images.push(entry);
            }
        }
        Ok(images)
    }

    pub(crate) fn resolve(&self, target: &Target) -> Result<Descriptor, FetchError> {
        let missing = || FetchError::Missing { what: format!("{target} in {self}") };
        let index = self.index()?;
        let mut found = match target {
            Target::Tag(wanted) => {
                let of = |entry: &&Descriptor| {
                    tag(entry) == Some(wanted) || is_legacy(entry, wanted, &index)
                };
                index.manifests.iter().filter(of).collect::<Vec<_>>()
            }
            Target::Digest(digest) => {
                index.manifests.iter().filter(|entry| entry.digest == *digest).collect()
            }
        };
        found.dedup_by_key(|entry| entry.digest);
        match (&found[..], target) {
            ([entry], _) => Ok((*entry).bare()),
            ([], Target::Digest(digest)) => self.resolve_blob(*digest)?.ok_or_else(missing),
            ([], Target::Tag(_)) => Err(missing()),
            _ => Err(self.wrong(format!("two entries are called {target}")).into()),
        }
    }

    /// A document that is not in `index.json`, such as the image of an index for one platform.
    fn resolve_blob(&self, digest: Digest) -> Result<Option<Descriptor>, FetchError> {
        let Some(bytes) = self.files().document_bytes(digest)? else { return Ok(None) };
        Ok(parse_any(&bytes).map(|document| document.descriptor()))
    }

    pub(crate) fn fetch(&self, target: &Target) -> Result<Document, FetchError> {
        self.document(&self.resolve(target)?)
    }

    pub(crate) fn document(&self, descriptor: &Descriptor) -> Result<Document, FetchError> {
        let what = || format!("{} in {self}", descriptor.digest);
        descriptor.check_size(MAX_DOCUMENT as u64, what)?;
        let bytes = self.files().document_bytes(descriptor.digest)?;
        let bytes = bytes.ok_or_else(|| FetchError::Missing { what: what() })?;
        check(descriptor, &bytes)?;
        Document::described(descriptor, bytes, what)
    }

    pub(crate) async fn blob(
        &self,
        descriptor: &Descriptor,
        limit: u64,
    ) -> Result<Bytes, FetchError> {
        descriptor.check_size(limit, || format!("{} in {self}", descriptor.digest))?;
        self.read_blob(descriptor).await?.whole().await
    }

    pub(crate) async fn read_blob(
        &self,
        descriptor: &Descriptor,
    ) -> Result<BlobReader, FetchError> {
        let opened = self.files().open_blob(descriptor.digest)?;
        let (path, file, at, size) = opened.ok_or_else(|| FetchError::Missing {
            what: format!("{} in {self}", descriptor.digest),
        })?;
        let source = Source::file(path, file, at, size).await?;
        Ok(BlobReader::new(source, descriptor))
    }

    pub(crate) fn has_blob(&self, digest: Digest) -> Result<bool, FetchError> {
        Ok(self.files().open_blob(digest)?.is_some())
    }

    pub(crate) fn push_blob(&self, bytes: &Bytes) -> Result<Digest, PushError> {
        let digest = Digest::of(bytes);
        self.files().put_blob(digest, bytes)?;
        Ok(digest)
    }

    /// Takes a blob from elsewhere, without having all of it in memory.
    pub(crate) async fn push_pieces(
        &self,
        descriptor: &Descriptor,
        mut blob: BlobReader,
    ) -> Result<(), PushError> {
        let staging = self.files().staging()?;
        let path = staging.path().to_owned();
        let failed = |source| AccessError::File { path: path.clone(), source };
        let file = staging.as_file().try_clone().map_err(failed)?;
        let mut file = tokio::fs::File::from_std(file);
        while let Some(piece) = blob.next().await.map_err(PushError::Source)? {
            tokio::io::AsyncWriteExt::write_all(&mut file, &piece).await.map_err(failed)?;
        }
        tokio::io::AsyncWriteExt::flush(&mut file).await.map_err(failed)?;
        self.files().keep(descriptor.digest, staging)?;
        Ok(())
    }

    pub(crate) fn push_document(
        &self,
        document: &Document,
        tag: Option<&str>,
    ) -> Result<(), PushError> {
        self.add(document, tag)?;
        self.commit()
    }

    /// Puts a document where it is found by its digest alone: it is part of another.
    pub(crate) fn add_part(&self, document: &Document) -> Result<(), PushError> {
        self.files().put_blob(document.digest(), document.bytes()).map_err(Into::into)
    }

    /// Adds a document to the index. An archive is written by [`Layout::commit`].
    pub(crate) fn add(&self, document: &Document, tag_now: Option<&str>) -> Result<(), PushError> {
        self.add_part(document)?;
        let mut entry = if document.subject().is_some() {
            document.referrer_descriptor()
        } else {
            document.descriptor()
        };
        if let Some(tag) = tag_now {
            entry.annotations.insert(TAG.to_owned(), tag.to_owned());
        }
        if let Some(kind) = kind(document, tag_now) {
            entry.annotations.insert(KIND.to_owned(), kind.to_owned());
        }
        self.change_index(|entries| {
            entries.retain(|other| {
                let same_tag = tag_now.is_some() && tag(other) == tag_now;
                let same_without_tag =
                    other.digest == entry.digest && (tag(other).is_none() || tag_now.is_none());
                !same_tag && !same_without_tag || (tag_now.is_none() && tag(other).is_some())
            });
            if tag_now.is_some() || entries.iter().all(|other| other.digest != entry.digest) {
                entries.push(entry);
            }
        })
    }

    fn change_index(&self, change: impl FnOnce(&mut Vec<Descriptor>)) -> Result<(), PushError> {
        let _alone = self.files().alone()?;
        let mut index = self.index().map_err(PushError::Source)?;
        change(&mut index.manifests);
        let document = Document::of_index(index);
        self.files().put_index(document.bytes()).map_err(Into::into)
    }

    /// Writes what an archive has in waiting. A directory has nothing.
    pub(crate) fn commit(&self) -> Result<(), PushError> {
        self.files().commit().map_err(Into::into)
    }

    pub(crate) fn tags(&self) -> Result<Vec<String>, FetchError> {
        Ok(self.index()?.manifests.iter().filter_map(tag).map(str::to_owned).collect())
    }

    pub(crate) fn attach(&self, document: &Document) -> Result<Attached, AttachError> {
        if document.subject().is_none() {
            return Err(AttachError::NoSubject);
        }
        self.add(document, None)?;
        self.commit()?;
        Ok(Attached { descriptor: document.referrer_descriptor(), fallback_tag: None })
    }

    pub(crate) fn delete(&self, target: &Target) -> Result<(), FetchError> {
        let found = self.resolve(target)?;
        let changed = self.change_index(|entries| {
            entries.retain(|entry| match target {
                Target::Tag(wanted) => {
                    tag(entry) != Some(wanted)
                        && legacy_kind(entry).is_none_or(|_| entry.digest != found.digest)
                }
                Target::Digest(digest) => entry.digest != *digest,
            });
        });
        let changed = changed.and_then(|()| {
            if matches!(target, Target::Digest(_)) {
                self.files().remove_blob(found.digest)?;
            }
            self.commit()
        });
        changed.map_err(|error| match error {
            PushError::Access(error) => error.into(),
            PushError::Source(error) => error,
            PushError::OtherDigest { .. } => self.wrong(error.to_string()).into(),
        })
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.path.display().fmt(f)
    }
}

impl fmt::Debug for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Layout({self})")
    }
}

fn check(descriptor: &Descriptor, bytes: &[u8]) -> Result<(), FetchError> {
    let (wanted, found) = (descriptor.digest, bytes.len() as u64);
    if found != descriptor.size {
        let expected = descriptor.size;
        return Err(FetchError::OtherSize {
            wanted: Box::new(wanted),
            expected,
            found,
            more: false,
        });
    }
    let found = Digest::from(wanted.algorithm().digest(bytes));
    if found == wanted { Ok(()) } else { Err(FetchError::other_digest(wanted, found)) }
}

fn tag(entry: &Descriptor) -> Option<&str> {
    entry.annotations.get(TAG).map(String::as_str)
}

/// How cosign would call a document, so that its `load` finds it.
fn kind(document: &Document, tag: Option<&str>) -> Option<&'static str> {
    match tag {
        _ if document.subject().is_some() => None,
        Some(tag) if is_legacy_tag(tag) => [(".sig", KIND_SIGNATURES), (".att", KIND_ATTESTATIONS)]
            .into_iter()
            .find(|(suffix, _)| tag.ends_with(suffix))
            .map(|(_, kind)| kind),
        _ if document.index().is_some() => Some(KIND_INDEX),
        _ => Some(KIND_IMAGE),
    }
}

/// `.sig` or `.att`, if cosign says that an entry holds such signatures.
fn legacy_kind(entry: &Descriptor) -> Option<&'static str> {
    match entry.annotations.get(KIND).map(String::as_str) {
        Some(KIND_SIGNATURES) => Some(".sig"),
        Some(KIND_ATTESTATIONS) => Some(".att"),
        _ => None,
    }
}

/// `sha256-<hex>.sig` and the like.
fn is_legacy_tag(tag: &str) -> bool {
    let stem = [".sig", ".att", ".sbom"].into_iter().find_map(|suffix| tag.strip_suffix(suffix));
    stem.and_then(|stem| stem.strip_prefix("sha256-")).is_some_and(|hex| hex.len() == 64)
}

/// Whether an entry without a tag is what `wanted` names by what cosign says of it: the signatures of the one image.
fn is_legacy(entry: &Descriptor, wanted: &str, index: &Index) -> bool {
    let Some(suffix) = legacy_kind(entry).filter(|_| tag(entry).is_none()) else { return false };
    let is_image = |other: &&Descriptor| {
        matches!(other.annotations.get(KIND).map(String::as_str), Some(KIND_IMAGE | KIND_INDEX))
    };
    let mut images = index.manifests.iter().filter(is_image);
    let only = images.next().filter(|_| images.next().is_none());
    only.is_some_and(|image| format!("{}{suffix}", image.digest.to_tag()) == wanted)
}
