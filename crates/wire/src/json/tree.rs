//! A JSON document as a tree: no member twice, bounded depth and size.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{JsonError, Object, Problem, excerpt};

/// The deepest nesting in a protojson document: a bundle's is eight.
const MAX_DEPTH: usize = 32;
/// The deepest nesting in free JSON, such as an attestation's predicate. `serde_json` recurses no deeper.
const MAX_FREE_DEPTH: usize = 120;
/// The most values in one document: a bundle with 32 entries of 64 hashes has under 3,000. It bounds the
/// memory of a tree, whose nodes are larger than the text they come from.
const MAX_VALUES: usize = 1 << 16;
/// The most members of one object: the largest message here has ten. Repeats are sought in linear time.
const MAX_MEMBERS: usize = 128;

/// A JSON value. Strings without escapes are borrowed from the document.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    /// `null`, which protojson reads as "not there".
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without fraction and exponent.
    Integer(i128),
    /// Any other number. No format here has one that matters.
    Fraction(f64),
    /// A string.
    String(Cow<'a, str>),
    /// A list.
    Array(Vec<Json<'a>>),
    /// An object.
    Object(Object<'a>),
}

/// Reads a whole document of at most `limit` bytes.
///
/// # Errors
///
/// [`JsonError`] if it is too long, is not UTF-8 JSON, begins with a byte order mark, has anything after
/// the value, repeats a member, or is nested or populated beyond all reason.
pub fn parse(document: &[u8], limit: usize) -> Result<Json<'_>, JsonError> {
    let state = State { values: Cell::new(0), refusal: RefCell::new(None) };
    read(document, limit, &state, Tree { state: &state, depth: 0 })
}

/// Checks a whole document as [`parse`] does, but keeps nothing of it and allows free JSON's depth and
/// any number of values.
///
/// # Errors
///
/// As [`parse`].
pub fn check(document: &[u8], limit: usize) -> Result<(), JsonError> {
    let state = State { values: Cell::new(0), refusal: RefCell::new(None) };
    read(document, limit, &state, Scan { state: &state, depth: 0 })
}

/// What one reading shares.
struct State {
    values: Cell<usize>,
    /// The reason of a refusal: an error of `serde` carries only text.
    refusal: RefCell<Option<Problem>>,
}

impl State {
    fn refuse<E: serde::de::Error>(&self, problem: Problem) -> E {
        let text = problem.to_string();
        self.refusal.borrow_mut().get_or_insert(problem);
        E::custom(text)
    }

    fn count<E: serde::de::Error>(&self) -> Result<(), E> {
        self.values.set(self.values.get() + 1);
        if self.values.get() > MAX_VALUES {
            return Err(self.refuse(Problem::TooManyValues(MAX_VALUES)));
        }
        Ok(())
    }

    fn descend<E: serde::de::Error>(&self, depth: usize, limit: usize) -> Result<usize, E> {
        if depth >= limit { Err(self.refuse(Problem::TooDeep(limit))) } else { Ok(depth + 1) }
    }
}

fn read<'a, S: DeserializeSeed<'a>>(
    document: &'a [u8],
    limit: usize,
    state: &State,
    seed: S,
) -> Result<S::Value, JsonError> {
    if document.len() > limit {
        return Err(Problem::TooLong { length: document.len(), limit }.here());
    }
    if document.starts_with(b"\xef\xbb\xbf") {
        return Err(Problem::ByteOrderMark.here());
    }
    let mut reader = serde_json::Deserializer::from_slice(document);
    let value = seed.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| {
        let refusal = state.refusal.borrow_mut().take();
        refusal.unwrap_or_else(|| Problem::Syntax(error.to_string())).here()
    })
}

/// Builds a [`Json`].
#[derive(Clone, Copy)]
struct Tree<'s> {
    state: &'s State,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Json<'de>, D::Error> {
        self.state.count()?;
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Json::Fraction(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Owned(value.to_owned())))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Borrowed(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let inner = Self { depth: self.state.descend(self.depth, MAX_DEPTH)?, ..self };
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Json::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json<'de>, A::Error> {
        let inner = Self { depth: self.state.descend(self.depth, MAX_DEPTH)?, ..self };
        let mut object = Vec::<(Cow<'de, str>, Json<'de>)>::new();
        while let Some(name) = members.next_key_seed(Name)? {
            if object.iter().any(|(other, _)| *other == name) {
                return Err(self.state.refuse(Problem::DuplicateMember(excerpt(&name))));
            }
            if object.len() >= MAX_MEMBERS {
                return Err(self.state.refuse(Problem::TooManyValues(MAX_MEMBERS)));
            }
            object.push((name, members.next_value_seed(inner)?));
        }
        Ok(Json::Object(Object::new(object)))
    }
}

/// Reads a member's name, borrowed where it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Cow<'de, str>, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }
}

/// Looks for repeated members and excessive depth, and keeps nothing but the names of the open objects.
#[derive(Clone, Copy)]
struct Scan<'s> {
    state: &'s State,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Scan<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scan<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inner = Self { depth: self.state.descend(self.depth, MAX_FREE_DEPTH)?, ..self };
        while items.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let inner = Self { depth: self.state.descend(self.depth, MAX_FREE_DEPTH)?, ..self };
        let mut names = HashSet::new();
        while let Some(name) = members.next_key_seed(Name)? {
            if names.contains(&name) {
                return Err(self.state.refuse(Problem::DuplicateMember(excerpt(&name))));
            }
            names.insert(name);
            members.next_value_seed(inner)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(document: &[u8]) -> Problem {
        parse(document, 1 << 20).expect_err("this should be refused").problem
    }

    #[test]
    fn what_only_a_hostile_writer_makes_is_refused() {
        assert_eq!(problem(br#"{"a":1,"b":2,"a":3}"#), Problem::DuplicateMember("a".into()));
        assert_eq!(problem(br#"{"a":1,"\u0061":3}"#), Problem::DuplicateMember("a".into()));
        assert_eq!(problem(b"\xef\xbb\xbf{}"), Problem::ByteOrderMark);
        for syntax in [&b"{} {}"[..], b"{}x", b"", b"{\"a\":NaN}", b"\"\xff\"", b"\xff\xfe{\0}\0"] {
            assert!(matches!(problem(syntax), Problem::Syntax(_)), "{syntax:?}");
        }
        assert_eq!(problem(&b"[".repeat(MAX_DEPTH + 1)), Problem::TooDeep(MAX_DEPTH));
        let many = format!("[{}0]", "0,".repeat(MAX_VALUES));
        assert_eq!(problem(many.as_bytes()), Problem::TooManyValues(MAX_VALUES));
        assert_eq!(
            parse(b"[1]", 2).expect_err("this is too long").problem,
            Problem::TooLong { length: 3, limit: 2 }
        );
    }

    #[test]
    fn as_much_as_is_allowed_is_read() {
        let deep = [b"[".repeat(MAX_DEPTH), b"]".repeat(MAX_DEPTH)].concat();
        parse(&deep, 1 << 20).expect("this is as deep as may be");
        let many = format!("[{}0]", "0,".repeat(MAX_VALUES - 2));
        parse(many.as_bytes(), 1 << 20).expect("these are as many as may be");
        parse(b" {\"a\":null} \n", 1 << 20).expect("blanks around a value are JSON");
    }

    #[test]
    fn a_scan_finds_what_a_reading_finds() {
        check(br#"{"a":{"b":[1,2.5,"x",true,null]},"c":{"b":1}}"#, 100).expect("this is good");
        let twice = check(br#"{"a":{"b":1,"b":2}}"#, 100).expect_err("b comes twice");
        assert_eq!(twice.problem, Problem::DuplicateMember("b".into()));
        let deep = check(&b"[".repeat(1000), 1000).expect_err("this is too deep");
        assert_eq!(deep.problem, Problem::TooDeep(MAX_FREE_DEPTH));
    }
}
