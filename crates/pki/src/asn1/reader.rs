//! Walking through DER.

use std::ops::Range;

use super::tag;
use crate::Oid;

/// The bytes are not DER, or not what was expected at this place.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the bytes are not the DER that was expected")]
pub struct DerError;

/// One value: its tag, and where it stands.
#[derive(Clone, Copy)]
pub struct Element<'a> {
    all: &'a [u8],
    tag: u8,
    start: usize,
    content: usize,
    end: usize,
}

impl<'a> Element<'a> {
    /// The identifier octet.
    #[must_use]
    pub const fn tag(&self) -> u8 {
        self.tag
    }

    /// The value with its header.
    #[must_use]
    pub fn der(&self) -> &'a [u8] {
        &self.all[self.start..self.end]
    }

    /// The contents.
    #[must_use]
    pub fn content(&self) -> &'a [u8] {
        &self.all[self.content..self.end]
    }

    /// Where the value with its header stands in the bytes that the outermost reader was given.
    #[must_use]
    pub const fn span(&self) -> Range<usize> {
        self.start..self.end
    }

    /// Where the contents stand in the bytes that the outermost reader was given.
    #[must_use]
    pub const fn content_span(&self) -> Range<usize> {
        self.content..self.end
    }

    /// Walks through the contents.
    #[must_use]
    pub const fn reader(&self) -> Reader<'a> {
        Reader { all: self.all, at: self.content, end: self.end }
    }
}

/// A place in DER.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    all: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    /// Begins at the start of `der`.
    #[must_use]
    pub const fn new(der: &'a [u8]) -> Self {
        Self { all: der, at: 0, end: der.len() }
    }

    /// Reads `der` as one value of `tag` with nothing after it, and walks into it.
    ///
    /// # Errors
    ///
    /// [`DerError`].
    pub fn only(der: &'a [u8], tag: u8) -> Result<Self, DerError> {
        let mut reader = Self::new(der);
        let element = reader.expect(tag)?;
        reader.finish()?;
        Ok(element.reader())
    }

    /// Whether everything was read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.at == self.end
    }

    /// Ends the reading.
    ///
    /// # Errors
    ///
    /// [`DerError`] if something is left.
    pub fn finish(self) -> Result<(), DerError> {
        if self.is_empty() { Ok(()) } else { Err(DerError) }
    }

    /// Reads the next value, whatever it is.
    ///
    /// Lengths are definite and minimal (X.690 §10.1), tag numbers below 31.
    ///
    /// # Errors
    ///
    /// [`DerError`], also at the end.
    pub fn any(&mut self) -> Result<Element<'a>, DerError> {
        let rest = self.all.get(self.at..self.end).ok_or(DerError)?;
        let (&[tag, first], _) = rest.split_first_chunk::<2>().ok_or(DerError)?;
        if tag & 0x1f == 0x1f {
            return Err(DerError);
        }
        let (header, length) = match first {
            0..=0x7f => (2, usize::from(first)),
            0x81..=0x84 => {
                let bytes = rest.get(2..2 + usize::from(first & 0x7f)).ok_or(DerError)?;
                let length = bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
                if bytes.first() == Some(&0) || length < 0x80 {
                    return Err(DerError);
                }
                (2 + bytes.len(), length)
            }
            _ => return Err(DerError),
        };
        if length > rest.len() - header {
            return Err(DerError);
        }
        let (start, content) = (self.at, self.at + header);
        self.at = content + length;
        Ok(Element { all: self.all, tag, start, content, end: self.at })
    }

    /// Whether the next value has `tag`.
    #[must_use]
    pub fn next_is(&self, tag: u8) -> bool {
        !self.is_empty() && self.all.get(self.at) == Some(&tag)
    }

    /// Reads the next value, which must have `tag`.
    ///
    /// # Errors
    ///
    /// [`DerError`].
    pub fn expect(&mut self, tag: u8) -> Result<Element<'a>, DerError> {
        let element = self.any()?;
        if element.tag == tag { Ok(element) } else { Err(DerError) }
    }

    /// Reads the next value if it has `tag`.
    ///
    /// # Errors
    ///
    /// [`DerError`] if it has, and is malformed.
    pub fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, DerError> {
        if self.next_is(tag) { self.any().map(Some) } else { Ok(None) }
    }

    /// Reads a `SEQUENCE` and walks into it.
    ///
    /// # Errors
    ///
    /// [`DerError`].
    pub fn sequence(&mut self) -> Result<Reader<'a>, DerError> {
        self.expect(tag::SEQUENCE).map(|element| element.reader())
    }

    /// Reads an object identifier of at most 39 octets.
    ///
    /// # Errors
    ///
    /// [`DerError`].
    pub fn oid(&mut self) -> Result<Oid, DerError> {
        Oid::from_bytes(self.expect(tag::OID)?.content()).map_err(|_| DerError)
    }

    /// Reads an `INTEGER` and gives its minimal big-endian two's complement.
    ///
    /// # Errors
    ///
    /// [`DerError`].
    pub fn integer(&mut self) -> Result<Element<'a>, DerError> {
        let element = self.expect(tag::INTEGER)?;
        match element.content() {
            [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => Err(DerError),
            _ => Ok(element),
        }
    }

    /// Reads an `INTEGER` from 0 to 2⁶³ − 1.
    ///
    /// # Errors
    ///
    /// [`DerError`].
    pub fn small_integer(&mut self) -> Result<u64, DerError> {
        match self.integer()?.content() {
            [first, ..] if *first >= 0x80 => Err(DerError),
            bytes if bytes.len() > 8 => Err(DerError),
            bytes => Ok(bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))),
        }
    }

    /// Reads `BOOLEAN DEFAULT FALSE`.
    ///
    /// A written-out `FALSE` is not DER (X.690 §11.5), but certificates with it exist and every client
    /// reads them.
    ///
    /// # Errors
    ///
    /// [`DerError`].
    pub fn boolean_default_false(&mut self) -> Result<bool, DerError> {
        match self.optional(tag::BOOLEAN)?.map(|element| element.content()) {
            None | Some([0]) => Ok(false),
            Some([0xff]) => Ok(true),
            Some(_) => Err(DerError),
        }
    }

    /// Reads a `BIT STRING` of whole octets.
    ///
    /// # Errors
    ///
    /// [`DerError`].
    pub fn bit_string(&mut self) -> Result<Element<'a>, DerError> {
        let element = self.expect(tag::BIT_STRING)?;
        match element.content() {
            [0, ..] => Ok(Element { content: element.content + 1, ..element }),
            _ => Err(DerError),
        }
    }

    /// Reads a `UTF8String`.
    ///
    /// # Errors
    ///
    /// [`DerError`], also for text that is not UTF-8.
    pub fn utf8(&mut self) -> Result<&'a str, DerError> {
        std::str::from_utf8(self.expect(tag::UTF8_STRING)?.content()).map_err(|_| DerError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_are_definite_and_minimal() {
        let ok = |der: &[u8]| Reader::new(der).any().is_ok();
        assert!(ok(&[4, 1, 7]));
        assert!(!ok(&[4, 0x81, 1, 7]), "one octet would do");
        assert!(!ok(&[0x30, 0x80, 0, 0]), "indefinite");
        assert!(!ok(&[4, 2, 7]), "too short");
        assert!(!ok(&[0x1f, 1, 0]), "a high tag number");
    }

    #[test]
    fn integers_are_minimal() {
        let ok = |der: &[u8]| Reader::new(der).integer().is_ok();
        assert!(ok(&[2, 1, 0]));
        assert!(ok(&[2, 2, 0, 0x80]));
        assert!(!ok(&[2, 2, 0, 0x7f]));
        assert!(!ok(&[2, 2, 0xff, 0x80]));
        assert!(!ok(&[2, 0]));
    }

    proptest! {
        #[test]
        fn what_was_read_is_what_was_given(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            if let Ok(element) = reader.any() {
                prop_assert_eq!(element.der(), &bytes[element.span()]);
                prop_assert_eq!(super::super::tlv(element.tag(), &[element.content()]), element.der());
            }
        }
    }
}
