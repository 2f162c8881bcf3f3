//! Writing DER.

use super::tag;
use crate::Oid;

/// A value of `tag` whose contents are `parts`, one after the other.
#[must_use]
pub fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut der = Vec::with_capacity(length + 6);
    der.push(tag);
    let bytes = length.to_be_bytes();
    let significant = &bytes[length.leading_zeros() as usize / 8..];
    match significant {
        [] => der.push(0),
        [short @ 0..0x80] => der.push(*short),
        long => {
            // A `usize` has at most eight octets.
            der.push(0x80 | u8::try_from(long.len()).unwrap_or(8));
            der.extend_from_slice(long);
        }
    }
    for part in parts {
        der.extend_from_slice(part);
    }
    der
}

/// A `SEQUENCE` of `parts`.
#[must_use]
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(tag::SEQUENCE, parts)
}

/// A `SET` of `parts`, which must be in their order already (X.690 §11.6).
#[must_use]
pub fn set(parts: &[&[u8]]) -> Vec<u8> {
    tlv(tag::SET, parts)
}

/// `[number] EXPLICIT` around `inner`.
#[must_use]
pub fn explicit(number: u8, inner: &[u8]) -> Vec<u8> {
    tlv(tag::constructed(number), &[inner])
}

/// An `OBJECT IDENTIFIER`.
#[must_use]
pub fn oid(oid: Oid) -> Vec<u8> {
    tlv(tag::OID, &[oid.as_bytes()])
}

/// `BOOLEAN TRUE`.
#[must_use]
pub fn boolean_true() -> Vec<u8> {
    tlv(tag::BOOLEAN, &[&[0xff]])
}

/// A non-negative `INTEGER` given as big-endian bytes.
#[must_use]
pub fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    match &bytes[zeros..] {
        [] => tlv(tag::INTEGER, &[&[0]]),
        significant @ [0x80..=0xff, ..] => tlv(tag::INTEGER, &[&[0], significant]),
        significant => tlv(tag::INTEGER, &[significant]),
    }
}

/// A small non-negative `INTEGER`.
#[must_use]
pub fn integer(value: u64) -> Vec<u8> {
    unsigned(&value.to_be_bytes())
}

/// An `OCTET STRING`.
#[must_use]
pub fn octet_string(bytes: &[u8]) -> Vec<u8> {
    tlv(tag::OCTET_STRING, &[bytes])
}

/// A `BIT STRING` of whole octets.
#[must_use]
pub fn bit_string(bytes: &[u8]) -> Vec<u8> {
    tlv(tag::BIT_STRING, &[&[0], bytes])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lengths_have_as_few_octets_as_they_need() {
        assert_eq!(tlv(4, &[])[..], [4, 0]);
        assert_eq!(tlv(4, &[&[0; 0x7f]])[..2], [4, 0x7f]);
        assert_eq!(tlv(4, &[&[0; 0x80]])[..3], [4, 0x81, 0x80]);
        assert_eq!(tlv(4, &[&[0; 0x100]])[..4], [4, 0x82, 1, 0]);
    }

    #[test]
    fn numbers_are_minimal_and_positive() {
        assert_eq!(integer(0), [2, 1, 0]);
        assert_eq!(integer(127), [2, 1, 127]);
        assert_eq!(integer(128), [2, 2, 0, 128]);
        assert_eq!(unsigned(&[0, 0, 1]), [2, 1, 1]);
    }
}
