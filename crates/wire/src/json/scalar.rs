//! The scalar values of protojson, in every form in which they may be written.

use base64::Engine;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;

use super::{Json, JsonError, Object, Problem, excerpt};

const fn engine(alphabet: &Alphabet) -> GeneralPurpose {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::RequireNone);
    GeneralPurpose::new(alphabet, config)
}

const UNPADDED_STANDARD: GeneralPurpose = engine(&STANDARD);
const UNPADDED_URL_SAFE: GeneralPurpose = engine(&URL_SAFE);

/// Decodes base64 as protojson does: either alphabet (not both at once), padded or not.
///
/// Line breaks are passed over, because tools wrap what they encode and the reference clients' decoders pass
/// over them too. Stray bits in the last character are refused.
#[must_use]
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    if text.contains(['\r', '\n']) {
        return decode_base64(&text.replace(['\r', '\n'], ""));
    }
    let url_safe = text.bytes().any(|byte| matches!(byte, b'-' | b'_'));
    let engine = if url_safe { &UNPADDED_URL_SAFE } else { &UNPADDED_STANDARD };
    let bare = match text.len() % 4 {
        0 => text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text),
        _ => text,
    };
    engine.decode(bare).ok()
}

impl<'a> Json<'a> {
    fn type_error(&self, expected: &'static str) -> JsonError {
        let found = match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) | Self::Fraction(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
        };
        Problem::Type { expected, found }.here()
    }

    /// The object.
    ///
    /// # Errors
    ///
    /// [`Problem::Type`].
    pub fn into_object(self) -> Result<Object<'a>, JsonError> {
        match self {
            Self::Object(object) => Ok(object),
            other => Err(other.type_error("an object")),
        }
    }

    /// The items of a list of at most `limit`, each taken with `read`.
    ///
    /// # Errors
    ///
    /// [`Problem::Type`], [`Problem::TooManyItems`], and what `read` says, with the place around it.
    pub fn into_list<T>(
        self,
        limit: usize,
        read: impl Fn(Json<'a>) -> Result<T, JsonError>,
    ) -> Result<Vec<T>, JsonError> {
        let Self::Array(items) = self else {
            return Err(self.type_error("a list"));
        };
        if items.len() > limit {
            return Err(Problem::TooManyItems { length: items.len(), limit }.here());
        }
        let read = |(index, item)| read(item).map_err(|error| error.within_item(index));
        items.into_iter().enumerate().map(read).collect()
    }

    /// The string.
    ///
    /// # Errors
    ///
    /// [`Problem::Type`].
    pub fn into_string(self) -> Result<String, JsonError> {
        match self {
            Self::String(text) => Ok(text.into_owned()),
            other => Err(other.type_error("a string")),
        }
    }

    /// The boolean.
    ///
    /// # Errors
    ///
    /// [`Problem::Type`].
    pub fn into_bool(self) -> Result<bool, JsonError> {
        match self {
            Self::Bool(value) => Ok(value),
            other => Err(other.type_error("a boolean")),
        }
    }

    /// The bytes that a string holds in base64, see [`decode_base64`].
    ///
    /// # Errors
    ///
    /// [`Problem::Type`], [`Problem::Base64`].
    pub fn into_bytes(self) -> Result<Vec<u8>, JsonError> {
        match self {
            Self::String(text) => decode_base64(&text).ok_or_else(|| Problem::Base64.here()),
            other => Err(other.type_error("a base64 string")),
        }
    }

    /// `N` bytes in base64.
    ///
    /// # Errors
    ///
    /// [`Problem::Type`], [`Problem::Base64`], [`Problem::Length`].
    pub fn into_byte_array<const N: usize>(self) -> Result<[u8; N], JsonError> {
        let bytes = self.into_bytes()?;
        let found = bytes.len();
        bytes.try_into().map_err(|_| Problem::Length { expected: N, found }.here())
    }

    /// An integer, as a number or as a string of digits. Fractions and exponents are refused, as are the
    /// forms that JSON numbers do not have: a plus sign, leading zeros, blanks.
    fn into_integer(self) -> Result<i128, JsonError> {
        match self {
            Self::Integer(number) => Ok(number),
            Self::Fraction(number) => Err(Problem::Integer(number.to_string()).here()),
            Self::String(text) => {
                let digits = text.strip_prefix('-').unwrap_or(&text);
                let number = !digits.is_empty()
                    && digits.bytes().all(|byte| byte.is_ascii_digit())
                    && (digits == "0" || !digits.starts_with('0'));
                let value = if number { text.parse().ok() } else { None };
                value.ok_or_else(|| Problem::Integer(excerpt(&text)).here())
            }
            other => Err(other.type_error("an integer")),
        }
    }

    /// A protocol buffer `int64` or `uint64` that only makes sense from zero on, such as an index.
    ///
    /// # Errors
    ///
    /// [`Problem::Type`], [`Problem::Integer`]; [`Problem::Negative`] below zero.
    pub fn into_u64(self) -> Result<u64, JsonError> {
        let number = self.into_integer()?;
        if number < 0 {
            return Err(Problem::Negative(number).here());
        }
        // An int64 on the wire: what is above is not written by any protocol buffer library.
        let fits = i64::try_from(number).ok().and_then(|number| u64::try_from(number).ok());
        fits.ok_or_else(|| Problem::Integer(number.to_string()).here())
    }

    /// A protocol buffer `int64`.
    ///
    /// # Errors
    ///
    /// [`Problem::Type`], [`Problem::Integer`].
    pub fn into_i64(self) -> Result<i64, JsonError> {
        let number = self.into_integer()?;
        i64::try_from(number).map_err(|_| Problem::Integer(number.to_string()).here())
    }

    /// A protocol buffer `uint32`.
    ///
    /// # Errors
    ///
    /// [`Problem::Type`], [`Problem::Integer`], [`Problem::Negative`].
    pub fn into_u32(self) -> Result<u32, JsonError> {
        let number = self.into_u64()?;
        u32::try_from(number).map_err(|_| Problem::Integer(number.to_string()).here())
    }

    /// A value of an enumeration, by name or number; `Err` holds the text of one that is not known.
    ///
    /// # Errors
    ///
    /// [`Problem::Type`], [`Problem::Integer`].
    pub fn into_enumeration<T>(
        self,
        by_name: impl Fn(&str) -> Option<T>,
        by_number: impl Fn(i64) -> Option<T>,
    ) -> Result<Result<T, String>, JsonError> {
        match self {
            Self::String(name) => Ok(by_name(&name).ok_or_else(|| excerpt(&name))),
            number @ (Self::Integer(_) | Self::Fraction(_)) => {
                let number = number.into_i64()?;
                Ok(by_number(number).ok_or_else(|| number.to_string()))
            }
            other => Err(other.type_error("a name or number")),
        }
    }

    /// A time as RFC 3339 §5.6 writes it, with `T` and an offset.
    ///
    /// # Errors
    ///
    /// [`Problem::Type`], [`Problem::Time`].
    pub fn into_time(self) -> Result<Timestamp, JsonError> {
        let text = self.into_string()?;
        // The parser also reads blanks for `T` and annotations in brackets, which are not RFC 3339.
        let plain = text.as_bytes().get(10) == Some(&b'T') && !text.contains('[');
        let time = if plain { text.parse().ok() } else { None };
        time.ok_or_else(|| Problem::Time(excerpt(&text)).here())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> Json<'_> {
        Json::String(text.into())
    }

    #[test]
    fn base64_has_two_alphabets_and_optional_padding() {
        for text in ["+/8=", "-_8=", "+/8", "-_8", "+/\r\n8=\n"] {
            assert_eq!(decode_base64(text).as_deref(), Some(&[0xfb, 0xff][..]), "{text}");
        }
        // Both alphabets at once, stray bits, too much padding, impossible length, blanks.
        for text in ["+_8=", "+/9=", "+/8==", "AA=", "====", "+", "+/8 ", "+/ 8="] {
            assert_eq!(decode_base64(text), None, "{text}");
        }
    }

    #[test]
    fn integers_are_numbers_or_strings() {
        assert_eq!(Json::Integer(7).into_u64(), Ok(7));
        assert_eq!(string("7").into_u64(), Ok(7));
        assert_eq!(string("9223372036854775807").into_u64(), Ok(i64::MAX as u64));
        assert_eq!(string("-7").into_i64(), Ok(-7));
        for text in ["1e3", "1.0", "+1", "01", " 1", "", "-", "0x1", "9223372036854775808"] {
            let error = string(text).into_u64().expect_err(text);
            assert!(matches!(error.problem, Problem::Integer(_)), "{text}");
        }
        assert_eq!(string("-1").into_u64().expect_err("-1").problem, Problem::Negative(-1));
        assert!(Json::Fraction(1.5).into_u64().is_err());
    }

    #[test]
    fn times_are_rfc_3339() {
        let expected: Timestamp = "2022-10-31T23:59:59.999Z".parse().expect("a time");
        assert_eq!(string("2022-10-31T23:59:59.999Z").into_time(), Ok(expected));
        assert_eq!(string("2022-11-01T00:59:59.999+01:00").into_time(), Ok(expected));
        for text in ["", "2022-10-31", "2022-10-31T23:59:59", "2022-10-31 23:59:59Z", "0"] {
            assert!(string(text).into_time().is_err(), "{text}");
        }
    }
}
