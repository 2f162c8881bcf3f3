//! Paths to parts of a predicate: `buildDefinition.buildType`, `materials[0].uri`, `["builder.id"]`, `.` for all of it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde_json::value::RawValue;

/// The most steps: predicates are not nested deeper, see `wire`.
const MAX_STEPS: usize = 128;

/// A path, from the predicate inwards.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct PredicatePath {
    text: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Step {
    Member(String),
    Item(usize),
}

/// What was typed is no path.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is not a path such as materials[0].uri, [\"builder.id\"] or .")]
pub(super) struct PathError(String);

impl FromStr for PredicatePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let steps = if text == "." { Some(Vec::new()) } else { steps(text) };
        match steps {
            Some(steps) if steps.len() <= MAX_STEPS => Ok(Self { text: text.to_owned(), steps }),
            _ => Err(PathError(text.to_owned())),
        }
    }
}

impl fmt::Display for PredicatePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Names with dots before them, and brackets. The first name may go without its dot.
fn steps(text: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (step, after) = match rest.strip_prefix('[') {
            Some(bracket) => bracketed(bracket)?,
            None => named(rest.strip_prefix('.').or(steps.is_empty().then_some(rest))?)?,
        };
        steps.push(step);
        rest = after;
    }
    (!steps.is_empty()).then_some(steps)
}

fn named(text: &str) -> Option<(Step, &str)> {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    (!name.is_empty()).then(|| (Step::Member(name.to_owned()), rest))
}

/// What is between brackets: the number of an item, or a name as a JSON string.
fn bracketed(text: &str) -> Option<(Step, &str)> {
    if !text.starts_with('"') {
        let (number, rest) = text.split_once(']')?;
        return Some((Step::Item(number.parse().ok()?), rest));
    }
    let mut names = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let name = names.next()?.ok()?;
    let rest = text.get(names.byte_offset()..)?.strip_prefix(']')?;
    Some((Step::Member(name), rest))
}

impl PredicatePath {
    /// The part of the statement's predicate that is there, as its JSON text.
    pub(super) fn find<'a>(&self, statement: &'a str) -> Option<&'a str> {
        let predicate = member(statement, "predicate")?;
        self.steps.iter().try_fold(predicate, |value, step| match step {
            Step::Member(name) => member(value, name),
            Step::Item(index) => item(value, *index),
        })
    }
}

fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let members: BTreeMap<String, &'a RawValue> = serde_json::from_str(object).ok()?;
    members.get(name).map(|value| value.get())
}

fn item(list: &str, index: usize) -> Option<&str> {
    let items: Vec<&RawValue> = serde_json::from_str(list).ok()?;
    items.get(index).map(|value| value.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATEMENT: &str = r#"{"predicate":{"a":{"b":[1.0,{"c.d":"x"}]},"e\"]":2}}"#;

    fn find(path: &str) -> Option<&'static str> {
        path.parse::<PredicatePath>().unwrap().find(STATEMENT)
    }

    #[test]
    fn a_path_leads_to_a_part_as_it_was_written() {
        assert_eq!(find("a.b[0]"), Some("1.0"));
        assert_eq!(find(".a.b[1]"), Some(r#"{"c.d":"x"}"#));
        assert_eq!(find(r#"a.b[1]["c.d"]"#), Some(r#""x""#));
        assert_eq!(find(r#"["e\"]"]"#), Some("2"));
        assert!(find(".").unwrap().starts_with(r#"{"a":"#));
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        for path in ["b", "a.b[2]", "a[0]", "a.b.c", "a.b[0].c"] {
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", "..", "a.", "a..b", "a[", "a[x]", "a[-1]", "a[\"b\"", "a]b["] {
            let parsed = text.parse::<PredicatePath>();
            assert_eq!(parsed, Err(PathError(text.to_owned())));
        }
        ".a".repeat(MAX_STEPS + 1).parse::<PredicatePath>().unwrap_err();
    }
}
