//! Signed tree heads, RFC 6962 §3.5, and their place in checkpoints, C2SP static-ct-api "Checkpoints".

use crypto::{PublicKey, SigningKey};
use merkle::note::KeyId;
use merkle::{Checkpoint, Hash, SignedNote, TreeSize};
use pki::sct::{digitally_sign, verify_digitally_signed};
use tlog::{DialectError, Head};

/// `Version` v1 and `SignatureType` tree_hash.
const V1_TREE_HASH: [u8; 2] = [0, 1];

/// What a log says of its tree, RFC 6962 §4.3.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedTreeHead {
    /// The number of leaves.
    pub size: TreeSize,
    /// When it was signed, in milliseconds since 1970.
    pub timestamp_ms: u64,
    /// The root.
    pub root: Hash,
    /// `DigitallySigned`.
    pub digitally_signed: Vec<u8>,
}

/// Why a checkpoint is not believed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CheckpointError {
    /// It is not a checkpoint of a CT log.
    #[error("the checkpoint of the CT log is malformed")]
    Malformed,
    /// It is another log's.
    #[error("the checkpoint is another log's")]
    Origin,
    /// It is not signed by the log's key.
    #[error("the checkpoint is not signed by the CT log's key")]
    Signature,
}

/// Checks that the holder of `key` signed `checkpoint` as the log `origin`. Lines of other keys (witnesses) are
/// passed over.
///
/// # Errors
///
/// See [`CheckpointError`].
pub fn verify_checkpoint(
    checkpoint: &[u8],
    origin: &str,
    key: &PublicKey,
) -> Result<SignedTreeHead, CheckpointError> {
    let note = SignedNote::parse(checkpoint).map_err(|_| CheckpointError::Malformed)?;
    let text: Checkpoint = note.text().parse().map_err(|_| CheckpointError::Malformed)?;
    if text.origin != origin || !text.extensions.is_empty() {
        return Err(CheckpointError::Origin);
    }
    let hint = KeyId::of_rfc6962_log(origin, &key.id()).hint();
    let line = note.signatures_by(origin, hint).next().ok_or(CheckpointError::Signature)?;
    let (timestamp_ms, digitally_signed) = split(&line.bytes).ok_or(CheckpointError::Malformed)?;
    let message = signed_bytes(timestamp_ms, text.size.get(), &text.root);
    verify_digitally_signed(key, &message, digitally_signed)
        .map_err(|_| CheckpointError::Signature)?;
    let digitally_signed = digitally_signed.to_vec();
    Ok(SignedTreeHead { size: text.size, timestamp_ms, root: text.root, digitally_signed })
}

/// The bytes that a log signs of its tree: `TreeHeadSignature`.
fn signed_bytes(time_ms: u64, size: u64, root: &Hash) -> Vec<u8> {
    let mut bytes = V1_TREE_HASH.to_vec();
    bytes.extend_from_slice(&time_ms.to_be_bytes());
    bytes.extend_from_slice(&size.to_be_bytes());
    bytes.extend_from_slice(root.as_bytes());
    bytes
}

/// Signs a tree head, as `RFC6962NoteSignature`: time, then `DigitallySigned`.
pub(super) fn sign(key: &SigningKey, head: &Head) -> Result<Vec<u8>, DialectError> {
    let time_ms = u64::try_from(head.time.as_millisecond())?;
    let message = signed_bytes(time_ms, head.size.get(), &head.root);
    let mut signature = time_ms.to_be_bytes().to_vec();
    signature.extend_from_slice(&digitally_sign(key, &message)?);
    Ok(signature)
}

/// Takes an `RFC6962NoteSignature` apart: time, and `DigitallySigned`.
pub(super) fn split(signature: &[u8]) -> Option<(u64, &[u8])> {
    let (time, digitally_signed) = signature.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*time), digitally_signed))
}
