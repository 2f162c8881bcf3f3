//! `hashedrekord` 0.0.1: a signature over a digest.

use crypto::{Digest, HashAlgorithm};
use foreign::x509::Key;
use wire::body::{Body, HashText, HashedRekordV1};

use crate::json::Json;
use crate::refusal::EntryError;
use crate::signature::{check_algorithm, verify_digest};
use crate::spec::{required_bytes, required_object, required_str};
use crate::{Entry, Kind};

/// The kind.
pub(crate) struct HashedRekord;

impl Kind for HashedRekord {
    fn kind(&self) -> &'static str {
        "hashedrekord"
    }

    fn version(&self) -> &'static str {
        "0.0.1"
    }

    fn admit(&self, spec: Json<'_>) -> Result<Entry, EntryError> {
        if !spec.is_object() {
            return Err(EntryError::NotAnObject);
        }
        let signature = required_object(spec, "signature", "signature")?;
        let key = required_object(signature, "publicKey", "signature.publicKey")?;
        let key = required_bytes(key, "content", "signature.publicKey.content")?;
        let signature = required_bytes(signature, "content", "signature.content")?;
        let hash = required_object(spec, "data", "data")?;
        let hash = required_object(hash, "hash", "data.hash")?;
        let hex = required_str(hash, "value", "data.hash.value")?;
        let digest = digest(hash, &hex)?;

        let key = Key::from_pem(&key).map_err(|error| EntryError::Key(error.into()))?;
        key.verify_chain().map_err(|error| EntryError::Key(error.into()))?;
        verify_digest(key.public_key(), &digest, &signature)?;
        check_algorithm(key.public_key(), digest.algorithm())?;
        Ok(entry(&key, signature, &digest, hex.into_owned()))
    }
}

/// The digest. Its hex may be of either case, and goes into the body as it is.
fn digest(hash: Json<'_>, hex: &str) -> Result<Digest, EntryError> {
    let name = required_str(hash, "algorithm", "data.hash.algorithm")?;
    let algorithm = HashAlgorithm::by_name(&name)
        .ok_or_else(|| EntryError::HashAlgorithm(name.into_owned()))?;
    let expected = algorithm.length();
    let bytes = hex::decode(hex).map_err(|_| EntryError::Digest { expected })?;
    Digest::new(algorithm, &bytes).map_err(|_| EntryError::Digest { expected })
}

fn entry(key: &Key, signature: Vec<u8>, digest: &Digest, hex: String) -> Entry {
    let public_key = key.canonical_pem().into_bytes();
    let algorithm = digest.algorithm();
    let mut index_keys = vec![hex::encode(crypto::sha256(&public_key))];
    index_keys.extend(key.subjects());
    index_keys.push(format!("{}:{}", algorithm.name(), digest.to_hex()));
    let hash = HashText { algorithm, value: hex };
    let body = Body::HashedRekordV1(HashedRekordV1 { hash, signature, public_key });
    Entry {
        kind: "hashedrekord",
        version: "0.0.1",
        body: body.to_canonical(),
        index_keys,
        attestation: None,
    }
}
