//! JSON as Go's `encoding/json` reads it, because it decides what the existing server accepts and what it writes
//! into a log.
//!
//! A text is checked as a whole, once, without recursion and without building anything; what the kinds want
//! is then found in it by name. Invalid UTF-8 and lone surrogates become U+FFFD. Of members with the same
//! name the last counts.

mod scan;

use std::borrow::Cow;

pub use scan::JsonError;

use scan::{Scanner, decode_string};

/// One value within a text that is known to be well-formed.
#[derive(Clone, Copy, Debug)]
pub struct Json<'a> {
    /// The text from the first byte of the value on.
    text: &'a [u8],
}

impl<'a> Json<'a> {
    /// The first value of `text`, whatever follows it; `None` if there is only white space.
    ///
    /// # Errors
    ///
    /// [`JsonError`].
    pub fn first(text: &'a [u8]) -> Result<Option<Self>, JsonError> {
        let mut scanner = Scanner::new(text);
        scanner.white_space();
        if scanner.rest().is_empty() {
            return Ok(None);
        }
        let value = Self { text: scanner.rest() };
        scanner.value()?;
        Ok(Some(value))
    }

    /// The value that is all of `text`, apart from white space.
    ///
    /// # Errors
    ///
    /// [`JsonError`], also when something follows the value.
    pub fn only(text: &'a [u8]) -> Result<Self, JsonError> {
        let mut scanner = Scanner::new(text);
        scanner.white_space();
        let value = Self { text: scanner.rest() };
        scanner.value()?;
        scanner.white_space();
        if scanner.rest().is_empty() { Ok(value) } else { Err(scanner.unexpected()) }
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.text.first() == Some(&b'n')
    }

    /// Whether it is `true` or `false`.
    #[must_use]
    pub fn is_bool(self) -> bool {
        matches!(self.text.first(), Some(b't' | b'f'))
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(self) -> bool {
        self.text.first() == Some(&b'{')
    }

    /// The number, if it is an integer of 64 bits, written without fraction or exponent.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        let mut scanner = Scanner::new(self.text);
        scanner.skip();
        let length = self.text.len() - scanner.rest().len();
        std::str::from_utf8(self.text.get(..length)?).ok()?.parse().ok()
    }

    /// The text, if it is a string.
    #[must_use]
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        let mut scanner = Scanner::new(self.text);
        scanner.string().ok().map(decode_string)
    }

    /// The members of an object in their order, repeated ones too; nothing if it is no object.
    pub fn members(self) -> impl Iterator<Item = (Cow<'a, str>, Json<'a>)> {
        let mut scanner = Scanner::new(self.text);
        let mut more = scanner.enter(b'{', b'}');
        std::iter::from_fn(move || {
            if !more {
                return None;
            }
            let name = scanner.string().ok()?;
            scanner.past(b':');
            let value = Json { text: scanner.rest() };
            scanner.skip();
            more = scanner.next(b'}');
            Some((decode_string(name), value))
        })
    }

    /// The elements of an array in their order; nothing if it is no array.
    pub fn elements(self) -> impl Iterator<Item = Json<'a>> {
        let mut scanner = Scanner::new(self.text);
        let mut more = scanner.enter(b'[', b']');
        std::iter::from_fn(move || {
            if !more {
                return None;
            }
            let value = Json { text: scanner.rest() };
            scanner.skip();
            more = scanner.next(b']');
            Some(value)
        })
    }

    /// The elements, if it is an array.
    pub fn as_array(self) -> Option<impl Iterator<Item = Json<'a>>> {
        (self.text.first() == Some(&b'[')).then(|| self.elements())
    }

    /// The last member called `name`, if it is an object with one.
    #[must_use]
    pub fn member(self, name: &str) -> Option<Self> {
        self.members().filter(|(found, _)| found == name).last().map(|(_, value)| value)
    }

    /// The last member called `name` if it is an object: members of wrong types count as absent.
    #[must_use]
    pub fn object(self, name: &str) -> Option<Self> {
        self.member(name).filter(|value| value.is_object())
    }

    /// The last member called `name` if it is a string: members of wrong types count as absent.
    #[must_use]
    pub fn str(self, name: &str) -> Option<Cow<'a, str>> {
        self.member(name)?.as_str()
    }

    /// The members whose names are `name` as Go compares names of struct fields.
    pub fn members_like(self, name: &str) -> impl Iterator<Item = Json<'a>> {
        self.members().filter(move |(found, _)| folds_to(found, name)).map(|(_, value)| value)
    }
}

/// Whether `found` is `name`, a word of ASCII letters, when case is folded as Unicode does: the long s and the
/// Kelvin sign are letters, too.
fn folds_to(found: &str, name: &str) -> bool {
    let fold = |letter: char| match letter {
        '\u{017f}' => 's',
        '\u{212a}' => 'k',
        letter => letter.to_ascii_lowercase(),
    };
    found.chars().map(fold).eq(name.chars().map(fold))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Json<'_> {
        Json::only(text.as_bytes()).unwrap()
    }

    #[test]
    fn members_and_elements_are_found_in_their_order() {
        let json = only(r#" {"a" : [1, "x" ,{"b":null}] , "c":{} ,"a2":[]} "#);
        let names: Vec<_> = json.members().map(|(name, _)| name.into_owned()).collect();
        assert_eq!(names, ["a", "c", "a2"]);
        let elements: Vec<_> = json.member("a").unwrap().elements().collect();
        assert_eq!(elements.len(), 3);
        assert_eq!(elements[1].as_str().unwrap(), "x");
        assert!(elements[2].member("b").unwrap().is_null());
        assert_eq!(json.member("c").unwrap().members().count(), 0);
        assert_eq!(json.member("a2").unwrap().elements().count(), 0);
        assert!(only("1").members().next().is_none() && only("{}").elements().next().is_none());
    }

    #[test]
    fn the_last_of_members_with_one_name_counts() {
        let json = only(r#"{"a":"1","a":"2"}"#);
        assert_eq!(json.str("a").unwrap(), "2");
        assert!(json.str("A").is_none());
    }

    #[test]
    fn a_member_of_a_wrong_type_is_absent() {
        let json = only(r#"{"a":1,"b":"x"}"#);
        assert!(json.str("a").is_none() && json.object("b").is_none());
    }

    #[test]
    fn names_of_struct_fields_are_folded_as_unicode_does() {
        assert!(folds_to("ſPEC", "spec") && folds_to("\u{212a}ind", "kind"));
        assert!(folds_to("APIVERSION", "apiVersion"));
        assert!(!folds_to("spec ", "spec") && !folds_to("ßpec", "spec"));
    }

    #[test]
    fn only_white_space_is_nothing_and_what_follows_the_first_value_is_ignored() {
        assert!(Json::first(b" \t\r\n").unwrap().is_none());
        assert!(Json::first(b"{} trailing").unwrap().is_some());
        assert!(Json::only(b"{} trailing").is_err());
    }
}
