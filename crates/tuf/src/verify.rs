//! From bytes to metadata that the right keys have signed (TUF specification §4.2, and the signature checks of §5).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Key, KeyId, Role, RoleKeys, Root, canonical_json};

/// How many signatures of one file are looked at: far more than any root has, and a bound on the work that a hostile
/// file can ask for (CVE-2020-6173).
const MAX_SIGNATURES: usize = 1024;

/// Metadata as a file has them. Nobody has vouched for them yet.
#[derive(Clone, Debug)]
pub struct Unverified<T> {
    signatures: Vec<Signature>,
    signed: Value,
    /// The bytes that signatures are over.
    canonical: Vec<u8>,
    bytes: Vec<u8>,
    body: T,
}

/// Metadata that a threshold of the keys of their role has signed.
#[derive(Clone, Debug)]
pub struct Verified<T> {
    body: T,
    bytes: Vec<u8>,
}

/// A signature over metadata.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Signature {
    pub(crate) keyid: KeyId,
    /// Hexadecimal. Signing tools leave it empty where a signature is still to come.
    pub(crate) sig: String,
}

/// The outermost object of a metadata file.
#[derive(Deserialize, Serialize)]
pub(crate) struct Envelope {
    pub(crate) signatures: Vec<Signature>,
    pub(crate) signed: Value,
}

/// Why bytes are no metadata.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// They are not the JSON that the specification describes.
    #[error("this is not {kind} metadata")]
    Malformed {
        /// The kind that was expected.
        kind: &'static str,
        /// What is wrong with the JSON.
        #[source]
        source: serde_json::Error,
    },
    /// They are metadata of another kind.
    #[error("these are {found:?} metadata where {expected} metadata are needed")]
    Kind {
        /// The kind that was expected.
        expected: &'static str,
        /// What they say they are.
        found: String,
    },
    /// They follow another major version of the specification.
    #[error("the metadata follow version {0:?} of the specification, not 1.x")]
    SpecVersion(String),
    /// They have too many signatures.
    #[error("the metadata have more than {MAX_SIGNATURES} signatures")]
    TooManySignatures,
    /// One key id has signed twice (TUF specification §4.2.1).
    #[error("the metadata have two signatures of the key {0:?}")]
    SignedTwice(KeyId),
    /// They have no canonical form, so that no signature can be over them.
    #[error("the metadata have no canonical form")]
    NotCanonical(#[source] crate::CanonicalError),
}

/// Too few of the keys that may sign have signed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{valid} of the {threshold} signatures that {role} metadata need are good")]
pub struct VerifyError {
    /// The role whose metadata they are.
    pub role: String,
    /// How many different keys have signed.
    pub valid: u64,
    /// How many must.
    pub threshold: u64,
}

impl<T: Role> Unverified<T> {
    /// Reads a metadata file.
    ///
    /// # Errors
    ///
    /// See [`ParseError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let malformed = |source| ParseError::Malformed { kind: T::TYPE, source };
        let Envelope { signatures, signed } = serde_json::from_slice(bytes).map_err(malformed)?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(ParseError::TooManySignatures);
        }
        let mut seen = BTreeSet::new();
        if let Some(again) = signatures.iter().find(|signature| !seen.insert(&signature.keyid)) {
            return Err(ParseError::SignedTwice(again.keyid.clone()));
        }
        let body = T::deserialize(&signed).map_err(malformed)?;
        let header = body.header();
        if header.kind != T::TYPE {
            return Err(ParseError::Kind { expected: T::TYPE, found: header.kind.clone() });
        }
        if header.spec_version.split('.').next() != Some("1") {
            return Err(ParseError::SpecVersion(header.spec_version.clone()));
        }
        let canonical = canonical_json(&signed).map_err(ParseError::NotCanonical)?;
        Ok(Self { signatures, signed, canonical, bytes: bytes.to_vec(), body })
    }

    /// What the file says, for showing it, or for a decision that does not rest on who signed it.
    #[must_use]
    pub const fn claims(&self) -> &T {
        &self.body
    }

    /// Checks that the keys that `rule` names among `keys` have signed.
    ///
    /// # Errors
    ///
    /// [`VerifyError`].
    pub fn verify(
        self,
        role: &str,
        keys: &BTreeMap<KeyId, Key>,
        rule: &RoleKeys,
    ) -> Result<Verified<T>, VerifyError> {
        self.check(role, keys, rule)?;
        Ok(Verified { body: self.body, bytes: self.bytes })
    }

    /// Counts the different keys that have signed, and compares with the threshold.
    ///
    /// Keys are told apart by what they are and not by their ids: a root may list one key under two
    /// (CVE-2020-6174). Signatures that are empty or by keys of no kind we know count for nothing.
    fn check(
        &self,
        role: &str,
        keys: &BTreeMap<KeyId, Key>,
        rule: &RoleKeys,
    ) -> Result<(), VerifyError> {
        let allowed: BTreeSet<&KeyId> = rule.keyids.iter().collect();
        let mut signers = BTreeSet::new();
        for signature in self.signatures.iter().filter(|s| allowed.contains(&s.keyid)) {
            if let Some(signer) =
                keys.get(&signature.keyid).and_then(|key| self.signer(key, signature))
            {
                signers.insert(signer);
            }
        }
        let valid = u64::try_from(signers.len()).unwrap_or(u64::MAX);
        let threshold = rule.threshold.get();
        if valid < threshold {
            return Err(VerifyError { role: role.to_owned(), valid, threshold });
        }
        Ok(())
    }

    /// The key that made `signature`, if it did.
    fn signer(&self, key: &Key, signature: &Signature) -> Option<Vec<u8>> {
        let (key, scheme) = key.public_key()?;
        let bytes = hex::decode(&signature.sig).ok()?;
        key.verify(scheme, &self.canonical, &bytes).ok()?;
        Some(key.spki_der().to_vec())
    }

    /// The ids under which there is a signature that is not empty.
    #[must_use]
    pub fn signed_by(&self) -> BTreeSet<&KeyId> {
        self.signatures.iter().filter(|s| !s.sig.is_empty()).map(|s| &s.keyid).collect()
    }

    /// The file's parts, to add signatures to them.
    pub(crate) fn into_envelope(self) -> (Envelope, Vec<u8>) {
        (Envelope { signatures: self.signatures, signed: self.signed }, self.canonical)
    }
}

impl Unverified<Root> {
    /// Trusts this root because its bytes are known: they are embedded, or their fingerprint was given.
    /// It must have signed itself all the same.
    ///
    /// # Errors
    ///
    /// [`VerifyError`].
    pub fn trust_first(self) -> Result<Verified<Root>, VerifyError> {
        self.check(Root::TYPE, &self.body.keys, &self.body.roles.root)?;
        Ok(Verified { body: self.body, bytes: self.bytes })
    }

    /// Checks that this root was signed by the keys of `trusted` and by its own (TUF specification §5.3.4).
    ///
    /// # Errors
    ///
    /// [`VerifyError`].
    pub fn verify_successor(self, trusted: &Root) -> Result<Verified<Root>, VerifyError> {
        self.check(Root::TYPE, &trusted.keys, &trusted.roles.root)?;
        self.trust_first()
    }
}

impl<T> Verified<T> {
    /// The file, byte for byte.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl<T> std::ops::Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.body
    }
}
