//! What was attached to images before there were bundles, and what many verifiers of images still read only.
//!
//! A signature is a layer whose blob is a [`SimpleSigning`] payload; an attestation is a layer whose blob is a DSSE
//! envelope. Everything else (signature, certificate, log entry, timestamp) stands in the [`Annotations`] of the
//! layer. None of it is verified here: a layer becomes a bundle of version 0.1, which the ordinary verifier judges,
//! and a bundle becomes annotations.

mod annotations;
mod attach;
mod simple_signing;

pub use annotations::{
    Annotations, AnnotationsError, BUNDLE, CERTIFICATE, CHAIN, PREDICATE_TYPE, SIGNATURE, TIMESTAMP,
};
pub use attach::{AttachError, annotations_of};
pub use simple_signing::{
    COSIGN_TYPE, MAX_SIMPLE_SIGNING, SimpleSigning, SimpleSigningError, go_json,
};

use crate::bundle::{
    Bundle, Content, MediaType, MessageSignature, SignerMaterial, VerificationMaterial,
};
use crate::dsse::Envelope;
use crate::json::JsonError;

/// The media type of a layer that holds a [`SimpleSigning`] payload.
pub const SIMPLE_SIGNING_LAYER: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The media type of a layer that holds a DSSE envelope.
pub const DSSE_LAYER: &str = "application/vnd.dsse.envelope.v1+json";

/// Why a layer is no attestation that could be verified.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AttestationLayerError {
    /// The annotations cannot be read.
    #[error(transparent)]
    Annotations(#[from] AnnotationsError),
    /// The blob is no DSSE envelope.
    #[error("the layer is not a DSSE envelope: {0}")]
    Envelope(JsonError),
    /// The envelope has no signature, or several.
    #[error("the layer's DSSE envelope has {0} signatures; it must have one")]
    SignatureCount(usize),
}

/// The bundle that a signature layer with these annotations amounts to. What was signed is the layer's blob.
///
/// # Errors
///
/// [`AnnotationsError::NoSignature`] if there is none.
pub fn signature_bundle(annotations: Annotations) -> Result<Bundle, AnnotationsError> {
    let signature = annotations.signature.ok_or(AnnotationsError::NoSignature)?;
    let material =
        material(annotations.certificate, annotations.entry.map(|e| *e), annotations.timestamp);
    let content = Content::Message(MessageSignature { digest: None, signature });
    Ok(Bundle { media_type: MediaType::V0_1, material, content })
}

/// The bundle that an attestation layer amounts to: `blob` is its envelope.
///
/// # Errors
///
/// See [`AttestationLayerError`].
pub fn attestation_bundle(
    annotations: Annotations,
    blob: &[u8],
) -> Result<Bundle, AttestationLayerError> {
    let envelope = Envelope::parse(blob).map_err(AttestationLayerError::Envelope)?;
    match envelope.signatures.as_slice() {
        [signature] if !signature.signature.is_empty() => {}
        signatures => return Err(AttestationLayerError::SignatureCount(signatures.len())),
    }
    let material =
        material(annotations.certificate, annotations.entry.map(|e| *e), annotations.timestamp);
    Ok(Bundle { media_type: MediaType::V0_1, material, content: Content::Dsse(envelope) })
}

/// The chain of a layer is left out: it has a root, which a bundle must not have.
fn material(
    certificate: Option<Vec<u8>>,
    entry: Option<crate::bundle::TransparencyLogEntry>,
    timestamp: Option<Vec<u8>>,
) -> VerificationMaterial {
    let signer = match certificate {
        Some(leaf) => SignerMaterial::Chain(vec![leaf]),
        None => SignerMaterial::PublicKey { hint: String::new() },
    };
    VerificationMaterial {
        signer,
        entries: entry.into_iter().collect(),
        timestamps: timestamp.into_iter().collect(),
    }
}
