//! The fields of a form or a query, each at most once.

use std::collections::HashMap;

use url::form_urlencoded;

/// Fields by name.
pub(super) struct Fields(HashMap<String, String>);

/// A field is there twice, which RFC 6749 §3.2 forbids.
pub(super) struct Twice;

impl Fields {
    /// Reads `application/x-www-form-urlencoded`.
    pub(super) fn parse(form: &[u8]) -> Result<Self, Twice> {
        let mut fields = HashMap::new();
        for (name, value) in form_urlencoded::parse(form) {
            if fields.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(Twice);
            }
        }
        Ok(Self(fields))
    }

    /// The value of a field; one without value counts as absent (RFC 6749 §3.2).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// As [`Self::get`], and the value leaves.
    pub(super) fn take(&mut self, name: &str) -> String {
        self.0.remove(name).unwrap_or_default()
    }
}
