//! One statement about several images: signed once, and attached to each of them.

use futures_util::stream::{self, StreamExt as _};
use wire::statement::MAX_SUBJECTS;

use super::Image;
use super::signing::{Format, SignImageError, SignedImage, attach_envelope, check_tag};
use super::statement::{Claim, ClaimError};
use super::subject::Subject;
use crate::sign::{SignError, Signed, Signer};

/// To how many images the bundle is attached at the same time.
const PARALLEL: usize = 16;

/// A statement that is about all of its images, not signed yet.
#[derive(Debug)]
pub struct Together {
    members: Vec<(Image, Subject)>,
    claim: Claim,
    format: Format,
    statement: Vec<u8>,
}

/// What became of it.
#[derive(Debug)]
pub struct SignedTogether {
    /// The one signature.
    pub signed: Signed,
    /// What was attached to each image, in their order.
    pub attached: Vec<Result<SignedImage, SignImageError>>,
}

/// Why images cannot share a statement. Whoever asked must ask for something else.
#[derive(Debug, thiserror::Error)]
pub enum TogetherError {
    /// Verifiers read no statement with so many subjects.
    #[error("{0} images cannot share a statement: verifiers read at most {MAX_SUBJECTS} subjects")]
    TooMany(usize),
    /// Payloads of the older form name one image.
    #[error("signatures in the older form are of one image each")]
    OlderForm,
    /// The statement that was given is not about all of them.
    #[error(transparent)]
    Claim(#[from] ClaimError),
}

impl Together {
    /// Makes the statement that `claim` says about all `members`.
    ///
    /// # Errors
    ///
    /// See [`TogetherError`].
    pub fn about(
        members: Vec<(Image, Subject)>,
        claim: Claim,
        format: Format,
    ) -> Result<Self, TogetherError> {
        if members.len() > MAX_SUBJECTS {
            return Err(TogetherError::TooMany(members.len()));
        }
        if format.has_layer() && matches!(claim, Claim::Signature { .. }) {
            return Err(TogetherError::OlderForm);
        }
        let named = members.iter();
        let named = named.map(|(image, subject)| (&*image.name, &subject.descriptor.digest));
        let statement = claim.statement(named)?;
        Ok(Self { members, claim, format, statement })
    }

    /// Signs the statement, and attaches the bundle to each image. Whatever keeps it from one image keeps it from no other.
    ///
    /// # Errors
    ///
    /// See [`SignError`]: there is no signature, and nothing was attached.
    pub async fn sign(self, signer: &Signer) -> Result<SignedTogether, SignError> {
        let Self { members, claim, format, statement } = self;
        let signed = signer.attest(statement).await?;
        let (claim, bundle) = (&claim, &signed);
        let attached = stream::iter(members)
            .map(|(image, subject)| async move {
                let mut done = SignedImage::unsigned(subject);
                check_tag(&image, &mut done).await?;
                attach_envelope(&image, claim, format, bundle, &mut done).await?;
                Ok(done)
            })
            .buffered(PARALLEL)
            .collect()
            .await;
        Ok(SignedTogether { signed, attached })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use oci::{Descriptor, Layout, Store, Target};

    use super::*;

    fn member(contents: &[u8], store: &Store) -> (Image, Subject) {
        let descriptor = Descriptor::of(oci::media_type::MANIFEST, contents);
        let image = Image {
            name: "registry.example/app".to_owned(),
            target: Target::Digest(descriptor.digest),
            store: store.clone(),
            attachments: store.clone(),
        };
        (image, Subject { descriptor, platform: None, named: None })
    }

    /// Asks for a statement about the images with these contents.
    fn about(contents: &[&[u8]], claim: Claim, format: Format) -> Result<Together, TogetherError> {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::Layout(Layout::create(directory.path()).unwrap());
        let members = contents.iter().map(|contents| member(contents, &store)).collect();
        Together::about(members, claim, format)
    }

    fn signature() -> Claim {
        Claim::Signature { annotations: BTreeMap::new(), identity: None }
    }

    #[test]
    fn the_older_form_of_a_signature_is_of_one_image() {
        for format in [Format::Legacy, Format::Both] {
            let error = about(&[b"a", b"b"], signature(), format).unwrap_err();
            assert!(matches!(error, TogetherError::OlderForm));
        }
    }

    #[test]
    fn a_statement_has_no_more_subjects_than_verifiers_read() {
        let many: Vec<Vec<u8>> = (0..=MAX_SUBJECTS).map(|n| n.to_string().into_bytes()).collect();
        let many: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
        about(&many[1..], signature(), Format::Bundle).unwrap();
        let error = about(&many, signature(), Format::Bundle).unwrap_err();
        assert!(matches!(error, TogetherError::TooMany(count) if count == MAX_SUBJECTS + 1));
    }
}
