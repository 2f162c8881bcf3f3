//! Signatures that come again and again: of certificates, certificate logs and checkpoints.
//!
//! A hundred bundles of one signer have one certificate. Whether its signature holds depends on nothing but the key, the
//! scheme, the message and the signature, so that what was found to hold once need not be computed again. Only that is
//! remembered: names, validity and purposes are judged each time, and a signature that does not hold is computed again.

use std::sync::{Mutex, PoisonError};

use crate::{PublicKey, Scheme, SignatureError, sha256};

/// How many signatures are remembered: 32 kilobytes of fingerprints. A verification of many bundles needs about ten.
const PLACES: usize = 1024;

/// The SHA-256 of a key, a scheme, a message and a signature that hold together.
type Fingerprint = [u8; 32];

/// Each fingerprint has one place, where it takes that of another.
static KNOWN: Mutex<[Fingerprint; PLACES]> = Mutex::new([[0; 32]; PLACES]);

impl PublicKey {
    /// Checks a signature as [`Self::verify`] does, and remembers that it holds: for signatures that come again.
    ///
    /// # Errors
    ///
    /// As [`Self::verify`].
    pub fn verify_recurring(
        &self,
        scheme: Scheme,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let fingerprint = fingerprint(self, scheme, message, signature);
        if known()[place(&fingerprint)] == fingerprint {
            return Ok(());
        }
        self.verify(scheme, message, signature)?;
        known()[place(&fingerprint)] = fingerprint;
        Ok(())
    }
}

fn known() -> std::sync::MutexGuard<'static, [Fingerprint; PLACES]> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn place(fingerprint: &Fingerprint) -> usize {
    usize::from(u16::from_be_bytes([fingerprint[0], fingerprint[1]])) % PLACES
}

/// Every part has its length before it, so that no two inputs are hashed alike.
fn fingerprint(key: &PublicKey, scheme: Scheme, message: &[u8], signature: &[u8]) -> Fingerprint {
    let scheme = format!("{scheme:?}");
    let mut joined = Vec::with_capacity(message.len() + 1024);
    for part in [key.spki_der(), scheme.as_bytes(), signature, message] {
        joined.extend((part.len() as u64).to_be_bytes());
        joined.extend(part);
    }
    sha256(&joined)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HashAlgorithm, KeyKind, SigningKey};

    #[test]
    fn what_was_found_to_hold_once_says_nothing_of_anything_else() {
        let scheme = Scheme::Ecdsa(HashAlgorithm::Sha256);
        let (key, other) =
            (SigningKey::generate(KeyKind::EcdsaP256), SigningKey::generate(KeyKind::EcdsaP256));
        let (key, other) = (key.unwrap(), other.unwrap());
        let (signature, another) = (key.sign(b"message").unwrap(), key.sign(b"other").unwrap());
        let verify = |key: &SigningKey, scheme, message: &[u8], signature: &[u8]| {
            key.public_key().verify_recurring(scheme, message, signature)
        };
        for _ in 0..2 {
            verify(&key, scheme, b"message", &signature).unwrap();
            verify(&other, scheme, b"message", &signature).unwrap_err();
            verify(&key, Scheme::Ecdsa(HashAlgorithm::Sha384), b"message", &signature).unwrap_err();
            verify(&key, scheme, b"messagE", &signature).unwrap_err();
            verify(&key, scheme, b"message", &another).unwrap_err();
        }
    }

    #[test]
    fn no_two_inputs_have_one_fingerprint() {
        let key = SigningKey::generate(KeyKind::Ed25519).unwrap();
        let of = |message: &[u8], signature: &[u8]| {
            fingerprint(key.public_key(), Scheme::Ed25519, message, signature)
        };
        assert_ne!(of(b"ab", b"c"), of(b"a", b"bc"));
        assert_ne!(of(b"ab", b""), of(b"", b"ab"));
        assert_eq!(of(b"ab", b"c"), of(b"ab", b"c"));
    }
}
