//! Which keys clients may have certified.
//!
//! The list is that of the existing server's default; beside it stand the checks for keys that are known to
//! be weak: those that NIST SP 800-89 §5.3.3 asks for, those of a broken smart card library (ROCA,
//! CVE-2017-15361), and those whose factors lie close together (Fermat's factorisation).

mod rsa;

use crypto::{HashAlgorithm, KeyKind, PublicKey, PublicKeyError, Scheme};

/// Pairs of key and hash that may be certified: `--client-signing-algorithms` of the existing server.
const PERMITTED: &[(KeyKind, Scheme)] = &[
    (KeyKind::EcdsaP256, Scheme::Ecdsa(HashAlgorithm::Sha256)),
    (KeyKind::EcdsaP384, Scheme::Ecdsa(HashAlgorithm::Sha384)),
    (KeyKind::EcdsaP521, Scheme::Ecdsa(HashAlgorithm::Sha512)),
    (KeyKind::Rsa { bits: 2048 }, Scheme::RsaPkcs1(HashAlgorithm::Sha256)),
    (KeyKind::Rsa { bits: 3072 }, Scheme::RsaPkcs1(HashAlgorithm::Sha256)),
    (KeyKind::Rsa { bits: 4096 }, Scheme::RsaPkcs1(HashAlgorithm::Sha256)),
    (KeyKind::Ed25519, Scheme::Ed25519),
];

/// Why a key is not certified. The client's to fix.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ClientKeyError {
    /// It cannot be read, or is of an unknown kind.
    #[error("the key cannot be read")]
    Unreadable(#[source] PublicKeyError),
    /// It is on a curve that is too weak, or of an RSA size that is not taken.
    #[error("a key of this size is not taken")]
    Size,
    /// The RSA exponent is not 65537.
    #[error("the RSA exponent is not 65537")]
    Exponent,
    /// The RSA modulus has a small factor.
    #[error("the RSA modulus is divisible by {prime}")]
    SmallFactor {
        /// The factor.
        prime: u16,
    },
    /// The RSA modulus was made by the library of CVE-2017-15361, and can be factored.
    #[error("the RSA modulus has the form of a broken library (ROCA)")]
    Roca,
    /// The two primes of the RSA modulus are close together.
    #[error("the factors of the RSA modulus are close together")]
    CloseFactors,
    /// Key and hash do not go together, or the pair is not on the list.
    #[error("signatures of {kind} with {hash:?} are not taken")]
    NotPermitted {
        /// The kind of key.
        kind: KeyKind,
        /// The hash; `None` where the message itself is signed.
        hash: Option<HashAlgorithm>,
    },
}

/// The curve P-224: known, and too weak.
const P224: &str = "1.3.132.0.33";

/// A key that was judged and found strong enough.
pub(super) struct StrongKey(PublicKey);

impl StrongKey {
    /// Judges a key.
    pub(super) fn judge(key: PublicKey) -> Result<Self, ClientKeyError> {
        if let KeyKind::Rsa { bits } = key.kind() {
            let is_taken = |(kind, _): &(KeyKind, Scheme)| *kind == KeyKind::Rsa { bits };
            if !PERMITTED.iter().any(is_taken) {
                return Err(ClientKeyError::Size);
            }
            rsa::check(&key)?;
        }
        Ok(Self(key))
    }

    /// Says why a key that could not be read is not taken: some can be told to be weak even so.
    pub(super) fn unreadable(error: PublicKeyError) -> ClientKeyError {
        match error {
            PublicKeyError::RsaSize(_) => ClientKeyError::Size,
            PublicKeyError::RsaExponent => ClientKeyError::Exponent,
            PublicKeyError::Unsupported(curve) if curve == P224 => ClientKeyError::Size,
            other => ClientKeyError::Unreadable(other),
        }
    }

    /// Whether the key may be used with `scheme`.
    pub(super) fn check_scheme(&self, scheme: Scheme) -> Result<(), ClientKeyError> {
        let kind = self.0.kind();
        if PERMITTED.contains(&(kind, scheme)) {
            return Ok(());
        }
        Err(ClientKeyError::NotPermitted { kind, hash: scheme.hash() })
    }

    /// The key.
    pub(super) fn key(&self) -> &PublicKey {
        &self.0
    }
}
