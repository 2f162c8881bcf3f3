//! Manifests and indexes, with the bytes that they were read from.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::descriptor::nullable;
use crate::{Descriptor, Digest, FetchError, media_type};

/// How many bytes a document may have: what the OCI Distribution Specification asks registries to take. An entry of a list
/// has a hundred bytes or more, so this bounds lists, too.
pub const MAX_DOCUMENT: usize = 4 * 1024 * 1024;

/// A manifest or an index, and its exact bytes, which its digest is of.
#[derive(Clone, Debug)]
pub struct Document {
    bytes: Bytes,
    digest: Digest,
    media_type: String,
    content: Content,
}

/// What a document says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Content {
    /// An image, or an artifact.
    Manifest(Box<Manifest>),
    /// A list of other documents.
    Index(Box<Index>),
}

/// An image, or an artifact (OCI Image Specification, Image Manifest).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    schema_version: SchemaVersion,
    /// The type of the document itself. Writers before OCI 1.1 may leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What kind of artifact it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The configuration.
    pub config: Descriptor,
    /// The content.
    #[serde(deserialize_with = "nullable", default)]
    pub layers: Vec<Descriptor>,
    /// The document that this one is about: it is a referrer of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Free notes.
    #[serde(deserialize_with = "nullable", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A list of documents (OCI Image Specification, Image Index).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    schema_version: SchemaVersion,
    /// The type of the document itself. Writers before OCI 1.1 may leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What kind of artifact it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The documents.
    #[serde(deserialize_with = "nullable", default)]
    pub manifests: Vec<Descriptor>,
    /// The document that this one is about: it is a referrer of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Free notes.
    #[serde(deserialize_with = "nullable", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// Always 2.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "u32", into = "u32")]
struct SchemaVersion;

impl TryFrom<u32> for SchemaVersion {
    type Error = String;

    fn try_from(version: u32) -> Result<Self, String> {
        if version == 2 { Ok(Self) } else { Err(format!("schema version {version} is not 2")) }
    }
}

impl From<SchemaVersion> for u32 {
    fn from(_: SchemaVersion) -> Self {
        2
    }
}

/// Bytes are no document.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// Longer than [`MAX_DOCUMENT`].
    #[error("the document has {found} bytes, more than {MAX_DOCUMENT}")]
    TooLong {
        /// How many it has.
        found: usize,
    },
    /// Neither the type of a manifest nor that of an index.
    #[error("{0:?} is not the type of a manifest or an index")]
    MediaType(String),
    /// It was announced as one type and says that it is another, so that two readers could read two things.
    #[error("the document was announced as {announced} and says that it is {said}")]
    OtherType {
        /// What the store, or who points to it, calls it.
        announced: String,
        /// What it calls itself, or what it has the members of.
        said: String,
    },
    /// No JSON, or members are missing or of another kind.
    #[error("the document is not what its type asks for")]
    Json(#[source] serde_json::Error),
}

/// The members by which manifests and indexes could be taken for one another.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    media_type: Option<String>,
    #[serde(default)]
    layers: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    config: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    manifests: Option<serde::de::IgnoredAny>,
}

impl Document {
    /// Reads `bytes` as what they are announced to be.
    ///
    /// # Errors
    ///
    /// See [`DocumentError`]. A document that says another type than `media_type`, or has the members of the other kind,
    /// is refused (CVE-2021-41190).
    pub fn parse(media_type: &str, bytes: impl Into<Bytes>) -> Result<Self, DocumentError> {
        let bytes = bytes.into();
        if bytes.len() > MAX_DOCUMENT {
            return Err(DocumentError::TooLong { found: bytes.len() });
        }
        let is_index = media_type::is_index(media_type);
        if !is_index && !media_type::is_manifest(media_type) {
            return Err(DocumentError::MediaType(media_type.chars().take(160).collect()));
        }
        let kind: Kind = serde_json::from_slice(&bytes).map_err(DocumentError::Json)?;
        kind.must_be(media_type, is_index)?;
        let content = if is_index {
            Content::Index(serde_json::from_slice(&bytes).map_err(DocumentError::Json)?)
        } else {
            Content::Manifest(serde_json::from_slice(&bytes).map_err(DocumentError::Json)?)
        };
        Ok(Self { digest: Digest::of(&bytes), media_type: media_type.to_owned(), bytes, content })
    }

    /// Writes a manifest.
    #[must_use]
    pub fn of_manifest(manifest: Manifest) -> Self {
        let media_type =
            manifest.media_type.clone().unwrap_or_else(|| media_type::MANIFEST.to_owned());
        Self::written(media_type, Content::Manifest(Box::new(manifest)))
    }

    /// Writes an index.
    #[must_use]
    pub fn of_index(index: Index) -> Self {
        let media_type = index.media_type.clone().unwrap_or_else(|| media_type::INDEX.to_owned());
        Self::written(media_type, Content::Index(Box::new(index)))
    }

    /// Reads what `descriptor` describes: its type is the one that whoever points to it was sure of.
    pub(crate) fn described(
        descriptor: &Descriptor,
        bytes: Bytes,
        what: impl FnOnce() -> String,
    ) -> Result<Self, FetchError> {
        Self::parse(&descriptor.media_type, bytes)
            .map(|document| document.named(descriptor.digest))
            .map_err(|source| FetchError::Document { what: what(), source })
    }

    /// The same document under the digest that it was asked for by, which its bytes were found to have.
    pub(crate) fn named(mut self, digest: Digest) -> Self {
        self.digest = digest;
        self
    }

    /// The index, if it is one.
    #[must_use]
    pub fn into_index(self) -> Option<Index> {
        match self.content {
            Content::Index(index) => Some(*index),
            Content::Manifest(_) => None,
        }
    }

    fn written(media_type: String, content: Content) -> Self {
        let json = match &content {
            Content::Manifest(manifest) => serde_json::to_vec(manifest),
            Content::Index(index) => serde_json::to_vec(index),
        };
        let bytes = Bytes::from(json.expect("maps have strings as keys"));
        Self { digest: Digest::of(&bytes), media_type, bytes, content }
    }

    /// The exact bytes.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// SHA-256 of the bytes.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Its type.
    #[must_use]
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// What it says.
    #[must_use]
    pub const fn content(&self) -> &Content {
        &self.content
    }

    /// The manifest, if it is one.
    #[must_use]
    pub const fn manifest(&self) -> Option<&Manifest> {
        match &self.content {
            Content::Manifest(manifest) => Some(manifest),
            Content::Index(_) => None,
        }
    }

    /// The index, if it is one.
    #[must_use]
    pub const fn index(&self) -> Option<&Index> {
        match &self.content {
            Content::Index(index) => Some(index),
            Content::Manifest(_) => None,
        }
    }

    /// The document that this one is about, if any.
    #[must_use]
    pub const fn subject(&self) -> Option<&Descriptor> {
        match &self.content {
            Content::Manifest(manifest) => manifest.subject.as_ref(),
            Content::Index(index) => index.subject.as_ref(),
        }
    }

    /// Points to it: type, digest and size.
    #[must_use]
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::new(self.media_type.clone(), self.digest, self.bytes.len() as u64)
    }

    /// Points to it as a list of referrers does: with the kind of artifact and the notes (OCI Distribution Specification
    /// 1.1, Listing Referrers).
    #[must_use]
    pub fn referrer_descriptor(&self) -> Descriptor {
        let (artifact_type, annotations) = match &self.content {
            Content::Manifest(manifest) => (
                // A manifest without a kind is of the kind of its configuration.
                manifest.artifact_type.clone().or(Some(manifest.config.media_type.clone())),
                manifest.annotations.clone(),
            ),
            Content::Index(index) => (index.artifact_type.clone(), index.annotations.clone()),
        };
        Descriptor { artifact_type, annotations, ..self.descriptor() }
    }
}

impl Kind {
    fn must_be(&self, announced: &str, is_index: bool) -> Result<(), DocumentError> {
        let other = |said: &str| DocumentError::OtherType {
            announced: announced.to_owned(),
            said: said.chars().take(160).collect(),
        };
        match &self.media_type {
            Some(said) if said != announced => return Err(other(said)),
            _ => {}
        }
        if is_index && (self.layers.is_some() || self.config.is_some()) {
            return Err(other("a manifest"));
        }
        if !is_index && self.manifests.is_some() {
            return Err(other("an index"));
        }
        Ok(())
    }
}

impl Manifest {
    /// A manifest in OCI's form.
    #[must_use]
    pub fn new(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self {
            schema_version: SchemaVersion,
            media_type: Some(media_type::MANIFEST.to_owned()),
            artifact_type: None,
            config,
            layers,
            subject: None,
            annotations: BTreeMap::new(),
        }
    }
}

impl Index {
    /// An index in OCI's form.
    #[must_use]
    pub fn new(manifests: Vec<Descriptor>) -> Self {
        Self {
            schema_version: SchemaVersion,
            media_type: Some(media_type::INDEX.to_owned()),
            artifact_type: None,
            manifests,
            subject: None,
            annotations: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}"#;

    #[test]
    fn what_is_written_is_read_again() {
        let mut manifest = Manifest::new(Descriptor::empty(), vec![Descriptor::of("a/b", b"blob")]);
        manifest.subject = Some(Descriptor::of(media_type::MANIFEST, b"subject"));
        let written = Document::of_manifest(manifest);
        let read = Document::parse(media_type::MANIFEST, written.bytes().clone()).unwrap();
        assert_eq!(read.content(), written.content());
        assert_eq!(read.descriptor(), written.descriptor());
        assert_eq!(read.subject().unwrap().digest, Digest::of(b"subject"));
    }

    #[test]
    fn an_index_cannot_be_taken_for_a_manifest_nor_a_manifest_for_an_index() {
        let manifest = format!(r#"{{"schemaVersion":2,"config":{CONFIG},"layers":[]}}"#);
        let index = r#"{"schemaVersion":2,"manifests":[]}"#.to_owned();
        let both = format!(r#"{{"schemaVersion":2,"config":{CONFIG},"layers":[],"manifests":[]}}"#);
        let said = format!(
            r#"{{"schemaVersion":2,"mediaType":"{}","config":{CONFIG},"layers":[]}}"#,
            media_type::INDEX
        );
        let parse = |media_type: &str, json: &String| Document::parse(media_type, json.clone());
        parse(media_type::MANIFEST, &manifest).unwrap();
        parse(media_type::DOCKER_MANIFEST, &manifest).unwrap();
        parse(media_type::INDEX, &index).unwrap();
        for (media_type, json) in [
            (media_type::INDEX, &manifest),
            (media_type::MANIFEST, &index),
            (media_type::MANIFEST, &both),
            (media_type::INDEX, &both),
            (media_type::MANIFEST, &said),
            ("application/json", &manifest),
            ("application/vnd.docker.distribution.manifest.v1+prettyjws", &manifest),
        ] {
            parse(media_type, json).unwrap_err();
        }
    }

    #[test]
    fn lists_that_some_writers_leave_null_are_empty() {
        let json =
            format!(r#"{{"schemaVersion":2,"config":{CONFIG},"layers":null,"annotations":null}}"#);
        let document = Document::parse(media_type::MANIFEST, json).unwrap();
        assert_eq!(document.manifest().unwrap().layers, []);
    }

    #[test]
    fn another_schema_version_is_refused() {
        for version in ["1", "3", "\"2\"", "null"] {
            let json = format!(r#"{{"schemaVersion":{version},"manifests":[]}}"#);
            Document::parse(media_type::INDEX, json).unwrap_err();
        }
    }

    #[test]
    fn a_document_has_a_greatest_length() {
        let json = format!(r#"{{"schemaVersion":2,"manifests":[]{}}}"#, " ".repeat(MAX_DOCUMENT));
        let error = Document::parse(media_type::INDEX, json).unwrap_err();
        assert!(matches!(error, DocumentError::TooLong { .. }), "{error}");
    }
}
