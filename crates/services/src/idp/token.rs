//! Tokens: what is signed, and with what.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::{HashAlgorithm, PublicKey, Scheme, SigningKey};
use jiff::Timestamp;
use serde::Deserialize;
use wire::oidc::{
    CLIENT_ID, CompactJwt, FederatedClaims, IdTokenClaims, Jwk, JwkSet, TokenResponse, UserInfo,
};

use super::{IdentityProvider, SignedIn};

/// How long a token lives: long enough for one release to be signed.
const LIFETIME: Duration = Duration::from_mins(10);

/// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3): the one that every client takes.
const RS256: Scheme = Scheme::RsaPkcs1(HashAlgorithm::Sha256);

/// What a client gets.
pub struct Tokens(TokenResponse);

impl Tokens {
    /// The answer of the token endpoint.
    #[must_use]
    pub fn into_response(self) -> TokenResponse {
        self.0
    }
}

/// An access token tells nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UserInfoError {
    /// It is not one of ours, or has expired.
    #[error("the access token is not valid")]
    Invalid,
}

/// Signs tokens, and knows the keys that are published.
pub(super) struct TokenSigner {
    key: SigningKey,
    /// `{"alg":"RS256","kid":…,"typ":"JWT"}`, encoded.
    header: String,
    key_set: JwkSet,
}

impl TokenSigner {
    /// `None` if a key is not RSA.
    pub(super) fn new(key: SigningKey, others: &[PublicKey]) -> Option<Self> {
        let jwk = Jwk::rs256(key.public_key())?;
        let header = serde_json::json!({ "alg": "RS256", "kid": jwk.kid, "typ": "JWT" });
        let mut keys = vec![jwk];
        for other in others {
            keys.push(Jwk::rs256(other)?);
        }
        Some(Self { key, header: encode(header.to_string().as_bytes()), key_set: JwkSet { keys } })
    }

    pub(super) const fn key_set(&self) -> &JwkSet {
        &self.key_set
    }

    fn sign(&self, claims: &IdTokenClaims) -> String {
        let claims = serde_json::to_vec(claims).expect("claims are strings and numbers");
        let signed = format!("{}.{}", self.header, encode(&claims));
        let signature = self
            .key
            .sign_with(RS256, signed.as_bytes())
            .expect("the key was found to be RSA when it was given");
        format!("{signed}.{}", encode(&signature))
    }

    /// The claims of a token that this key has signed.
    fn read(&self, token: &str) -> Option<IdTokenClaims> {
        #[derive(Deserialize)]
        struct Header {
            alg: String,
            kid: String,
        }
        let jwt = CompactJwt::parse(token).ok()?;
        let header: Header = serde_json::from_slice(&jwt.header).ok()?;
        if header.alg != "RS256" || header.kid != self.key_set.keys[0].kid {
            return None;
        }
        self.key.public_key().verify(RS256, jwt.signed.as_bytes(), &jwt.signature).ok()?;
        serde_json::from_slice(&jwt.payload).ok()
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl IdentityProvider {
    /// Tokens for `who`.
    ///
    /// The access token is the ID token again: Python clients read their identity from the access token. Nothing can
    /// contain its own hash, so there is no `at_hash`, which OpenID Connect Core 1.0 §3.1.3.6 leaves open in this flow.
    pub(super) fn tokens(&self, now: Timestamp, who: &SignedIn, nonce: Option<String>) -> Tokens {
        let claims = IdTokenClaims {
            iss: self.issuer.clone(),
            sub: who.id().to_owned(),
            aud: CLIENT_ID.to_owned(),
            iat: now.as_second(),
            exp: (now + LIFETIME).as_second(),
            auth_time: who.at().as_second(),
            nonce,
            email: who.email().to_owned(),
            // The operator wrote the address into the file of users.
            email_verified: true,
            federated_claims: FederatedClaims {
                connector_id: self.issuer.clone(),
                user_id: who.id().to_owned(),
            },
        };
        let token = self.signer.sign(&claims);
        tracing::info!(target: "audit", event = "token", user = who.id());
        Tokens(TokenResponse {
            access_token: token.clone(),
            token_type: "Bearer".to_owned(),
            expires_in: Some(LIFETIME.as_secs()),
            id_token: Some(token),
        })
    }

    /// Whose `access_token` is.
    ///
    /// # Errors
    ///
    /// [`UserInfoError`].
    pub fn user_info(&self, access_token: &str) -> Result<UserInfo, UserInfoError> {
        let now = self.clock.now().map_err(|_| UserInfoError::Invalid)?;
        let claims = self.signer.read(access_token).ok_or(UserInfoError::Invalid)?;
        if claims.iss != self.issuer || claims.exp <= now.as_second() {
            return Err(UserInfoError::Invalid);
        }
        let IdTokenClaims { sub, email, email_verified, .. } = claims;
        Ok(UserInfo { sub, email, email_verified })
    }
}
