//! `UTCTime` and `GeneralizedTime` in the forms that RFC 5280 §4.1.2.5 and RFC 3161 §2.4.2 allow.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::{DerError, Element, tag, tlv};

/// Reads the time of a certificate: whole seconds, UTC, `Z`.
///
/// A time beyond what [`Timestamp`] holds (`99991231235959Z`, RFC 5280's "no expiry") becomes the last
/// one it does.
pub(crate) fn read_time(element: &Element<'_>) -> Result<Timestamp, DerError> {
    let text = element.content();
    match element.tag() {
        tag::UTC_TIME if text.len() == 13 => {
            let year = number(&text[..2])?;
            // RFC 5280 §4.1.2.5.1.
            let century = if year >= 50 { 1900 } else { 2000 };
            timestamp(century + year, &text[2..], 0)
        }
        tag::GENERALIZED_TIME if text.len() == 15 => timestamp(number(&text[..4])?, &text[4..], 0),
        _ => Err(DerError),
    }
}

/// Reads the `genTime` of a timestamp, which may have a fraction without trailing zeros.
pub(crate) fn read_time_with_fraction(element: &Element<'_>) -> Result<Timestamp, DerError> {
    let text = element.content();
    if text.get(14) != Some(&b'.') {
        return read_time(element);
    }
    let fraction = text[15..].strip_suffix(b"Z").ok_or(DerError)?;
    if element.tag() != tag::GENERALIZED_TIME || !matches!(fraction, [.., b'1'..=b'9']) {
        return Err(DerError);
    }
    // What is finer than a nanosecond is cut off.
    let mut nanoseconds = 0;
    for place in 0..9 {
        let digit = fraction.get(place).map_or(Ok(0), |digit| number(&[*digit]))?;
        nanoseconds = nanoseconds * 10 + i32::from(digit);
    }
    if !fraction.iter().all(u8::is_ascii_digit) {
        return Err(DerError);
    }
    let seconds = [&text[4..14], b"Z"].concat();
    timestamp(number(&text[..4])?, &seconds, nanoseconds)
}

/// `rest` is `MMDDhhmmssZ`.
fn timestamp(year: i16, rest: &[u8], nanoseconds: i32) -> Result<Timestamp, DerError> {
    let digits = rest.strip_suffix(b"Z").ok_or(DerError)?;
    let mut parts = [0_i8; 5];
    for (part, pair) in parts.iter_mut().zip(digits.chunks(2)) {
        *part = i8::try_from(number(pair)?).map_err(|_| DerError)?;
    }
    let [month, day, hour, minute, second] = parts;
    let time =
        DateTime::new(year, month, day, hour, minute, second, nanoseconds).map_err(|_| DerError)?;
    Ok(Offset::UTC.to_timestamp(time).unwrap_or(Timestamp::MAX))
}

fn number(digits: &[u8]) -> Result<i16, DerError> {
    digits.iter().try_fold(0_i16, |sum, digit| match digit {
        b'0'..=b'9' => Ok(sum * 10 + i16::from(digit - b'0')),
        _ => Err(DerError),
    })
}

/// Writes the time of a certificate, in whole seconds: `UTCTime` to 2049, then `GeneralizedTime`.
pub(crate) fn x509_time(time: Timestamp) -> Vec<u8> {
    let civil = Offset::UTC.to_datetime(time);
    if (1950..2050).contains(&civil.year()) {
        let text = format!("{:02}{}", civil.year() % 100, after_year(civil));
        tlv(tag::UTC_TIME, &[text.as_bytes()])
    } else {
        generalized_time(time)
    }
}

/// Writes a `GeneralizedTime` in whole seconds.
pub(crate) fn generalized_time(time: Timestamp) -> Vec<u8> {
    let civil = Offset::UTC.to_datetime(time);
    let text = format!("{:04}{}", civil.year(), after_year(civil));
    tlv(tag::GENERALIZED_TIME, &[text.as_bytes()])
}

fn after_year(civil: DateTime) -> String {
    format!(
        "{:02}{:02}{:02}{:02}{:02}Z",
        civil.month(),
        civil.day(),
        civil.hour(),
        civil.minute(),
        civil.second()
    )
}

#[cfg(test)]
mod tests {
    use super::super::Reader;
    use super::*;

    fn read(tag: u8, text: &str) -> Result<String, DerError> {
        let der = tlv(tag, &[text.as_bytes()]);
        let element = Reader::new(&der).any()?;
        read_time_with_fraction(&element).map(|time| time.to_string())
    }

    #[test]
    fn two_digit_years_turn_at_fifty() {
        assert_eq!(read(tag::UTC_TIME, "500101000000Z").unwrap(), "1950-01-01T00:00:00Z");
        assert_eq!(read(tag::UTC_TIME, "491231235959Z").unwrap(), "2049-12-31T23:59:59Z");
    }

    #[test]
    fn a_time_without_end_is_the_last_one_there_is() {
        let der = tlv(tag::GENERALIZED_TIME, &[b"99991231235959Z"]);
        let element = Reader::new(&der).any().unwrap();
        assert_eq!(read_time(&element), Ok(Timestamp::MAX));
    }

    #[test]
    fn only_utc_in_its_canonical_form_is_a_time() {
        for text in [
            "20261122131216",
            "20261122131216+0100",
            "202611221312Z",
            "20261122131260Z",
            "20261322131216Z",
            "20261122131216.Z",
            "20261122131216.10Z",
            "20261122131216,1Z",
            "2026112213121 Z",
        ] {
            assert_eq!(read(tag::GENERALIZED_TIME, text), Err(DerError), "{text}");
        }
        assert_eq!(read(tag::UTC_TIME, "2611221312Z"), Err(DerError));
    }

    #[test]
    fn a_fraction_is_kept() {
        let time = read(tag::GENERALIZED_TIME, "20261122131216.25Z").unwrap();
        assert_eq!(time, "2026-11-22T13:12:16.25Z");
    }

    #[test]
    fn what_is_written_is_read_back() {
        for text in ["1999-12-31T23:59:59Z", "2049-12-31T23:59:59Z", "2050-01-01T00:00:00Z"] {
            let time: Timestamp = text.parse().unwrap();
            let der = x509_time(time);
            assert_eq!(read_time(&Reader::new(&der).any().unwrap()), Ok(time));
        }
    }
}
