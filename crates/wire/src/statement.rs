//! In-toto statements: what is said about which artifacts.
//!
//! in-toto Attestation Framework, Statement v1 (and v0.1, which older signers wrote).

use std::collections::BTreeMap;

use crypto::Digest;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::json::{self, Json, JsonError, Problem, Unknown, excerpt};
use crate::model::DIGESTS_V0_1;

/// The type of statements to write.
pub const STATEMENT_V1: &str = "https://in-toto.io/Statement/v1";
/// The type of statements that older signers wrote.
pub const STATEMENT_V0_1: &str = "https://in-toto.io/Statement/v0.1";

/// The most subjects of a statement, as in sigstore-go.
pub const MAX_SUBJECTS: usize = 1024;
/// The most subjects of a model's experimental manifest, where each file is one. With their names and digests they are as
/// many as a document may have values.
pub const MAX_MODEL_SUBJECTS: usize = 16_000;
/// The most digests of one subject, as in sigstore-go.
const MAX_DIGESTS: usize = 32;
/// The longest statement: what a bundle has place for in base64, beside its evidence, see [`crate::bundle::MAX_BUNDLE`].
pub const MAX_STATEMENT: usize = (crate::bundle::MAX_BUNDLE - (16 << 20)) / 4 * 3;

/// A statement about artifacts.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// The type of the statement itself: [`STATEMENT_V1`] or [`STATEMENT_V0_1`].
    #[serde(rename = "_type")]
    pub statement_type: String,
    /// The artifacts. Never empty.
    pub subject: Vec<Subject>,
    /// What kind of predicate it is; empty if that is not said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub predicate_type: String,
    /// What is said, as JSON text; statements that only sign an image may have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate: Option<Box<RawValue>>,
}

/// One artifact that a statement is about.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Subject {
    /// Its name; empty if it has none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its digests: algorithm and lower-case hexadecimal digits.
    pub digest: BTreeMap<String, String>,
    /// What the signer notes beside it, where that is text: notes of other forms are passed over in reading.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// Why a payload is not a statement.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StatementError {
    /// It is not the JSON of a statement.
    #[error("the payload is not an in-toto statement: {0}")]
    Json(JsonError),
    /// Its `_type` is not that of a statement.
    #[error("the payload's _type {0:?} is not that of an in-toto statement")]
    Type(String),
    /// It has no subject.
    #[error("the in-toto statement has no subject")]
    NoSubject,
}

impl From<JsonError> for StatementError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl Subject {
    /// A subject with one digest.
    #[must_use]
    pub fn new(name: &str, digest: &Digest) -> Self {
        let digest = (digest.algorithm().name().to_owned(), digest.to_hex());
        Self { name: name.to_owned(), digest: [digest].into(), annotations: BTreeMap::new() }
    }

    /// Whether this artifact has `digest`. Hexadecimal digits are compared as bytes.
    #[must_use]
    pub fn has(&self, digest: &Digest) -> bool {
        let named = self.digest.get(digest.algorithm().name());
        let bytes = named.and_then(|text| hex::decode(text).ok());
        bytes.is_some_and(|bytes| bytes == digest.as_bytes())
    }
}

impl Statement {
    /// A statement to be signed.
    #[must_use]
    pub fn new(subject: Vec<Subject>, predicate_type: &str, predicate: Box<RawValue>) -> Self {
        Self {
            statement_type: STATEMENT_V1.to_owned(),
            subject,
            predicate_type: predicate_type.to_owned(),
            predicate: Some(predicate),
        }
    }

    /// The statement as JSON, the payload of an envelope.
    ///
    /// # Panics
    ///
    /// Never: a statement has no member that JSON could not hold.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a statement has only strings, lists and objects")
    }

    /// Reads the payload of an envelope. Members that are not known are passed over: predicates and
    /// subjects have more of them than are judged here.
    ///
    /// # Errors
    ///
    /// See [`StatementError`].
    pub fn parse(payload: &[u8]) -> Result<Self, StatementError> {
        // A predicate may be large and free in form, so it is checked but not taken apart.
        json::check(payload, MAX_STATEMENT)?;
        let members: BTreeMap<String, &RawValue> = serde_json::from_slice(payload)
            .map_err(|error| Problem::Syntax(error.to_string()).here())?;
        let member = |name: &str| members.get(name).map(|value| value.get());
        let text = |name: &'static str| -> Result<String, JsonError> {
            let Some(value) = member(name) else { return Ok(String::new()) };
            match json::parse(value.as_bytes(), MAX_STATEMENT)? {
                Json::Null => Ok(String::new()),
                value => value.into_string().map_err(|error| error.within(name)),
            }
        };
        let statement_type = text("_type")?;
        if statement_type != STATEMENT_V1 && statement_type != STATEMENT_V0_1 {
            return Err(StatementError::Type(excerpt(&statement_type)));
        }
        let predicate_type = text("predicateType")?;
        let most = if predicate_type == DIGESTS_V0_1 { MAX_MODEL_SUBJECTS } else { MAX_SUBJECTS };
        let subject = match member("subject") {
            Some(value) => read_subjects(value.as_bytes(), most)?,
            None => Vec::new(),
        };
        if subject.is_empty() {
            return Err(StatementError::NoSubject);
        }
        let predicate = members.get("predicate").filter(|value| value.get() != "null");
        let predicate = predicate.map(|value| (*value).to_owned());
        Ok(Self { statement_type, subject, predicate_type, predicate })
    }

    /// Whether some subject has `digest`.
    #[must_use]
    pub fn is_about(&self, digest: &Digest) -> bool {
        self.subject.iter().any(|subject| subject.has(digest))
    }
}

fn read_subjects(text: &[u8], most: usize) -> Result<Vec<Subject>, JsonError> {
    let value = json::parse(text, MAX_STATEMENT)?;
    if value == Json::Null {
        return Ok(Vec::new());
    }
    value.into_list(most, read_subject).map_err(|error| error.within("subject"))
}

fn read_subject(value: Json<'_>) -> Result<Subject, JsonError> {
    let mut object = value.into_object()?;
    let name = object.or_default("name", Json::into_string)?;
    let digest = object.or_default("digest", |value| {
        let members: Vec<_> = value.into_object()?.into_members().collect();
        if members.len() > MAX_DIGESTS {
            let length = members.len();
            return Err(Problem::TooManyItems { length, limit: MAX_DIGESTS }.here());
        }
        let read = |(name, value): (std::borrow::Cow<'_, str>, Json<'_>)| {
            let value = value.into_string().map_err(|error| error.within(&name))?;
            Ok((name.into_owned(), value))
        };
        members.into_iter().map(read).collect()
    })?;
    let annotations = object.or_default("annotations", read_annotations)?;
    object.finish(Unknown::Tolerated)?;
    Ok(Subject { name, digest, annotations })
}

fn read_annotations(value: Json<'_>) -> Result<BTreeMap<String, String>, JsonError> {
    let text = |(name, value): (std::borrow::Cow<'_, str>, Json<'_>)| match value {
        Json::String(text) => Some((name.into_owned(), text.into_owned())),
        _ => None,
    };
    Ok(value.into_object()?.into_members().filter_map(text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crypto::HashAlgorithm;

    fn error(payload: &str) -> StatementError {
        Statement::parse(payload.as_bytes()).expect_err("this should be refused")
    }

    #[test]
    fn a_statement_without_predicate_is_a_statement() {
        let digest = HashAlgorithm::Sha256.digest(b"");
        let payload = format!(
            r#"{{"_type":"{STATEMENT_V1}","subject":[{{"digest":{{"sha256":"{}"}}}}]}}"#,
            digest.to_hex()
        );
        let statement = Statement::parse(payload.as_bytes()).expect("it is a statement");
        assert!(statement.predicate.is_none());
        assert!(statement.is_about(&digest));
        assert!(!statement.is_about(&HashAlgorithm::Sha256.digest(b"x")));
    }

    #[test]
    fn what_is_written_is_read() {
        let digest = HashAlgorithm::Sha512.digest(b"x");
        let predicate = RawValue::from_string(r#"{"a":[1.50,{}]}"#.into()).expect("it is JSON");
        let written =
            Statement::new(vec![Subject::new("x", &digest)], "https://example.com/p", predicate);
        let read = Statement::parse(&written.to_json()).expect("it is a statement");
        assert_eq!(read.subject, written.subject);
        assert_eq!(read.predicate_type, "https://example.com/p");
        assert_eq!(read.predicate.expect("it has one").get(), r#"{"a":[1.50,{}]}"#);
    }

    #[test]
    fn what_is_no_statement_is_refused() {
        assert!(matches!(error("not JSON"), StatementError::Json(_)));
        assert!(matches!(error("[]"), StatementError::Json(_)));
        assert_eq!(error("{}"), StatementError::Type(String::new()));
        assert_eq!(error(r#"{"_type":"x"}"#), StatementError::Type("x".into()));
        for subject in ["", r#","subject":[]"#, r#","subject":null"#] {
            let payload = format!(r#"{{"_type":"{STATEMENT_V1}"{subject}}}"#);
            assert_eq!(error(&payload), StatementError::NoSubject);
        }
        let twice = format!(r#"{{"_type":"{STATEMENT_V1}","predicate":{{"a":1,"a":2}}}}"#);
        assert!(matches!(error(&twice), StatementError::Json(_)));
    }

    #[test]
    fn a_statement_is_about_so_many_artifacts_and_an_older_model_has_more_files() {
        let statement = |predicate_type: &str, count: usize| {
            let subject = Subject::new("a/file", &HashAlgorithm::Sha256.digest(b""));
            let subject = serde_json::to_string(&subject).expect("a subject is JSON");
            let subjects = vec![subject; count].join(",");
            format!(
                r#"{{"_type":"{STATEMENT_V1}","predicateType":"{predicate_type}","subject":[{subjects}]}}"#
            )
        };
        for (predicate_type, most) in
            [("https://example.com/p", MAX_SUBJECTS), (DIGESTS_V0_1, MAX_MODEL_SUBJECTS)]
        {
            let read = Statement::parse(statement(predicate_type, most).as_bytes());
            assert_eq!(read.expect("so many may be there").subject.len(), most);
            assert!(matches!(
                error(&statement(predicate_type, most + 1)),
                StatementError::Json(JsonError { problem: Problem::TooManyItems { .. }, .. })
            ));
        }
    }
}
