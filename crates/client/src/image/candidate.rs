//! What may be a signature or an attestation of an image: bundles and older layers, each with what it is about.

use bytes::Bytes;
use oci::{AccessError, Descriptor, Digest, Document, FetchError, Store};
use wire::bundle::{Bundle, BundleError};
use wire::legacy::{
    Annotations, AnnotationsError, AttestationLayerError, DSSE_LAYER, MAX_SIMPLE_SIGNING,
    SIMPLE_SIGNING_LAYER, attestation_bundle, signature_bundle,
};

use super::legacy::MAX_LAYERS;
use super::referrer::is_bundle;

/// The largest bundle or envelope. A bundle's own limit, see [`wire::bundle::MAX_BUNDLE`].
pub const MAX_ATTACHMENT: u64 = wire::bundle::MAX_BUNDLE as u64;

/// The most bundles in one referrer: all writers put one into each.
pub const MAX_BUNDLES: usize = 8;

/// Something that may be a signature or an attestation.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Where it is from.
    pub source: Source,
    /// What the verifier is to judge.
    pub bundle: Bundle,
    /// What was signed, where that is a payload that names the image, and not a statement in the bundle.
    pub payload: Option<Bytes>,
    /// What came beside the bundle and may lead from its certificate to a root of the verifier's own: certificates, DER, by
    /// the older form's word.
    pub chain: Vec<Vec<u8>>,
}

/// Where something is from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// A referrer of the image: the digest of its document.
    Referrer(Digest),
    /// A layer of a document under a tag of its own.
    Layer {
        /// The tag.
        tag: String,
        /// The digest of the layer.
        layer: Digest,
    },
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Referrer(digest) => write!(f, "the referrer {digest}"),
            Self::Layer { tag, layer } => write!(f, "the layer {layer} under the tag {tag}"),
        }
    }
}

/// Why something is not even a candidate.
#[derive(Debug, thiserror::Error)]
pub enum CandidateError {
    /// It is listed, but not there: a mirror or a clean-up has lost it.
    #[error("it is listed, but the registry does not have it")]
    Lost,
    /// The registry cannot be asked for it.
    #[error("it cannot be had")]
    Unavailable(#[source] AccessError),
    /// It is not what whoever points to it says, or nothing that could be read.
    #[error("it cannot be read")]
    Unreadable(#[source] FetchError),
    /// A referrer says that it is about something else.
    #[error("it says that it is about {}", .0.map_or_else(|| "nothing".to_owned(), |digest| digest.to_string()))]
    OtherSubject(Option<Digest>),
    /// There are more layers than any writer makes.
    #[error("it has {found} layers, more than {limit}")]
    TooManyLayers {
        /// How many.
        found: usize,
        /// How many are looked at.
        limit: usize,
    },
    /// A bundle cannot be read.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The annotations of a layer cannot be read.
    #[error(transparent)]
    Annotations(#[from] AnnotationsError),
    /// A layer is no attestation.
    #[error(transparent)]
    Attestation(#[from] AttestationLayerError),
}

impl From<FetchError> for CandidateError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Missing { .. } => Self::Lost,
            FetchError::Access(error) => Self::Unavailable(error),
            error => Self::Unreadable(error),
        }
    }
}

/// A layer that may be one, before its blob is fetched.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) source: Source,
    layer: Descriptor,
}

/// The layers of a referrer that may be signatures or attestations. None are in a document of another kind, such as an SBOM.
pub(super) fn in_referrer(
    document: &Document,
    image: &Digest,
) -> Result<Vec<Found>, CandidateError> {
    let layers = document.manifest().map_or(&[][..], |manifest| &manifest.layers);
    let source = Source::Referrer(document.digest());
    let found = layers_in(layers, |_| source.clone())?;
    let bundles = found.iter().filter(|found| is_bundle(&found.layer.media_type)).count();
    if bundles > MAX_BUNDLES {
        return Err(CandidateError::TooManyLayers { found: bundles, limit: MAX_BUNDLES });
    }
    let subject = document.subject().map(|subject| subject.digest);
    if !found.is_empty() && subject != Some(*image) {
        return Err(CandidateError::OtherSubject(subject));
    }
    Ok(found)
}

/// The layers under a tag of its own.
pub(super) fn under_tag(document: &Document, tag: &str) -> Result<Vec<Found>, CandidateError> {
    let layers = document.manifest().map_or(&[][..], |manifest| &manifest.layers);
    layers_in(layers, |layer| Source::Layer { tag: tag.to_owned(), layer: layer.digest })
}

fn layers_in(
    layers: &[Descriptor],
    source: impl Fn(&Descriptor) -> Source,
) -> Result<Vec<Found>, CandidateError> {
    if layers.len() > MAX_LAYERS {
        return Err(CandidateError::TooManyLayers { found: layers.len(), limit: MAX_LAYERS });
    }
    let known = |layer: &&Descriptor| {
        matches!(layer.media_type.as_str(), SIMPLE_SIGNING_LAYER | DSSE_LAYER)
            || is_bundle(&layer.media_type)
    };
    let found = |layer: &Descriptor| Found { source: source(layer), layer: layer.clone() };
    Ok(layers.iter().filter(known).map(found).collect())
}

impl Found {
    /// How many bytes fetching it takes: what its document says, which is checked while it is read.
    pub(super) fn size(&self) -> u64 {
        self.layer.size.min(self.limit())
    }

    fn limit(&self) -> u64 {
        match self.layer.media_type.as_str() {
            SIMPLE_SIGNING_LAYER => MAX_SIMPLE_SIGNING as u64,
            _ => MAX_ATTACHMENT,
        }
    }

    /// Fetches the blob, and reads it as what its document says that it is.
    pub(super) async fn fetch(&self, store: &Store) -> Result<Candidate, CandidateError> {
        let source = self.source.clone();
        let media_type = self.layer.media_type.as_str();
        if is_bundle(media_type) {
            let blob = store.blob(&self.layer, self.limit()).await?;
            let bundle = Bundle::parse(&blob)?;
            return Ok(Candidate { source, bundle, payload: None, chain: Vec::new() });
        }
        // Before a byte is fetched: most of what is wrong is wrong here.
        let mut annotations = Annotations::read(&self.layer.annotations)?;
        let chain = std::mem::take(&mut annotations.chain);
        if media_type == SIMPLE_SIGNING_LAYER {
            let bundle = signature_bundle(annotations)?;
            let payload = store.blob(&self.layer, self.limit()).await?;
            return Ok(Candidate { source, bundle, payload: Some(payload), chain });
        }
        let blob = store.blob(&self.layer, self.limit()).await?;
        let bundle = attestation_bundle(annotations, &blob)?;
        Ok(Candidate { source, bundle, payload: None, chain })
    }
}
