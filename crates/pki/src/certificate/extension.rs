//! The extensions of RFC 5280 §4.2 whose meaning is known here.

use crate::asn1::{DerError, Reader, tag};
use crate::{GeneralName, Oid, oid};

/// The bits of `keyUsage`, RFC 5280 §4.2.1.3: bit n of the number is bit n of the `BIT STRING`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct KeyUsage(u16);

impl KeyUsage {
    /// Whether the key may sign things that are not certificates or CRLs.
    #[must_use]
    pub const fn digital_signature(self) -> bool {
        self.0 & 1 != 0
    }

    /// Whether the key may sign things that cannot be denied later (`nonRepudiation`).
    #[must_use]
    pub const fn content_commitment(self) -> bool {
        self.0 & (1 << 1) != 0
    }

    /// Whether the key may sign certificates.
    #[must_use]
    pub const fn key_cert_sign(self) -> bool {
        self.0 & (1 << 5) != 0
    }

    fn read(der: &[u8]) -> Result<Self, DerError> {
        let mut reader = Reader::new(der);
        let element = reader.expect(tag::BIT_STRING)?;
        reader.finish()?;
        let bits = match element.content() {
            [0..8, bits @ ..] if bits.len() <= 2 => bits,
            _ => return Err(DerError),
        };
        let reversed = |at: usize| bits.get(at).map_or(0, |byte| u16::from(byte.reverse_bits()));
        Ok(Self(reversed(0) | reversed(1) << 8))
    }
}

/// What the known extensions of a certificate say.
#[derive(Default)]
pub(super) struct Known {
    pub(super) is_ca: bool,
    pub(super) path_len: Option<u64>,
    pub(super) key_usage: Option<KeyUsage>,
    pub(super) extended_key_usage: Option<Vec<Oid>>,
    pub(super) sans: Vec<GeneralName>,
    pub(super) subject_key_id: Option<Vec<u8>>,
    pub(super) authority_key_id: Option<Vec<u8>>,
}

impl Known {
    /// Takes up one extension; those that are not known pass.
    pub(super) fn take(&mut self, oid: Oid, value: &[u8]) -> Result<(), DerError> {
        match oid {
            oid::BASIC_CONSTRAINTS => self.take_basic_constraints(value)?,
            oid::KEY_USAGE => self.key_usage = Some(KeyUsage::read(value)?),
            oid::EXTENDED_KEY_USAGE => self.extended_key_usage = Some(purposes(value)?),
            oid::SUBJECT_ALT_NAME => self.sans = GeneralName::read_all(value)?,
            oid::SUBJECT_KEY_IDENTIFIER => {
                let mut reader = Reader::new(value);
                self.subject_key_id = Some(reader.expect(tag::OCTET_STRING)?.content().to_vec());
                reader.finish()?;
            }
            oid::AUTHORITY_KEY_IDENTIFIER => {
                let identifier = Reader::only(value, tag::SEQUENCE)?.optional(tag::context(0))?;
                self.authority_key_id = identifier.map(|element| element.content().to_vec());
            }
            _ => {}
        }
        Ok(())
    }

    /// RFC 5280 §4.2.1.9: a path length without `cA` means nothing and is refused.
    fn take_basic_constraints(&mut self, value: &[u8]) -> Result<(), DerError> {
        let mut reader = Reader::only(value, tag::SEQUENCE)?;
        self.is_ca = reader.boolean_default_false()?;
        if !reader.is_empty() {
            self.path_len = Some(reader.small_integer()?);
        }
        reader.finish()?;
        if self.path_len.is_some() && !self.is_ca { Err(DerError) } else { Ok(()) }
    }
}

/// `ExtKeyUsageSyntax`: at least one purpose.
fn purposes(value: &[u8]) -> Result<Vec<Oid>, DerError> {
    let mut purposes = Vec::new();
    let mut reader = Reader::only(value, tag::SEQUENCE)?;
    while !reader.is_empty() {
        purposes.push(reader.oid()?);
    }
    if purposes.is_empty() { Err(DerError) } else { Ok(purposes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_usage_bits_are_counted_from_the_left() {
        assert!(KeyUsage::read(&[3, 2, 7, 0x80]).unwrap().digital_signature());
        let authority = KeyUsage::read(&[3, 2, 1, 6]).unwrap();
        assert!(authority.key_cert_sign() && !authority.digital_signature());
        KeyUsage::read(&[3, 2, 8, 0x80]).unwrap_err();
        KeyUsage::read(&[3, 0]).unwrap_err();
    }

    #[test]
    fn a_path_length_needs_an_authority() {
        let take = |der: &[u8]| {
            let mut known = Known::default();
            known.take(oid::BASIC_CONSTRAINTS, der).map(|()| (known.is_ca, known.path_len))
        };
        assert_eq!(take(&[0x30, 0]), Ok((false, None)));
        assert_eq!(take(&[0x30, 6, 1, 1, 0xff, 2, 1, 0]), Ok((true, Some(0))));
        assert_eq!(take(&[0x30, 3, 2, 1, 0]), Err(DerError));
        assert_eq!(take(&[0x30, 3, 1, 1, 1]), Err(DerError), "true is 0xff");
    }
}
