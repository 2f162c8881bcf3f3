//! A bundle in the form of annotations, for verifiers that read nothing else.

use super::Annotations;
use crate::bundle::{Bundle, Content, TransparencyLogEntry};

/// Why a bundle has no older form.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AttachError {
    /// Its log entries are of Rekor v2, which makes no promises. Sign with Rekor v1.
    #[error("the older form of image signatures needs an entry of Rekor v1 with its promise")]
    NoPromise,
}

/// The annotations that say what `bundle` says, as far as there is room: for one log entry and one timestamp. `chain` are the certificates above the signer's, DER, the root last:
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
        timestamp: bundle.material.timestamps.first().cloned(),
    })
}

/// The first entry that has a promise. Proofs have no place in the older form.
fn promised(entries: &[TransparencyLogEntry]) -> Result<Option<TransparencyLogEntry>, AttachError> {
    if entries.is_empty() {
        return Ok(None);
    }
    let promised = entries.iter().find(|entry| entry.inclusion_promise.is_some());
    let entry = promised.ok_or(AttachError::NoPromise)?;
    Ok(Some(TransparencyLogEntry { inclusion_proof: None, ..entry.clone() }))
}
