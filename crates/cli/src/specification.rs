//! cosign's `key=value,key=value` flags, in which services are described.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use jiff::Timestamp;
use url::Url;
use wire::trusted_root::TimeRange;

/// A service as it was described on the command line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Specification(BTreeMap<String, String>);

/// What is wrong with a description.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum SpecificationError {
    /// A part has no equals sign.
    #[error("{0:?} is not of the form key=value")]
    Pair(String),
    /// A key is used twice.
    #[error("{0} is given twice")]
    Twice(String),
    /// A key is not known here: a typing error must not become a default.
    #[error("{found} is not one of {known}")]
    Unknown { found: String, known: String },
    /// A key that must be there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A value cannot be read.
    #[error("{key} is not {wanted}: {value:?}")]
    Value { key: &'static str, wanted: &'static str, value: String },
}

impl FromStr for Specification {
    type Err = SpecificationError;

    fn from_str(text: &str) -> Result<Self, SpecificationError> {
        let mut pairs = BTreeMap::new();
        for pair in text.split(',') {
            let (key, value) =
                pair.split_once('=').ok_or_else(|| SpecificationError::Pair(pair.to_owned()))?;
            let key = key.trim().to_owned();
            if pairs.insert(key.clone(), value.trim().to_owned()).is_some() {
                return Err(SpecificationError::Twice(key));
            }
        }
        Ok(Self(pairs))
    }
}

impl Specification {
    /// Refuses keys other than `known`.
    pub(crate) fn check_keys(&self, known: &[&str]) -> Result<(), SpecificationError> {
        match self.0.keys().find(|key| !known.contains(&key.as_str())) {
            Some(found) => {
                Err(SpecificationError::Unknown { found: found.clone(), known: known.join(", ") })
            }
            None => Ok(()),
        }
    }

    pub(crate) fn optional(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(crate) fn required(&self, key: &'static str) -> Result<&str, SpecificationError> {
        self.optional(key).ok_or(SpecificationError::Missing(key))
    }

    /// The address of the service, as it was written.
    pub(crate) fn url(&self) -> Result<&str, SpecificationError> {
        let value = self.required("url")?;
        let is_address = value
            .parse::<Url>()
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
        if is_address {
            return Ok(value);
        }
        let wanted = "an address such as https://sigstore.example.com";
        Err(SpecificationError::Value { key: "url", wanted, value: value.to_owned() })
    }

    /// A file that must be named.
    pub(crate) fn file(&self, key: &'static str) -> Result<&Path, SpecificationError> {
        self.required(key).map(Path::new)
    }

    /// A number that must be there.
    pub(crate) fn number(&self, key: &'static str) -> Result<u32, SpecificationError> {
        let value = self.required(key)?;
        value.parse().map_err(|_| SpecificationError::Value {
            key,
            wanted: "a number",
            value: value.to_owned(),
        })
    }

    /// `start-time` and `end-time`; without a start, it is `default`.
    pub(crate) fn period(
        &self,
        default: Option<Timestamp>,
    ) -> Result<TimeRange, SpecificationError> {
        let start = self.time("start-time")?.or(default);
        Ok(TimeRange {
            start: start.ok_or(SpecificationError::Missing("start-time"))?,
            end: self.time("end-time")?,
        })
    }

    fn time(&self, key: &'static str) -> Result<Option<Timestamp>, SpecificationError> {
        let Some(value) = self.optional(key) else { return Ok(None) };
        let time = value.parse().map_err(|_| SpecificationError::Value {
            key,
            wanted: "a time such as 2026-01-01T00:00:00Z",
            value: value.to_owned(),
        })?;
        Ok(Some(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Specification, SpecificationError> {
        text.parse()
    }

    #[test]
    fn values_are_found_by_their_keys() {
        let spec =
            parse("url=https://a.example/?x=1, api-version=2,start-time=2026-01-01T00:00:00Z");
        let spec = spec.unwrap();
        assert_eq!(spec.url(), Ok("https://a.example/?x=1"));
        assert_eq!(spec.number("api-version"), Ok(2));
        assert_eq!(spec.period(None).unwrap().end, None);
        assert_eq!(spec.required("operator"), Err(SpecificationError::Missing("operator")));
    }

    #[test]
    fn a_typing_error_is_not_a_default() {
        assert_eq!(parse("url"), Err(SpecificationError::Pair("url".into())));
        assert_eq!(parse("url=a,url=b"), Err(SpecificationError::Twice("url".into())));
        let spec = parse("url=a,strat-time=b,api-version=x,start-time=today").unwrap();
        assert!(matches!(spec.check_keys(&["url"]), Err(SpecificationError::Unknown { .. })));
        assert!(matches!(spec.url(), Err(SpecificationError::Value { key: "url", .. })));
        assert!(matches!(spec.number("api-version"), Err(SpecificationError::Value { .. })));
        assert!(matches!(spec.period(None), Err(SpecificationError::Value { .. })));
    }
}
