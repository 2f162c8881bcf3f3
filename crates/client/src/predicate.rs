//! In-toto statements about files: predicate types by name, and the statement itself.

use std::path::Path;

use crypto::Digest;
use jiff::Timestamp;
use serde_json::value::RawValue;
use wire::statement::{Statement, Subject};

/// The short names of predicate types, as in cosign.
const NAMES: &[(&str, &str)] = &[
    ("slsaprovenance", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance02", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance1", "https://slsa.dev/provenance/v1"),
    ("spdx", "https://spdx.dev/Document"),
    ("spdxjson", "https://spdx.dev/Document"),
    ("cyclonedx", "https://cyclonedx.org/bom"),
    ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"),
    ("openvex", "https://openvex.dev/ns"),
    ("link", "https://in-toto.io/Link/v1"),
    ("custom", CUSTOM),
];

/// cosign's envelope for predicates of any form.
const CUSTOM: &str = "https://cosign.sigstore.dev/attestation/v1";
const SPDX: &str = "https://spdx.dev/Document";

/// The type of a predicate: a URI.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PredicateType(String);

/// What was said is neither a name that is known nor a URI.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{said} is neither a URI nor one of the names {names}", said = .0, names = names())]
pub struct UnknownPredicateType(String);

fn names() -> String {
    NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

impl std::str::FromStr for PredicateType {
    type Err = UnknownPredicateType;

    fn from_str(text: &str) -> Result<Self, UnknownPredicateType> {
        if let Some((_, uri)) = NAMES.iter().find(|(name, _)| *name == text) {
            return Ok(Self((*uri).to_owned()));
        }
        // RFC 3986 §3: a scheme comes first.
        if text.split_once(':').is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty())
        {
            return Ok(Self(text.to_owned()));
        }
        Err(UnknownPredicateType(text.to_owned()))
    }
}

impl PredicateType {
    /// The URI.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.0
    }
}

/// Why a predicate cannot be put into a statement.
#[derive(Debug, thiserror::Error)]
pub enum PredicateError {
    /// Predicates of this type are JSON.
    #[error("the predicate is not JSON")]
    Json(#[source] serde_json::Error),
    /// It is not even text.
    #[error("the predicate is not text in UTF-8")]
    Text,
}

/// The statement that says `predicate` about the artifact called `name`.
///
/// As in cosign, a `custom` predicate is wrapped with the time, and an SPDX document that is not JSON becomes a string.
///
/// # Errors
///
/// See [`PredicateError`].
pub fn statement(
    name: &str,
    digest: &Digest,
    predicate_type: &PredicateType,
    predicate: &[u8],
    now: Timestamp,
) -> Result<Statement, PredicateError> {
    let text = std::str::from_utf8(predicate).map_err(|_| PredicateError::Text)?;
    let predicate = match serde_json::from_str::<Box<RawValue>>(text) {
        _ if predicate_type.uri() == CUSTOM => {
            let wrapped = serde_json::json!({ "Data": text, "Timestamp": now.to_string() });
            serde_json::value::to_raw_value(&wrapped)
        }
        Ok(json) => Ok(json),
        Err(_) if predicate_type.uri() == SPDX => serde_json::value::to_raw_value(text),
        Err(error) => Err(error),
    };
    let predicate = predicate.map_err(PredicateError::Json)?;
    Ok(Statement::new(vec![Subject::new(name, digest)], predicate_type.uri(), predicate))
}

/// The name of a file in a statement: without the directories, which are nobody else's business.
#[must_use]
pub fn subject_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use crypto::HashAlgorithm;

    use super::*;

    fn check(kind: &str, predicate: &str) -> Result<String, PredicateError> {
        let kind = kind.parse().unwrap();
        let digest = HashAlgorithm::Sha256.digest(b"");
        statement("a.txt", &digest, &kind, predicate.as_bytes(), Timestamp::UNIX_EPOCH)
            .map(|statement| String::from_utf8(statement.to_json()).unwrap())
    }

    #[test]
    fn a_predicate_is_kept_as_it_was_written() {
        let statement = check("slsaprovenance1", r#"{"b": 1.0, "a": 1e2}"#).unwrap();
        assert!(statement.starts_with(
            r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a.txt","digest":{"sha256":"e3b0"#
        ));
        assert!(statement.ends_with(
            r#""predicateType":"https://slsa.dev/provenance/v1","predicate":{"b": 1.0, "a": 1e2}}"#
        ));
    }

    #[test]
    fn only_spdx_and_custom_predicates_may_be_other_than_json() {
        assert!(
            check("spdx", "SPDXVersion: SPDX-2.3").unwrap().contains(r#""SPDXVersion: SPDX-2.3""#)
        );
        assert!(
            check("custom", "x")
                .unwrap()
                .contains(r#"{"Data":"x","Timestamp":"1970-01-01T00:00:00Z"}"#)
        );
        assert!(matches!(check("vuln", "x"), Err(PredicateError::Json(_))));
        assert!(matches!(check("https://example.com/p", "{} x"), Err(PredicateError::Json(_))));
    }

    #[test]
    fn a_type_is_a_known_name_or_a_uri() {
        assert_eq!("spdxjson".parse(), Ok(PredicateType(SPDX.into())));
        assert_eq!("urn:x".parse(), Ok(PredicateType("urn:x".into())));
        for text in ["provenance", "", ":", "x:", ":x"] {
            text.parse::<PredicateType>().unwrap_err();
        }
    }
}
