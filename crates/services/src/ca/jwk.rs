//! JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037): the keys with which an issuer signs its tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::{KeyKind, PublicKey, ecdsa_der_of_raw};
use pki::asn1;
use serde::Deserialize;

use super::key_source::FetchedKeys;
use super::token::{Algorithm, TokenError};

/// The most keys of a set that are looked at. Issuers have two to ten.
const MAX_KEYS: usize = 64;
/// The largest set that is read: [`MAX_KEYS`] RSA keys of 4096 bits with their certificates.
pub(super) const MAX_KEY_SET: usize = 512 * 1024;
/// The shortest RSA key that may sign tokens (RFC 7518 §3.3).
const MIN_RSA_BITS: usize = 2048;

/// An issuer's keys, and the algorithms with which it says that it signs.
#[derive(Clone, Debug, Default)]
pub(super) struct KeySet {
    algorithms: Vec<Algorithm>,
    keys: Vec<NamedKey>,
}

#[derive(Clone, Debug)]
struct NamedKey {
    id: Option<String>,
    /// The one algorithm that the key is for, if it says so.
    algorithm: Option<String>,
    key: PublicKey,
}

/// An issuer's keys are not a JWK set.
#[derive(Debug, thiserror::Error)]
pub enum KeySetError {
    /// It is larger than any that is read.
    #[error("the key set has {length} bytes, more than {MAX_KEY_SET}")]
    TooLarge {
        /// Its size.
        length: usize,
    },
    /// It is not JSON, or not of that form.
    #[error("the key set is not a JWK set")]
    Malformed(#[source] serde_json::Error),
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<serde_json::Value>,
}

/// The members that are read. Those of private and of shared keys are not among them.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl FetchedKeys {
    /// How many of the keys can verify tokens here.
    ///
    /// # Errors
    ///
    /// [`KeySetError`].
    pub fn usable(&self) -> Result<usize, KeySetError> {
        KeySet::read(self).map(|set| set.keys.len())
    }
}

impl KeySet {
    /// Reads what an issuer says. Keys that cannot be used are passed over: a set may hold kinds of keys
    /// that are not known yet (RFC 7517 §5).
    pub(super) fn read(fetched: &FetchedKeys) -> Result<Self, KeySetError> {
        let length = fetched.jwks.len();
        if length > MAX_KEY_SET {
            return Err(KeySetError::TooLarge { length });
        }
        let set: JwkSet = serde_json::from_slice(&fetched.jwks).map_err(KeySetError::Malformed)?;
        let keys = set.keys.into_iter().take(MAX_KEYS).filter_map(named_key).collect();
        Ok(Self { algorithms: listed_algorithms(&fetched.algorithms), keys })
    }

    /// Whether a key may be the one of that name. Every key may be the one without a name.
    pub(super) fn may_hold(&self, key_id: Option<&str>) -> bool {
        key_id.is_none() || self.keys.iter().any(|key| key.is_called(key_id))
    }

    /// Checks a token's signature with the keys that its header allows.
    ///
    /// The key decides which algorithms are possible, the header only which of them: an RSA key is never
    /// taken for a shared secret.
    pub(super) fn verify(
        &self,
        algorithm: Algorithm,
        key_id: Option<&str>,
        signed: &[u8],
        signature: &[u8],
    ) -> Result<(), TokenError> {
        if !self.algorithms.contains(&algorithm) {
            return Err(TokenError::AlgorithmOfIssuer { algorithm });
        }
        let mut candidates = self
            .keys
            .iter()
            .filter(|key| key.is_called(key_id) && key.is_for(algorithm))
            .peekable();
        candidates.peek().ok_or(TokenError::UnknownKey)?;
        let verified = candidates.any(|key| key.verifies(algorithm, signed, signature));
        verified.then_some(()).ok_or(TokenError::Signature)
    }
}

/// The algorithms that a discovery document lists, without those that are never taken; RS256 if it lists
/// none (OpenID Connect Discovery §3).
fn listed_algorithms(names: &[String]) -> Vec<Algorithm> {
    if names.is_empty() {
        return vec![Algorithm::Rs256];
    }
    names.iter().filter_map(|name| Algorithm::by_name(name)).collect()
}

impl NamedKey {
    fn is_called(&self, key_id: Option<&str>) -> bool {
        key_id.is_none() || self.id.as_deref() == key_id
    }

    fn is_for(&self, algorithm: Algorithm) -> bool {
        let stated = self.algorithm.as_deref().map(Algorithm::by_name);
        stated.is_none_or(|stated| stated == Some(algorithm))
            && algorithm.scheme_for(self.key.kind()).is_some()
    }

    fn verifies(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        let kind = self.key.kind();
        let Some(scheme) = algorithm.scheme_for(kind) else { return false };
        // RFC 7518 §3.4: both numbers side by side, each as long as a coordinate.
        let signature = match coordinate_length(kind) {
            None => Some(signature.to_vec()),
            Some(length) if signature.len() == 2 * length => ecdsa_der_of_raw(signature),
            Some(_) => None,
        };
        signature.is_some_and(|signature| self.key.verify(scheme, signed, &signature).is_ok())
    }
}

fn coordinate_length(kind: KeyKind) -> Option<usize> {
    match kind {
        KeyKind::EcdsaP256 => Some(32),
        KeyKind::EcdsaP384 => Some(48),
        KeyKind::EcdsaP521 => Some(66),
        KeyKind::Rsa { .. } | KeyKind::Ed25519 => None,
    }
}

fn named_key(value: serde_json::Value) -> Option<NamedKey> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    if jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
        return None;
    }
    let key = public_key(&jwk)?;
    Some(NamedKey { id: jwk.kid, algorithm: jwk.alg, key })
}

fn public_key(jwk: &Jwk) -> Option<PublicKey> {
    let bytes = |member: &Option<String>| URL_SAFE_NO_PAD.decode(member.as_ref()?).ok();
    match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => {
            let (modulus, exponent) = (bytes(&jwk.n)?, bytes(&jwk.e)?);
            let numbers = [asn1::unsigned(&modulus), asn1::unsigned(&exponent)];
            let key =
                PublicKey::from_rsa_pkcs1_der(&asn1::sequence(&[&numbers[0], &numbers[1]])).ok()?;
            matches!(key.kind(), KeyKind::Rsa { bits } if bits >= MIN_RSA_BITS).then_some(key)
        }
        ("EC", Some(curve)) => {
            let (curve, length) = match curve {
                "P-256" => (P256, 32),
                "P-384" => (P384, 48),
                "P-521" => (P521, 66),
                _ => return None,
            };
            let (x, y) = (bytes(&jwk.x)?, bytes(&jwk.y)?);
            (x.len() == length && y.len() == length)
                .then(|| spki(curve, &[&[4], x.as_slice(), &y].concat()))
                .and_then(|spki| PublicKey::from_spki_der(&spki).ok())
        }
        ("OKP", Some("Ed25519")) => PublicKey::from_spki_der(&spki(ED25519, &bytes(&jwk.x)?)).ok(),
        _ => None,
    }
}

/// `AlgorithmIdentifier` of an EC key on P-256 (RFC 5480 §2.1.1).
const P256: &[u8] =
    b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
/// `AlgorithmIdentifier` of an EC key on P-384.
const P384: &[u8] = b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22";
/// `AlgorithmIdentifier` of an EC key on P-521.
const P521: &[u8] = b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23";
/// `AlgorithmIdentifier` of an Ed25519 key (RFC 8410 §4).
const ED25519: &[u8] = b"\x30\x05\x06\x03\x2b\x65\x70";

fn spki(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    asn1::sequence(&[algorithm, &asn1::bit_string(key)])
}
