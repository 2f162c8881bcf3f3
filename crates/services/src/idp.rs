//! The identity provider: signs people in and says who they are.
//!
//! OpenID Connect with one public client, `sigstore`: authorization code with PKCE, and the device flow. People are local
//! users in a file ([`UserFile`]). What leaves is an ID token, RS256, that lives for ten minutes. There is no HTTP
//! here; `web::oidc` speaks it.
//!
//! A sign-in leaves evidence: [`SignedIn`] comes only from a password ([`IdentityProvider::sign_in`]) or from the
//! session that one opened, and without it no code is issued and no device allowed. [`OurForm`] comes only from
//! a form that this browser was shown.
//!
//! What is in memory is bounded and lost at a restart: codes, devices, sessions and the counts of failures.

mod authorization;
mod client;
mod code;
mod device;
mod expiring;
mod grant;
mod password;
mod redirect;
mod session;
mod sign_in;
mod throttle;
mod token;
mod user;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crypto::{KeyKind, PublicKey, SigningKey};
use url::Url;
use wire::oidc::JwkSet;

pub use authorization::{AuthorizationError, AuthorizationRequest, AuthorizeError, Prompt};
pub use client::{ClientCredentials, ClientError, PublicClient};
pub use device::{DeviceError, StartDeviceError, WaitingDevice};
pub use grant::{Grant, TokenError};
pub use redirect::RedirectUri;
pub use session::{Browser, FormError, OurForm};
pub use sign_in::{SignInError, SignedIn};
pub use token::{Tokens, UserInfoError};
pub use user::{User, UserFile, UserFileError};

use crate::clock::Clock;
use code::Codes;
use device::Devices;
use password::Hasher;
use session::Sessions;
use throttle::Throttles;
use token::TokenSigner;
use user::Users;

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
    #[error("the keys of the identity provider must be RSA keys")]
    Key,
    /// The users cannot be read.
    #[error("the file of users cannot be used")]
    Users(#[source] UserFileError),
}

/// Signs people in and says who they are.
pub struct IdentityProvider {
    issuer: String,
    signer: TokenSigner,
    users: Users,
    clock: Clock,
    hasher: Hasher,
    throttles: Mutex<Throttles>,
    sessions: Sessions,
    codes: Mutex<Codes>,
    devices: Mutex<Devices>,
}

impl IdentityProvider {
    /// An identity provider with `settings`. Reads the file of users once, to find out that it can.
    ///
    /// # Errors
    ///
    /// See [`IdpSettingsError`].
    pub fn new(settings: IdpSettings) -> Result<Arc<Self>, IdpSettingsError> {
        let IdpSettings { issuer, key, other_keys, users, clock } = settings;
        check_issuer(&issuer)
            .map_err(|reason| IdpSettingsError::Issuer { issuer: issuer.clone(), reason })?;
        let rsa = |key: &PublicKey| matches!(key.kind(), KeyKind::Rsa { .. });
        if !rsa(key.public_key()) || !other_keys.iter().all(rsa) {
            return Err(IdpSettingsError::Key);
        }
        Ok(Arc::new(Self {
            signer: TokenSigner::new(key, &other_keys).ok_or(IdpSettingsError::Key)?,
            issuer,
            users: Users::open(users).map_err(IdpSettingsError::Users)?,
            clock,
            hasher: Hasher::new(),
            throttles: Mutex::new(Throttles::new()),
            sessions: Sessions::new(),
            codes: Mutex::new(Codes::new()),
            devices: Mutex::new(Devices::new()),
        }))
    }

    /// The issuer URL.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The public keys with which its tokens are verified (RFC 7517 §5), as `/keys` serves them.
    #[must_use]
    pub const fn key_set(&self) -> &JwkSet {
        self.signer.key_set()
    }

    /// The same as JSON.
    #[must_use]
    pub fn key_set_json(&self) -> String {
        serde_json::to_string(self.key_set()).expect("a list of strings is always JSON")
    }
}

/// What is behind the lock, whoever panicked with it: each change under a lock is complete in itself.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// OpenID Connect Core 1.0 §2: an issuer is an https URL without query and fragment. Plain HTTP is for
/// loopback. A slash at the end would make two spellings of one issuer.
fn check_issuer(issuer: &str) -> Result<(), &'static str> {
    let url = Url::parse(issuer).map_err(|_| "it is no URL")?;
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => return Err("plain HTTP is for loopback only"),
        _ => return Err("its scheme is not https"),
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err("it has more than scheme, host and path");
    }
    if issuer.ends_with('/') {
        return Err("it ends with a slash");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
