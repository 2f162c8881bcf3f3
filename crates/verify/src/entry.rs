//! Steps C.1 and C.2: what the log holds is this very signature by this very key.

mod compare;

use merkle::Hash;
use wire::body::{Body, BodyError};
use wire::bundle::{Bundle, KindVersion, MediaType, TransparencyLogEntry};
use wire::trusted_root::TrustedRoot;

use crate::material::Material;
use crate::signature::Signed;
use crate::tlog::{KnownLog, LogError};
use crate::{LeftOut, VerifyError};

/// Entries that are about the signature, each with the log that it says it is in.
#[derive(Debug)]
pub(crate) struct Bound<'a> {
    /// The entries of known logs.
    pub(crate) entries: Vec<BoundEntry<'a>>,
    /// Those of unknown logs.
    pub(crate) left_out: Vec<LeftOut>,
}

/// An entry that is about the signature. That the log holds it is not shown yet.
#[derive(Debug)]
pub(crate) struct BoundEntry<'a> {
    pub(crate) entry: &'a TransparencyLogEntry,
    pub(crate) log: KnownLog<'a>,
    /// Which API the log speaks: it says what evidence there must be.
    pub(crate) dialect: Dialect,
    /// Whether the bundle is so old (version 0.1) that a promise may stand without a proof.
    pub(crate) promise_suffices: bool,
    /// The bytes that came, hashed as they are.
    pub(crate) leaf: Hash,
}

/// Which API a log speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Dialect {
    /// Rekor v1: a signed promise with a time, an index over all shards.
    V1,
    /// Rekor v2: a proof, and nothing else.
    V2,
}

/// Why an entry is not about a signature.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EntryError {
    /// The entry's body is not one that is known, or malformed.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The entry says it is of another kind than its body.
    #[error("the entry says it is of the kind {said}, its body is {found}")]
    Kind {
        /// What the entry says.
        said: KindVersion,
        /// What the body is.
        found: KindVersion,
    },
    /// A kind for artifacts beside an envelope, or one for envelopes beside the signature of an artifact.
    #[error("an entry of the kind {found} does not fit what the bundle holds")]
    UnfitKind {
        /// What the body is.
        found: KindVersion,
    },
    /// The body is about another artifact, payload or envelope.
    #[error("the entry is about something with the digest {found}")]
    OtherDigest {
        /// The digest in the body, with its algorithm.
        found: String,
    },
    /// The body has another signature.
    #[error("the entry has another signature than the bundle")]
    OtherSignature,
    /// The body has not exactly one signature.
    #[error("the entry has {found} signatures; a bundle has one")]
    SignatureCount {
        /// How many it has.
        found: usize,
    },
    /// The body has another certificate than the bundle.
    #[error("the entry has another certificate than the bundle")]
    OtherCertificate,
    /// The body has another key than the one given.
    #[error("the entry has another key than the one expected")]
    OtherKey,
    /// The body of a log that makes its bodies canonical is not canonical.
    #[error("the entry's body is not in the form in which the log writes it")]
    NotCanonical,
}

/// Checks that every entry of a log that the trusted root names is about the signature.
pub(crate) fn bind<'a>(
    bundle: &'a Bundle,
    material: &Material<'_>,
    signed: &Signed,
    trust: &'a TrustedRoot,
) -> Result<Bound<'a>, VerifyError> {
    let entries = &bundle.material.entries;
    refuse_repeats(entries)?;
    let mut bound = Bound { entries: Vec::with_capacity(entries.len()), left_out: Vec::new() };
    for (position, entry) in entries.iter().enumerate() {
        let Some(log) = KnownLog::find(entry, trust)? else {
            let (log_id, index) = (entry.log_id.clone(), entry.log_index);
            bound.left_out.push(LeftOut::Entry { log_id, index });
            continue;
        };
        let dialect = bind_one(entry, bundle, material, signed)
            .map_err(|source| VerifyError::Entry { position, source })?;
        let leaf = Hash::leaf(&entry.canonicalized_body);
        let promise_suffices = bundle.media_type == MediaType::V0_1;
        bound.entries.push(BoundEntry { entry, log, dialect, promise_suffices, leaf });
    }
    Ok(bound)
}

/// One entry given twice proves nothing more, and is not what a signer makes.
fn refuse_repeats(entries: &[TransparencyLogEntry]) -> Result<(), LogError> {
    for (position, entry) in entries.iter().enumerate() {
        let same = |other: &TransparencyLogEntry| {
            other.log_id == entry.log_id && other.log_index == entry.log_index
        };
        if entries[..position].iter().any(same) {
            return Err(LogError::Repeated { index: entry.log_index });
        }
    }
    Ok(())
}

fn bind_one(
    entry: &TransparencyLogEntry,
    bundle: &Bundle,
    material: &Material<'_>,
    signed: &Signed,
) -> Result<Dialect, EntryError> {
    let body = Body::parse(&entry.canonicalized_body)?;
    if body.kind_version() != entry.kind_version {
        let said = entry.kind_version.excerpt();
        return Err(EntryError::Kind { said, found: body.kind_version() });
    }
    compare::compare(&body, bundle, material, signed)?;
    let dialect = match body {
        Body::HashedRekordV1(_) | Body::DsseV1(_) | Body::IntotoV1(_) | Body::IntotoV2(_) => {
            Dialect::V1
        }
        Body::HashedRekordV2(_) | Body::DsseV2(_) => Dialect::V2,
    };
    // All members are equal to the bundle's by now, so this is the body that the bundle leads to, and
    // the parser need not be trusted (client specification §4.4: rebuild the body).
    if dialect == Dialect::V2 && body.to_canonical() != entry.canonicalized_body {
        return Err(EntryError::NotCanonical);
    }
    Ok(dialect)
}
