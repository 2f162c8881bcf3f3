//! An identity token, read for what a signer needs to know of it.

use jiff::Timestamp;

/// A token that says who we are, not yet checked by anybody but us: it is in date, and for the right audience.
pub struct IdentityToken {}

/// Whose name a token bears, and so the message of the proof of possession.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Subject {
    /// `email`, which the issuer has verified.
    Email(String),
    /// `sub`.
    Subject(String),
}

/// Why a token is of no use.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IdentityTokenError {
    /// It is no signed JWT.
    #[error("this is no identity token: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl IdentityToken {
    /// Reads a token and checks its audience and dates.
    ///
    /// # Errors
    ///
    /// See [`IdentityTokenError`].
    pub fn parse(
        _token: &str,
        _audience: &str,
        _now: Timestamp,
    ) -> Result<Self, IdentityTokenError> {
        todo!()
    }

    /// The token as it came, to be sent to the certificate authority. It is a secret.
    #[must_use]
    pub fn as_str(&self) -> &str {
        todo!()
    }

    /// Whose it is; the text is what the proof of possession signs.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        todo!()
    }

    /// The issuer to show and to expect in the certificate: `federated_claims.connector_id` if it is there, else `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        todo!()
    }
}
