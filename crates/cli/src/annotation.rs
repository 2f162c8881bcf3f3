//! Notes on a signature: `-a NAME=VALUE`.

use std::collections::BTreeMap;
use std::str::FromStr;

/// One note, as it was typed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Annotation(String, String);

/// What was typed is no note.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is not of the form NAME=VALUE")]
pub(crate) struct AnnotationError(String);

impl FromStr for Annotation {
    type Err = AnnotationError;

    fn from_str(text: &str) -> Result<Self, AnnotationError> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(Self(name.to_owned(), value.to_owned())),
            _ => Err(AnnotationError(text.to_owned())),
        }
    }
}

/// All of them by name; of several with one name the last.
pub(crate) fn by_name(annotations: &[Annotation]) -> BTreeMap<String, String> {
    annotations.iter().map(|Annotation(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_has_a_name_and_a_value_that_may_hold_anything() {
        let note = |name: &str, value: &str| Ok(Annotation(name.into(), value.into()));
        assert_eq!("a=b=c".parse(), note("a", "b=c"));
        assert_eq!("a=".parse(), note("a", ""));
        for text in ["a", "=b", ""] {
            assert_eq!(text.parse::<Annotation>(), Err(AnnotationError(text.into())));
        }
    }
}
