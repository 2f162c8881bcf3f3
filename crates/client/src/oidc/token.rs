//! An identity token, read for what a signer needs to know of it.

use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use wire::oidc::{CompactJwt, JwtError};
use zeroize::Zeroizing;

/// How far an issuer's clock may be ahead of ours when it dates the beginning of a token, in seconds.
const MAX_AHEAD: f64 = 300.0;

/// A token that says who we are, not yet checked by anybody but us: it is in date, and for the right audience.
pub struct IdentityToken {
    text: Zeroizing<String>,
    subject: Subject,
    issuer: String,
    claimed_issuer: String,
    nonce: Option<String>,
}

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
    #[error("this is no identity token")]
    Malformed(#[source] JwtError),
    /// Its header or its claims are not what they should be.
    #[error("this is no identity token: {reason}")]
    Content {
        /// What is wrong.
        reason: &'static str,
    },
    /// It is for somebody else: no certificate authority would take it.
    #[error("the identity token is for {}, not for {expected}", found.join(", "))]
    Audience {
        /// For whom it should be.
        expected: String,
        /// For whom it is.
        found: Vec<String>,
    },
    /// It has expired.
    #[error("the identity token has expired, {seconds} s ago")]
    Expired {
        /// How long ago.
        seconds: i64,
    },
    /// It is not valid yet.
    #[error(
        "the identity token is not valid for another {seconds} s; is this machine's clock right?"
    )]
    NotYetValid {
        /// How long it will take.
        seconds: i64,
    },
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: Option<String>,
    aud: Audience,
    // RFC 7519 §2: a NumericDate may have a fraction.
    exp: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
    email: Option<String>,
    email_verified: Option<Verified>,
    federated_claims: Option<Federated>,
}

/// RFC 7519 §4.1.3: one or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Some issuers write the boolean as a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Verified {
    Boolean(bool),
    Text(String),
}

#[derive(Deserialize)]
struct Federated {
    connector_id: Option<String>,
}

impl IdentityToken {
    /// Reads a token and checks its audience and dates. Any signature algorithm will do: the certificate authority
    /// verifies it.
    ///
    /// # Errors
    ///
    /// See [`IdentityTokenError`].
    pub fn parse(token: &str, audience: &str, now: Timestamp) -> Result<Self, IdentityTokenError> {
        let jwt = CompactJwt::parse(token).map_err(IdentityTokenError::Malformed)?;
        let header: Header = serde_json::from_slice(&jwt.header)
            .map_err(|_| content("its header is not the JSON that it should be"))?;
        if header.alg == "none" || jwt.signature.is_empty() {
            return Err(content("it is not signed"));
        }
        let claims: Claims = serde_json::from_slice(&jwt.payload)
            .map_err(|_| content("its claims are not the JSON that they should be"))?;
        claims.check_audience(audience)?;
        claims.check_dates(now)?;
        let subject =
            claims.subject().ok_or(content("it says neither sub nor a verified email"))?;
        let connector = claims.federated_claims.and_then(|federated| federated.connector_id);
        Ok(Self {
            text: Zeroizing::new(token.to_owned()),
            subject,
            issuer: connector.unwrap_or_else(|| claims.iss.clone()),
            claimed_issuer: claims.iss,
            nonce: claims.nonce,
        })
    }

    /// The token as it came, to be sent to the certificate authority. It is a secret.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whose it is; the text is what the proof of possession signs.
    #[must_use]
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The issuer to show and to expect in the certificate: `federated_claims.connector_id` if it is there, else
    /// `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `iss`.
    pub(super) fn claimed_issuer(&self) -> &str {
        &self.claimed_issuer
    }

    pub(super) fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }
}

/// Without the token, which is a secret.
impl fmt::Debug for IdentityToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityToken").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Claims {
    fn check_audience(&self, expected: &str) -> Result<(), IdentityTokenError> {
        let found = match &self.aud {
            Audience::One(one) => std::slice::from_ref(one),
            Audience::Several(several) => several,
        };
        if found.iter().any(|found| found == expected) {
            return Ok(());
        }
        let expected = expected.to_owned();
        Err(IdentityTokenError::Audience { expected, found: found.to_vec() })
    }

    fn check_dates(&self, now: Timestamp) -> Result<(), IdentityTokenError> {
        let now = now.as_duration().as_secs_f64();
        if self.exp <= now {
            return Err(IdentityTokenError::Expired { seconds: whole(now - self.exp) });
        }
        match self.nbf {
            Some(from) if from > now + MAX_AHEAD => {
                Err(IdentityTokenError::NotYetValid { seconds: whole(from - now) })
            }
            _ => Ok(()),
        }
    }

    /// What the existing certificate authority and clients take: the address if it is verified, else `sub`.
    fn subject(&self) -> Option<Subject> {
        let verified = match &self.email_verified {
            Some(Verified::Boolean(verified)) => *verified,
            Some(Verified::Text(text)) => text == "true",
            None => false,
        };
        let present = |text: &&String| !text.is_empty();
        let email = self.email.as_ref().filter(present).filter(|_| verified);
        email
            .map(|email| Subject::Email(email.clone()))
            .or_else(|| self.sub.as_ref().filter(present).map(|sub| Subject::Subject(sub.clone())))
    }
}

const fn content(reason: &'static str) -> IdentityTokenError {
    IdentityTokenError::Content { reason }
}

/// Whole seconds, for a person.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and that is far enough")]
fn whole(seconds: f64) -> i64 {
    seconds.ceil() as i64
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn token(header: &Value, claims: &str) -> String {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        format!(
            "{}.{}.{}",
            encode(header.to_string().as_bytes()),
            encode(claims.as_bytes()),
            encode(b"signature")
        )
    }

    /// Our own token with some claims changed; `null` removes one.
    fn check(changes: &Value) -> Result<IdentityToken, IdentityTokenError> {
        let mut claims = json!({
            "iss": "https://sigstore.example/auth", "sub": "0123", "aud": "sigstore", "iat": NOW, "exp": NOW + 600,
            "email": "alice@example.com", "email_verified": true,
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        read(&token(&json!({ "alg": "ES256" }), &claims.to_string()))
    }

    fn read(token: &str) -> Result<IdentityToken, IdentityTokenError> {
        IdentityToken::parse(token, "sigstore", Timestamp::from_second(NOW).unwrap())
    }

    #[test]
    fn the_proof_of_possession_is_over_the_verified_address_or_the_subject() {
        let email = Subject::Email("alice@example.com".into());
        let sub = Subject::Subject("0123".into());
        let subject = |changes: &Value| check(changes).unwrap().subject;
        assert_eq!(subject(&json!({})), email);
        assert_eq!(subject(&json!({ "email_verified": "true" })), email);
        for changes in [
            json!({ "email_verified": false }),
            json!({ "email_verified": "yes" }),
            json!({ "email_verified": null }),
            json!({ "email": null }),
            json!({ "email": "" }),
        ] {
            assert_eq!(subject(&changes), sub, "{changes}");
        }
        check(&json!({ "email": null, "sub": null })).unwrap_err();
    }

    #[test]
    fn the_issuer_behind_the_issuer_is_the_one_to_expect() {
        assert_eq!(check(&json!({})).unwrap().issuer(), "https://sigstore.example/auth");
        let federated =
            json!({ "federated_claims": { "connector_id": "https://accounts.example" } });
        let token = check(&federated).unwrap();
        assert_eq!(token.issuer(), "https://accounts.example");
        assert_eq!(token.claimed_issuer(), "https://sigstore.example/auth");
    }

    #[test]
    fn the_audience_may_be_one_of_several_but_must_be_there() {
        check(&json!({ "aud": ["other", "sigstore"] })).unwrap();
        let error = check(&json!({ "aud": ["other", "sigstore2"] })).unwrap_err();
        let found = vec!["other".to_owned(), "sigstore2".to_owned()];
        assert_eq!(error, IdentityTokenError::Audience { expected: "sigstore".into(), found });
        for aud in [json!([]), json!(null), json!(1)] {
            check(&json!({ "aud": aud })).unwrap_err();
        }
    }

    #[test]
    fn the_token_must_be_in_date() {
        check(&json!({ "exp": f64::from(1_800_000_000) + 0.5, "nbf": NOW + 300 })).unwrap();
        let expired = |exp: Value| check(&json!({ "exp": exp })).unwrap_err();
        assert_eq!(expired(json!(NOW)), IdentityTokenError::Expired { seconds: 0 });
        assert_eq!(expired(json!(NOW - 10)), IdentityTokenError::Expired { seconds: 10 });
        assert!(matches!(expired(json!(null)), IdentityTokenError::Content { .. }));
        let error = check(&json!({ "nbf": NOW + 301 })).unwrap_err();
        assert_eq!(error, IdentityTokenError::NotYetValid { seconds: 301 });
        check(&json!({ "iat": NOW + 100 })).unwrap();
    }

    #[test]
    fn what_is_not_signed_or_not_json_is_refused() {
        let claims =
            json!({ "iss": "i", "sub": "s", "aud": "sigstore", "exp": NOW + 1 }).to_string();
        read(&token(&json!({ "alg": "EdDSA" }), &claims)).unwrap();
        let none = token(&json!({ "alg": "none" }), &claims);
        let unsigned =
            token(&json!({ "alg": "RS256" }), &claims).rsplit_once('.').unwrap().0.to_owned() + ".";
        let twice = token(&json!({ "alg": "RS256" }), &claims.replace("{", r#"{"sub":"other","#));
        for bad in
            [none, unsigned, twice, token(&json!({ "alg": "RS256" }), "[]"), "a.b".to_owned()]
        {
            read(&bad).unwrap_err();
        }
    }

    #[test]
    fn a_token_is_not_shown() {
        let shown = format!("{:?}", check(&json!({})).unwrap());
        assert_eq!(shown, r#"IdentityToken { issuer: "https://sigstore.example/auth", .. }"#);
    }
}
