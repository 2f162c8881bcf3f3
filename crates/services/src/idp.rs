//! The identity provider: signs people in and says who they are.
//!
//! OpenID Connect with one public client, `sigstore`: authorization code with PKCE, and the device flow. People are local
//! users in a file ([`UserFile`]). What leaves is an ID token, RS256, that lives for ten minutes. There is no HTTP
//! here; `web::oidc` speaks it.

mod user;

use std::sync::Arc;

use crypto::{PublicKey, SigningKey};

pub use user::{User, UserFile, UserFileError};

use crate::clock::Clock;

/// What an [`IdentityProvider`] is made of.
pub struct IdpSettings {
    /// The issuer URL, exactly as it will stand in tokens: `https://sigstore.example/auth`, no slash at the end.
    pub issuer: String,
    /// The key that signs tokens, RSA with 2048 bits or more.
    pub key: SigningKey,
    /// Keys that signed before, or will sign next: published, not used.
    pub other_keys: Vec<PublicKey>,
    /// Who may sign in.
    pub users: UserFile,
    /// What time it is.
    pub clock: Clock,
}

/// Why no identity provider can be made of some settings. The operator's to fix.
#[derive(Debug, thiserror::Error)]
pub enum IdpSettingsError {
    /// The issuer is no https URL (or http on loopback), or has a query, a fragment or a slash at its end.
    #[error("{issuer:?} cannot be an issuer: {reason}")]
    Issuer {
        /// What was given.
        issuer: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// RS256 needs an RSA key.
    #[error("the key of the identity provider is not an RSA key")]
    Key,
    /// The users cannot be read.
    #[error("the file of users cannot be used")]
    Users(#[source] UserFileError),
}

/// Signs people in and says who they are.
pub struct IdentityProvider {
    issuer: String,
}

impl IdentityProvider {
    /// An identity provider with `settings`. Reads the file of users once, to find out that it can.
    ///
    /// # Errors
    ///
    /// See [`IdpSettingsError`].
    pub fn new(_settings: IdpSettings) -> Result<Arc<Self>, IdpSettingsError> {
        todo!()
    }

    /// The issuer URL.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The public keys with which its tokens are verified: a JWK set (RFC 7517 §5) as JSON, as `/keys` serves it.
    #[must_use]
    pub fn key_set_json(&self) -> String {
        todo!()
    }
}
