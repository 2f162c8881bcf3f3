//! The token endpoint: a grant in, tokens out.

use super::code::Authorized;
use super::{IdentityProvider, PublicClient, Tokens, lock};
use crate::clock::ClockError;

/// What a client has in its hands.
#[derive(Clone, Copy)]
pub enum Grant<'a> {
    /// A code (RFC 6749 §4.1.3).
    Code {
        /// The code.
        code: &'a str,
        /// The redirect URI of the authorization request, exactly.
        redirect_uri: &'a str,
        /// The secret behind the challenge (RFC 7636 §4.5).
        verifier: &'a str,
    },
    /// The code of a device (RFC 8628 §3.4).
    Device {
        /// The code.
        device_code: &'a str,
        /// The secret behind the challenge, if one was sent.
        verifier: Option<&'a str>,
    },
}

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The client must begin again.
    #[error("the code is not valid: it was used, has expired, or belongs to another request")]
    InvalidGrant,
    /// The client must ask again later: nobody has confirmed yet.
    #[error("nobody has confirmed the sign-in yet")]
    AuthorizationPending,
    /// The client must ask less often: five seconds more between questions.
    #[error("the client asks too often")]
    SlowDown,
    /// The person said no.
    #[error("the sign-in was denied")]
    AccessDenied,
    /// Nobody confirmed in time.
    #[error("nobody confirmed the sign-in in time")]
    ExpiredToken,
    /// The operator's to fix.
    #[error("there is no time to be had")]
    Clock(#[source] ClockError),
}

impl IdentityProvider {
    /// Gives tokens for `grant`.
    ///
    /// # Errors
    ///
    /// See [`TokenError`].
    pub fn redeem(&self, _client: PublicClient, grant: Grant<'_>) -> Result<Tokens, TokenError> {
        let now = self.clock.now().map_err(TokenError::Clock)?;
        match grant {
            Grant::Code { code, redirect_uri, verifier } => {
                let authorized = lock(&self.codes).take(now, code);
                let authorized = authorized.ok_or(TokenError::InvalidGrant)?;
                let same = authorized.redirect_uri == redirect_uri;
                if !same || !authorized.challenge.fits(verifier) {
                    tracing::warn!(target: "audit", event = "code-misused", user = authorized.who.id());
                    return Err(TokenError::InvalidGrant);
                }
                let Authorized { who, nonce, .. } = authorized;
                Ok(self.tokens(now, &who, nonce))
            }
            Grant::Device { device_code, verifier } => {
                let who = lock(&self.devices).poll(now, device_code, verifier)?;
                Ok(self.tokens(now, &who, None))
            }
        }
    }
}
