//! The outer form of a proposal of the API v1: `{kind, apiVersion, spec}`.

use std::borrow::Cow;

use crate::json::Json;
use crate::refusal::AdmitError;
use crate::{Entry, Kind};

/// Kinds that the existing server has and `V1` lacks. They are refused as one that is switched off, not as
/// unknown.
const NOT_ENABLED: &[&str] =
    &["alpine", "cose", "helm", "jar", "rekord", "rfc3161", "rpm", "tuf", "ProposedEntry"];

/// The most index keys of one entry. The existing server has no limit; a statement or a certificate of 4 MiB
/// could otherwise make some 100,000 lines of an index. Real entries have fewer than a hundred.
const MAX_INDEX_KEYS: usize = 4096;

/// A proposal whose kind is known.
struct Proposed<'a> {
    kind: &'static dyn Kind,
    spec: Json<'a>,
}

/// Judges the body of `POST /api/v1/log/entries` by the kinds it may propose. Only its first JSON value counts.
///
/// # Errors
///
/// [`AdmitError`].
pub fn admit_v1(kinds: &[&'static dyn Kind], body: &[u8]) -> Result<Entry, AdmitError> {
    let json = Json::first(body).map_err(AdmitError::Json)?;
    let proposed = read(kinds, json.ok_or(AdmitError::Required("proposedEntry"))?)?;
    let mut entry = proposed.kind.admit(proposed.spec)?;
    entry.index_keys.truncate(MAX_INDEX_KEYS);
    Ok(entry)
}

/// The canonical body that the entry `proposed` would have, or has in a log.
///
/// # Errors
///
/// [`AdmitError`].
pub fn look_up_v1(kinds: &[&'static dyn Kind], proposed: Json<'_>) -> Result<Vec<u8>, AdmitError> {
    let proposed = read(kinds, proposed)?;
    Ok(proposed.kind.look_up(proposed.spec)?)
}

fn read<'a>(kinds: &[&'static dyn Kind], json: Json<'a>) -> Result<Proposed<'a>, AdmitError> {
    if json.is_null() {
        return Err(AdmitError::Required("kind"));
    }
    if !json.is_object() {
        return Err(AdmitError::WrongType("the entry"));
    }
    let name = string(json, "kind")?.filter(|name| !name.is_empty());
    let name = name.ok_or(AdmitError::Required("kind"))?;
    let same_name: Vec<_> = kinds.iter().copied().filter(|kind| kind.kind() == name).collect();
    if same_name.is_empty() {
        return Err(unknown(name.into_owned()));
    }
    let version = string(json, "apiVersion")?.ok_or(AdmitError::Required("apiVersion"))?;
    if !is_semantic_version(&version) {
        return Err(AdmitError::NotAVersion);
    }
    let spec = json.members_like("spec").last().filter(|spec| !spec.is_null());
    let spec = spec.ok_or(AdmitError::Required("spec"))?;
    let kind = same_name.into_iter().find(|kind| kind.version() == version).ok_or_else(|| {
        AdmitError::UnknownVersion { kind: name.into_owned(), version: version.into_owned() }
    })?;
    Ok(Proposed { kind, spec })
}

fn unknown(kind: String) -> AdmitError {
    if NOT_ENABLED.contains(&kind.as_str()) {
        AdmitError::NotEnabled { kind }
    } else {
        AdmitError::UnknownKind { kind }
    }
}

/// The string member `name`; the last one counts, and `null` counts as absent.
fn string<'a>(json: Json<'a>, name: &'static str) -> Result<Option<Cow<'a, str>>, AdmitError> {
    let mut found = None;
    for value in json.members_like(name) {
        found = match value.as_str() {
            Some(text) => Some(text),
            None if value.is_null() => None,
            None => return Err(AdmitError::WrongType(name)),
        };
    }
    Ok(found)
}

/// Semantic Versioning 2.0.0, clauses 2, 9 and 10.
fn is_semantic_version(version: &str) -> bool {
    let (version, build) = split(version, '+');
    let (core, pre_release) = split(version, '-');
    let identifiers = |text: &str| {
        text.split('.').all(|part| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
    };
    let is_number = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    core.split('.').count() == 3
        && core.split('.').all(is_number)
        && build.is_none_or(identifiers)
        && pre_release.is_none_or(|text| {
            identifiers(text)
                && text
                    .split('.')
                    .all(|part| is_number(part) || part.bytes().any(|byte| !byte.is_ascii_digit()))
        })
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::V1;

    fn refusal(body: &str) -> AdmitError {
        admit_v1(V1, body.as_bytes()).unwrap_err()
    }

    #[test]
    fn versions_are_those_of_semantic_versioning() {
        for good in ["0.0.1", "10.20.30", "1.0.0-a.1+b.01", "0.0.1+build", "1.0.0--"] {
            assert!(is_semantic_version(good), "{good}");
        }
        for bad in [
            "", "1", "1.0", "v1.0.0", "1.0.0-", "1.0.0+", "01.0.0", "1.0.0-01", ">= 0.0.1",
            "1.0.0 ",
        ] {
            assert!(!is_semantic_version(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(matches!(refusal(""), AdmitError::Required("proposedEntry")));
        assert!(matches!(refusal("null"), AdmitError::Required("kind")));
        assert!(matches!(refusal(r#"{"kind":"dsse"}"#), AdmitError::Required("apiVersion")));
        let no_spec = r#"{"kind":"dsse","apiVersion":"0.0.1","spec":{},"ſPEC":null}"#;
        assert!(matches!(refusal(no_spec), AdmitError::Required("spec")));
    }

    #[test]
    fn a_kind_that_is_switched_off_is_not_unknown() {
        assert!(matches!(refusal(r#"{"kind":"rpm"}"#), AdmitError::NotEnabled { .. }));
        assert!(matches!(refusal(r#"{"kind":"RPM"}"#), AdmitError::UnknownKind { .. }));
        let old = r#"{"kind":"intoto","apiVersion":"0.0.1","spec":{}}"#;
        assert!(matches!(refusal(old), AdmitError::UnknownVersion { .. }));
    }
}
