//! Policy identifiers.

use crate::asn1::{self, DerError, Reader, tag};

/// The most components of a policy in dotted form: the limit of the existing server, set after
/// GHSA-4qg8-fj49-pxjh (memory exhausted by a huge identifier).
pub const MAX_COMPONENTS: usize = 129;

/// A policy identifier: the contents of its DER, because some are longer than [`crate::Oid`] holds.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Policy(Vec<u8>);

/// Text is not an object identifier.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PolicyError {
    /// It is not numbers between dots, or too many.
    #[error("the text is not at most {MAX_COMPONENTS} numbers between dots")]
    NotNumbers,
    /// No object identifier has these numbers: it needs two, of which the first is at most 2 (X.660 §7.6).
    #[error("the numbers are not an object identifier")]
    NoSuch,
}

impl Policy {
    /// Reads the dotted form.
    ///
    /// # Errors
    ///
    /// See [`PolicyError`].
    pub fn from_dotted(text: &str) -> Result<Self, PolicyError> {
        let mut components = Vec::new();
        for part in text.split('.') {
            let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            let number = if is_number { part.parse::<u32>().ok() } else { None };
            components.push(number.ok_or(PolicyError::NotNumbers)?);
            if components.len() > MAX_COMPONENTS {
                return Err(PolicyError::NotNumbers);
            }
        }
        let (first, second, rest) = match components.as_slice() {
            [first @ (0 | 1), second @ 0..40, rest @ ..] => (*first, *second, rest),
            [2, second, rest @ ..] => (2, *second, rest),
            _ => return Err(PolicyError::NoSuch),
        };
        let mut content = Vec::new();
        put_base_128(&mut content, u64::from(first) * 40 + u64::from(second));
        for component in rest {
            put_base_128(&mut content, u64::from(*component));
        }
        Ok(Self(content))
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DerError> {
        let content = reader.expect(tag::OID)?.content();
        // Each number ends with an octet below 0x80, and has no leading zeros (X.690 §8.19.2).
        let mut starts = true;
        for octet in content {
            if starts && *octet == 0x80 {
                return Err(DerError);
            }
            starts = *octet < 0x80;
        }
        if starts && !content.is_empty() { Ok(Self(content.to_vec())) } else { Err(DerError) }
    }

    pub(super) fn to_der(&self) -> Vec<u8> {
        asn1::tlv(tag::OID, &[&self.0])
    }
}

fn put_base_128(content: &mut Vec<u8>, number: u64) {
    let groups = (64 - number.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let [.., low] = (number >> (7 * group)).to_be_bytes();
        let more = if group == 0 { 0 } else { 0x80 };
        content.push((low & 0x7f) | more);
    }
}

impl std::fmt::Display for Policy {
    /// Writes the dotted form. A number of more than 121 bits, which nobody has, is written as its
    /// lowest ones.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut number: u128 = 0;
        let mut is_first = true;
        for octet in &self.0 {
            number = number << 7 | u128::from(octet & 0x7f);
            if *octet >= 0x80 {
                continue;
            }
            if is_first {
                let root = (number / 40).min(2);
                write!(f, "{root}.{}", number - 40 * root)?;
            } else {
                write!(f, ".{number}")?;
            }
            (number, is_first) = (0, false);
        }
        Ok(())
    }
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Policy({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dotted_form_is_read_back() {
        for text in ["1.3.6.1.4.1.57264.2", "2.999.4294967295", "0.39", "1.2.3.4"] {
            let policy = Policy::from_dotted(text).unwrap();
            assert_eq!(policy.to_string(), text);
            assert_eq!(Policy::read(&mut Reader::new(&policy.to_der())), Ok(policy));
        }
    }

    #[test]
    fn numbers_that_are_no_identifier_are_told_from_text_that_is_no_numbers() {
        for text in ["1", "3.1", "1.40"] {
            assert_eq!(Policy::from_dotted(text), Err(PolicyError::NoSuch), "{text}");
        }
        for text in ["", "1.", ".1", "1.a", "1.-2", "1.99999999999"] {
            assert_eq!(Policy::from_dotted(text), Err(PolicyError::NotNumbers), "{text}");
        }
        let components = |count| vec!["1"; count].join(".");
        Policy::from_dotted(&components(129)).unwrap();
        assert_eq!(Policy::from_dotted(&components(130)), Err(PolicyError::NotNumbers));
    }
}
