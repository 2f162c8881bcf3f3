//! What a token says about a person.

use serde::{Deserialize, Serialize};

/// The claims of an ID token (OpenID Connect Core 1.0 §2, §5.1), as our identity provider writes them.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct IdTokenClaims {
    /// Who says so.
    pub iss: String,
    /// About whom: stable, and never given to anybody else.
    pub sub: String,
    /// For whom: a string, not a list, for the clients that read nothing else.
    pub aud: String,
    /// Since when, in seconds since 1970.
    pub iat: i64,
    /// Until when, in seconds since 1970.
    pub exp: i64,
    /// When the person last gave the password.
    pub auth_time: i64,
    /// What the client sent along, unchanged. Java clients refuse a token without theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The e-mail address.
    pub email: String,
    /// A JSON boolean: Java clients fail at a string.
    pub email_verified: bool,
    /// Who vouched for the person before us, which is nobody.
    pub federated_claims: FederatedClaims,
}

/// Dex's claim about the provider behind it, from which a certificate's issuer can be taken.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FederatedClaims {
    /// The provider.
    pub connector_id: String,
    /// The person's name there.
    pub user_id: String,
}

/// The answer of the userinfo endpoint (OpenID Connect Core 1.0 §5.3.2).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct UserInfo {
    /// As in the ID token.
    pub sub: String,
    /// As in the ID token.
    pub email: String,
    /// As in the ID token.
    pub email_verified: bool,
}
