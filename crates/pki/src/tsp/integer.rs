//! Integers of any size: nonces and serial numbers.

use crate::asn1::{self, DerError, Reader, tag};

/// An integer of any size and sign, kept as the contents of its DER. It is echoed, never calculated with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Integer(Vec<u8>);

impl Integer {
    /// A positive integer of random bytes: a nonce.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self::unsigned(&bytes)
    }

    fn unsigned(bytes: &[u8]) -> Self {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let mut content = bytes[zeros..].to_vec();
        if content.first().is_none_or(|first| *first >= 0x80) {
            content.insert(0, 0);
        }
        Self(content)
    }

    /// Takes over the contents of a DER `INTEGER`; `None` if they are empty or not minimal.
    #[must_use]
    pub fn from_content(content: &[u8]) -> Option<Self> {
        Self::read(&mut Reader::new(&asn1::tlv(tag::INTEGER, &[content]))).ok()
    }

    /// Two's complement.
    fn negated(&self) -> Self {
        let mut bytes: Vec<u8> = self.0.iter().map(|byte| !byte).collect();
        for byte in bytes.iter_mut().rev() {
            let overflow;
            (*byte, overflow) = byte.overflowing_add(1);
            if !overflow {
                break;
            }
        }
        // Minimal: 0xff before a byte with its top bit set says nothing, nor does 0 before one without.
        while matches!(bytes.as_slice(), [0xff, 0x80..=0xff, ..] | [0, 0..=0x7f, ..]) {
            bytes.remove(0);
        }
        Self(bytes)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DerError> {
        reader.integer().map(|element| Self(element.content().to_vec()))
    }

    pub(super) fn to_der(&self) -> Vec<u8> {
        asn1::tlv(tag::INTEGER, &[&self.0])
    }

    /// The contents of the DER: minimal big-endian two's complement.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Display for Integer {
    /// Writes the decimal form.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_negative = self.0.first().is_some_and(|first| *first >= 0x80);
        let magnitude = if is_negative { self.negated().0 } else { self.0.clone() };
        let mut digits: Vec<u8> = vec![0];
        for byte in magnitude {
            let mut carry = u16::from(byte);
            for digit in digits.iter_mut().rev() {
                carry += u16::from(*digit) * 256;
                *digit = u8::try_from(carry % 10).unwrap_or_default();
                carry /= 10;
            }
            while carry > 0 {
                digits.insert(0, u8::try_from(carry % 10).unwrap_or_default());
                carry /= 10;
            }
        }
        let digits = digits.iter().map(|digit| char::from(b'0' + digit)).collect::<String>();
        write!(f, "{}{digits}", if is_negative { "-" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_decimal_form_is_that_of_the_number(number: i128) {
            let mut bytes = number.to_be_bytes().to_vec();
            while matches!(bytes.as_slice(), [0xff, 0x80..=0xff, ..] | [0, 0..=0x7f, ..]) {
                bytes.remove(0);
            }
            let integer = Integer::from_content(&bytes).unwrap();
            prop_assert_eq!(integer.to_string(), number.to_string());
            prop_assert_eq!(Integer::read(&mut Reader::new(&integer.to_der())), Ok(integer));
        }
    }

    #[test]
    fn a_nonce_is_positive_and_minimal() {
        assert_eq!(Integer::from_random([0xff; 16]).content()[..2], [0, 0xff]);
        assert_eq!(Integer::from_random([0; 16]).content(), [0]);
        assert_eq!(Integer::from_content(&[]), None);
        assert_eq!(Integer::from_content(&[0, 1]), None);
    }
}
