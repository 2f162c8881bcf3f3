//! The claims of a token, as the existing servers read them.
//!
//! There is one reading of the payload for all purposes. Claims of OpenID Connect are found without regard
//! to case, and of several the last one counts, in whatever spelling; both are what Go's `encoding/json`
//! does. Since key lookup and certificate see the same value, nothing can be slipped in between them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// The most members a payload may have: a hundred times what issuers send.
const MAX_MEMBERS: usize = 1024;

/// The payload of a token: its members in their order.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::ca) struct Claims {
    members: Vec<(String, Value)>,
}

/// Why claims cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ClaimError {
    /// The payload is not a JSON object, or something follows it.
    #[error("the payload is not one JSON object")]
    NotAnObject,
    /// A claim is of another JSON type than it must be.
    #[error("the claim {claim:?} is not {expected}")]
    Type {
        /// Which claim.
        claim: &'static str,
        /// What it must be.
        expected: &'static str,
    },
}

impl Claims {
    /// Reads a payload. Bytes that are not UTF-8 become U+FFFD.
    pub(super) fn read(json: &[u8]) -> Result<Self, ClaimError> {
        let text = String::from_utf8_lossy(json);
        serde_json::from_str(&text).map_err(|_| ClaimError::NotAnObject)
    }

    /// The claim `name`, without regard to case; `None` if it is missing or `null`.
    ///
    /// A `null` leaves in force what stood before it.
    fn find(&self, name: &str) -> Option<&Value> {
        let mut found = self
            .members
            .iter()
            .rev()
            .filter(|(member, value)| member.eq_ignore_ascii_case(name) && !value.is_null());
        found.next().map(|(_, value)| value)
    }

    /// A claim that must be a text where it is present.
    pub(in crate::ca) fn text(&self, claim: &'static str) -> Result<Option<&str>, ClaimError> {
        let of_type = |value: &Value| value.is_string();
        self.check_all(claim, "a text", of_type)?;
        Ok(self.find(claim).and_then(Value::as_str))
    }

    /// A claim that is one text or an array of them; none if it is missing.
    pub(super) fn texts(&self, claim: &'static str) -> Result<Vec<&str>, ClaimError> {
        let wrong = ClaimError::Type { claim, expected: "a text or an array of texts" };
        match self.find(claim) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text]),
            Some(Value::Array(items)) => {
                items.iter().map(|item| item.as_str().ok_or(wrong.clone())).collect()
            }
            Some(_) => Err(wrong),
        }
    }

    /// A time in seconds since 1970: a number, or a text that holds one.
    ///
    /// What is too large for any clock is [far in the past](f64::NEG_INFINITY), so that it is expired.
    pub(super) fn seconds(&self, claim: &'static str) -> Result<Option<f64>, ClaimError> {
        let number = match self.find(claim) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::String(text)) => json_number(text),
            Some(_) => None,
        };
        let number = number.ok_or(ClaimError::Type { claim, expected: "a number" })?;
        // Go converts to a 64-bit integer, which wraps.
        const LIMIT: f64 = 9.2e18;
        Ok(Some(if number.abs() < LIMIT { number } else { f64::NEG_INFINITY }))
    }

    /// The claim `name` written exactly so, the last of several.
    pub(in crate::ca) fn exact(&self, name: &str) -> Option<&Value> {
        self.members.iter().rev().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// All members in their order.
    pub(in crate::ca) fn members(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.members.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// A claim in the hands of `read`, which says `None` where it is of the wrong type.
    pub(in crate::ca) fn read_as<T>(
        &self,
        claim: &'static str,
        expected: &'static str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, ClaimError> {
        self.find(claim)
            .map(|value| read(value).ok_or(ClaimError::Type { claim, expected }))
            .transpose()
    }

    /// Every occurrence must be of the right type, the ones that do not count too.
    fn check_all(
        &self,
        claim: &'static str,
        expected: &'static str,
        of_type: impl Fn(&Value) -> bool,
    ) -> Result<(), ClaimError> {
        let is_good = |(member, value): &(String, Value)| {
            !member.eq_ignore_ascii_case(claim) || value.is_null() || of_type(value)
        };
        let all_good = self.members.iter().all(is_good);
        if all_good { Ok(()) } else { Err(ClaimError::Type { claim, expected }) }
    }
}

/// A text that is a JSON number.
fn json_number(text: &str) -> Option<f64> {
    serde_json::from_str::<serde_json::Number>(text).ok()?.as_f64()
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Claims;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    if members.len() == MAX_MEMBERS {
                        return Err(serde::de::Error::custom("too many members"));
                    }
                    members.push(member);
                }
                Ok(Claims { members })
            }
        }

        deserializer.deserialize_map(Members)
    }
}
