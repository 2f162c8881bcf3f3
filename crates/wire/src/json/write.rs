//! Writing protojson: the small functions that `serialize_with` and `skip_serializing_if` name.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{SerializeSeq, Serializer};

/// The text of bytes in standard, padded base64.
#[must_use]
pub fn base64_text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Writes bytes in standard, padded base64.
///
/// # Errors
///
/// Those of the serializer.
pub fn base64<S: Serializer>(bytes: &impl AsRef<[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&base64::display::Base64Display::new(bytes.as_ref(), &STANDARD))
}

/// Writes a list of byte strings, each in standard, padded base64.
///
/// # Errors
///
/// Those of the serializer.
pub fn base64_list<S: Serializer>(
    list: &[impl AsRef<[u8]>],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut sequence = serializer.serialize_seq(Some(list.len()))?;
    for bytes in list {
        sequence.serialize_element(&base64_text(bytes.as_ref()))?;
    }
    sequence.end()
}

/// Writes a 64-bit integer as a string, because JSON numbers lose precision above 2⁵³.
///
/// # Errors
///
/// Those of the serializer.
pub fn decimal<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}
