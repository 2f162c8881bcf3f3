//! Signing configurations: which services a signer uses.
//!
//! `SigningConfig` v0.2 of `sigstore_trustroot.proto`, in its JSON form. Which of the services are chosen is
//! the client's affair; this is what it chooses from.

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use crate::json::{self, Json, JsonError, Problem, Unknown, excerpt};
use crate::trusted_root::{TimeRange, read_time_range, write_time_range};

/// The media type.
pub const SIGNING_CONFIG: &str = "application/vnd.dev.sigstore.signingconfig.v0.2+json";

/// The longest signing configuration: the public one has two kilobytes.
const MAX_SIGNING_CONFIG: usize = 1 << 20;
/// The most services of one kind.
const MAX_SERVICES: usize = 256;

/// The services that a signer may use.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SigningConfig {
    /// Certificate authorities; the URL is the base of the API.
    pub ca_urls: Vec<Service>,
    /// Issuers of identity tokens.
    pub oidc_urls: Vec<Service>,
    /// Transparency logs; the URL is the base of the API.
    pub rekor_tlog_urls: Vec<Service>,
    /// How many of the transparency logs to use. Must be there if there are any.
    pub rekor_tlog_config: Option<Selector>,
    /// Timestamp authorities; the URL is where requests are posted.
    pub tsa_urls: Vec<Service>,
    /// How many of the timestamp authorities to use. Must be there if there are any.
    pub tsa_config: Option<Selector>,
}

/// One service.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Where it is.
    pub url: String,
    /// Which version of its API it speaks.
    pub major_api_version: u32,
    /// When it may be used.
    #[serde(serialize_with = "write_time_range")]
    pub valid_for: TimeRange,
    /// Who runs it: services of one operator count once.
    pub operator: String,
}

/// How many operators' services to use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Selector {
    /// Those of every operator.
    All,
    /// That of any one operator.
    Any,
    /// Those of exactly so many operators; never zero.
    Exact(u32),
}

/// Why bytes are not a signing configuration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SigningConfigError {
    /// They are not the JSON form of a signing configuration's message.
    #[error("the signing configuration cannot be read: {0}")]
    Json(JsonError),
    /// The media type is not the one that is known; empty if there is none.
    #[error("the signing configuration's media type {0:?} is not known")]
    MediaType(String),
    /// There are services to choose from, but it is not said how many to use.
    #[error("the signing configuration has {0} but does not say how many of them to use")]
    NoSelector(&'static str),
    /// Exactly zero services are to be used.
    #[error("the signing configuration asks for exactly 0 of {0}")]
    SelectsNone(&'static str),
}

impl From<JsonError> for SigningConfigError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl SigningConfig {
    /// Reads the JSON of a signing configuration.
    ///
    /// # Errors
    ///
    /// See [`SigningConfigError`].
    pub fn parse(document: &[u8]) -> Result<Self, SigningConfigError> {
        Self::read(json::parse(document, MAX_SIGNING_CONFIG)?)
    }

    /// Reads a signing configuration from a document around it.
    ///
    /// # Errors
    ///
    /// As [`Self::parse`].
    pub fn read(value: Json<'_>) -> Result<Self, SigningConfigError> {
        let mut object = value.into_object()?;
        let media_type = object.or_default("mediaType", Json::into_string)?;
        if media_type != SIGNING_CONFIG {
            return Err(SigningConfigError::MediaType(excerpt(&media_type)));
        }
        let config = Self {
            ca_urls: object.list("caUrls", MAX_SERVICES, Service::read)?,
            oidc_urls: object.list("oidcUrls", MAX_SERVICES, Service::read)?,
            rekor_tlog_urls: object.list("rekorTlogUrls", MAX_SERVICES, Service::read)?,
            rekor_tlog_config: object.optional("rekorTlogConfig", read_selector)?.flatten(),
            tsa_urls: object.list("tsaUrls", MAX_SERVICES, Service::read)?,
            tsa_config: object.optional("tsaConfig", read_selector)?.flatten(),
        };
        object.finish(Unknown::Tolerated)?;
        check_selector("rekorTlogUrls", &config.rekor_tlog_urls, config.rekor_tlog_config)?;
        check_selector("tsaUrls", &config.tsa_urls, config.tsa_config)?;
        Ok(config)
    }

    /// The signing configuration's JSON, indented, as it is published.
    ///
    /// # Panics
    ///
    /// Never: a signing configuration has no member that JSON could not hold.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a signing configuration has only plain members")
    }
}

fn check_selector(
    name: &'static str,
    services: &[Service],
    selector: Option<Selector>,
) -> Result<(), SigningConfigError> {
    match selector {
        None if !services.is_empty() => Err(SigningConfigError::NoSelector(name)),
        Some(Selector::Exact(0)) => Err(SigningConfigError::SelectsNone(name)),
        _ => Ok(()),
    }
}

impl Service {
    fn read(value: Json<'_>) -> Result<Self, JsonError> {
        let mut object = value.into_object()?;
        let service = Self {
            url: object.required("url", Json::into_string)?,
            major_api_version: object.or_default("majorApiVersion", Json::into_u32)?,
            valid_for: object
                .required("validFor", read_time_range)?
                .ok_or_else(|| Problem::Missing("start").here().within("validFor"))?,
            operator: object.or_default("operator", Json::into_string)?,
        };
        object.finish(Unknown::Tolerated)?;
        Ok(service)
    }
}

/// Reads a `ServiceConfiguration`; `None` if the selector is undefined.
fn read_selector(value: Json<'_>) -> Result<Option<Selector>, JsonError> {
    let mut object = value.into_object()?;
    let count = object.or_default("count", Json::into_u32)?;
    let selector = object.optional("selector", |value| {
        let read = value.into_enumeration(
            |name| match name {
                "ALL" => Some(1),
                "ANY" => Some(2),
                "EXACT" => Some(3),
                "SERVICE_SELECTOR_UNDEFINED" => Some(0),
                _ => None,
            },
            |number| (0..=3).contains(&number).then_some(number),
        )?;
        read.map_err(|unknown| Problem::UnknownValue(unknown).here())
    })?;
    object.finish(Unknown::Tolerated)?;
    Ok(match selector {
        Some(1) => Some(Selector::All),
        Some(2) => Some(Selector::Any),
        Some(3) => Some(Selector::Exact(count)),
        _ => None,
    })
}

impl Serialize for Selector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("ServiceConfiguration", 2)?;
        match self {
            Self::All => object.serialize_field("selector", "ALL")?,
            Self::Any => object.serialize_field("selector", "ANY")?,
            Self::Exact(count) => {
                object.serialize_field("selector", "EXACT")?;
                object.serialize_field("count", count)?;
            }
        }
        object.end()
    }
}

impl Serialize for SigningConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("SigningConfig", 7)?;
        object.serialize_field("mediaType", SIGNING_CONFIG)?;
        if !self.ca_urls.is_empty() {
            object.serialize_field("caUrls", &self.ca_urls)?;
        }
        if !self.oidc_urls.is_empty() {
            object.serialize_field("oidcUrls", &self.oidc_urls)?;
        }
        if !self.rekor_tlog_urls.is_empty() {
            object.serialize_field("rekorTlogUrls", &self.rekor_tlog_urls)?;
        }
        if let Some(selector) = &self.rekor_tlog_config {
            object.serialize_field("rekorTlogConfig", selector)?;
        }
        if !self.tsa_urls.is_empty() {
            object.serialize_field("tsaUrls", &self.tsa_urls)?;
        }
        if let Some(selector) = &self.tsa_config {
            object.serialize_field("tsaConfig", selector)?;
        }
        object.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(members: &str) -> Result<SigningConfig, SigningConfigError> {
        SigningConfig::parse(format!(r#"{{"mediaType":"{SIGNING_CONFIG}"{members}}}"#).as_bytes())
    }

    const LOGS: &str = r#","rekorTlogUrls":[{"url":"https://log.example","majorApiVersion":2,"validFor":{"start":"2026-01-01T00:00:00Z"},"operator":"example"}]"#;

    #[test]
    fn it_must_say_how_many_to_use() {
        let with = |selector: &str| read(&format!(r#"{LOGS},"rekorTlogConfig":{selector}"#));
        let selector = |text| with(text).expect("it is good").rekor_tlog_config;
        assert_eq!(selector(r#"{"selector":"ANY"}"#), Some(Selector::Any));
        assert_eq!(selector(r#"{"selector":1}"#), Some(Selector::All));
        assert_eq!(selector(r#"{"selector":"EXACT","count":2}"#), Some(Selector::Exact(2)));
        for none in ["{}", "null", r#"{"selector":"SERVICE_SELECTOR_UNDEFINED"}"#] {
            assert_eq!(with(none), Err(SigningConfigError::NoSelector("rekorTlogUrls")), "{none}");
        }
        let zero = with(r#"{"selector":"EXACT"}"#);
        assert_eq!(zero, Err(SigningConfigError::SelectsNone("rekorTlogUrls")));
        assert!(matches!(with(r#"{"selector":"SOME"}"#), Err(SigningConfigError::Json(_))));
    }

    #[test]
    fn only_one_version_is_known() {
        read("").expect("it is empty and good");
        read(r#","new":1"#).expect("new members are tolerated");
        let old = r#"{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.1+json"}"#;
        let refused = SigningConfig::parse(old.as_bytes());
        assert!(matches!(refused, Err(SigningConfigError::MediaType(_))));
    }
}
