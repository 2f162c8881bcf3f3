//! The files of a layout, wherever they are.

use std::fs::File;
use std::path::PathBuf;

use bytes::Bytes;
use tempfile::NamedTempFile;

use super::archive::Archive;
use super::directory::{Alone, Directory};
use crate::{AccessError, Digest};

/// Where the files are.
pub(super) enum Files {
    Directory(Directory),
    Archive(Archive),
}

impl Files {
    pub(super) fn index(&self) -> Result<Bytes, AccessError> {
        match self {
            Self::Directory(directory) => directory.index(),
            Self::Archive(archive) => archive.index(),
        }
    }

    pub(super) fn put_index(&mut self, bytes: &[u8]) -> Result<(), AccessError> {
        match self {
            Self::Directory(directory) => directory.put_index(bytes),
            Self::Archive(archive) => {
                archive.put_index(bytes);
                Ok(())
            }
        }
    }

    /// A lock against other processes. An archive is replaced as a whole, and has none.
    pub(super) fn alone(&self) -> Result<Option<Alone>, AccessError> {
        match self {
            Self::Directory(directory) => directory.alone().map(Some),
            Self::Archive(_) => Ok(None),
        }
    }

    pub(super) fn open_blob(
        &self,
        digest: Digest,
    ) -> Result<Option<(PathBuf, File, u64, u64)>, AccessError> {
        match self {
            Self::Directory(directory) => directory.open_blob(digest),
            Self::Archive(archive) => archive.open_blob(digest),
        }
    }

    pub(super) fn document_bytes(&self, digest: Digest) -> Result<Option<Bytes>, AccessError> {
        match self {
            Self::Directory(directory) => directory.document_bytes(digest),
            Self::Archive(archive) => archive.document_bytes(digest),
        }
    }

    pub(super) fn put_blob(&mut self, digest: Digest, bytes: &[u8]) -> Result<(), AccessError> {
        match self {
            Self::Directory(directory) => directory.put_blob(digest, bytes),
            Self::Archive(archive) => archive.put_blob(digest, bytes),
        }
    }

    pub(super) fn staging(&self) -> Result<NamedTempFile, AccessError> {
        match self {
            Self::Directory(directory) => directory.staging(),
            Self::Archive(archive) => archive.staging(),
        }
    }

    pub(super) fn keep(
        &mut self,
        digest: Digest,
        staging: NamedTempFile,
    ) -> Result<(), AccessError> {
        match self {
            Self::Directory(directory) => directory.keep(digest, staging),
            Self::Archive(archive) => {
                archive.keep(digest, staging);
                Ok(())
            }
        }
    }

    pub(super) fn remove_blob(&mut self, digest: Digest) -> Result<(), AccessError> {
        match self {
            Self::Directory(directory) => directory.remove_blob(digest),
            Self::Archive(archive) => {
                archive.remove_blob(digest);
                Ok(())
            }
        }
    }

    pub(super) fn commit(&mut self) -> Result<(), AccessError> {
        match self {
            Self::Directory(_) => Ok(()),
            Self::Archive(archive) => archive.commit(),
        }
    }

    /// The blobs that have no more than `longest` bytes.
    pub(super) fn blobs(&self, longest: u64) -> Result<Vec<Digest>, AccessError> {
        match self {
            Self::Directory(directory) => directory.blobs(longest),
            Self::Archive(archive) => Ok(archive.blobs(longest)),
        }
    }
}
