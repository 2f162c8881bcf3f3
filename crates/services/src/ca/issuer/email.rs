//! `email`: people, by an address that the issuer has verified.

use pki::fulcio::{LeafContents, San};
use serde_json::Value;

use super::{ContentsError, Identity, IdentityError, IssuerType, extensions};
use crate::ca::config::Issuer;
use crate::ca::email_address::is_email_address;
use crate::ca::go;
use crate::ca::token::VerifiedToken;

/// The type `email`.
#[derive(Debug)]
pub(super) struct Email;

impl IssuerType for Email {
    fn name(&self) -> &'static str {
        "email"
    }

    fn challenge_claim(&self) -> &'static str {
        "email"
    }

    fn identify(&self, token: &VerifiedToken, issuer: &Issuer) -> Result<Identity, IdentityError> {
        let claims = token.claims();
        let email = claims.text("email").map_err(IdentityError::Claim)?.unwrap_or_default();
        let verified = claims
            .read_as("email_verified", "true or false", truth)
            .map_err(IdentityError::Claim)?;
        if email.is_empty() {
            return Err(IdentityError::EmailMissing);
        }
        if verified != Some(true) && !issuer.skip_email_verification {
            return Err(IdentityError::EmailNotVerified);
        }
        if !is_email_address(email) {
            return Err(IdentityError::NotAnEmailAddress);
        }
        let issuer = issuer_name(token, issuer)?;
        let contents = contents(email, &issuer, token.subject());
        Ok(Identity { challenge: email.to_owned(), contents })
    }
}

fn contents(email: &str, issuer: &str, subject: &str) -> Result<LeafContents, ContentsError> {
    let extensions = extensions::of_person(issuer, subject)?;
    if !email.is_ascii() {
        return Err(ContentsError::NotIa5 { name: email.to_owned() });
    }
    Ok(LeafContents { san: San::Email(email.to_owned()), extensions })
}

/// Some issuers send truth as text, in two spellings.
fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => match text.as_str() {
            "true" | "True" => Some(true),
            "false" | "False" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Who really signed the holder in: the claim to which `issuer-claim` leads, else the token's issuer.
fn issuer_name(token: &VerifiedToken, issuer: &Issuer) -> Result<String, IdentityError> {
    let Some(path) = &issuer.issuer_claim else { return Ok(token.issuer().to_owned()) };
    path.follow(|name| token.claims().exact(name))
        .map(go::print)
        .ok_or(IdentityError::IssuerClaimMissing)
}
