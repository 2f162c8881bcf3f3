//! The answers of the token endpoint.

use serde::{Deserialize, Serialize};

/// Tokens (RFC 6749 §5.1, OpenID Connect Core 1.0 §3.1.3.3).
#[derive(Clone, Deserialize, Serialize)]
pub struct TokenResponse {
    /// The access token. Ours is the ID token again, because Python clients read their identity from it.
    pub access_token: String,
    /// `bearer`, in any case.
    pub token_type: String,
    /// How many seconds it lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// The ID token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
}

/// A refusal (RFC 6749 §5.2, RFC 8628 §3.5).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ErrorResponse {
    /// The code, such as `invalid_grant`.
    pub error: String,
    /// The explanation, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}
