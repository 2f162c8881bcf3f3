//! A bundle as a referrer of an image: how it is attached, and which layers of a document are one.
//!
//! What is attached here need not have been made here: [`Loose`] is a bundle that somebody else brings.

use bytes::Bytes;
use futures_util::future::try_join;
use jiff::Timestamp;
use oci::{AttachError, Attached, Descriptor, Digest, Document, Manifest, Store};
use wire::bundle::{Bundle, BundleError, Content, MediaType};
use wire::statement::{Statement, StatementError};

/// How the media types of bundles of all versions begin.
const BUNDLES: &str = "application/vnd.dev.sigstore.bundle";

/// Attaches a bundle to the image that `subject` points to.
///
/// # Errors
///
/// See [`AttachError`].
pub async fn attach(
    store: &Store,
    subject: &Descriptor,
    bundle: String,
    predicate_type: &str,
    now: Timestamp,
) -> Result<Attached, AttachError> {
    let bundle = Bytes::from(bundle);
    let document = document(subject, &bundle, predicate_type, now);
    // What a document points to must be there before it.
    let empty = store.push_blob(Bytes::from_static(b"{}"));
    try_join(empty, store.push_blob(bundle)).await?;
    store.attach(&document).await
}

/// A bundle that was made elsewhere, and is to be attached to what it is about.
///
/// Nobody asks here who signed it: whoever verifies the image will.
#[derive(Debug)]
pub struct Loose {
    json: String,
    statement: Statement,
}

/// A file is no bundle that could be attached to an image.
#[derive(Debug, thiserror::Error)]
pub enum LooseError {
    /// It is no bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Verifiers of images read bundles of one version.
    #[error("it is a bundle of the type {}, not {}", .0.name(), MediaType::V0_3.name())]
    Version(MediaType),
    /// The signature is of a file.
    #[error("it signs a file, not a statement about images")]
    NoStatement,
    /// What was signed is no statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
}

impl Loose {
    /// Reads a bundle.
    ///
    /// # Errors
    ///
    /// See [`LooseError`].
    pub fn parse(json: String) -> Result<Self, LooseError> {
        let bundle = Bundle::parse(json.as_bytes())?;
        if bundle.media_type != MediaType::V0_3 {
            return Err(LooseError::Version(bundle.media_type));
        }
        let Content::Dsse(envelope) = &bundle.content else { return Err(LooseError::NoStatement) };
        let statement = Statement::parse(&envelope.payload)?;
        Ok(Self { json, statement })
    }

    /// Whether it says something about the image with this digest.
    #[must_use]
    pub fn is_about(&self, image: &Digest) -> bool {
        self.statement.is_about(&(*image).into())
    }

    /// Attaches it, byte for byte, to the image that `subject` points to.
    ///
    /// # Errors
    ///
    /// See [`AttachError`].
    pub async fn attach(
        &self,
        store: &Store,
        subject: &Descriptor,
        now: Timestamp,
    ) -> Result<Attached, AttachError> {
        attach(store, subject, self.json.clone(), &self.statement.predicate_type, now).await
    }
}

/// The document that attaches a bundle, member for member as cosign writes it.
fn document(subject: &Descriptor, bundle: &[u8], predicate_type: &str, now: Timestamp) -> Document {
    let media_type = MediaType::V0_3.name();
    let config = Descriptor { artifact_type: Some(media_type.to_owned()), ..Descriptor::empty() };
    let mut manifest = Manifest::new(config, vec![Descriptor::of(media_type, bundle)]);
    manifest.artifact_type = Some(media_type.to_owned());
    manifest.subject = Some(subject.bare());
    manifest.annotations = [
        ("org.opencontainers.image.created", &*now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        ("dev.sigstore.bundle.content", "dsse-envelope"),
        (PREDICATE_TYPE, predicate_type),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    Document::of_manifest(manifest)
}

/// The annotation of a referrer that says what its statement is about. Nobody signed it: it decides in which order
/// referrers are looked at, and nothing else.
pub(super) const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";

/// Whether a layer of this type is a bundle.
pub(super) fn is_bundle(media_type: &str) -> bool {
    media_type.starts_with(BUNDLES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_referrer_has_the_members_that_cosign_s_has() {
        let subject = Descriptor::of(oci::media_type::MANIFEST, b"an image");
        let now = "2026-11-24T11:55:16.5Z".parse().unwrap();
        let document = document(&subject, b"{}", "https://sigstore.dev/cosign/sign/v1", now);
        let found: serde_json::Value = serde_json::from_slice(document.bytes()).unwrap();
        let bundle = "application/vnd.dev.sigstore.bundle.v0.3+json";
        let empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        // Captured from cosign v3.1.3, with other digests and sizes.
        let expected = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.empty.v1+json", "size": 2, "digest": empty,
                "artifactType": bundle,
            },
            "layers": [{ "mediaType": bundle, "size": 2, "digest": empty }],
            "annotations": {
                "dev.sigstore.bundle.content": "dsse-envelope",
                "dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1",
                "org.opencontainers.image.created": "2026-11-24T11:55:16Z",
            },
            "subject": {
                "mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 8,
                "digest": subject.digest.to_string(),
            },
            "artifactType": bundle,
        });
        assert_eq!(found, expected);
    }
}
