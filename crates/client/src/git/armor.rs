//! The armor of a signature: one PEM block `SIGNED MESSAGE`, and nothing else.

use crypto::{PemError, decode_pem, encode_pem};

/// The label by which git knows signatures of X.509 signers.
const LABEL: &str = "SIGNED MESSAGE";

/// Why a text is not an armored signature.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ArmorError {
    /// It is another kind of signature, or none.
    #[error("it is not the block SIGNED MESSAGE that X.509 signatures are")]
    Other,
    /// There is something before or after the block, such as another signature.
    #[error("it is more than one signature")]
    More,
    /// The block cannot be decoded.
    #[error("its armor is damaged")]
    Damaged(#[from] PemError),
}

/// Takes the armor off.
///
/// Git glues the values of repeated signature headers together. Which of two signatures would be judged must not be
/// anybody's choice, so that only one is taken.
pub(super) fn remove(text: &[u8]) -> Result<Vec<u8>, ArmorError> {
    if !text.starts_with(format!("-----BEGIN {LABEL}-----").as_bytes()) {
        return Err(ArmorError::Other);
    }
    let (block, rest) = decode_pem(text)?;
    if !rest.trim_ascii().is_empty() || count(text, b"-----BEGIN ") != 1 {
        return Err(ArmorError::More);
    }
    if block.label != LABEL || block.has_headers {
        return Err(ArmorError::Other);
    }
    Ok(block.contents)
}

fn count(text: &[u8], part: &[u8]) -> usize {
    text.windows(part.len()).filter(|window| *window == part).count()
}

/// Puts the armor on.
pub(super) fn put_on(der: &[u8]) -> String {
    encode_pem(LABEL, der)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_on_comes_off() {
        assert_eq!(remove(put_on(b"signature").as_bytes()), Ok(b"signature".to_vec()));
    }

    #[test]
    fn one_signature_is_taken_and_nothing_beside_it() {
        let one = put_on(b"one");
        let after = format!("{one}{}", put_on(b"two"));
        assert_eq!(remove(after.as_bytes()), Err(ArmorError::More));
        assert_eq!(remove(format!("{one}text").as_bytes()), Err(ArmorError::More));
        assert_eq!(remove(format!("text\n{one}").as_bytes()), Err(ArmorError::Other));
        // A block that cannot be decoded is passed over by readers of PEM, and what follows is read.
        let inner = format!("-----BEGIN SIGNED MESSAGE-----\n*\n{one}");
        assert_eq!(remove(inner.as_bytes()), Err(ArmorError::More));
    }

    #[test]
    fn signatures_of_other_kinds_are_not_ours() {
        for label in ["PGP SIGNATURE", "SSH SIGNATURE", "CERTIFICATE"] {
            assert_eq!(remove(encode_pem(label, b"1").as_bytes()), Err(ArmorError::Other));
        }
    }
}
