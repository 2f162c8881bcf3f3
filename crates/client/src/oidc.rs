//! Identity tokens for signing: found in the environment, or by signing in.
//!
//! [`acquire`] is the usual way. What it finds first counts: a token of the [`ambient`] providers, then a sign-in by
//! whichever [`Flow`] fits the terminal. Everything asks for the scopes `openid email` and nothing else.

pub mod ambient;
mod browser;
mod device;
mod issuer;
mod out_of_band;
mod person;
mod scripted;
mod secret;
mod token;

use jiff::Timestamp;
use net::{Client, LoopbackError, RequestError};
use zeroize::Zeroizing;

pub use person::{Invitation, Person};
pub use scripted::sign_in_by_script;
pub use token::{IdentityToken, IdentityTokenError, Subject};

use ambient::{AmbientError, Surroundings};
use issuer::Issuer;

/// What is asked for: who it is, and the e-mail address.
const SCOPE: &str = "openid email";

/// How a person signs in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flow {
    /// A browser if there is a terminal; out of band if it cannot be opened; without a terminal, another device.
    Automatic,
    /// A browser on this machine returns to a listener (RFC 8252).
    Browser,
    /// A browser anywhere shows a code, and the person copies it.
    OutOfBand,
    /// A browser anywhere confirms this machine (RFC 8628).
    Device,
}

/// Where and how to sign in.
#[derive(Clone, Copy)]
pub struct SignIn<'a> {
    /// The issuer's URL.
    pub issuer: &'a str,
    /// The client identifier, which is also the audience of the token.
    pub client_id: &'a str,
    /// The way out.
    pub http: &'a Client,
    /// Who signs in.
    pub person: &'a dyn Person,
    /// How.
    pub flow: Flow,
}

/// Why there is no identity token.
#[derive(Debug, thiserror::Error)]
pub enum AcquireError {
    /// A provider of the environment should have a token and does not give it.
    #[error("the environment gives no identity token")]
    Ambient(#[source] AmbientError),
    /// The issuer's URL is none.
    #[error("{issuer:?} is not the URL of an issuer")]
    Issuer {
        /// What was given.
        issuer: String,
    },
    /// The issuer cannot be asked.
    #[error("the issuer {issuer} cannot be asked")]
    Unreachable {
        /// Which.
        issuer: String,
        /// Why.
        #[source]
        source: RequestError,
    },
    /// What the issuer says about itself, or answers, is not what it should be.
    #[error("the issuer {issuer} cannot be used: {reason}")]
    Unfit {
        /// Which.
        issuer: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The issuer says no.
    #[error("the issuer {issuer} refuses: {error}{}", description.as_ref().map(|text| format!(" ({text})")).unwrap_or_default())]
    Refused {
        /// Which.
        issuer: String,
        /// Its code (RFC 6749 §5.2).
        error: String,
        /// Its explanation.
        description: Option<String>,
    },
    /// The browser brought no code.
    #[error("the sign-in in the browser did not succeed")]
    Browser(#[source] LoopbackError),
    /// The browser was sent back by another issuer than the one that was asked (RFC 9207).
    #[error("the browser was sent back by {found}, not by {expected}")]
    MixedUp {
        /// Who was asked.
        expected: String,
        /// Who answered.
        found: String,
    },
    /// The person gave up, or there is none.
    #[error("nobody gave the code")]
    NoCode,
    /// The e-mail address or the password was not taken by the login page.
    #[error("the login page of {issuer} did not take the e-mail address and the password")]
    NotSignedIn {
        /// Whose page.
        issuer: String,
    },
    /// Nobody confirmed the device in time.
    #[error("nobody confirmed the sign-in in time")]
    Expired,
    /// The token that came is of no use.
    #[error("the identity token cannot be used")]
    Token(#[source] IdentityTokenError),
    /// The token belongs to another sign-in.
    #[error("the identity token does not belong to this sign-in: its nonce is another")]
    Nonce,
}

/// Finds a token for `sign_in`: in the surroundings, or by signing in.
///
/// # Errors
///
/// See [`AcquireError`]. A provider that should have a token and has none ends the search: a build would otherwise wait
/// for a person.
pub async fn acquire(
    sign_in: SignIn<'_>,
    surroundings: &Surroundings<'_>,
) -> Result<IdentityToken, AcquireError> {
    match at_hand(surroundings).await? {
        Some(token) => Ok(token),
        None => sign_in.run().await,
    }
}

/// The token that the surroundings have, if they have one. Nobody is asked.
///
/// # Errors
///
/// [`AcquireError::Ambient`], [`AcquireError::Token`].
pub async fn at_hand(
    surroundings: &Surroundings<'_>,
) -> Result<Option<IdentityToken>, AcquireError> {
    let found = ambient::find(surroundings).await.map_err(AcquireError::Ambient)?;
    found.map(|token| read(&token, surroundings.audience)).transpose()
}

fn read(token: &Zeroizing<String>, audience: &str) -> Result<IdentityToken, AcquireError> {
    IdentityToken::parse(token.trim(), audience, Timestamp::now()).map_err(AcquireError::Token)
}

impl SignIn<'_> {
    /// Signs in.
    ///
    /// # Errors
    ///
    /// See [`AcquireError`].
    pub async fn run(self) -> Result<IdentityToken, AcquireError> {
        let issuer = Issuer::discover(self.http, self.issuer, self.client_id).await?;
        match self.flow {
            Flow::Device => device::sign_in(&issuer, self.person).await,
            Flow::OutOfBand => out_of_band::sign_in(&issuer, self.person).await,
            Flow::Browser => match browser::sign_in(&issuer, self.person).await? {
                Some(token) => Ok(token),
                None => Err(AcquireError::NoCode),
            },
            Flow::Automatic if !self.person.has_terminal() && issuer.knows_devices() => {
                device::sign_in(&issuer, self.person).await
            }
            Flow::Automatic => match browser::sign_in(&issuer, self.person).await? {
                Some(token) => Ok(token),
                None => out_of_band::sign_in(&issuer, self.person).await,
            },
        }
    }
}

#[cfg(test)]
mod tests;
