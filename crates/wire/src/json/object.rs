//! An object that is taken apart member by member, so that what nobody asked for is noticed.

use std::borrow::Cow;

use super::{Json, JsonError, Problem, excerpt};

/// What is done about members that nobody asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unknown {
    /// They are refused: a new member of a bundle comes with a new media type.
    Refused,
    /// They are passed over: trusted roots and signing configurations grow.
    Tolerated,
}

/// A JSON object whose members are taken out one by one.
#[derive(Clone, Debug, PartialEq)]
pub struct Object<'a> {
    members: Vec<(Cow<'a, str>, Json<'a>)>,
}

impl<'a> Object<'a> {
    pub(super) fn new(members: Vec<(Cow<'a, str>, Json<'a>)>) -> Self {
        Self { members }
    }

    /// Takes out the member that protojson calls `name` (in lowerCamelCase), also under its original
    /// snake_case name. `null` is as if it were not there.
    ///
    /// # Errors
    ///
    /// [`Problem::TwoNames`] if it is there under both.
    pub fn take(&mut self, name: &'static str) -> Result<Option<Json<'a>>, JsonError> {
        let mut found = None;
        while let Some(at) = self.members.iter().position(|(key, _)| is_name(key, name)) {
            if found.is_some() {
                return Err(Problem::TwoNames(name).here());
            }
            found = Some(self.members.swap_remove(at).1);
        }
        Ok(found.filter(|value| *value != Json::Null))
    }

    /// Takes out the member with exactly this name. `null` is as if it were not there.
    pub fn take_exact(&mut self, name: &str) -> Option<Json<'a>> {
        let at = self.members.iter().position(|(key, _)| key == name)?;
        Some(self.members.swap_remove(at).1).filter(|value| *value != Json::Null)
    }

    /// Takes out a member with `read`, if it is there.
    ///
    /// # Errors
    ///
    /// What `read` says, with the member's name around it.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Json<'a>) -> Result<T, JsonError>,
    ) -> Result<Option<T>, JsonError> {
        let value = self.take(name)?;
        value.map(read).transpose().map_err(|error| error.within(name))
    }

    /// Takes out a member with `read`.
    ///
    /// # Errors
    ///
    /// [`Problem::Missing`] if it is not there; what `read` says, with the member's name around it.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Json<'a>) -> Result<T, JsonError>,
    ) -> Result<T, JsonError> {
        self.optional(name, read)?.ok_or_else(|| Problem::Missing(name).here())
    }

    /// Takes out a member with `read`, or makes protojson's default value.
    ///
    /// # Errors
    ///
    /// What `read` says, with the member's name around it.
    pub fn or_default<T: Default>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Json<'a>) -> Result<T, JsonError>,
    ) -> Result<T, JsonError> {
        Ok(self.optional(name, read)?.unwrap_or_default())
    }

    /// Takes out a list of at most `limit` items, each with `read`; no list is an empty one.
    ///
    /// # Errors
    ///
    /// [`Problem::TooManyItems`], before any item is read; what `read` says, with the place around it.
    pub fn list<T>(
        &mut self,
        name: &'static str,
        limit: usize,
        read: impl Fn(Json<'a>) -> Result<T, JsonError>,
    ) -> Result<Vec<T>, JsonError> {
        self.or_default(name, |value| value.into_list(limit, read))
    }

    /// Ends the taking apart: nothing unknown may be left where that is refused.
    ///
    /// # Errors
    ///
    /// [`Problem::UnknownMember`] with the first that is left.
    pub fn finish(self, unknown: Unknown) -> Result<(), JsonError> {
        match (unknown, self.members.into_iter().next()) {
            (Unknown::Refused, Some((name, _))) => {
                Err(Problem::UnknownMember(excerpt(&name)).here())
            }
            _ => Ok(()),
        }
    }

    /// The members that are left, in no particular order.
    pub fn into_members(self) -> impl Iterator<Item = (Cow<'a, str>, Json<'a>)> {
        self.members.into_iter()
    }
}

/// Whether `key` is the lowerCamelCase `name` or its snake_case original.
fn is_name(key: &str, name: &str) -> bool {
    key == name || is_snake_case_of(key, name)
}

fn is_snake_case_of(key: &str, name: &str) -> bool {
    let mut key = key.bytes();
    let matches = name.bytes().all(|letter| {
        (!letter.is_ascii_uppercase() || key.next() == Some(b'_'))
            && key.next() == Some(letter.to_ascii_lowercase())
    });
    matches && key.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn object(text: &str) -> Object<'_> {
        parse(text.as_bytes(), 1000).and_then(Json::into_object).expect("an object")
    }

    #[test]
    fn a_member_has_two_names_but_may_use_only_one() {
        assert!(object(r#"{"logIndex":1}"#).take("logIndex").expect("one name").is_some());
        assert!(object(r#"{"log_index":1}"#).take("logIndex").expect("one name").is_some());
        assert!(object(r#"{"logindex":1}"#).take("logIndex").expect("no name").is_none());
        assert!(
            object(r#"{"x509_certificate_chain":1}"#)
                .take("x509CertificateChain")
                .expect("one name")
                .is_some()
        );
        let both = object(r#"{"logIndex":1,"log_index":null}"#).take("logIndex");
        assert_eq!(both.expect_err("two names").problem, Problem::TwoNames("logIndex"));
    }

    #[test]
    fn null_is_as_if_it_were_not_there() {
        let mut object = object(r#"{"a":null}"#);
        assert_eq!(object.take("a"), Ok(None));
        object.finish(Unknown::Refused).expect("nothing is left");
    }

    #[test]
    fn what_nobody_asked_for_is_noticed() {
        let left = object(r#"{"a":1}"#).finish(Unknown::Refused).expect_err("a is left");
        assert_eq!(left.problem, Problem::UnknownMember("a".into()));
        object(r#"{"a":1}"#).finish(Unknown::Tolerated).expect("unknown members are tolerated");
    }

    #[test]
    fn an_error_says_where() {
        let error = object(r#"{"a":[{"b":[1,"x!"]}]}"#)
            .list("a", 9, |item| item.into_object()?.list("b", 9, Json::into_u64))
            .expect_err("x! is no number");
        assert_eq!(error.path, "a[0].b[1]");
    }
}
