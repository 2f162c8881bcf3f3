//! Writing protojson: the small functions that `serialize_with` and `skip_serializing_if` name.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeSeq, Serializer};

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

/// As [`decimal`], for signed integers.
///
/// # Errors
///
/// Those of the serializer.
pub fn decimal_i64<S: Serializer>(number: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

/// Whether a number is protojson's default, which is not written.
pub fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

/// The canonical form of RFC 8785 (JCS), which transparency logs hash and sign.
///
/// # Panics
///
/// Never for the types of this crate: they hold no maps with non-string keys and no NaN.
pub fn canonical(value: &impl Serialize) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).expect("wire types are always serializable")
}
