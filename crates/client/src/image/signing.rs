//! Signing one image, in one form or both.

use jiff::Timestamp;
use oci::{AttachError, Attached, Digest, FetchError, PushError, Target};
use wire::bundle::Content;
use wire::legacy::annotations_of;

use super::legacy::{AppendError, Kind, Layer, append};
use super::statement::{Claim, ClaimError, payload};
use super::subject::Subject;
use super::{Image, referrer};
use crate::sign::{SignError, Signed, Signer};

/// In which form signatures and attestations are attached.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Format {
    /// As bundles in referrers.
    #[default]
    Bundle,
    /// As layers under a tag of their own. They need a log that makes promises: Rekor v1.
    Legacy,
    /// In both.
    Both,
    /// Not at all: whoever asked keeps the bundle.
    Detached,
}

impl Format {
    /// Whether there is a bundle, attached or not.
    pub(super) fn has_bundle(self) -> bool {
        self != Self::Legacy
    }

    /// Whether there is a layer in the older form.
    #[must_use]
    pub fn has_layer(self) -> bool {
        matches!(self, Self::Legacy | Self::Both)
    }
}

/// What was attached.
#[derive(Debug)]
pub struct SignedImage {
    /// What was signed.
    pub subject: Subject,
    /// The referrer with the bundle.
    pub referrer: Option<Attached>,
    /// The tag under which the older form is.
    pub legacy_tag: Option<String>,
    /// The blob of the layer under that tag.
    pub legacy_layer: Option<Digest>,
    /// The signatures: one for each form. None where it is shared with other images.
    pub signed: Vec<Signed>,
}

impl SignedImage {
    /// An image to which nothing is attached yet.
    pub(super) const fn unsigned(subject: Subject) -> Self {
        Self { subject, referrer: None, legacy_tag: None, legacy_layer: None, signed: Vec::new() }
    }
}

/// Why an image is not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignImageError {
    /// There is no signature.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// What was to be signed is not about it.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// It cannot be looked up again.
    #[error("the image cannot be looked up")]
    Fetch(#[from] FetchError),
    /// While it was being signed, somebody gave the tag to another image. Nothing was attached.
    #[error("the tag {tag} pointed to {before} when signing began, and points to {now}")]
    TagMoved {
        /// The tag.
        tag: String,
        /// What was signed.
        before: Digest,
        /// What the tag points to now.
        now: Digest,
    },
    /// The bundle cannot be attached.
    #[error("the signature cannot be attached")]
    Attach(#[from] AttachError),
    /// A blob cannot be stored.
    #[error("the signature cannot be stored")]
    Push(#[from] PushError),
    /// The bundle has no older form.
    #[error(transparent)]
    Legacy(#[from] wire::legacy::AttachError),
    /// The older form cannot be attached.
    #[error("the signature in the older form cannot be attached")]
    Append(#[from] AppendError),
}

/// Signs `subject`, to which the name of `image` led, and attaches the signature.
///
/// # Errors
///
/// See [`SignImageError`].
pub async fn sign(
    signer: &Signer,
    image: &Image,
    subject: Subject,
    claim: &Claim,
    format: Format,
) -> Result<SignedImage, SignImageError> {
    let mut done = SignedImage::unsigned(subject);
    match claim {
        // The two forms sign two payloads.
        Claim::Signature { .. } => {
            if format.has_bundle() {
                attach_statement(signer, image, claim, format, &mut done).await?;
            }
            if format.has_layer() {
                attach_payload(signer, image, claim, &mut done).await?;
            }
        }
        // The same envelope stands in both forms.
        Claim::Attestation { .. } | Claim::Statement { .. } => {
            attach_statement(signer, image, claim, format, &mut done).await?;
        }
    }
    Ok(done)
}

/// Asks once more what the tag points to, when nothing is attached yet: a signature of another image than the one that
/// people pull under the name is not what was wanted.
pub(super) async fn check_tag(image: &Image, done: &mut SignedImage) -> Result<(), SignImageError> {
    // Once is enough, before the first of two forms is attached.
    let Some(before) = done.subject.named.take() else { return Ok(()) };
    let Target::Tag(tag) = &image.target else { return Ok(()) };
    let now = image.store.resolve(&image.target).await?.digest;
    if now == before {
        return Ok(());
    }
    Err(SignImageError::TagMoved { tag: tag.clone(), before, now })
}

async fn attach_statement(
    signer: &Signer,
    image: &Image,
    claim: &Claim,
    format: Format,
    done: &mut SignedImage,
) -> Result<(), SignImageError> {
    let statement = claim.statement([(&*image.name, &done.subject.descriptor.digest)])?;
    let signed = signer.attest(statement).await?;
    check_tag(image, done).await?;
    attach_envelope(image, claim, format, &signed, done).await?;
    done.signed.push(signed);
    Ok(())
}

async fn attach_payload(
    signer: &Signer,
    image: &Image,
    claim: &Claim,
    done: &mut SignedImage,
) -> Result<(), SignImageError> {
    let Claim::Signature { annotations, identity } = claim else { return Ok(()) };
    let digest = &done.subject.descriptor.digest;
    let payload = payload(&image.name, digest, annotations, identity.as_deref());
    let blob = payload.to_json();
    let signed = signer.sign(&signer.hash_algorithm().digest(&blob)).await?;
    check_tag(image, done).await?;
    attach_layer(image, Kind::Signature, blob, None, &signed, done).await?;
    done.signed.push(signed);
    Ok(())
}

/// Attaches what was signed, an envelope with a statement, in the forms that are wanted.
pub(super) async fn attach_envelope(
    image: &Image,
    claim: &Claim,
    format: Format,
    signed: &Signed,
    done: &mut SignedImage,
) -> Result<(), SignImageError> {
    let attestation = !matches!(claim, Claim::Signature { .. });
    if attestation
        && format.has_layer()
        && let Content::Dsse(envelope) = &signed.bundle.content
    {
        // The log has the digest of this very text, and verifiers compare.
        let blob = envelope.to_json().into_bytes();
        let predicate_type = claim.predicate_type().to_owned();
        attach_layer(image, Kind::Attestation, blob, Some(predicate_type), signed, done).await?;
    }
    if matches!(format, Format::Bundle | Format::Both) {
        let (subject, bundle) = (&done.subject.descriptor, signed.bundle.to_json());
        let (store, now) = (&image.attachments, Timestamp::now());
        let attached =
            referrer::attach(store, subject, bundle, claim.predicate_type(), now).await?;
        done.referrer = Some(attached);
    }
    Ok(())
}

async fn attach_layer(
    image: &Image,
    kind: Kind,
    blob: Vec<u8>,
    predicate_type: Option<String>,
    signed: &Signed,
    done: &mut SignedImage,
) -> Result<(), SignImageError> {
    let annotations = annotations_of(&signed.bundle, chain(signed))?;
    let digest = Digest::of(&blob);
    let layer = Layer { kind, blob: blob.into(), annotations, predicate_type };
    let tag = append(&image.attachments, &done.subject.descriptor.digest, layer).await?;
    (done.legacy_tag, done.legacy_layer) = (Some(tag), Some(digest));
    Ok(())
}

/// The certificates above the signer's, as they were verified.
fn chain(signed: &Signed) -> Vec<Vec<u8>> {
    match &signed.verified.signer {
        verify::Signer::Identity { certified, .. } | verify::Signer::Own { certified, .. } => {
            certified.path.issuers.iter().map(|issuer| issuer.der().to_vec()).collect()
        }
        _ => Vec::new(),
    }
}
