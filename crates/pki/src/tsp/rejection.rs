//! Refusals, RFC 3161 §2.4.2.

use crate::asn1::{self, tag};

/// `PKIFailureInfo`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FailInfo {
    /// Unrecognised or unsupported algorithm.
    BadAlg,
    /// Transaction not permitted or supported.
    BadRequest,
    /// The data submitted has the wrong format.
    BadDataFormat,
    /// The authority's time source is not available.
    TimeNotAvailable,
    /// The requested policy is not supported.
    UnacceptedPolicy,
    /// The requested extension is not supported.
    UnacceptedExtension,
    /// The request cannot be handled due to system failure.
    SystemFailure,
}

impl FailInfo {
    /// The number of the bit.
    #[must_use]
    pub const fn bit(self) -> u8 {
        match self {
            Self::BadAlg => 0,
            Self::BadRequest => 2,
            Self::BadDataFormat => 5,
            Self::TimeNotAvailable => 14,
            Self::UnacceptedPolicy => 15,
            Self::UnacceptedExtension => 16,
            Self::SystemFailure => 25,
        }
    }

    /// A `BIT STRING` with this bit, and no zeros after it (X.690 §11.2.2).
    fn bit_string(self) -> Vec<u8> {
        let (octet, bit) = (usize::from(self.bit() / 8), self.bit() % 8);
        let mut content = vec![0; octet + 2];
        content[0] = 7 - bit;
        content[octet + 1] = 0x80 >> bit;
        asn1::tlv(tag::BIT_STRING, &[&content])
    }
}

/// A `TimeStampResp` that refuses, with a text for people.
#[must_use]
pub fn rejection(reason: FailInfo, text: &str) -> Vec<u8> {
    const REJECTION: u64 = 2;
    let text = asn1::sequence(&[&asn1::tlv(tag::UTF8_STRING, &[text.as_bytes()])]);
    let status = asn1::sequence(&[&asn1::integer(REJECTION), &text, &reason.bit_string()]);
    asn1::sequence(&[&status])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bit_string_ends_with_its_last_one() {
        assert_eq!(FailInfo::BadAlg.bit_string(), [3, 2, 7, 0x80]);
        assert_eq!(FailInfo::BadDataFormat.bit_string(), [3, 2, 2, 0x04]);
        assert_eq!(FailInfo::TimeNotAvailable.bit_string(), [3, 3, 1, 0, 0x02]);
        assert_eq!(FailInfo::UnacceptedExtension.bit_string(), [3, 4, 7, 0, 0, 0x80]);
    }
}
