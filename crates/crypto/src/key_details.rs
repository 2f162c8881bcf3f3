//! The registry of pairs of key and scheme: `PublicKeyDetails` of `sigstore_common.proto`.

use crate::{HashAlgorithm, KeyKind, PublicKey, Scheme};

/// An entry of the Sigstore algorithm registry.
///
/// Deprecated entries are listed where real bundles or logs carry them.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[allow(missing_docs, reason = "the names are the registry's own, see `name`")]
pub enum KeyDetails {
    EcdsaP256Sha256,
    EcdsaP384Sha384,
    EcdsaP521Sha512,
    Ed25519,
    Ed25519Ph,
    RsaPkcs1v15_2048Sha256,
    RsaPkcs1v15_3072Sha256,
    RsaPkcs1v15_4096Sha256,
    RsaPss2048Sha256,
    RsaPss3072Sha256,
    RsaPss4096Sha256,
    /// Deprecated: P-384 with SHA-256, as `CPython`'s releases have it.
    EcdsaP384Sha256,
    /// Deprecated: P-521 with SHA-256, as `CPython`'s releases have it.
    EcdsaP521Sha256,
}

impl KeyDetails {
    /// Every entry.
    pub const ALL: &[Self] = &[
        Self::EcdsaP256Sha256,
        Self::EcdsaP384Sha384,
        Self::EcdsaP521Sha512,
        Self::Ed25519,
        Self::Ed25519Ph,
        Self::RsaPkcs1v15_2048Sha256,
        Self::RsaPkcs1v15_3072Sha256,
        Self::RsaPkcs1v15_4096Sha256,
        Self::RsaPss2048Sha256,
        Self::RsaPss3072Sha256,
        Self::RsaPss4096Sha256,
        Self::EcdsaP384Sha256,
        Self::EcdsaP521Sha256,
    ];

    /// The name in the protocol buffers, and the number.
    #[must_use]
    pub const fn proto(self) -> (&'static str, i64) {
        match self {
            Self::EcdsaP256Sha256 => ("PKIX_ECDSA_P256_SHA_256", 5),
            Self::EcdsaP384Sha384 => ("PKIX_ECDSA_P384_SHA_384", 12),
            Self::EcdsaP521Sha512 => ("PKIX_ECDSA_P521_SHA_512", 13),
            Self::Ed25519 => ("PKIX_ED25519", 7),
            Self::Ed25519Ph => ("PKIX_ED25519_PH", 8),
            Self::RsaPkcs1v15_2048Sha256 => ("PKIX_RSA_PKCS1V15_2048_SHA256", 9),
            Self::RsaPkcs1v15_3072Sha256 => ("PKIX_RSA_PKCS1V15_3072_SHA256", 10),
            Self::RsaPkcs1v15_4096Sha256 => ("PKIX_RSA_PKCS1V15_4096_SHA256", 11),
            Self::RsaPss2048Sha256 => ("PKIX_RSA_PSS_2048_SHA256", 16),
            Self::RsaPss3072Sha256 => ("PKIX_RSA_PSS_3072_SHA256", 17),
            Self::RsaPss4096Sha256 => ("PKIX_RSA_PSS_4096_SHA256", 18),
            Self::EcdsaP384Sha256 => ("PKIX_ECDSA_P384_SHA_256", 19),
            Self::EcdsaP521Sha256 => ("PKIX_ECDSA_P521_SHA_256", 20),
        }
    }

    /// The entry with this name in the protocol buffers.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|details| details.proto().0 == name)
    }

    /// The entry with this number in the protocol buffers.
    #[must_use]
    pub fn by_number(number: i64) -> Option<Self> {
        Self::ALL.iter().copied().find(|details| details.proto().1 == number)
    }

    /// The kind of key and the scheme of the entry.
    #[must_use]
    pub const fn parts(self) -> (KeyKind, Scheme) {
        use HashAlgorithm::{Sha256, Sha384, Sha512};
        match self {
            Self::EcdsaP256Sha256 => (KeyKind::EcdsaP256, Scheme::Ecdsa(Sha256)),
            Self::EcdsaP384Sha384 => (KeyKind::EcdsaP384, Scheme::Ecdsa(Sha384)),
            Self::EcdsaP521Sha512 => (KeyKind::EcdsaP521, Scheme::Ecdsa(Sha512)),
            Self::Ed25519 => (KeyKind::Ed25519, Scheme::Ed25519),
            Self::Ed25519Ph => (KeyKind::Ed25519, Scheme::Ed25519ph),
            Self::RsaPkcs1v15_2048Sha256 => (KeyKind::Rsa { bits: 2048 }, Scheme::RsaPkcs1(Sha256)),
            Self::RsaPkcs1v15_3072Sha256 => (KeyKind::Rsa { bits: 3072 }, Scheme::RsaPkcs1(Sha256)),
            Self::RsaPkcs1v15_4096Sha256 => (KeyKind::Rsa { bits: 4096 }, Scheme::RsaPkcs1(Sha256)),
            Self::RsaPss2048Sha256 => (KeyKind::Rsa { bits: 2048 }, Scheme::RsaPss(Sha256)),
            Self::RsaPss3072Sha256 => (KeyKind::Rsa { bits: 3072 }, Scheme::RsaPss(Sha256)),
            Self::RsaPss4096Sha256 => (KeyKind::Rsa { bits: 4096 }, Scheme::RsaPss(Sha256)),
            Self::EcdsaP384Sha256 => (KeyKind::EcdsaP384, Scheme::Ecdsa(Sha256)),
            Self::EcdsaP521Sha256 => (KeyKind::EcdsaP521, Scheme::Ecdsa(Sha256)),
        }
    }

    /// The entry that a new signature with this key gets: the key's own hash, PKCS#1 v1.5 for RSA and the
    /// prehashed form for Ed25519, the only one that a log of digests can check.
    #[must_use]
    pub fn for_key(key: &PublicKey) -> Option<Self> {
        let scheme = match key.kind() {
            KeyKind::Ed25519 => Scheme::Ed25519ph,
            kind => Scheme::default_for(kind),
        };
        Self::ALL.iter().copied().find(|details| details.parts() == (key.kind(), scheme))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_unique() {
        for details in KeyDetails::ALL {
            let (name, number) = details.proto();
            assert_eq!(KeyDetails::by_name(name), Some(*details));
            assert_eq!(KeyDetails::by_number(number), Some(*details));
        }
    }
}
