//! Integers of any size: nonces and serial numbers.

use crate::asn1::{self, DerError, Reader, tag};

/// The longest decimal text that is read: 4096 bits have 1234 digits.
const MAX_DIGITS: usize = 1300;

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

    /// Reads the decimal form, which may begin with a minus; `None` for anything else, and for numbers of
    /// more than 4096 bits.
    #[must_use]
    pub fn from_decimal(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || digits.len() > MAX_DIGITS {
            return None;
        }
        let mut magnitude: Vec<u8> = Vec::new();
        for digit in digits.bytes() {
            let mut carry = u16::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?);
            for byte in magnitude.iter_mut().rev() {
                carry += u16::from(*byte) * 10;
                [_, *byte] = carry.to_be_bytes();
                carry >>= 8;
            }
            if carry > 0 {
                magnitude.insert(0, carry.to_be_bytes()[1]);
            }
        }
        let positive = Self::unsigned(&magnitude);
        Some(if text.starts_with('-') { positive.negated() } else { positive })
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
        fn decimal_and_der_are_the_same_number(number: i128) {
            let integer = Integer::from_decimal(&number.to_string()).unwrap();
            prop_assert_eq!(integer.to_string(), number.to_string());
            let der = integer.to_der();
            prop_assert_eq!(Integer::read(&mut Reader::new(&der)), Ok(integer));
        }
    }

    #[test]
    fn edges_are_minimal() {
        for (text, content) in
            [("0", vec![0]), ("-0", vec![0]), ("127", vec![127]), ("128", vec![0, 128])]
        {
            assert_eq!(Integer::from_decimal(text).unwrap().content(), content, "{text}");
        }
        assert_eq!(Integer::from_decimal("-128").unwrap().content(), [0x80]);
        assert_eq!(Integer::from_decimal("-129").unwrap().content(), [0xff, 0x7f]);
        assert_eq!(Integer::from_decimal("000256").unwrap().content(), [1, 0]);
    }

    #[test]
    fn only_digits_are_a_number() {
        for text in ["", "-", "+1", "1.5", "1e3", " 1", "--1"] {
            assert_eq!(Integer::from_decimal(text), None, "{text}");
        }
    }
}
