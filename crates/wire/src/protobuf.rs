//! The wire format of protocol buffers, as far as signatures of git objects need it: varints and lengths, read strictly.
//!
//! A message is a row of fields. What a lenient reader would merge, overwrite or pass over (a field that comes twice, or
//! that nobody knows) is refused: two readers must not find two meanings in one signature.

use thiserror::Error;

/// Values that are numbers.
const VARINT: u8 = 0;
/// Values with their length before them.
const LENGTH: u8 = 2;
/// A number of 64 bits has at most ten groups of seven.
const MAX_VARINT: usize = 10;

/// Why bytes are not the message that was expected.
#[derive(Clone, Debug, Eq, PartialEq, Error)]
pub enum ProtobufError {
    /// They end inside of a field.
    #[error("the message ends inside of a field")]
    Truncated,
    /// A number is longer than it needs to be, or than 64 bits.
    #[error("a number is not in its shortest form")]
    Varint,
    /// A field that the message does not have, or of another type.
    #[error("the field {number} with the wire type {wire_type} is not known")]
    UnknownField {
        /// Its number.
        number: u64,
        /// How its value is written.
        wire_type: u8,
    },
    /// A field of which there can be one comes twice.
    #[error("the field {0} comes twice")]
    Repeated(u64),
    /// A number is negative where it counts something.
    #[error("the number in the field {0} is negative")]
    Negative(u64),
    /// A text is not UTF-8.
    #[error("the text in the field {0} is not UTF-8")]
    Text(u64),
    /// A value has not the length that such values have, or a list is too long.
    #[error("the field {0} has a wrong length")]
    Length(u64),
    /// The message is longer than any that is read.
    #[error("the message is longer than {0} bytes")]
    TooLong(usize),
}

/// One field: its number, and its value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Field<'a> {
    Number(u64, u64),
    Bytes(u64, &'a [u8]),
}

impl Field<'_> {
    /// The error for a field that nobody asked for.
    pub(crate) const fn unknown(self) -> ProtobufError {
        match self {
            Self::Number(number, _) => ProtobufError::UnknownField { number, wire_type: VARINT },
            Self::Bytes(number, _) => ProtobufError::UnknownField { number, wire_type: LENGTH },
        }
    }
}

/// The fields of `message`, in the order in which they stand.
pub(crate) fn fields(message: &[u8]) -> Fields<'_> {
    Fields { rest: message }
}

/// A walk through the fields of a message.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Result<Field<'a>, ProtobufError> {
        let key = self.varint()?;
        let (number, wire_type) = (key >> 3, (key & 7) as u8);
        match wire_type {
            VARINT => Ok(Field::Number(number, self.varint()?)),
            LENGTH => {
                let length =
                    usize::try_from(self.varint()?).map_err(|_| ProtobufError::Truncated)?;
                let (value, rest) =
                    self.rest.split_at_checked(length).ok_or(ProtobufError::Truncated)?;
                self.rest = rest;
                Ok(Field::Bytes(number, value))
            }
            _ => Err(ProtobufError::UnknownField { number, wire_type }),
        }
    }

    fn varint(&mut self) -> Result<u64, ProtobufError> {
        let mut value = 0_u64;
        for place in 0..MAX_VARINT {
            let (&byte, rest) = self.rest.split_first().ok_or(ProtobufError::Truncated)?;
            self.rest = rest;
            let group = u64::from(byte & 0x7f);
            // The tenth group has room for one bit.
            if place == MAX_VARINT - 1 && byte > 1 || place > 0 && byte == 0 {
                return Err(ProtobufError::Varint);
            }
            value |= group << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ProtobufError::Varint)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, ProtobufError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

/// A field of which there can be one, while its message is read.
#[derive(Debug)]
pub(crate) struct Once<T>(Option<T>);

impl<T> Once<T> {
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    /// Takes the field `number`, unless it was there before.
    pub(crate) fn set(&mut self, number: u64, value: T) -> Result<(), ProtobufError> {
        match self.0.replace(value) {
            None => Ok(()),
            Some(_) => Err(ProtobufError::Repeated(number)),
        }
    }

    pub(crate) fn get(self) -> Option<T> {
        self.0
    }
}

/// An `int64` that counts something.
pub(crate) fn count(number: u64, value: u64) -> Result<u64, ProtobufError> {
    if i64::try_from(value).is_ok() { Ok(value) } else { Err(ProtobufError::Negative(number)) }
}

/// A `string`.
pub(crate) fn text(number: u64, value: &[u8]) -> Result<String, ProtobufError> {
    let text = std::str::from_utf8(value).map_err(|_| ProtobufError::Text(number))?;
    Ok(text.to_owned())
}

/// A message in the making. Default values are left out, as proto3 says.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn number(&mut self, number: u64, value: u64) {
        if value != 0 {
            self.varint(number << 3 | u64::from(VARINT));
            self.varint(value);
        }
    }

    pub(crate) fn bytes(&mut self, number: u64, value: &[u8]) {
        if !value.is_empty() {
            self.message(number, value);
        }
    }

    /// A field that is written even if it is empty: a message that is there, or an item of a list.
    pub(crate) fn message(&mut self, number: u64, value: &[u8]) {
        self.varint(number << 3 | u64::from(LENGTH));
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push((value & 0x7f) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(message: &[u8]) -> Result<Vec<Field<'_>>, ProtobufError> {
        fields(message).collect()
    }

    #[test]
    fn numbers_and_lengths_are_read() {
        // The examples of the encoding's own description: 150, and "testing".
        assert_eq!(read(&[0x08, 0x96, 0x01]), Ok(vec![Field::Number(1, 150)]));
        let message = b"\x12\x07testing";
        assert_eq!(read(message), Ok(vec![Field::Bytes(2, b"testing")]));
        let mut most = vec![0x08];
        most.extend([0xff; 9]);
        most.push(1);
        assert_eq!(read(&most), Ok(vec![Field::Number(1, u64::MAX)]));
    }

    #[test]
    fn what_can_be_written_in_two_ways_is_refused_in_one() {
        assert_eq!(read(&[0x08, 0x80, 0x00]), Err(ProtobufError::Varint));
        let mut too_much = vec![0x08];
        too_much.extend([0xff; 9]);
        too_much.push(2);
        assert_eq!(read(&too_much), Err(ProtobufError::Varint));
        assert_eq!(read(&[0x08]), Err(ProtobufError::Truncated));
        assert_eq!(read(&[0x12, 5, 1]), Err(ProtobufError::Truncated));
        // Groups and fixed widths are in no message of ours.
        let unknown = ProtobufError::UnknownField { number: 1, wire_type: 5 };
        assert_eq!(read(&[0x0d, 0, 0, 0, 0]), Err(unknown));
    }

    #[test]
    fn defaults_are_left_out_and_empty_messages_are_not() {
        let mut writer = Writer::default();
        writer.number(1, 0);
        writer.bytes(2, b"");
        writer.message(3, b"");
        writer.number(4, 300);
        assert_eq!(writer.finish(), [0x1a, 0, 0x20, 0xac, 2]);
    }
}
