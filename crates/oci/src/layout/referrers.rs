//! Referrers in a layout: documents like others, which nothing lists, so that they are looked for.

use std::os::unix::fs::FileExt as _;

use bytes::Bytes;

use super::Layout;
use crate::{AccessError, Descriptor, Digest, Document, FetchError, MAX_DOCUMENT, media_type};

/// How many blobs that could be documents, by their length, are looked at. A layout holds a few images.
const MAX_BLOBS: usize = 20_000;
/// How much of a blob says whether it may be a document: formatted JSON may begin on a new line.
const START: usize = 16;

impl Layout {
    /// What of the layout says that it is about `subject`.
    ///
    /// # Errors
    ///
    /// [`FetchError::TooMany`], so that none is left out without a word.
    pub(crate) fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, FetchError> {
        let blobs = self.files().blobs(MAX_DOCUMENT as u64)?;
        if blobs.len() > MAX_BLOBS {
            let what = format!("what could be a referrer in {self}");
            return Err(FetchError::TooMany { what, limit: MAX_BLOBS });
        }
        let mut referrers = Vec::new();
        for digest in blobs {
            let Some(document) = self.any_document(digest)? else { continue };
            let about = document.subject().is_some_and(|about| about.digest == *subject);
            if about && document.digest() == digest {
                referrers.push(document.referrer_descriptor());
            }
        }
        referrers.sort_by_key(|referrer| referrer.digest);
        Ok(referrers)
    }

    /// The document with this digest, if the blob is one.
    fn any_document(&self, digest: Digest) -> Result<Option<Document>, AccessError> {
        if !self.may_be_json(digest)? {
            return Ok(None);
        }
        let bytes = self.files().document_bytes(digest)?;
        Ok(bytes.as_ref().and_then(parse_any))
    }

    /// Whether a blob begins as a document does. Most layers do not, and need not be read.
    fn may_be_json(&self, digest: Digest) -> Result<bool, AccessError> {
        let Some((path, file, at, size)) = self.files().open_blob(digest)? else {
            return Ok(false);
        };
        let mut start = vec![0; START.min(usize::try_from(size).unwrap_or(START))];
        file.read_exact_at(&mut start, at).map_err(|source| AccessError::File { path, source })?;
        Ok(start.trim_ascii_start().first() == Some(&b'{'))
    }
}

/// A document of whatever type it says that it is, if it is one.
pub(super) fn parse_any(bytes: &Bytes) -> Option<Document> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Said {
        media_type: Option<String>,
    }
    let said: Said = serde_json::from_slice(bytes).ok()?;
    match said.media_type {
        Some(said) => Document::parse(&said, bytes.clone()).ok(),
        None => [media_type::MANIFEST, media_type::INDEX]
            .into_iter()
            .find_map(|media_type| Document::parse(media_type, bytes.clone()).ok()),
    }
}
