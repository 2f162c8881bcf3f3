//! Reading the members of a spec, and writing bodies.

use std::borrow::Cow;

use crate::base64;
use crate::json::Json;
use crate::refusal::EntryError;

/// The bytes of the base64 member `name`; `field` is what an error calls it. Empty counts as missing.
pub(crate) fn required_bytes(
    of: Json<'_>,
    name: &str,
    field: &'static str,
) -> Result<Vec<u8>, EntryError> {
    let text = required_str(of, name, field)?;
    base64::decode(&text).ok_or(EntryError::NotBase64(field))
}

/// The string `name`; `field` is what an error calls it. Empty counts as missing.
pub(crate) fn required_str<'a>(
    of: Json<'a>,
    name: &str,
    field: &'static str,
) -> Result<Cow<'a, str>, EntryError> {
    of.str(name).filter(|text| !text.is_empty()).ok_or(EntryError::Missing(field))
}

/// The object `name`; `field` is what an error calls it.
pub(crate) fn required_object<'a>(
    of: Json<'a>,
    name: &str,
    field: &'static str,
) -> Result<Json<'a>, EntryError> {
    of.object(name).ok_or(EntryError::Missing(field))
}

/// The object `name`, which must be a digest by SHA-256, with its value as text.
pub(crate) fn sha256_text<'a>(
    of: Json<'a>,
    name: &str,
    field: &'static str,
) -> Result<Cow<'a, str>, EntryError> {
    let hash = required_object(of, name, field)?;
    let algorithm = hash.str("algorithm").ok_or(EntryError::Missing(field))?;
    if algorithm != "sha256" {
        return Err(EntryError::HashAlgorithm(algorithm.into_owned()));
    }
    hash.str("value").ok_or(EntryError::Missing(field))
}
