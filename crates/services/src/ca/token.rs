//! ID tokens: RFC 7515 in compact form, with the claims of OpenID Connect Core §2.
//!
//! A token is read once. [`UnverifiedToken`] gives away nothing but the issuer it names, which is what it
//! takes to find the keys; [`UnverifiedToken::verify`] returns the claims, from the very same reading.

mod claims;
mod header;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use super::jwk::KeySet;

pub use claims::ClaimError;
pub(super) use claims::Claims;
pub use header::Algorithm;
use header::Header;

/// The longest token that is read.
///
/// The largest seen in the wild (a CI system with all its claims) have 4 KiB; HTTP servers refuse headers
/// much longer than this. (GHSA-f83f-xpx7-ffpw: a token of many megabytes exhausted memory.)
pub const MAX_TOKEN: usize = 16 * 1024;

/// How far in the future `nbf` may lie: clocks of issuers differ. There is no such leeway for `exp`.
const NOT_BEFORE_LEEWAY: SignedDuration = SignedDuration::from_mins(5);

/// A token whose signature has not been checked.
pub(super) struct UnverifiedToken<'a> {
    header: Header,
    claims: Claims,
    issuer: String,
    /// Header and payload as they were sent: what was signed.
    signed: &'a str,
    signature: Vec<u8>,
}

/// Proof that a token was signed by the issuer that it names, for this audience, and is in force.
///
/// There is no other way to make one than [`UnverifiedToken::verify`].
pub(super) struct VerifiedToken {
    issuer: String,
    subject: String,
    claims: Claims,
}

/// Why a token is not taken. The client's to fix; it is told no more than that.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TokenError {
    /// There is no token.
    #[error("there is no token")]
    Missing,
    /// It is longer than [`MAX_TOKEN`].
    #[error("the token has {length} bytes, more than {MAX_TOKEN}")]
    TooLong {
        /// Its length.
        length: usize,
    },
    /// It is not three parts of base64url, separated by dots.
    #[error("the token is not three parts of base64url")]
    NotCompact,
    /// The header is not JSON, or lacks a member.
    #[error("the token's header is not a JOSE header")]
    Header,
    /// It is signed with an algorithm that is never taken: `none`, one with a shared secret, or an unknown one.
    #[error("the token's algorithm {algorithm:?} is not one that is taken")]
    Algorithm {
        /// As it stands in the header.
        algorithm: String,
    },
    /// The header demands an extension (RFC 7515 §4.1.11); none is known here.
    #[error("the token's header has critical extensions")]
    CriticalHeader,
    /// The payload is not a JSON object, or a claim is not what it must be.
    #[error("the token's claims cannot be used")]
    Claims(#[source] ClaimError),
    /// The issuer's discovery document does not list the algorithm.
    #[error("the issuer does not sign with {algorithm:?}")]
    AlgorithmOfIssuer {
        /// As it stands in the header.
        algorithm: Algorithm,
    },
    /// The issuer has no key of that name, or none for that algorithm.
    #[error("the issuer has no such key")]
    UnknownKey,
    /// No key of the issuer made the signature.
    #[error("the token's signature does not verify")]
    Signature,
    /// It is meant for others.
    #[error("the token is not for {expected:?}")]
    Audience {
        /// The client id that had to be among the audiences.
        expected: String,
    },
    /// It is expired, or does not say when it expires.
    #[error("the token is expired")]
    Expired,
    /// It is not in force yet.
    #[error("the token is not in force yet")]
    NotYetValid,
}

/// The issuer that a token names, if it is a token at all. Nothing says yet that it is true.
///
/// # Errors
///
/// [`TokenError`] about the form of the token.
pub fn claimed_issuer(token: &str) -> Result<String, TokenError> {
    UnverifiedToken::parse(token).map(|token| token.issuer)
}

impl<'a> UnverifiedToken<'a> {
    /// Reads a token.
    pub(super) fn parse(token: &'a str) -> Result<Self, TokenError> {
        if token.is_empty() {
            return Err(TokenError::Missing);
        }
        if token.len() > MAX_TOKEN {
            return Err(TokenError::TooLong { length: token.len() });
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::NotCompact)?;
        // Exactly one dot is left; base64url has none of its own.
        let (header, payload) = signed.split_once('.').ok_or(TokenError::NotCompact)?;
        let decode = |part| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::NotCompact);
        let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);
        let header = Header::read(&header)?;
        let claims = Claims::read(&payload).map_err(TokenError::Claims)?;
        let issuer = claims.text("iss").map_err(TokenError::Claims)?.unwrap_or_default().to_owned();
        Ok(Self { header, claims, issuer, signed, signature })
    }

    /// The issuer that the token names. Nothing says yet that it is true.
    pub(super) fn claimed_issuer(&self) -> &str {
        &self.issuer
    }

    /// The name of the key with which it says it was signed.
    pub(super) fn key_id(&self) -> Option<&str> {
        self.header.key_id.as_deref()
    }

    /// Checks the signature against the issuer's keys, then audience and times (OpenID Connect Core §3.1.3.7).
    ///
    /// The caller has found `keys` under [`Self::claimed_issuer`], so that the issuer need not be checked again.
    pub(super) fn verify(
        self,
        keys: &KeySet,
        audience: &str,
        now: Timestamp,
    ) -> Result<VerifiedToken, TokenError> {
        keys.verify(self.header.algorithm, self.key_id(), self.signed.as_bytes(), &self.signature)?;
        self.check_audience(audience)?;
        self.check_times(now)?;
        let subject = self.claims.text("sub").map_err(TokenError::Claims)?.unwrap_or_default();
        let subject = subject.to_owned();
        Ok(VerifiedToken { issuer: self.issuer, subject, claims: self.claims })
    }

    fn check_audience(&self, expected: &str) -> Result<(), TokenError> {
        let audiences = self.claims.texts("aud").map_err(TokenError::Claims)?;
        // An issuer that was configured without a client id takes no token.
        if expected.is_empty() || !audiences.contains(&expected) {
            return Err(TokenError::Audience { expected: expected.to_owned() });
        }
        Ok(())
    }

    fn check_times(&self, now: Timestamp) -> Result<(), TokenError> {
        let seconds = |claim| self.claims.seconds(claim).map_err(TokenError::Claims);
        let expiry = seconds("exp")?.ok_or(TokenError::Expired)?;
        let now_seconds = now.as_duration().as_secs_f64();
        if now_seconds > expiry {
            return Err(TokenError::Expired);
        }
        let latest = now_seconds + NOT_BEFORE_LEEWAY.as_secs_f64();
        if seconds("nbf")?.is_some_and(|not_before| not_before > latest) {
            return Err(TokenError::NotYetValid);
        }
        // `iat` need not be there and decides nothing, but must be a time.
        seconds("iat")?;
        Ok(())
    }
}

impl VerifiedToken {
    /// `iss`.
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `sub`; empty if it is missing.
    pub(super) fn subject(&self) -> &str {
        &self.subject
    }

    /// All claims.
    pub(super) fn claims(&self) -> &Claims {
        &self.claims
    }
}
