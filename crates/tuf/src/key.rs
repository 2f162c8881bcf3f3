//! Public keys as TUF metadata hold them (TUF specification §4.2).

use std::collections::BTreeMap;

use crypto::{HashAlgorithm, KeyKind, PublicKey, Scheme, SigningKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::canonical_json;

/// `SubjectPublicKeyInfo` of Ed25519 (RFC 8410 §4) up to its 32 bytes.
const ED25519_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// `SubjectPublicKeyInfo` of P-256 (RFC 5480 §2) up to its uncompressed point.
const P256_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The name of a key within metadata.
///
/// It is a label and nothing more: roots exist whose key ids are not the hash of the key, and roots that list one key
/// under two ids.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct KeyId(String);

/// A public key, with members that are not known kept as they are.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Key {
    keytype: String,
    scheme: String,
    keyval: KeyValue,
    #[serde(flatten)]
    other: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct KeyValue {
    public: String,
    #[serde(flatten)]
    other: BTreeMap<String, Value>,
}

impl KeyId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Key {
    /// A key as we write it: P-256 as `ecdsa` with a PEM key, which every client reads, else Ed25519 in hexadecimal.
    ///
    /// Returns `None` for other kinds of key.
    #[must_use]
    pub fn new(key: &PublicKey) -> Option<Self> {
        let (keytype, scheme, public) = match key.kind() {
            KeyKind::EcdsaP256 => ("ecdsa", "ecdsa-sha2-nistp256", key.to_pem()),
            KeyKind::Ed25519 => ("ed25519", "ed25519", hex::encode(key.raw())),
            _ => return None,
        };
        Some(Self {
            keytype: keytype.to_owned(),
            scheme: scheme.to_owned(),
            keyval: KeyValue { public, other: BTreeMap::new() },
            other: BTreeMap::new(),
        })
    }

    /// The id that we give to a key: SHA-256 of its canonical form (TUF specification §4.2).
    #[must_use]
    pub fn id(&self) -> KeyId {
        let value = serde_json::to_value(self).unwrap_or_default();
        let canonical = canonical_json(&value).unwrap_or_default();
        KeyId(hex::encode(crypto::sha256(&canonical)))
    }

    /// The key and how it signs; `None` if either is not known here. Such a key counts for nothing, and harms nothing.
    #[must_use]
    pub fn public_key(&self) -> Option<(PublicKey, Scheme)> {
        let public = self.keyval.public.as_str();
        let (key, scheme) = match (self.keytype.as_str(), self.scheme.as_str()) {
            ("ed25519", "ed25519") => (ed25519(public)?, Scheme::Ed25519),
            ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => {
                (p256(public)?, Scheme::Ecdsa(HashAlgorithm::Sha256))
            }
            ("ecdsa" | "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384") => {
                (PublicKey::from_pem(public.as_bytes()).ok()?, Scheme::Ecdsa(HashAlgorithm::Sha384))
            }
            ("rsa", "rsassa-pss-sha256") => (
                PublicKey::from_pem(public.as_bytes()).ok()?,
                Scheme::RsaPss(HashAlgorithm::Sha256),
            ),
            _ => return None,
        };
        Some((key, scheme))
    }

    /// Whether `key` is the private half.
    #[must_use]
    pub fn belongs_to(&self, key: &SigningKey) -> bool {
        self.public_key().is_some_and(|(public, _)| public == *key.public_key())
    }
}

fn ed25519(public: &str) -> Option<PublicKey> {
    let raw = hex::decode(public).ok()?;
    PublicKey::from_spki_der(&[&ED25519_PREFIX, raw.as_slice()].concat()).ok()
}

/// PEM, or, as in the first roots of the public-good instance, the uncompressed point in hexadecimal.
fn p256(public: &str) -> Option<PublicKey> {
    match hex::decode(public) {
        Ok(point) => PublicKey::from_spki_der(&[&P256_PREFIX, point.as_slice()].concat()).ok(),
        Err(_) => PublicKey::from_pem(public.as_bytes()).ok(),
    }
    .filter(|key| key.kind() == KeyKind::EcdsaP256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_key_survive_the_way_through_metadata() {
        for kind in [KeyKind::EcdsaP256, KeyKind::Ed25519] {
            let signer = SigningKey::generate(kind).unwrap();
            let key = Key::new(signer.public_key()).unwrap();
            let json = serde_json::to_string(&key).unwrap();
            let again: Key = serde_json::from_str(&json).unwrap();
            assert_eq!(again.id(), key.id());
            assert!(again.belongs_to(&signer));
        }
    }

    #[test]
    fn a_point_in_hexadecimal_is_the_same_key_as_its_pem() {
        let signer = SigningKey::generate(KeyKind::EcdsaP256).unwrap();
        let point = hex::encode(signer.public_key().raw());
        assert_eq!(p256(&point).as_ref(), Some(signer.public_key()));
        assert_eq!(p256(&point[2..]), None);
    }

    #[test]
    fn a_key_of_an_unknown_kind_is_read_and_is_no_key() {
        let json =
            r#"{"keytype":"ml-dsa","scheme":"ml-dsa-65","keyval":{"public":"x"},"x-note":1}"#;
        let key: Key = serde_json::from_str(json).unwrap();
        assert!(key.public_key().is_none());
    }
}
