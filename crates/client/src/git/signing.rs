//! Making signatures of git objects.

use crypto::HashAlgorithm;
use jiff::Timestamp;
use pki::cms::SignedAttributes;
use pki::tsp::{Token, TokenFormatError};
use pki::{Certificate, CertificateError};
use verify::Verified;
use wire::bundle::{Bundle, TransparencyLogEntry};

use super::object::Content;
use super::{GitSignature, OtherObject, SignatureError, armored};
use crate::sign::{SignError, Signer};

/// A signature that the verifier has accepted.
#[derive(Debug)]
#[non_exhaustive]
pub struct SignedObject {
    /// The armored signature, as git stores it.
    pub armored: String,
    /// The signer's certificate.
    pub certificate: Certificate,
    /// What the verifier found in it.
    pub verified: Verified,
}

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
pub enum SignObjectError {
    /// Nothing could be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The signer has a key that signs another digest, or no certificate: a signature of a git object needs one.
    #[error("git objects are signed in somebody's name, with a P-256 key")]
    Signer,
    /// The certificate cannot be read.
    #[error("the signer's certificate cannot be read")]
    Certificate(#[from] CertificateError),
    /// A timestamp cannot be put into the signature.
    #[error("the timestamp cannot be put into the signature")]
    Timestamp(#[from] TokenFormatError),
    /// What readers would read is not what was verified. The log or the authority wrote something unusual.
    #[error("the signature does not hold what was verified")]
    Unreadable(#[source] Option<SignatureError>),
    /// What readers would read is about another object.
    #[error("the signature does not hold what was verified")]
    Unbound(#[from] OtherObject),
}

/// Signs `content` at `now`.
///
/// The signature leaves here only after the verifier has accepted its parts, and a reader has found the same parts in it.
///
/// # Errors
///
/// See [`SignObjectError`].
pub async fn sign(
    signer: &Signer,
    content: &Content,
    now: Timestamp,
) -> Result<SignedObject, SignObjectError> {
    if signer.hash_algorithm() != HashAlgorithm::Sha256 {
        return Err(SignObjectError::Signer);
    }
    let attributes = SignedAttributes::new(&HashAlgorithm::Sha256.digest(content.bytes()), now);
    let signed = signer.sign(&HashAlgorithm::Sha256.digest(&attributes.to_der())).await?;
    let leaf = signed.bundle.material.signer.leaf().ok_or(SignObjectError::Signer)?;
    let certificate = Certificate::from_der(leaf)?;
    let armored = armored(&attributes, &certificate, &signed.bundle)?;

    let read = GitSignature::read(armored.as_bytes())
        .map_err(|error| SignObjectError::Unreadable(Some(error)))?
        .bind(content.bytes())?;
    if in_order(read.bundle().clone()) != in_order(with_bare_tokens(&signed.bundle)?) {
        return Err(SignObjectError::Unreadable(None));
    }
    Ok(SignedObject { armored, certificate, verified: signed.verified })
}

/// The bundle with timestamps as signatures hold them: tokens without the authority's answer around them.
fn with_bare_tokens(bundle: &Bundle) -> Result<Bundle, TokenFormatError> {
    let mut bundle = bundle.clone();
    for timestamp in &mut bundle.material.timestamps {
        *timestamp = Token::bare(timestamp)?.to_vec();
    }
    Ok(bundle)
}

/// In a signature, entries and timestamps are sets, which have no order of their own.
fn in_order(mut bundle: Bundle) -> Bundle {
    bundle.material.timestamps.sort();
    let place = |entry: &TransparencyLogEntry| (entry.log_id.clone(), entry.log_index);
    bundle.material.entries.sort_by_key(place);
    bundle
}
