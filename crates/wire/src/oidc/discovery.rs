//! What an issuer says about itself (OpenID Connect Discovery 1.0 §3, RFC 8414).

use serde::{Deserialize, Serialize};

/// The document at `ISSUER/.well-known/openid-configuration`. What a reader does not need may be missing.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Discovery {
    /// The issuer, which must be the URL that was asked.
    pub issuer: String,
    /// Where a browser goes to sign in.
    #[serde(default)]
    pub authorization_endpoint: String,
    /// Where codes become tokens.
    #[serde(default)]
    pub token_endpoint: String,
    /// Where the keys are.
    #[serde(default)]
    pub jwks_uri: String,
    /// Where an access token tells whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_endpoint: Option<String>,
    /// Where a device without a browser begins (RFC 8628 §4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_authorization_endpoint: Option<String>,
    /// `code`.
    #[serde(default)]
    pub response_types_supported: Vec<String>,
    /// `query`.
    #[serde(default)]
    pub response_modes_supported: Vec<String>,
    /// The grants that the token endpoint takes.
    #[serde(default)]
    pub grant_types_supported: Vec<String>,
    /// `public`: a person has one subject for all clients.
    #[serde(default)]
    pub subject_types_supported: Vec<String>,
    /// How ID tokens are signed.
    #[serde(default)]
    pub id_token_signing_alg_values_supported: Vec<String>,
    /// `S256`: Go clients refuse an issuer that does not say so.
    #[serde(default)]
    pub code_challenge_methods_supported: Vec<String>,
    /// What may be asked for.
    #[serde(default)]
    pub scopes_supported: Vec<String>,
    /// How a client may present its (empty) secret.
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// What ID tokens hold.
    #[serde(default)]
    pub claims_supported: Vec<String>,
    /// Whether the answer to a sign-in names the issuer (RFC 9207 §3).
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}
