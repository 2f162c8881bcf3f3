//! Steps H and I: the signature is by the key, and over the artifact.

use crypto::{Digest, HashAlgorithm, KeyKind, PublicKey, Scheme};
use wire::bundle::{Bundle, Content, MessageSignature};
use wire::dsse::{Envelope, IN_TOTO};
use wire::json::excerpt;
use wire::statement::{Statement, StatementError};

use crate::Artifact;
use crate::material::Material;
use crate::policy::{Expected, Policy, schemes};

/// Proof that the holder of the key signed the artifact, or a statement about it.
#[derive(Debug)]
pub(crate) enum Signed {
    /// The artifact itself.
    Message {
        /// The artifact's digest with the hash function of the scheme; for pure Ed25519 (which has none)
        /// the one that was compared with the bundle's hint, or SHA-256.
        digest: Digest,
    },
    /// An envelope with a statement about it.
    Envelope {
        /// The scheme of the signature.
        scheme: Scheme,
        /// The statement.
        statement: Box<Statement>,
    },
}

/// Why a signature does not hold.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SignatureError {
    /// The bundle was made for another artifact.
    #[error("the bundle is for an artifact with {signed}; this one has {found}")]
    OtherArtifact {
        /// The digest that the bundle has, with its algorithm.
        signed: String,
        /// The artifact's.
        found: String,
    },
    /// The artifact's digest with the needed hash function is not known, and cannot be made without it.
    #[error("the artifact's {} digest is needed to verify this signature", .0.name())]
    DigestNeeded(HashAlgorithm),
    /// It may be a pure Ed25519 signature, for which digests are not enough.
    #[error(
        "an Ed25519 signature that is not over a digest needs the artifact itself to be verified"
    )]
    ArtifactNeeded,
    /// The key is too weak to be used.
    #[error("a key of the kind {0} is too weak")]
    WeakKey(KeyKind),
    /// The key's holder did not make this signature.
    #[error("the signature is not by the signer's key")]
    Invalid,
    /// What is signed is not an in-toto statement, by its type.
    #[error("the signed payload has the type {0:?}, which is not that of an in-toto statement")]
    PayloadType(String),
    /// What is signed is not an in-toto statement, by its contents.
    #[error("the signed payload is not an in-toto statement")]
    Statement(#[source] StatementError),
    /// The statement is about other artifacts.
    #[error("the signed statement is not about this artifact")]
    OtherSubject,
    /// The statement is of another type, or none.
    #[error("the predicate's type is {found:?}, not {expected}")]
    PredicateType {
        /// What the policy asks for.
        expected: String,
        /// What the statement has; empty if it has none.
        found: String,
    },
    /// A statement was asked for, but the artifact itself was signed.
    #[error(
        "a statement with the predicate type {expected} was expected, but the artifact was signed"
    )]
    NoStatement {
        /// What the policy asks for.
        expected: String,
    },
}

impl Signed {
    /// The statement, if there is one.
    pub(crate) fn into_statement(self) -> Option<Statement> {
        match self {
            Self::Message { .. } => None,
            Self::Envelope { statement, .. } => Some(*statement),
        }
    }
}

/// Checks that the signature is over `artifact` and by the key of `material`.
pub(crate) fn check(
    artifact: &Artifact<'_>,
    bundle: &Bundle,
    material: &Material<'_>,
    policy: &Policy,
) -> Result<Signed, SignatureError> {
    match (&bundle.content, &policy.predicate_type) {
        (Content::Message(_), Some(expected)) => {
            Err(SignatureError::NoStatement { expected: expected.to_string() })
        }
        (Content::Message(message), None) => check_message(artifact, message, material.key()),
        (Content::Dsse(envelope), expected) => {
            check_envelope(artifact, envelope, material.key(), expected.as_ref())
        }
    }
}

/// Step I for an artifact, then H. The bundle's digest is a hint: it must be equal to the artifact's, and
/// is never used in its place.
fn check_message(
    artifact: &Artifact<'_>,
    message: &MessageSignature,
    key: &PublicKey,
) -> Result<Signed, SignatureError> {
    if let Some(signed) = &message.digest {
        let found = digest(artifact, signed.algorithm())?;
        if found != *signed {
            let (signed, found) = (signed.to_string(), found.to_string());
            return Err(SignatureError::OtherArtifact { signed, found });
        }
    }
    let hint = message.digest.map(|digest| digest.algorithm());
    let mut refusal = SignatureError::WeakKey(key.kind());
    for scheme in schemes(key, false) {
        // A hash function other than the hint's would make two digests of one signature.
        let fits = scheme.hash().is_none_or(|hash| hint.is_none_or(|hint| hint == hash))
            || scheme == Scheme::Ed25519ph;
        if !fits {
            refusal = SignatureError::Invalid;
            continue;
        }
        match check_scheme(artifact, &message.signature, key, scheme, hint) {
            Ok(digest) => return Ok(Signed::Message { digest }),
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

fn check_scheme(
    artifact: &Artifact<'_>,
    signature: &[u8],
    key: &PublicKey,
    scheme: Scheme,
    hint: Option<HashAlgorithm>,
) -> Result<Digest, SignatureError> {
    if let Some(hash) = scheme.hash() {
        let digest = digest(artifact, hash)?;
        key.verify_digest(scheme, &digest, signature).map_err(|_| SignatureError::Invalid)?;
        return Ok(digest);
    }
    let bytes = artifact.bytes().ok_or(SignatureError::ArtifactNeeded)?;
    key.verify(scheme, bytes, signature).map_err(|_| SignatureError::Invalid)?;
    digest(artifact, hint.unwrap_or(HashAlgorithm::Sha256))
}

fn digest(artifact: &Artifact<'_>, algorithm: HashAlgorithm) -> Result<Digest, SignatureError> {
    artifact.digest(algorithm).copied().ok_or(SignatureError::DigestNeeded(algorithm))
}

/// Step I for an envelope, then H.
fn check_envelope(
    artifact: &Artifact<'_>,
    envelope: &Envelope,
    key: &PublicKey,
    expected: Option<&Expected>,
) -> Result<Signed, SignatureError> {
    if envelope.payload_type != IN_TOTO {
        return Err(SignatureError::PayloadType(excerpt(&envelope.payload_type)));
    }
    // Nothing that the payload says counts before somebody has signed it.
    let scheme = check_envelope_signature(envelope, key)?;
    let statement = Statement::parse(&envelope.payload).map_err(SignatureError::Statement)?;
    let about =
        |algorithm| artifact.digest(algorithm).is_some_and(|digest| statement.is_about(digest));
    if !artifact.algorithms().any(about) {
        return Err(SignatureError::OtherSubject);
    }
    if let Some(expected) = expected
        && !expected.matches(&statement.predicate_type)
    {
        let (expected, found) = (expected.to_string(), excerpt(&statement.predicate_type));
        return Err(SignatureError::PredicateType { expected, found });
    }
    Ok(Signed::Envelope { scheme, statement: Box::new(statement) })
}

fn check_envelope_signature(
    envelope: &Envelope,
    key: &PublicKey,
) -> Result<Scheme, SignatureError> {
    let [signature] = envelope.signatures.as_slice() else {
        return Err(SignatureError::Invalid);
    };
    let candidates = schemes(key, true);
    if candidates.is_empty() {
        return Err(SignatureError::WeakKey(key.kind()));
    }
    let holds = |scheme: &Scheme| match scheme.hash() {
        Some(hash) => {
            key.verify_digest(*scheme, &envelope.pae_digest(hash), &signature.signature).is_ok()
        }
        None => key.verify(*scheme, &envelope.pae(), &signature.signature).is_ok(),
    };
    candidates.into_iter().find(holds).ok_or(SignatureError::Invalid)
}
