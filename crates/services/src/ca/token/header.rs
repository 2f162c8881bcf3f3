//! The JOSE header of a token: the algorithm and the name of the key, and nothing else.
//!
//! `jku`, `x5u`, `jwk` and `x5c` would let the token say with which key it is to be verified. They are not
//! read; keys come from the issuer that the configuration names.

use crypto::{HashAlgorithm, KeyKind, Scheme};
use serde::Deserialize;

use super::TokenError;

/// The longest name of a key that is compared.
const MAX_KEY_ID: usize = 512;

/// How a token may be signed (RFC 7518 §3.1, RFC 8037 §3.1). There is no `none` and no shared secret.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// Ed25519.
    EdDsa,
}

/// Every algorithm by its name.
const ALGORITHMS: &[(&str, Algorithm)] = &[
    ("RS256", Algorithm::Rs256),
    ("RS384", Algorithm::Rs384),
    ("RS512", Algorithm::Rs512),
    ("PS256", Algorithm::Ps256),
    ("PS384", Algorithm::Ps384),
    ("PS512", Algorithm::Ps512),
    ("ES256", Algorithm::Es256),
    ("ES384", Algorithm::Es384),
    ("ES512", Algorithm::Es512),
    ("EdDSA", Algorithm::EdDsa),
];

impl Algorithm {
    /// The algorithm of that name, written exactly so.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        ALGORITHMS.iter().find(|(known, _)| *known == name).map(|(_, algorithm)| *algorithm)
    }

    /// The scheme with which a key of this kind makes such signatures; `None` if it makes none.
    pub(in crate::ca) fn scheme_for(self, kind: KeyKind) -> Option<Scheme> {
        use HashAlgorithm::{Sha256, Sha384, Sha512};
        let scheme = match (self, kind) {
            (Self::Rs256, KeyKind::Rsa { .. }) => Scheme::RsaPkcs1(Sha256),
            (Self::Rs384, KeyKind::Rsa { .. }) => Scheme::RsaPkcs1(Sha384),
            (Self::Rs512, KeyKind::Rsa { .. }) => Scheme::RsaPkcs1(Sha512),
            (Self::Ps256, KeyKind::Rsa { .. }) => Scheme::RsaPss(Sha256),
            (Self::Ps384, KeyKind::Rsa { .. }) => Scheme::RsaPss(Sha384),
            (Self::Ps512, KeyKind::Rsa { .. }) => Scheme::RsaPss(Sha512),
            (Self::Es256, KeyKind::EcdsaP256) => Scheme::Ecdsa(Sha256),
            (Self::Es384, KeyKind::EcdsaP384) => Scheme::Ecdsa(Sha384),
            (Self::Es512, KeyKind::EcdsaP521) => Scheme::Ecdsa(Sha512),
            (Self::EdDsa, KeyKind::Ed25519) => Scheme::Ed25519,
            _ => return None,
        };
        Some(scheme)
    }
}

/// What is read of a header.
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
}

impl Header {
    pub(super) fn read(json: &[u8]) -> Result<Self, TokenError> {
        // A derived reader refuses a member that is there twice.
        #[derive(Deserialize)]
        struct Members {
            alg: String,
            kid: Option<String>,
            crit: Option<serde_json::Value>,
        }
        let members: Members = serde_json::from_slice(json).map_err(|_| TokenError::Header)?;
        if members.crit.is_some() {
            return Err(TokenError::CriticalHeader);
        }
        if members.kid.as_ref().is_some_and(|kid| kid.len() > MAX_KEY_ID) {
            return Err(TokenError::Header);
        }
        let algorithm = Algorithm::by_name(&members.alg)
            .ok_or(TokenError::Algorithm { algorithm: members.alg })?;
        Ok(Self { algorithm, key_id: members.kid })
    }
}
