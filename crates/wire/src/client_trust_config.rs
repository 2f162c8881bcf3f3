//! A trusted root and a signing configuration in one file: all that a client of a deployment needs.
//!
//! `ClientTrustConfig` v0.1 of `sigstore_trustroot.proto`, in its JSON form.

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use crate::json::{self, Json, JsonError, Problem, Unknown, excerpt};
use crate::signing_config::{SigningConfig, SigningConfigError};
use crate::trusted_root::{TrustedRoot, TrustedRootError};

/// The media type.
pub const CLIENT_TRUST_CONFIG: &str = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json";

/// The longest file: a trusted root and a signing configuration.
const MAX_CLIENT_TRUST_CONFIG: usize = 5 << 20;

/// Whom to trust, and which services to use.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientTrustConfig {
    /// Whom to trust.
    pub trusted_root: TrustedRoot,
    /// Which services to use.
    pub signing_config: SigningConfig,
}

/// Why bytes are not a client trust configuration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ClientTrustConfigError {
    /// They are not the JSON form of the message.
    #[error("the client trust configuration cannot be read: {0}")]
    Json(JsonError),
    /// The media type is not the one that is known; empty if there is none.
    #[error("the client trust configuration's media type {0:?} is not known")]
    MediaType(String),
    /// The trusted root in it is refused.
    #[error("the trusted root in the client trust configuration is refused")]
    TrustedRoot(#[source] TrustedRootError),
    /// The signing configuration in it is refused.
    #[error("the signing configuration in the client trust configuration is refused")]
    SigningConfig(#[source] SigningConfigError),
}

impl From<JsonError> for ClientTrustConfigError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl ClientTrustConfig {
    /// Reads the JSON of a client trust configuration.
    ///
    /// # Errors
    ///
    /// See [`ClientTrustConfigError`].
    pub fn parse(document: &[u8]) -> Result<Self, ClientTrustConfigError> {
        let mut object = json::parse(document, MAX_CLIENT_TRUST_CONFIG)?.into_object()?;
        let media_type = object.or_default("mediaType", Json::into_string)?;
        if media_type != CLIENT_TRUST_CONFIG {
            return Err(ClientTrustConfigError::MediaType(excerpt(&media_type)));
        }
        let mut member =
            |name: &'static str| object.take(name)?.ok_or_else(|| Problem::Missing(name).here());
        let root = member("trustedRoot")?;
        let config = member("signingConfig")?;
        object.finish(Unknown::Tolerated)?;
        Ok(Self {
            trusted_root: TrustedRoot::read(root).map_err(ClientTrustConfigError::TrustedRoot)?,
            signing_config: SigningConfig::read(config)
                .map_err(ClientTrustConfigError::SigningConfig)?,
        })
    }

    /// The JSON of a client trust configuration, indented, as it is published.
    ///
    /// # Panics
    ///
    /// Never: it has no member that JSON could not hold.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a trust configuration has only plain members")
    }
}

impl Serialize for ClientTrustConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("ClientTrustConfig", 3)?;
        object.serialize_field("mediaType", CLIENT_TRUST_CONFIG)?;
        object.serialize_field("trustedRoot", &self.trusted_root)?;
        object.serialize_field("signingConfig", &self.signing_config)?;
        object.end()
    }
}
