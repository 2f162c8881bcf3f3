//! In-toto statements: predicate types by name, what a predicate of each must have, and the statement itself.
//!
//! The table of types is `kind`. The statements are those that cosign makes from the same predicate, except that they
//! are of version 1, and that a predicate in JSON is signed as it was written and not as another writer would put it.

mod kind;
mod members;
#[cfg(test)]
mod tests;

use std::path::Path;

use jiff::Timestamp;
use serde_json::value::{RawValue, to_raw_value};
use wire::statement::{Statement, Subject};

pub use kind::Shape;
use kind::{Form, KINDS, Kind, Member, UNKNOWN, WRAPPED};
use members::Fault;

/// The predicate type of statements that say nothing of their subjects but that the signer signed them. cosign uses it
/// for images.
pub const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";

/// The longest predicate: software bills of the largest images have a hundred megabytes. It is held in memory a few times
/// while it is signed, and verifiers hold it, too.
pub const MAX_PREDICATE: u64 = 128 << 20;

/// The type of a predicate: a URI, and the form that its name asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PredicateType {
    uri: String,
    kind: Option<&'static Kind>,
}

/// What was said is neither a name that is known nor a URI.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{said} is neither a URI nor one of the names {names}", said = .0, names = names())]
pub struct UnknownPredicateType(String);

fn names() -> String {
    KINDS.iter().flat_map(|kind| kind.names).copied().collect::<Vec<_>>().join(", ")
}

impl std::str::FromStr for PredicateType {
    type Err = UnknownPredicateType;

    fn from_str(text: &str) -> Result<Self, UnknownPredicateType> {
        let named = KINDS.iter().find(|kind| kind.names.contains(&text) || kind.uri == text);
        if let Some(kind) = named {
            return Ok(Self { uri: kind.uri.to_owned(), kind: Some(kind) });
        }
        // RFC 3986 §3: a scheme comes first.
        if text.split_once(':').is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty())
        {
            return Ok(Self { uri: text.to_owned(), kind: None });
        }
        Err(UnknownPredicateType(text.to_owned()))
    }
}

impl PredicateType {
    /// The URI.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    fn forms(&self) -> &'static [Form] {
        self.kind.map_or(UNKNOWN, |kind| kind.forms)
    }
}

/// Why a predicate cannot be put into a statement of its type. All are for whoever made the predicate to mend, or for
/// whoever named the type.
#[derive(Debug, thiserror::Error)]
pub enum PredicateError {
    /// It is not even text.
    #[error("the predicate is not text in UTF-8")]
    Text,
    /// Predicates of this type are JSON objects.
    #[error("a predicate of the type {uri} is a JSON object")]
    Json {
        /// The type.
        uri: String,
        /// Where it stops being one.
        #[source]
        source: serde_json::Error,
    },
    /// Predicates of this type are text of a certain form.
    #[error("the predicate is not {expected}: none of {signs} is in it")]
    Form {
        /// What was expected.
        expected: &'static str,
        /// What it is known by.
        signs: String,
    },
    /// Predicates of this type are never strings, or never such strings.
    #[error("the predicate is a string, which the type {uri} has not in this form")]
    String {
        /// The type.
        uri: String,
    },
    /// The type requires a member that is not there, or null.
    #[error("the predicate has no member {member}, which the type {uri} requires")]
    Missing {
        /// The type.
        uri: String,
        /// The names from the predicate inwards, with dots between them.
        member: String,
    },
    /// The type requires that a member is something else.
    #[error("the predicate's member {member} is not {expected}, as the type {uri} requires")]
    OtherShape {
        /// The type.
        uri: String,
        /// The names from the predicate inwards, with dots between them.
        member: String,
        /// What it must be.
        expected: Shape,
    },
}

/// The statement that says `predicate` about `subjects`.
///
/// As in cosign, a `custom` predicate becomes a string beside the time, and so does an SPDX document under the name
/// `spdx`. XML becomes a string, too. Everything else is a JSON object that stays as it was written.
///
/// # Errors
///
/// See [`PredicateError`]: the predicate lacks what its type requires.
pub fn statement(
    subjects: Vec<Subject>,
    predicate_type: &PredicateType,
    predicate: &[u8],
    now: Timestamp,
) -> Result<Statement, PredicateError> {
    let text = std::str::from_utf8(predicate).map_err(|_| PredicateError::Text)?;
    let predicate = encode(text, predicate_type, now)?;
    Ok(Statement::new(subjects, predicate_type.uri(), predicate))
}

/// Checks that a whole statement has a predicate as its type requires, in any form that [`statement`] could give it.
///
/// # Errors
///
/// See [`PredicateError`].
pub fn check_statement(statement: &Statement) -> Result<(), PredicateError> {
    let uri = &statement.predicate_type;
    let kinds = || KINDS.iter().filter(|kind| kind.uri == uri);
    let said = statement.predicate.as_deref().map_or("null", RawValue::get);
    if let Ok(text) = serde_json::from_str::<String>(said) {
        let mut forms = kinds().flat_map(|kind| kind.forms);
        let fits = forms.any(|form| matches!(form, Form::Text { .. }) && form.is_of(&text));
        return if fits { Ok(()) } else { Err(PredicateError::String { uri: uri.clone() }) };
    }
    let known = PredicateType { uri: uri.clone(), kind: kinds().next() };
    match (known.forms(), read(said, &known)?) {
        ([Form::Wrapped], object) => check(&object, WRAPPED, &known),
        _ => encode(said, &known, Timestamp::UNIX_EPOCH).map(drop),
    }
}

/// The statement with which a signer signs `subjects`, and says nothing else of them.
#[must_use]
pub fn signature(subjects: Vec<Subject>) -> Statement {
    Statement::new(subjects, SIGNATURE, raw(&serde_json::Map::new()))
}

/// The predicate as it goes into the statement, by the first form that fits.
fn encode(
    text: &str,
    predicate_type: &PredicateType,
    now: Timestamp,
) -> Result<Box<RawValue>, PredicateError> {
    let mut refusal = None;
    for form in predicate_type.forms() {
        match form {
            Form::Json { told_by, members } => match read(text, predicate_type) {
                Ok(object) if told_by.is_none_or(|name| members::has(&object, name)) => {
                    check(&object, members, predicate_type)?;
                    return json(text, predicate_type);
                }
                Ok(_) => {}
                Err(error) => drop(refusal.get_or_insert(error)),
            },
            Form::Text { .. } if form.is_of(text) => return Ok(raw(text)),
            Form::Text { name, signs } => {
                let signs = signs.join(", ");
                refusal.get_or_insert(PredicateError::Form { expected: name, signs });
            }
            Form::Wrapped => return Ok(wrapped(text, now)),
        }
    }
    // Every kind has a form, and the first form that refuses says why.
    Err(refusal.unwrap_or(PredicateError::Text))
}

fn read<'a>(
    text: &'a str,
    predicate_type: &PredicateType,
) -> Result<members::Members<'a>, PredicateError> {
    let uri = || predicate_type.uri.clone();
    serde_json::from_str(text).map_err(|source| PredicateError::Json { uri: uri(), source })
}

fn check(
    object: &members::Members<'_>,
    required: &[Member],
    predicate_type: &PredicateType,
) -> Result<(), PredicateError> {
    let refuse = |member: &Member, fault| {
        let (uri, name) = (predicate_type.uri.clone(), member.path.join("."));
        match fault {
            Fault::Missing => PredicateError::Missing { uri, member: name },
            Fault::OtherShape => {
                PredicateError::OtherShape { uri, member: name, expected: member.shape }
            }
        }
    };
    required.iter().try_for_each(|member| {
        members::check(object, member).map_err(|fault| refuse(member, fault))
    })
}

fn json(text: &str, predicate_type: &PredicateType) -> Result<Box<RawValue>, PredicateError> {
    let uri = || predicate_type.uri.clone();
    serde_json::from_str(text).map_err(|source| PredicateError::Json { uri: uri(), source })
}

/// cosign's envelope: the time in whole seconds, as its `Timestamp` has it.
fn wrapped(text: &str, now: Timestamp) -> Box<RawValue> {
    let timestamp = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    raw(&serde_json::json!({ "Data": text, "Timestamp": timestamp }))
}

/// # Panics
///
/// Never: text and objects with text in them always have a JSON form.
fn raw<T: serde::Serialize + ?Sized>(value: &T) -> Box<RawValue> {
    to_raw_value(value).expect("text and objects of text have a JSON form")
}

/// The name of a file in a statement: without the directories, which are nobody else's business.
#[must_use]
pub fn subject_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
