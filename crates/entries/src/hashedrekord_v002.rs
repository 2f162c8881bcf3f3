//! `hashedrekord` 0.0.2: a signature over a digest, as the API v2 has it.

use crypto::{Digest, HashAlgorithm, KeyDetails, PublicKey};
use pki::Certificate;
use wire::body::{self, Body, HashedRekordV2, SignatureV2, VerifierMaterial};
use wire::rekor_v2::HashedRekordRequest;

use crate::Entry;
use crate::refusal::EntryError;
use crate::signature::{check_algorithm, verify_digest};

/// The kind and version, as they are written in bodies and answers.
pub const KIND_VERSION: (&str, &str) = ("hashedrekord", "0.0.2");

/// Judges a proposal: one verification of the signature.
///
/// Of the key details only the digest counts, and with it the key must be a pair that logs take. The bytes of key
/// or certificate are logged as they are. A certificate's validity, issuer and extensions are not looked at.
///
/// # Errors
///
/// [`EntryError`].
pub fn admit(proposed: HashedRekordRequest) -> Result<Entry, EntryError> {
    let signature = proposed.signature.ok_or(EntryError::Missing("signature"))?;
    let verifier = signature.verifier.ok_or(EntryError::Missing("signature.verifier"))?;
    let material = verifier.material;
    let material = material.ok_or(EntryError::Missing("a public key or certificate"))?;
    let details = verifier.key_details.ok_or(EntryError::KeyDetails)?;
    let algorithm = log_hash(details)?;
    let digest = Digest::new(algorithm, &proposed.digest)
        .map_err(|_| EntryError::Digest { expected: algorithm.length() })?;
    let key = public_key(&material)?;
    check_algorithm(&key, algorithm)?;
    verify_digest(&key, &digest, &signature.content)?;
    Ok(entry(digest, signature.content, details, material))
}

/// The digest that goes with key details. Details that no log takes have none.
fn log_hash(details: KeyDetails) -> Result<HashAlgorithm, EntryError> {
    details.parts().1.hash().ok_or(EntryError::KeyDetails)
}

fn public_key(material: &VerifierMaterial) -> Result<PublicKey, EntryError> {
    match material {
        VerifierMaterial::PublicKey(der) => {
            PublicKey::from_spki_der(der).map_err(|error| EntryError::Key(error.into()))
        }
        VerifierMaterial::Certificate(der) => Certificate::from_der(der)
            .map(|certificate| certificate.public_key().clone())
            .map_err(|error| EntryError::Key(error.into())),
    }
}

fn entry(
    digest: Digest,
    content: Vec<u8>,
    key_details: KeyDetails,
    material: VerifierMaterial,
) -> Entry {
    let verifier = body::Verifier { key_details, material };
    let signature = SignatureV2 { content, verifier };
    let body = Body::HashedRekordV2(HashedRekordV2 { data: digest, signature });
    Entry {
        kind: KIND_VERSION.0,
        version: KIND_VERSION.1,
        body: body.to_canonical(),
        // The API v2 has no search.
        index_keys: Vec::new(),
        attestation: None,
    }
}
