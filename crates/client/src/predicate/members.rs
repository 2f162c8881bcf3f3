//! Looks for the members that a predicate must have, without taking apart what may be a hundred megabytes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::kind::{Member, Shape};

/// The members of one object, each as the text that it was written in.
pub(super) type Members<'a> = BTreeMap<Name<'a>, &'a RawValue>;

/// A name of a member, borrowed where it has no escapes.
#[derive(Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(transparent)]
pub(super) struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// What is not as it must be.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Fault {
    Missing,
    OtherShape,
}

/// Whether the object has a member of this name.
pub(super) fn has(object: &Members<'_>, name: &str) -> bool {
    object.contains_key(&Name(Cow::Borrowed(name)))
}

/// Checks that a member is there, and is what it must be. `null` is not there.
pub(super) fn check(object: &Members<'_>, member: &Member) -> Result<(), Fault> {
    let (first, rest) = member.path.split_first().ok_or(Fault::Missing)?;
    let value = object.get(&Name(Cow::Borrowed(*first))).ok_or(Fault::Missing)?;
    match rest {
        [] => check_shape(value.get(), member.shape),
        // What has no members is not the member that is missing, but it is why.
        rest => check(&read(value.get()).ok_or(Fault::Missing)?, &Member { path: rest, ..*member }),
    }
}

/// The members of a value, if it is an object.
pub(super) fn read(text: &str) -> Option<Members<'_>> {
    serde_json::from_str(text).ok()
}

fn check_shape(text: &str, shape: Shape) -> Result<(), Fault> {
    let holds = match shape {
        _ if text == "null" => return Err(Fault::Missing),
        Shape::Anything => true,
        Shape::Object => text.starts_with('{'),
        Shape::List => text.starts_with('['),
        Shape::Text => text.starts_with('"') && text != "\"\"",
        Shape::Exactly(expected) => {
            serde_json::from_str::<Cow<'_, str>>(text).is_ok_and(|found| found == expected)
        }
    };
    if holds { Ok(()) } else { Err(Fault::OtherShape) }
}
