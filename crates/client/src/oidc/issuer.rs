//! An issuer of tokens: what it says about itself, and how a grant becomes a token.

use jiff::Timestamp;
use net::{Client, Response, Retry, Url};
use wire::oidc::{Discovery, ErrorResponse, TokenResponse};

use super::secret::{self, Pkce};
use super::{AcquireError, IdentityToken, SCOPE};

/// The largest answer of an issuer.
const MAX_ANSWER: usize = 256 * 1024;

/// An issuer whose discovery document was read and checked.
pub(super) struct Issuer<'a> {
    pub(super) http: &'a Client,
    pub(super) client_id: &'a str,
    document: Discovery,
}

/// One authorization that is under way.
pub(super) struct Authorization {
    /// Where the browser goes.
    pub(super) url: Url,
    pub(super) state: String,
    nonce: String,
    pkce: Pkce,
    redirect_uri: String,
}

impl<'a> Issuer<'a> {
    /// Asks the issuer at `url` about itself (OpenID Connect Discovery 1.0 §4). What it calls itself must be what it was
    /// asked as (§4.3), and it must know PKCE with S256.
    pub(super) async fn discover(
        http: &'a Client,
        url: &str,
        client_id: &'a str,
    ) -> Result<Self, AcquireError> {
        let place = format!("{}/.well-known/openid-configuration", url.trim_end_matches('/'));
        let place =
            Url::parse(&place).map_err(|_| AcquireError::Issuer { issuer: url.to_owned() })?;
        let unfit = |reason: &str| AcquireError::Unfit {
            issuer: url.to_owned(),
            reason: reason.to_owned(),
        };
        let answer = http.get(place).max_body(MAX_ANSWER).send().await;
        let answer = answer
            .map_err(|source| AcquireError::Unreachable { issuer: url.to_owned(), source })?;
        if !answer.status.is_success() {
            return Err(unfit(&format!(
                "it answers the request for its configuration with {}",
                answer.status
            )));
        }
        let document: Discovery = serde_json::from_slice(&answer.body)
            .map_err(|_| unfit("its configuration is not the JSON that it should be"))?;
        if document.issuer != url {
            return Err(unfit(&format!("it calls itself {}", document.issuer)));
        }
        if !document.code_challenge_methods_supported.iter().any(|method| method == "S256") {
            return Err(unfit("it does not know PKCE with S256"));
        }
        Ok(Self { http, client_id, document })
    }

    pub(super) fn url(&self) -> &str {
        &self.document.issuer
    }

    pub(super) const fn knows_devices(&self) -> bool {
        self.document.device_authorization_endpoint.is_some()
    }

    /// The device authorization endpoint.
    pub(super) fn device_endpoint(&self) -> Result<Url, AcquireError> {
        self.endpoint(self.document.device_authorization_endpoint.as_deref().unwrap_or_default())
    }

    /// Begins an authorization that ends at `redirect_uri` (OpenID Connect Core 1.0 §3.1.2.1, RFC 7636 §4.3).
    pub(super) fn authorization(&self, redirect_uri: &str) -> Result<Authorization, AcquireError> {
        let mut url = self.endpoint(&self.document.authorization_endpoint)?;
        let (state, nonce, pkce) = (secret::token(), secret::token(), Pkce::new());
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", self.client_id),
            ("redirect_uri", redirect_uri),
            ("scope", SCOPE),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &pkce.challenge),
            ("code_challenge_method", "S256"),
        ]);
        Ok(Authorization { url, state, nonce, pkce, redirect_uri: redirect_uri.to_owned() })
    }

    /// An endpoint of the document. It is https, or on this machine: a browser opens what stands there, and a
    /// document could say `file:`.
    fn endpoint(&self, text: &str) -> Result<Url, AcquireError> {
        let url = Url::parse(text).ok().filter(|url| {
            let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
            url.scheme() == "https" || url.scheme() == "http" && loopback
        });
        url.ok_or_else(|| self.unfit("an endpoint in its configuration is missing, or not https"))
    }

    /// Checks who sent the browser back, if that is said (RFC 9207 §2.4).
    pub(super) fn check_sender(&self, sender: Option<String>) -> Result<(), AcquireError> {
        match sender {
            Some(found) if found != self.url() => {
                Err(AcquireError::MixedUp { expected: self.url().to_owned(), found })
            }
            _ => Ok(()),
        }
    }

    /// Redeems the code of an authorization (RFC 6749 §4.1.3) and checks that the token belongs to it.
    pub(super) async fn redeem(
        &self,
        authorization: &Authorization,
        code: &str,
    ) -> Result<IdentityToken, AcquireError> {
        let token = self
            .ask_for_token(&[
                ("grant_type", "authorization_code"),
                ("client_id", self.client_id),
                ("code", code),
                ("redirect_uri", &authorization.redirect_uri),
                ("code_verifier", &authorization.pkce.verifier),
            ])
            .await?;
        if token.nonce() == Some(authorization.nonce.as_str()) {
            Ok(token)
        } else {
            Err(AcquireError::Nonce)
        }
    }

    /// Sends `form` to the token endpoint. The token that comes over TLS from the issuer itself needs no check of its
    /// signature here (OpenID Connect Core 1.0 §3.1.3.7, rule 6); the certificate authority makes it.
    pub(super) async fn ask_for_token(
        &self,
        form: &[(&str, &str)],
    ) -> Result<IdentityToken, AcquireError> {
        let url = self.endpoint(&self.document.token_endpoint)?;
        let answer = self.post(url, form, Retry::NEVER).await?;
        let tokens: TokenResponse = self.read(&answer)?;
        let token = tokens.id_token.ok_or_else(|| self.unfit("it gives no ID token"))?;
        let token = IdentityToken::parse(&token, self.client_id, Timestamp::now())
            .map_err(AcquireError::Token)?;
        if token.claimed_issuer() != self.url() {
            return Err(self.unfit("its token names another issuer"));
        }
        Ok(token)
    }

    pub(super) async fn post(
        &self,
        url: Url,
        form: &[(&str, &str)],
        retry: Retry,
    ) -> Result<Response, AcquireError> {
        self.http
            .post(url)
            .form(form)
            .retry(retry)
            .max_body(MAX_ANSWER)
            .send()
            .await
            .map_err(|source| AcquireError::Unreachable { issuer: self.url().to_owned(), source })
    }

    /// Reads a JSON answer, or the refusal in its place.
    pub(super) fn read<T: serde::de::DeserializeOwned>(
        &self,
        answer: &Response,
    ) -> Result<T, AcquireError> {
        if answer.status.is_success() {
            return serde_json::from_slice(&answer.body)
                .map_err(|_| self.unfit("its answer is not the JSON that it should be"));
        }
        match serde_json::from_slice::<ErrorResponse>(&answer.body) {
            Ok(refusal) => Err(AcquireError::Refused {
                issuer: self.url().to_owned(),
                error: refusal.error,
                description: refusal.error_description,
            }),
            Err(_) => Err(self.unfit(&format!("it answers with {}", answer.status))),
        }
    }

    pub(super) fn unfit(&self, reason: &str) -> AcquireError {
        AcquireError::Unfit { issuer: self.url().to_owned(), reason: reason.to_owned() }
    }
}
