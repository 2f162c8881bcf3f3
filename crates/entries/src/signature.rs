//! Signatures as the existing servers check them, and the pairs of key and digest that logs take.

use crypto::{Digest, HashAlgorithm, KeyKind, PublicKey, Scheme, ecdsa_der_of_raw};

use crate::refusal::EntryError;

/// The pairs of key and digest that a `hashedrekord` may have. RSA is PKCS#1 v1.5, Ed25519 is Ed25519ph,
/// because the log has the digest only.
const ALLOWED: &[(KeyKind, HashAlgorithm)] = &[
    (KeyKind::EcdsaP256, HashAlgorithm::Sha256),
    (KeyKind::EcdsaP384, HashAlgorithm::Sha384),
    (KeyKind::EcdsaP521, HashAlgorithm::Sha512),
    (KeyKind::Ed25519, HashAlgorithm::Sha512),
    (KeyKind::Rsa { bits: 2048 }, HashAlgorithm::Sha256),
    (KeyKind::Rsa { bits: 3072 }, HashAlgorithm::Sha256),
    (KeyKind::Rsa { bits: 4096 }, HashAlgorithm::Sha256),
];

/// Checks that a pair of key and digest is one that logs take.
pub(crate) fn check_algorithm(key: &PublicKey, hash: HashAlgorithm) -> Result<(), EntryError> {
    if ALLOWED.contains(&(key.kind(), hash)) {
        Ok(())
    } else {
        Err(EntryError::Algorithm { key: key.kind(), hash })
    }
}

/// Checks a signature over a digest.
pub(crate) fn verify_digest(
    key: &PublicKey,
    digest: &Digest,
    signature: &[u8],
) -> Result<(), EntryError> {
    let scheme = match key.kind() {
        KeyKind::Rsa { .. } => Scheme::RsaPkcs1(digest.algorithm()),
        KeyKind::Ed25519 => Scheme::Ed25519ph,
        _ => Scheme::Ecdsa(digest.algorithm()),
    };
    let check = |signature: &[u8]| key.verify_digest(scheme, digest, signature).is_ok();
    verify(key, signature, check)
}

/// Checks a signature over a message: as [`verify_digest`] with SHA-256, but Ed25519 signs the message itself.
pub(crate) fn verify_message(
    key: &PublicKey,
    message: &[u8],
    signature: &[u8],
) -> Result<(), EntryError> {
    let scheme = match key.kind() {
        KeyKind::Rsa { .. } => Scheme::RsaPkcs1(HashAlgorithm::Sha256),
        KeyKind::Ed25519 => Scheme::Ed25519,
        _ => Scheme::Ecdsa(HashAlgorithm::Sha256),
    };
    verify(key, signature, |signature| key.verify(scheme, message, signature).is_ok())
}

/// An ECDSA signature that does not verify as DER is tried as the two numbers side by side.
fn verify(
    key: &PublicKey,
    signature: &[u8],
    check: impl Fn(&[u8]) -> bool,
) -> Result<(), EntryError> {
    let as_raw = || {
        key.kind().is_ecdsa()
            && ecdsa_der_of_raw(signature).is_some_and(|signature| check(&signature))
    };
    if check(signature) || as_raw() { Ok(()) } else { Err(EntryError::Signature) }
}
