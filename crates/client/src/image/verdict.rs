//! Judging one candidate: the ordinary verifier first, and then whether it is about this image.

use std::collections::BTreeMap;

use oci::Digest;
use pki::{Certificate, fulcio};
use verify::{Artifact, Policy, Verified, VerifyError};
use wire::bundle::SignerMaterial;
use wire::legacy::{SimpleSigning, SimpleSigningError};
use wire::trusted_root::TrustedRoot;

use super::candidate::{Candidate, CandidateError, Source};

/// What is asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Wanted {
    /// A signature with these notes.
    Signature {
        /// Notes that must be there, word for word.
        annotations: BTreeMap<String, String>,
    },
    /// A statement with a predicate of the type that the policy names.
    Attestation,
}

/// A signature or an attestation that holds.
#[derive(Debug)]
pub struct Proven {
    /// What was verified, as a bundle, and where it is from.
    pub candidate: Candidate,
    /// What the verifier found.
    pub verified: Verified,
    /// The payload, where the older form has one.
    pub payload: Option<SimpleSigning>,
}

/// Something that does not count.
#[derive(Debug)]
pub struct Rejected {
    /// Where it is from.
    pub source: Source,
    /// Why it does not count.
    pub reason: Rejection,
    /// Who signed it, by its own word unless the reason is that somebody else should have.
    pub signer: Option<Signatory>,
}

/// Who signed something that does not count.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Signatory {
    /// The holder of some key.
    Key,
    /// Whom a certificate names.
    Identity {
        /// The names in the certificate.
        names: Vec<String>,
        /// Who vouches for them; empty if the certificate does not say.
        issuer: String,
    },
}

/// Why a candidate does not count.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    /// It cannot be read.
    #[error(transparent)]
    Candidate(#[from] CandidateError),
    /// It does not hold.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// What was signed is no payload that names an image.
    #[error(transparent)]
    Payload(#[from] SimpleSigningError),
    /// It is a signature, and not a statement.
    #[error("it is a signature, not an attestation")]
    OtherKind,
    /// The payload names another image.
    #[error("it signs {0}")]
    OtherImage(Digest),
    /// It does not have a note that was asked for.
    #[error("its annotation {name:?} is {}, not {expected:?}", found.as_deref().unwrap_or("not there"))]
    Annotation {
        /// The note.
        name: String,
        /// What it must be.
        expected: String,
        /// What it is.
        found: Option<String>,
    },
}

/// What is asked, of every candidate.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) image: Digest,
    pub(super) wanted: &'a Wanted,
    /// What is demanded where a statement was signed.
    pub(super) statements: &'a Policy,
    /// What is demanded where a payload was signed that names the image.
    pub(super) payloads: &'a Policy,
    pub(super) trust: &'a TrustedRoot,
}

/// Decides whether `candidate` is what is asked for.
pub(super) fn judge(candidate: Candidate, question: Question<'_>) -> Result<Proven, Rejected> {
    match check(&candidate, question) {
        Ok((verified, payload)) => Ok(Proven { candidate, verified, payload }),
        Err(reason) => {
            let signer = signatory(&candidate);
            Err(Rejected { source: candidate.source, reason, signer })
        }
    }
}

fn check(
    candidate: &Candidate,
    question: Question<'_>,
) -> Result<(Verified, Option<SimpleSigning>), Rejection> {
    let (bundle, chain, trust) = (&candidate.bundle, &candidate.chain, question.trust);
    let digest = crypto::Digest::from(question.image);
    let (verified, payload) = match (&candidate.payload, question.wanted) {
        (None, _) => {
            let artifact = Artifact::from_digest(digest);
            let policy = question.statements.by_way_of(chain);
            (verify::verify(&artifact, bundle, &policy, trust)?, None)
        }
        (Some(_), Wanted::Attestation) => return Err(Rejection::OtherKind),
        // Nothing that the payload says counts before somebody has signed it.
        (Some(payload), Wanted::Signature { .. }) => {
            let artifact = Artifact::from_bytes(payload);
            let policy = question.payloads.by_way_of(chain);
            let verified = verify::verify(&artifact, bundle, &policy, trust)?;
            let payload = SimpleSigning::parse(payload)?;
            if payload.digest != digest {
                return Err(Rejection::OtherImage(payload.digest.into()));
            }
            (verified, Some(payload))
        }
    };
    if let Wanted::Signature { annotations } = question.wanted {
        check_annotations(annotations, &notes(&verified, payload.as_ref(), &digest))?;
    }
    Ok((verified, payload))
}

/// What the signer notes about the image, where that is text.
fn notes(
    verified: &Verified,
    payload: Option<&SimpleSigning>,
    image: &crypto::Digest,
) -> BTreeMap<String, String> {
    if let Some(payload) = payload {
        let text = |(name, value): (&String, &serde_json::Value)| {
            Some((name.clone(), value.as_str()?.to_owned()))
        };
        return payload.optional.iter().filter_map(text).collect();
    }
    let subjects = verified.statement.iter().flat_map(|statement| &statement.subject);
    let about = subjects.filter(|subject| subject.has(image));
    about.flat_map(|subject| subject.annotations.clone()).collect()
}

fn check_annotations(
    wanted: &BTreeMap<String, String>,
    found: &BTreeMap<String, String>,
) -> Result<(), Rejection> {
    for (name, expected) in wanted {
        let found = found.get(name);
        if found != Some(expected) {
            let (name, expected) = (name.clone(), expected.clone());
            return Err(Rejection::Annotation { name, expected, found: found.cloned() });
        }
    }
    Ok(())
}

impl Proven {
    /// What the signer notes about `image`.
    #[must_use]
    pub fn annotations(&self, image: &Digest) -> BTreeMap<String, String> {
        notes(&self.verified, self.payload.as_ref(), &crypto::Digest::from(*image))
    }
}

/// Who signed, by the candidate's own word.
fn signatory(candidate: &Candidate) -> Option<Signatory> {
    let leaf = match &candidate.bundle.material.signer {
        SignerMaterial::PublicKey { .. } => return Some(Signatory::Key),
        signer => signer.leaf()?,
    };
    let certificate = Certificate::from_der(leaf).ok()?;
    Some(Signatory::Identity {
        names: certificate.names(),
        issuer: fulcio::issuer(&certificate).ok().flatten().unwrap_or_default(),
    })
}
