//! DSSE envelopes as submitters hand them in, and which key accounts for which signature.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use foreign::x509::Key;

use crate::base64;
use crate::json::Json;
use crate::refusal::EntryError;
use crate::signature::verify_message;

/// The most signatures and the most keys of an envelope. Every key may have to be tried on every signature:
/// 16 keys make 136 verifications, some ten milliseconds. Real envelopes have one or two signatures.
pub(crate) const MAX_SIGNATURES: usize = 16;

/// An envelope whose base64 is decoded, but whose signatures are not yet checked.
pub(crate) struct Envelope {
    pub(crate) payload_type: String,
    pub(crate) payload: Vec<u8>,
    signatures: Vec<Signature>,
}

/// What becomes of the keys that are left when every signature is accounted for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SpareKeys {
    /// They are not looked at.
    Ignored,
    /// They must verify a signature like the others.
    Verify,
}

/// A signature of an envelope.
struct Signature {
    /// As it stands in the envelope. Signatures are told apart by it.
    text: String,
    bytes: Vec<u8>,
}

impl Envelope {
    /// Reads the JSON text of an envelope. Repeated members are refused, unknown ones ignored.
    pub(crate) fn from_json(text: &str) -> Result<Self, EntryError> {
        let json = Json::only(text.as_bytes()).map_err(EntryError::EnvelopeJson)?;
        let payload = string(json, "payload")?;
        let payload_type = string(json, "payloadType")?;
        let signatures = one(json, "signatures")?.and_then(Json::as_array);
        let signatures = signatures.ok_or(EntryError::Envelope("signatures"))?;
        // One more than are taken is enough to see that there are too many.
        let signatures = signatures.take(MAX_SIGNATURES + 1);
        let texts: Result<Vec<String>, EntryError> =
            signatures.map(|signature| Ok(string(signature, "sig")?.into_owned())).collect();
        Self::new(payload_type.into_owned(), &payload, texts?)
    }

    /// An envelope made of texts in base64, of either alphabet.
    pub(crate) fn new(
        payload_type: String,
        payload: &str,
        signatures: Vec<String>,
    ) -> Result<Self, EntryError> {
        check_count("signatures", signatures.len())?;
        let payload = base64::decode_either(payload).ok_or(EntryError::NotBase64("payload"))?;
        let signatures: Result<Vec<Signature>, EntryError> = signatures
            .into_iter()
            .map(|text| {
                let bytes = base64::decode_either(&text).ok_or(EntryError::NotBase64("sig"))?;
                Ok(Signature { text, bytes })
            })
            .collect();
        Ok(Self { payload_type, payload, signatures: signatures? })
    }

    /// Finds a key for every signature: a map from the signature's text.
    ///
    /// Each key, in its turn, accounts for the first signature that it verifies, and must verify one. Therefore
    /// two signatures by one key are never accepted.
    pub(crate) fn attribute(
        &self,
        keys: &[Vec<u8>],
        spare: SpareKeys,
    ) -> Result<BTreeMap<&str, Key>, EntryError> {
        check_count("keys", keys.len())?;
        let message = wire::dsse::pae(&self.payload_type, &self.payload);
        let mut open: BTreeSet<&str> =
            self.signatures.iter().map(|signature| signature.text.as_str()).collect();
        let mut key_by_signature = BTreeMap::new();
        for (index, pem) in keys.iter().enumerate() {
            if open.is_empty() && spare == SpareKeys::Ignored {
                break;
            }
            let key = Key::from_pem(pem).map_err(|error| EntryError::Key(error.into()))?;
            let verified = self.signatures.iter().find(|signature| {
                verify_message(key.public_key(), &message, &signature.bytes).is_ok()
            });
            let verified = verified.ok_or(EntryError::UnusedKey { index })?;
            open.remove(verified.text.as_str());
            key_by_signature.insert(verified.text.as_str(), key);
        }
        if open.is_empty() { Ok(key_by_signature) } else { Err(EntryError::UnverifiedSignature) }
    }
}

/// Checks that there is a signature or key, and not more than are looked at.
pub(crate) fn check_count(of: &'static str, found: usize) -> Result<(), EntryError> {
    match found {
        0 => Err(EntryError::Missing(of)),
        found if found > MAX_SIGNATURES => Err(EntryError::TooMany { of, limit: MAX_SIGNATURES }),
        _ => Ok(()),
    }
}

/// The member `name`, as Go compares names, unless there are several.
fn one<'a>(json: Json<'a>, name: &'static str) -> Result<Option<Json<'a>>, EntryError> {
    let mut found = json.members_like(name);
    let first = found.next();
    if found.next().is_some() {
        return Err(EntryError::Envelope(name));
    }
    Ok(first)
}

/// The string `name`; empty if there is none.
fn string<'a>(json: Json<'a>, name: &'static str) -> Result<Cow<'a, str>, EntryError> {
    match one(json, name)? {
        Some(value) if !value.is_null() => value.as_str().ok_or(EntryError::Envelope(name)),
        Some(_) | None => Ok(Cow::Borrowed("")),
    }
}
