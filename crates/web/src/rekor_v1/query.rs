//! Parameters of requests, and how they are refused (go-openapi's codes above 600, HTTP 422).

use std::borrow::Cow;

use wire::rekor_v1::{EntryId, EntryIdError, TreeId};

use super::Problem;

/// A value has not the type that it must have.
pub(super) const INVALID_TYPE: u32 = 601;
/// A value is missing.
pub(super) const REQUIRED: u32 = 602;
/// A value does not have the form that it must have.
pub(super) const PATTERN: u32 = 605;
/// A number is too small.
pub(super) const MINIMUM: u32 = 609;
/// A list is too long.
pub(super) const MAX_ITEMS: u32 = 611;

/// The query of a request.
pub(super) struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    pub(super) fn new(query: Option<&'a str>) -> Self {
        Self(query.unwrap_or_default())
    }

    /// The last value called `name`. Empty counts as missing.
    fn value(&self, name: &str) -> Option<Cow<'a, str>> {
        let pairs = url::form_urlencoded::parse(self.0.as_bytes());
        let value = pairs.filter(|(found, _)| found == name).last().map(|(_, value)| value);
        value.filter(|value| !value.is_empty())
    }

    /// A number from `minimum` on that fits in a signed 64-bit integer.
    pub(super) fn number(
        &self,
        name: &str,
        minimum: u64,
        default: Option<u64>,
    ) -> Result<u64, Problem> {
        match (self.value(name), default) {
            (Some(text), _) => number(&text, minimum, &format!("{name} in query")),
            (None, Some(default)) => Ok(default),
            (None, None) => Err(Problem::invalid(REQUIRED, format!("{name} in query is required"))),
        }
    }

    /// The parameter `treeID`: `None` if there is none, `Some(None)` if it is a number that no tree has.
    pub(super) fn tree_id(&self) -> Result<Option<Option<TreeId>>, Problem> {
        let Some(text) = self.value("treeID") else { return Ok(None) };
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            let message = "treeID in query should match '^[0-9]+$'".to_owned();
            return Err(Problem::invalid(PATTERN, message));
        }
        Ok(Some(text.parse().ok().and_then(TreeId::new)))
    }
}

fn number(text: &str, minimum: u64, what: &str) -> Result<u64, Problem> {
    let Ok(number) = text.parse::<i64>() else {
        let message = format!("{what} must be of type int64: {text:?}");
        return Err(Problem::invalid(INVALID_TYPE, message));
    };
    let number = u64::try_from(number).ok().filter(|number| *number >= minimum);
    number.ok_or_else(|| {
        Problem::invalid(MINIMUM, format!("{what} should be greater than or equal to {minimum}"))
    })
}

/// Reads an entry id; `what` is what a refusal calls it.
pub(super) fn entry_id(text: &str, what: &str) -> Result<EntryId, Problem> {
    text.parse().map_err(|error| match error {
        EntryIdError::Form => Problem::invalid(PATTERN, format!("{what}: {error}")),
        EntryIdError::TreeId => Problem::bad_request(format!("{what}: {error}")),
    })
}
