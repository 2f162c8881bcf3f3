//! Private keys, and the making of signatures.

use aws_lc_rs::encoding::{AsBigEndian, AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self as backend, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaKeyPair,
};
use zeroize::Zeroizing;

use crate::public_key::Prehashed;
use crate::{Digest, HashAlgorithm, KeyKind, PublicKey, Scheme, decode_pem, encode_pem};

/// A private key. It can be used and exported, but never printed.
pub struct SigningKey {
    pair: Pair,
    public: PublicKey,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

/// Why a private key cannot be made, read or used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SigningKeyError {
    /// RSA keys are made with 2048, 3072 or 4096 bits.
    #[error("no key of this kind can be made")]
    Kind,
    /// The bytes are no private key of a kind that is used.
    #[error("the private key cannot be read")]
    Malformed,
    /// The scheme does not fit the key.
    #[error("this signature scheme does not fit the key")]
    Scheme,
}

impl SigningKey {
    /// Makes a new key.
    ///
    /// # Errors
    ///
    /// [`SigningKeyError::Kind`] for RSA of another size than 2048, 3072 or 4096.
    pub fn generate(kind: KeyKind) -> Result<Self, SigningKeyError> {
        let pair = match kind {
            KeyKind::EcdsaP256 | KeyKind::EcdsaP384 | KeyKind::EcdsaP521 => {
                let algorithm = ecdsa_algorithm(kind, None).ok_or(SigningKeyError::Kind)?;
                Pair::Ecdsa(EcdsaKeyPair::generate(algorithm).map_err(|_| SigningKeyError::Kind)?)
            }
            KeyKind::Ed25519 => {
                Pair::Ed25519(Ed25519KeyPair::generate().map_err(|_| SigningKeyError::Kind)?)
            }
            KeyKind::Rsa { bits } => {
                let size = match bits {
                    2048 => KeySize::Rsa2048,
                    3072 => KeySize::Rsa3072,
                    4096 => KeySize::Rsa4096,
                    _ => return Err(SigningKeyError::Kind),
                };
                let pair = RsaKeyPair::generate(size).map_err(|_| SigningKeyError::Kind)?;
                Pair::Rsa(Box::new(pair))
            }
        };
        Self::new(pair)
    }

    /// Reads an unencrypted PKCS#8 `PrivateKeyInfo` (RFC 5958).
    ///
    /// # Errors
    ///
    /// [`SigningKeyError::Malformed`].
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, SigningKeyError> {
        let ecdsa = [KeyKind::EcdsaP256, KeyKind::EcdsaP384, KeyKind::EcdsaP521];
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)
            .map(Pair::Ed25519)
            .ok()
            .or_else(|| {
                ecdsa.iter().find_map(|kind| {
                    EcdsaKeyPair::from_pkcs8(ecdsa_algorithm(*kind, None)?, der)
                        .map(Pair::Ecdsa)
                        .ok()
                })
            })
            .or_else(|| RsaKeyPair::from_pkcs8(der).map(|pair| Pair::Rsa(Box::new(pair))).ok())
            .ok_or(SigningKeyError::Malformed)?;
        Self::new(pair)
    }

    /// Reads an unencrypted PEM private key: `PRIVATE KEY` (PKCS#8), `EC PRIVATE KEY` (SEC 1) or
    /// `RSA PRIVATE KEY` (PKCS#1).
    ///
    /// # Errors
    ///
    /// [`SigningKeyError::Malformed`], also for PEM blocks with encryption headers.
    pub fn from_pem(text: &[u8]) -> Result<Self, SigningKeyError> {
        let (pem, _) = decode_pem(text).map_err(|_| SigningKeyError::Malformed)?;
        let der = Zeroizing::new(pem.contents);
        if pem.has_headers {
            return Err(SigningKeyError::Malformed);
        }
        match pem.label.as_str() {
            "PRIVATE KEY" => Self::from_pkcs8_der(&der),
            "EC PRIVATE KEY" => {
                let pair = [KeyKind::EcdsaP256, KeyKind::EcdsaP384, KeyKind::EcdsaP521]
                    .into_iter()
                    .find_map(|kind| {
                        EcdsaKeyPair::from_private_key_der(ecdsa_algorithm(kind, None)?, &der).ok()
                    })
                    .ok_or(SigningKeyError::Malformed)?;
                Self::new(Pair::Ecdsa(pair))
            }
            "RSA PRIVATE KEY" => {
                let pair = RsaKeyPair::from_der(&der).map_err(|_| SigningKeyError::Malformed)?;
                Self::new(Pair::Rsa(Box::new(pair)))
            }
            _ => Err(SigningKeyError::Malformed),
        }
    }

    fn new(pair: Pair) -> Result<Self, SigningKeyError> {
        let spki = match &pair {
            Pair::Ecdsa(pair) => AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key())
                .map(|d| d.as_ref().to_vec()),
            Pair::Rsa(pair) => AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key())
                .map(|d| d.as_ref().to_vec()),
            Pair::Ed25519(pair) => AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key())
                .map(|d| d.as_ref().to_vec()),
        };
        let spki = spki.map_err(|_| SigningKeyError::Malformed)?;
        let public = PublicKey::from_spki_der(&spki).map_err(|_| SigningKeyError::Malformed)?;
        Ok(Self { pair, public })
    }

    /// The key as an unencrypted PKCS#8 `PrivateKeyInfo`. The caller decides where the secret goes.
    ///
    /// # Errors
    ///
    /// [`SigningKeyError::Malformed`] if the backend cannot encode it.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, SigningKeyError> {
        let document = match &self.pair {
            Pair::Ecdsa(pair) => pair.to_pkcs8v1().map(|d| Zeroizing::new(d.as_ref().to_vec())),
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map(|d| Zeroizing::new(d.as_ref().to_vec())),
            Pair::Rsa(pair) => AsDer::<Pkcs8V1Der<'_>>::as_der(pair.as_ref())
                .map(|d| Zeroizing::new(d.as_ref().to_vec())),
        };
        document.map_err(|_| SigningKeyError::Malformed)
    }

    /// The key as a PEM block `PRIVATE KEY`, not encrypted.
    ///
    /// # Errors
    ///
    /// As [`Self::to_pkcs8_der`].
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, SigningKeyError> {
        Ok(Zeroizing::new(encode_pem("PRIVATE KEY", &self.to_pkcs8_der()?)))
    }

    /// The public half.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The kind of key.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.public.kind()
    }

    /// Signs `message` with the scheme that goes with the key ([`Scheme::default_for`]).
    ///
    /// # Errors
    ///
    /// As [`Self::sign_with`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningKeyError> {
        self.sign_with(Scheme::default_for(self.kind()), message)
    }

    /// Signs `message` with `scheme`.
    ///
    /// # Errors
    ///
    /// [`SigningKeyError::Scheme`] if it does not fit the key.
    pub fn sign_with(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, SigningKeyError> {
        match scheme.hash() {
            Some(hash) => self.sign_digest(scheme, &hash.digest(message)),
            None => match &self.pair {
                Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
                Pair::Ecdsa(_) | Pair::Rsa(_) => Err(SigningKeyError::Scheme),
            },
        }
    }

    /// Signs a message of which only the digest is known.
    ///
    /// # Errors
    ///
    /// [`SigningKeyError::Scheme`] if the scheme does not fit the key or signs another digest.
    pub fn sign_digest(&self, scheme: Scheme, digest: &Digest) -> Result<Vec<u8>, SigningKeyError> {
        if scheme.hash() != Some(digest.algorithm()) {
            return Err(SigningKeyError::Scheme);
        }
        match (&self.pair, scheme) {
            (Pair::Ecdsa(pair), Scheme::Ecdsa(hash)) => {
                // The backend ties a hash to a curve; a pair with another hash shares the key.
                if ecdsa_algorithm(self.kind(), Some(hash)).is_none() {
                    return Err(SigningKeyError::Scheme);
                }
                let signature = pair.sign_digest(digest.backend());
                signature.map(|s| s.as_ref().to_vec()).map_err(|_| SigningKeyError::Scheme)
            }
            (Pair::Rsa(pair), Scheme::RsaPkcs1(hash)) => {
                let encoding = match hash {
                    HashAlgorithm::Sha256 => &backend::RSA_PKCS1_SHA256,
                    HashAlgorithm::Sha384 => &backend::RSA_PKCS1_SHA384,
                    HashAlgorithm::Sha512 => &backend::RSA_PKCS1_SHA512,
                };
                Self::sign_rsa(pair, encoding, digest)
            }
            (Pair::Rsa(pair), Scheme::RsaPss(hash)) => {
                let encoding = match hash {
                    HashAlgorithm::Sha256 => &backend::RSA_PSS_SHA256,
                    HashAlgorithm::Sha384 => &backend::RSA_PSS_SHA384,
                    HashAlgorithm::Sha512 => &backend::RSA_PSS_SHA512,
                };
                Self::sign_rsa(pair, encoding, digest)
            }
            (Pair::Ed25519(pair), Scheme::Ed25519ph) => {
                let key = ed25519_dalek::SigningKey::from_bytes(&*seed(pair)?);
                key.sign_prehashed(Prehashed::new(digest), None)
                    .map(|signature| signature.to_bytes().to_vec())
                    .map_err(|_| SigningKeyError::Scheme)
            }
            _ => Err(SigningKeyError::Scheme),
        }
    }

    fn sign_rsa(
        pair: &RsaKeyPair,
        encoding: &'static dyn backend::RsaEncoding,
        digest: &Digest,
    ) -> Result<Vec<u8>, SigningKeyError> {
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign_digest(encoding, digest.backend(), &mut signature)
            .map_err(|_| SigningKeyError::Scheme)?;
        Ok(signature)
    }
}

/// The 32 bytes of an Ed25519 seed, wiped when they are dropped.
fn seed(pair: &Ed25519KeyPair) -> Result<Zeroizing<[u8; 32]>, SigningKeyError> {
    let seed = pair.seed().map_err(|_| SigningKeyError::Malformed)?;
    let seed = seed.as_be_bytes().map_err(|_| SigningKeyError::Malformed)?;
    seed.as_ref().try_into().map(Zeroizing::new).map_err(|_| SigningKeyError::Malformed)
}

/// The backend's name for signing with a curve and a hash (by default, the curve's own).
fn ecdsa_algorithm(
    kind: KeyKind,
    hash: Option<HashAlgorithm>,
) -> Option<&'static EcdsaSigningAlgorithm> {
    use HashAlgorithm::{Sha256, Sha384, Sha512};
    match (kind, hash) {
        (KeyKind::EcdsaP256, None | Some(Sha256)) => Some(&backend::ECDSA_P256_SHA256_ASN1_SIGNING),
        (KeyKind::EcdsaP384, None | Some(Sha384)) => Some(&backend::ECDSA_P384_SHA384_ASN1_SIGNING),
        (KeyKind::EcdsaP521, None | Some(Sha512)) => Some(&backend::ECDSA_P521_SHA512_ASN1_SIGNING),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: &[KeyKind] = &[
        KeyKind::EcdsaP256,
        KeyKind::EcdsaP384,
        KeyKind::EcdsaP521,
        KeyKind::Rsa { bits: 2048 },
        KeyKind::Ed25519,
    ];

    #[test]
    fn what_was_signed_verifies_and_anything_else_does_not() {
        for kind in KINDS {
            let key = SigningKey::generate(*kind).unwrap();
            let signature = key.sign(b"message").unwrap();
            let check = |message: &[u8], signature: &[u8]| {
                key.public_key().verify(Scheme::default_for(*kind), message, signature)
            };
            check(b"message", &signature).unwrap();
            check(b"another", &signature).unwrap_err();
            check(b"message", &signature[1..]).unwrap_err();
            check(b"message", &[]).unwrap_err();
        }
    }

    #[test]
    fn a_key_survives_export_and_import() {
        for kind in KINDS {
            let key = SigningKey::generate(*kind).unwrap();
            let again = SigningKey::from_pkcs8_der(&key.to_pkcs8_der().unwrap()).unwrap();
            assert_eq!(again.public_key(), key.public_key());
            let again = SigningKey::from_pem(key.to_pkcs8_pem().unwrap().as_bytes()).unwrap();
            assert_eq!(again.public_key(), key.public_key());
        }
    }

    #[test]
    fn ed25519ph_signs_a_digest_and_is_not_pure_ed25519() {
        let key = SigningKey::generate(KeyKind::Ed25519).unwrap();
        let digest = HashAlgorithm::Sha512.digest(b"message");
        let signature = key.sign_digest(Scheme::Ed25519ph, &digest).unwrap();
        key.public_key().verify_digest(Scheme::Ed25519ph, &digest, &signature).unwrap();
        key.public_key().verify(Scheme::Ed25519ph, b"message", &signature).unwrap();
        key.public_key().verify(Scheme::Ed25519, b"message", &signature).unwrap_err();
    }

    #[test]
    fn pss_is_not_pkcs1() {
        let key = SigningKey::generate(KeyKind::Rsa { bits: 2048 }).unwrap();
        let pss = Scheme::RsaPss(HashAlgorithm::Sha256);
        let signature = key.sign_with(pss, b"message").unwrap();
        key.public_key().verify(pss, b"message", &signature).unwrap();
        key.public_key()
            .verify(Scheme::RsaPkcs1(HashAlgorithm::Sha256), b"message", &signature)
            .unwrap_err();
    }
}
