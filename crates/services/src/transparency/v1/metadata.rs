//! What a v1 log remembers beside a leaf: the promise, and the attestation if one is stored.
//!
//! One byte for the version of this layout, the length of the promise in two (big-endian), the promise, and all that
//! follows is the attestation, behind a byte that says whether there is one.

use bytes::Bytes;

const VERSION: u8 = 1;
const NO_ATTESTATION: u8 = 0;
const ATTESTATION: u8 = 1;

/// What is remembered beside a leaf.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Metadata<'a> {
    /// The signature over the entry, its index and time (SET).
    pub(super) promise: &'a [u8],
    /// The stored attestation.
    pub(super) attestation: Option<&'a [u8]>,
}

impl<'a> Metadata<'a> {
    pub(super) fn to_bytes(self) -> Bytes {
        let attestation = self.attestation.unwrap_or_default();
        let mut bytes = Vec::with_capacity(4 + self.promise.len() + attestation.len());
        bytes.push(VERSION);
        // Signatures of the keys there are have at most 512 bytes.
        let length = u16::try_from(self.promise.len()).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(self.promise);
        bytes.push(if self.attestation.is_some() { ATTESTATION } else { NO_ATTESTATION });
        bytes.extend_from_slice(attestation);
        bytes.into()
    }

    /// Reads what [`Self::to_bytes`] wrote; `None` if it is anything else.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (&[version, high, low], rest) = bytes.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (promise, rest) = rest.split_at_checked(length)?;
        let attestation = match rest.split_first()? {
            (&NO_ATTESTATION, []) => None,
            (&ATTESTATION, attestation) => Some(attestation),
            _ => return None,
        };
        (version == VERSION).then_some(Self { promise, attestation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        for attestation in [None, Some(&b""[..]), Some(b"{}")] {
            let metadata = Metadata { promise: b"signature", attestation };
            assert_eq!(Metadata::read(&metadata.to_bytes()), Some(metadata));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let bytes = Metadata { promise: b"ab", attestation: None }.to_bytes();
        for length in 0..bytes.len() {
            assert_eq!(Metadata::read(&bytes[..length]), None, "{length}");
        }
        assert_eq!(Metadata::read(&[&bytes[..], b"x"].concat()), None);
        assert_eq!(Metadata::read(&[&[2], &bytes[1..]].concat()), None);
    }
}
