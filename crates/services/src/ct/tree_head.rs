//! Signed tree heads, RFC 6962 §3.5, and their place in checkpoints, C2SP static-ct-api "Checkpoints".

use crypto::SigningKey;
use merkle::Hash;
use pki::sct::digitally_sign;
use tlog::{DialectError, Head};

/// `Version` v1 and `SignatureType` tree_hash.
const V1_TREE_HASH: [u8; 2] = [0, 1];

/// The bytes that a log signs of its tree: `TreeHeadSignature`.
pub(super) fn signed_bytes(time_ms: u64, size: u64, root: &Hash) -> Vec<u8> {
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
