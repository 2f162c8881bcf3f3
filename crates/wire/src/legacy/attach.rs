//! A bundle in the form of annotations, for verifiers that read nothing else.

use super::Annotations;
use crate::bundle::{Bundle, Content, TransparencyLogEntry};

/// Why a bundle has no older form.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AttachError {
    /// Its log entries are of Rekor v2, which makes no promises. Sign with Rekor v1.
    #[error("the older form of image signatures needs an entry of Rekor v1 with its promise")]
    NoPromise,
    /// It has several log entries or timestamps, and annotations have room for one.
    #[error("the older form of image signatures has room for one {0}")]
    Several(&'static str),
}

/// The annotations that say what `bundle` says. `chain` are the certificates above the signer's, DER, the root last:
/// verifiers of the older form look for intermediate ones there.
///
/// # Errors
///
/// See [`AttachError`].
pub fn annotations_of(bundle: &Bundle, chain: Vec<Vec<u8>>) -> Result<Annotations, AttachError> {
    let signature = match &bundle.content {
        Content::Message(message) => Some(message.signature.clone()),
        Content::Dsse(_) => None,
    };
    Ok(Annotations {
        signature,
        certificate: bundle.material.signer.leaf().map(<[u8]>::to_vec),
        chain,
        entry: promised(&bundle.material.entries)?.map(Box::new),
        timestamp: only(&bundle.material.timestamps, "timestamp")?.cloned(),
    })
}

fn promised(entries: &[TransparencyLogEntry]) -> Result<Option<TransparencyLogEntry>, AttachError> {
    match only(entries, "log entry")? {
        None => Ok(None),
        Some(entry) if entry.inclusion_promise.is_none() => Err(AttachError::NoPromise),
        Some(entry) => Ok(Some(TransparencyLogEntry { inclusion_proof: None, ..entry.clone() })),
    }
}

fn only<'a, T>(list: &'a [T], what: &'static str) -> Result<Option<&'a T>, AttachError> {
    match list {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err(AttachError::Several(what)),
    }
}
