//! Signature schemes: how a signature is made with a key.

use crate::{HashAlgorithm, KeyKind};

/// How a signature is made.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Scheme {
    /// ECDSA over a digest; the signature is a DER `Ecdsa-Sig-Value` (RFC 3279 §2.2.3).
    Ecdsa(HashAlgorithm),
    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2).
    RsaPkcs1(HashAlgorithm),
    /// RSASSA-PSS with a salt as long as the digest (RFC 8017 §8.1).
    RsaPss(HashAlgorithm),
    /// Ed25519 over the whole message (RFC 8032 §5.1).
    Ed25519,
    /// Ed25519ph over the SHA-512 digest of the message, with an empty context (RFC 8032 §5.1).
    Ed25519ph,
}

/// A signature does not verify, for whatever reason.
///
/// Nothing more is said, because nothing more is known: a wrong key, a wrong message and a wrong
/// signature look the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct SignatureError;

impl Scheme {
    /// The scheme that Sigstore clients use with a key of this kind when nothing else is said.
    ///
    /// For Ed25519 it is the pure form: the prehashed one is chosen where only a digest can be given.
    #[must_use]
    pub const fn default_for(kind: KeyKind) -> Self {
        match kind {
            KeyKind::EcdsaP256 => Self::Ecdsa(HashAlgorithm::Sha256),
            KeyKind::EcdsaP384 => Self::Ecdsa(HashAlgorithm::Sha384),
            KeyKind::EcdsaP521 => Self::Ecdsa(HashAlgorithm::Sha512),
            KeyKind::Rsa { .. } => Self::RsaPkcs1(HashAlgorithm::Sha256),
            KeyKind::Ed25519 => Self::Ed25519,
        }
    }

    /// The digest that the scheme signs; `None` if it signs the message itself.
    #[must_use]
    pub const fn hash(self) -> Option<HashAlgorithm> {
        match self {
            Self::Ecdsa(hash) | Self::RsaPkcs1(hash) | Self::RsaPss(hash) => Some(hash),
            Self::Ed25519ph => Some(HashAlgorithm::Sha512),
            Self::Ed25519 => None,
        }
    }
}
