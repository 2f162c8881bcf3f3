//! Signatures and attestations as layers under a tag of their own: what podman, CRI-O and many admission controllers
//! read.
//!
//! The tag is `sha256-<digits>.sig` or `.att`, all signatures of an image are layers of the one document under it, and
//! each writer replaces that document. Registries have no way to do that safely for two writers at once. Within this
//! process one writes after the other; whoever writes looks afterwards, and once more a moment later, whether the own
//! layer is still there, and begins anew if it is not. Two machines that sign one image within that moment can still lose
//! one of the two signatures: that is what bundles in referrers are for.

use std::time::Duration;

use bytes::Bytes;
use oci::{Descriptor, Digest, Document, FetchError, Manifest, PushError, Store, Target};
use tokio::sync::Mutex;
use wire::legacy::{Annotations, DSSE_LAYER, SIMPLE_SIGNING_LAYER};

/// The most layers under one tag, as in cosign.
pub(super) const MAX_LAYERS: usize = 1000;
/// How often a layer that another writer removed is added again.
const ATTEMPTS: usize = 10;
/// How long after writing is looked once more, at least: longer than another writer's reading and writing take.
const MOMENT: Duration = Duration::from_millis(100);

/// Held while somebody writes: tags of several names may be of one repository.
static WRITING: Mutex<()> = Mutex::const_new(());
/// The configuration's time: everything here has its own time, in timestamps.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// What is kept under a tag of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Signatures.
    Signature,
    /// Attestations.
    Attestation,
}

impl Kind {
    /// The tag for the image with this digest.
    #[must_use]
    pub fn tag(self, image: &Digest) -> String {
        let ending = match self {
            Self::Signature => "sig",
            Self::Attestation => "att",
        };
        format!("{}.{ending}", image.to_tag())
    }

    /// The media type of the layers.
    #[must_use]
    pub const fn layer(self) -> &'static str {
        match self {
            Self::Signature => SIMPLE_SIGNING_LAYER,
            Self::Attestation => DSSE_LAYER,
        }
    }
}

/// A layer to be added.
pub(super) struct Layer {
    pub(super) kind: Kind,
    pub(super) blob: Bytes,
    pub(super) annotations: Annotations,
    /// The type of the predicate, for an attestation.
    pub(super) predicate_type: Option<String>,
}

/// Why a layer is not there.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// What is under the tag cannot be had.
    #[error("the signatures that are there already cannot be read")]
    Fetch(#[from] FetchError),
    /// It cannot be replaced.
    #[error(transparent)]
    Push(#[from] PushError),
    /// What is under the tag is no list of signatures.
    #[error("what is under the tag {0} is not a manifest with signatures")]
    NoManifest(String),
    /// Verifiers read no more.
    #[error("there are {MAX_LAYERS} layers under the tag {0}, which is as many as verifiers read")]
    Full(String),
    /// Others write all the time.
    #[error("others replaced what is under the tag {0} each of {ATTEMPTS} times")]
    Contended(String),
}

/// What is under a tag of this kind, if anything.
///
/// # Errors
///
/// See [`FetchError`].
pub async fn find(
    store: &Store,
    kind: Kind,
    image: &Digest,
) -> Result<Option<Document>, FetchError> {
    match store.fetch(&Target::Tag(kind.tag(image))).await {
        Ok(document) => Ok(Some(document)),
        Err(FetchError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Adds a layer to those under the tag for `image`, and returns the tag.
pub(super) async fn append(
    store: &Store,
    image: &Digest,
    layer: Layer,
) -> Result<String, AppendError> {
    let tag = layer.kind.tag(image);
    let descriptor = layer.descriptor();
    store.push_blob(layer.blob).await?;
    for _ in 0..ATTEMPTS {
        add(store, layer.kind, image, &descriptor).await?;
        tokio::time::sleep(MOMENT + net::jitter(MOMENT)).await;
        if layers(store, layer.kind, image).await?.contains(&descriptor) {
            return Ok(tag);
        }
    }
    Err(AppendError::Contended(tag))
}

/// Takes layers away from those under the tag for `image`, but not the last that is `stays`.
pub(super) async fn remove(
    store: &Store,
    kind: Kind,
    image: &Digest,
    gone: &[Digest],
    stays: Option<&Digest>,
) -> Result<(), AppendError> {
    let _one_after_the_other = WRITING.lock().await;
    let before = layers(store, kind, image).await?;
    let count = before.len();
    let left = without(before, gone, stays);
    if left.len() == count { Ok(()) } else { write(store, kind, image, left).await }
}

/// Layers without one for each digest of `gone`, the first there is: new ones are added at the end. The last layer that is
/// `stays` is left whatever is in `gone`.
fn without(layers: Vec<Descriptor>, gone: &[Digest], stays: Option<&Digest>) -> Vec<Descriptor> {
    let new = stays.and_then(|stays| layers.iter().rposition(|layer| layer.digest == *stays));
    let mut gone = gone.to_vec();
    let mut is_left = |place: usize, layer: &Descriptor| {
        let older = gone.iter().position(|digest| *digest == layer.digest);
        match older.filter(|_| new != Some(place)) {
            Some(older) => {
                gone.swap_remove(older);
                false
            }
            None => true,
        }
    };
    let layers = layers.into_iter().enumerate();
    layers.filter(|(place, layer)| is_left(*place, layer)).map(|(_, layer)| layer).collect()
}

/// Reads what is under the tag, and writes it with the layer.
async fn add(
    store: &Store,
    kind: Kind,
    image: &Digest,
    descriptor: &Descriptor,
) -> Result<(), AppendError> {
    let _one_after_the_other = WRITING.lock().await;
    let mut layers = layers(store, kind, image).await?;
    if layers.len() >= MAX_LAYERS {
        return Err(AppendError::Full(kind.tag(image)));
    }
    layers.push(descriptor.clone());
    write(store, kind, image, layers).await
}

async fn write(
    store: &Store,
    kind: Kind,
    image: &Digest,
    layers: Vec<Descriptor>,
) -> Result<(), AppendError> {
    let config = config(&layers);
    let manifest = Manifest::new(Descriptor::of(oci::media_type::CONFIG, &config), layers);
    store.push_blob(config).await?;
    store.push_document(&Document::of_manifest(manifest), Some(&kind.tag(image))).await?;
    Ok(())
}

async fn layers(store: &Store, kind: Kind, image: &Digest) -> Result<Vec<Descriptor>, AppendError> {
    match find(store, kind, image).await? {
        None => Ok(Vec::new()),
        Some(document) => match document.manifest() {
            Some(manifest) => Ok(manifest.layers.clone()),
            None => Err(AppendError::NoManifest(kind.tag(image))),
        },
    }
}

impl Layer {
    fn descriptor(&self) -> Descriptor {
        let mut annotations = self.annotations.to_map();
        if let Some(predicate_type) = &self.predicate_type {
            annotations.insert(wire::legacy::PREDICATE_TYPE.to_owned(), predicate_type.clone());
        }
        Descriptor { annotations, ..Descriptor::of(self.kind.layer(), &self.blob) }
    }
}

/// The configuration of an image that no machine runs: its layers, which are not compressed.
fn config(layers: &[Descriptor]) -> Bytes {
    let digests: Vec<String> = layers.iter().map(|layer| layer.digest.to_string()).collect();
    let history: Vec<_> =
        layers.iter().map(|_| serde_json::json!({ "created": NO_TIME })).collect();
    let config = serde_json::json!({
        "architecture": "", "created": NO_TIME, "history": history, "os": "",
        "rootfs": { "type": "layers", "diff_ids": digests }, "config": {},
    });
    config.to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_where_others_look_for_them() {
        let digest = Digest::of(b"");
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Kind::Signature.tag(&digest), format!("sha256-{hex}.sig"));
        assert_eq!(Kind::Attestation.tag(&digest), format!("sha256-{hex}.att"));
    }

    /// What is left of layers with these contents.
    fn left(layers: &[&str], gone: &[&str], stays: Option<&str>) -> Vec<Digest> {
        let digest = |contents: &&str| Digest::of(contents.as_bytes());
        let layers = layers.iter().map(|contents| Descriptor::of(DSSE_LAYER, contents.as_bytes()));
        let gone: Vec<_> = gone.iter().map(digest).collect();
        let left = without(layers.collect(), &gone, stays.as_ref().map(digest).as_ref());
        left.into_iter().map(|layer| layer.digest).collect()
    }

    #[test]
    fn of_equal_layers_as_many_go_as_are_older() {
        let of = |contents: &[&str]| left(contents, &[], None);
        assert_eq!(left(&["a", "b", "a"], &["a"], Some("a")), of(&["b", "a"]));
        assert_eq!(left(&["a", "b", "a"], &["a"], None), of(&["b", "a"]));
        assert_eq!(left(&["a", "a", "a"], &["a", "a"], Some("a")), of(&["a"]));
        assert_eq!(left(&["a", "b"], &["a"], Some("b")), of(&["b"]));
        assert_eq!(left(&["a", "b"], &["a"], None), of(&["b"]));
    }

    #[test]
    fn the_new_layer_stays_even_where_another_writer_took_the_older_one_away() {
        assert_eq!(left(&["a"], &["a"], Some("a")), left(&["a"], &[], None));
        assert_eq!(left(&["a"], &["a", "a"], Some("a")), left(&["a"], &[], None));
    }

    #[test]
    fn an_attestation_s_layer_names_its_predicate() {
        let layer = Layer {
            kind: Kind::Attestation,
            blob: Bytes::from_static(b"{}"),
            annotations: Annotations::default(),
            predicate_type: Some("https://example.com/p".into()),
        };
        let descriptor = layer.descriptor();
        assert_eq!(descriptor.annotations["predicateType"], "https://example.com/p");
        assert_eq!(descriptor.annotations["dev.cosignproject.cosign/signature"], "");
        assert_eq!(descriptor.media_type, "application/vnd.dsse.envelope.v1+json");
    }
}
