//! The authorization request: what a client may ask of a person's browser.

use std::collections::HashMap;
use std::time::Duration;

use wire::oidc::CLIENT_ID;

use super::code::{Authorized, Challenge};
use super::{IdentityProvider, RedirectUri, SignedIn, lock};
use crate::clock::ClockError;

/// The longest `state`, which goes back to the client as it came.
const MAX_STATE: usize = 1024;

/// The longest `nonce`, which goes into the token as it came.
const MAX_NONCE: usize = 512;

/// The longest `login_hint`.
const MAX_HINT: usize = 254;

/// A request that may be shown to a person.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    redirect: RedirectUri,
    redirect_uri: String,
    state: Option<String>,
    nonce: Option<String>,
    challenge: Challenge,
    prompt: Prompt,
    max_age: Option<Duration>,
    hint: Option<String>,
}

/// Whether the person must be asked (OpenID Connect Core 1.0 §3.1.2.1, `prompt`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Prompt {
    /// Somebody who is signed in only confirms.
    WhenNeeded,
    /// The password is asked for in any case.
    Password,
}

/// Why an authorization request is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AuthorizationError {
    /// Nobody knows who asks, or where the browser should go back to: the person is told, and goes nowhere (RFC 6749
    /// §4.1.2.1).
    #[error("{reason}")]
    Untrusted {
        /// What is wrong.
        reason: &'static str,
    },
    /// The client's to fix; it is told by sending the browser back.
    #[error("{description}")]
    Client {
        /// Where to.
        redirect: Box<RedirectUri>,
        /// The client's `state`.
        state: Option<String>,
        /// The code (RFC 6749 §4.1.2.1).
        error: &'static str,
        /// The explanation.
        description: &'static str,
    },
}

/// Why no code can be given to somebody who is signed in.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizeError {
    /// Too many codes wait to be redeemed.
    #[error("too many sign-ins are under way")]
    Busy,
    /// The operator's to fix.
    #[error("there is no time to be had")]
    Clock(#[source] ClockError),
}

impl AuthorizationRequest {
    /// Reads the parameters of an authorization request. What is not known is ignored (RFC 6749 §3.1).
    ///
    /// # Errors
    ///
    /// See [`AuthorizationError`].
    pub fn read(
        parameters: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, AuthorizationError> {
        let parameters = Parameters::collect(parameters);
        if parameters.get("client_id")? != Some(CLIENT_ID) {
            return untrusted("the application that sent you here is not known");
        }
        let Some(redirect_uri) = parameters.get("redirect_uri")? else {
            return untrusted("the application does not say where to go back to");
        };
        let Some(redirect) = RedirectUri::parse(redirect_uri) else {
            return untrusted(
                "the application wants to go back to somewhere else than this machine",
            );
        };
        let Ok(state) = bounded(parameters.get("state")?, MAX_STATE) else {
            return untrusted("the application sent a state that is too long");
        };
        parameters.read(&redirect, redirect_uri).map_err(|Fault(error, description)| {
            AuthorizationError::Client { redirect: Box::new(redirect), state, error, description }
        })
    }

    /// Where the browser goes back to.
    #[must_use]
    pub const fn redirect(&self) -> &RedirectUri {
        &self.redirect
    }

    /// Whom the client expects to sign in, if it says so. Only for filling in a form.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The URL that tells the client that it gets no code; `None` where there is nowhere to go.
    #[must_use]
    pub fn refusal(&self, issuer: &str, error: &str) -> Option<String> {
        back(&self.redirect, issuer, self.state.as_deref(), &[("error", error)])
    }
}

impl AuthorizationError {
    /// The URL that tells the client; `None` where there is nowhere to go.
    #[must_use]
    pub fn refusal(&self, issuer: &str) -> Option<String> {
        let Self::Client { redirect, state, error, description } = self else { return None };
        let parameters = [("error", *error), ("error_description", *description)];
        back(redirect, issuer, state.as_deref(), &parameters)
    }
}

impl IdentityProvider {
    /// Whether somebody with this session need not give the password again for `request`.
    #[must_use]
    pub fn suffices(&self, request: &AuthorizationRequest, session: &SignedIn) -> bool {
        let Ok(now) = self.clock.now() else { return false };
        // A clock that was set back makes no session old.
        let age = Duration::try_from(now.duration_since(session.at())).unwrap_or_default();
        let young = request.max_age.is_none_or(|most| age <= most);
        request.prompt == Prompt::WhenNeeded && young
    }

    /// Gives a code for `who` to the client of `request`.
    ///
    /// # Errors
    ///
    /// See [`AuthorizeError`].
    pub fn authorize(
        &self,
        request: &AuthorizationRequest,
        who: &SignedIn,
    ) -> Result<String, AuthorizeError> {
        let now = self.clock.now().map_err(AuthorizeError::Clock)?;
        let authorized = Authorized {
            who: who.clone(),
            redirect_uri: request.redirect_uri.clone(),
            challenge: request.challenge,
            nonce: request.nonce.clone(),
        };
        let code = lock(&self.codes)
            .issue(now, &request.redirect, authorized)
            .map_err(|_| AuthorizeError::Busy)?;
        tracing::info!(target: "audit", event = "authorize", user = who.id());
        Ok(code)
    }

    /// The URL that brings `code` to the client; `None` where the person copies it.
    #[must_use]
    pub fn return_with(&self, request: &AuthorizationRequest, code: &str) -> Option<String> {
        back(&request.redirect, &self.issuer, request.state.as_deref(), &[("code", code)])
    }
}

/// RFC 6749 §4.1.2 with the issuer of RFC 9207, so that a client which talks to several cannot mix them up.
fn back(
    redirect: &RedirectUri,
    issuer: &str,
    state: Option<&str>,
    parameters: &[(&str, &str)],
) -> Option<String> {
    let mut all = parameters.to_vec();
    all.extend(state.map(|state| ("state", state)));
    all.push(("iss", issuer));
    redirect.with(&all)
}

fn untrusted<T>(reason: &'static str) -> Result<T, AuthorizationError> {
    Err(AuthorizationError::Untrusted { reason })
}

/// A parameter is longer than it may be.
struct TooLong;

fn bounded(text: Option<&str>, most: usize) -> Result<Option<String>, TooLong> {
    match text {
        Some(text) if text.len() > most => Err(TooLong),
        text => Ok(text.map(str::to_owned)),
    }
}

/// What is wrong, when it is known whom to tell: code and explanation.
struct Fault(&'static str, &'static str);

/// The parameters by name; `None` for one that is there twice.
struct Parameters(HashMap<String, Option<String>>);

impl Parameters {
    fn collect(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut parameters = HashMap::new();
        for (name, value) in pairs {
            parameters.entry(name).and_modify(|value| *value = None).or_insert(Some(value));
        }
        Self(parameters)
    }

    /// RFC 6749 §3.1: no parameter may be there twice; one without value counts as absent.
    fn get(&self, name: &str) -> Result<Option<&str>, AuthorizationError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(None) => untrusted("a part of the request is there twice"),
            Some(Some(value)) => Ok(Some(value.as_str()).filter(|value| !value.is_empty())),
        }
    }

    fn late(&self, name: &str) -> Result<Option<&str>, Fault> {
        self.get(name).map_err(|_| Fault("invalid_request", "a parameter is there twice"))
    }

    /// Everything that is read once it is known whom to tell.
    fn read(
        &self,
        redirect: &RedirectUri,
        redirect_uri: &str,
    ) -> Result<AuthorizationRequest, Fault> {
        for name in ["request", "request_uri"] {
            if self.late(name)?.is_some() {
                return Err(Fault("request_not_supported", "request objects are not supported"));
            }
        }
        match self.late("response_type")? {
            Some("code") => {}
            Some(_) => return Err(Fault("unsupported_response_type", "only code is supported")),
            None => return Err(Fault("invalid_request", "response_type is missing")),
        }
        if self.late("response_mode")?.is_some_and(|mode| mode != "query") {
            return Err(Fault("invalid_request", "only response_mode=query is supported"));
        }
        let scope = self.late("scope")?.unwrap_or_default();
        if !scope.split(' ').any(|scope| scope == "openid") {
            return Err(Fault("invalid_scope", "the scope must contain openid"));
        }
        let challenge = self.challenge()?;
        let prompt = self.prompt()?;
        let max_age = self.late("max_age")?.map(str::parse).transpose();
        let max_age = max_age.map_err(|_| Fault("invalid_request", "max_age is no number"))?;
        let nonce = bounded(self.late("nonce")?, MAX_NONCE)
            .map_err(|TooLong| Fault("invalid_request", "nonce is too long"))?;
        Ok(AuthorizationRequest {
            redirect: redirect.clone(),
            redirect_uri: redirect_uri.to_owned(),
            state: self.late("state")?.map(str::to_owned),
            nonce,
            challenge,
            prompt,
            max_age: max_age.map(Duration::from_secs),
            hint: bounded(self.late("login_hint")?, MAX_HINT).unwrap_or(None),
        })
    }

    /// RFC 7636 §4.3. Without PKCE, whoever sees a code on its way to the client could redeem it.
    fn challenge(&self) -> Result<Challenge, Fault> {
        let challenge = self
            .late("code_challenge")?
            .ok_or(Fault("invalid_request", "code_challenge is missing: PKCE is required"))?;
        if self.late("code_challenge_method")? != Some("S256") {
            return Err(Fault("invalid_request", "only code_challenge_method=S256 is supported"));
        }
        Challenge::parse(challenge)
            .ok_or(Fault("invalid_request", "code_challenge is not the SHA-256 of anything"))
    }

    fn prompt(&self) -> Result<Prompt, Fault> {
        let words: Vec<_> = self.late("prompt")?.unwrap_or_default().split(' ').collect();
        if words.contains(&"none") {
            // A person is always asked here, if only to confirm.
            return Err(Fault("interaction_required", "the person must be asked"));
        }
        let asked = words.contains(&"login") || words.contains(&"select_account");
        Ok(if asked { Prompt::Password } else { Prompt::WhenNeeded })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[(&str, &str)] = &[
        ("client_id", "sigstore"),
        ("redirect_uri", "http://localhost:1/cb"),
        ("response_type", "code"),
        ("scope", "openid email"),
        ("state", "s"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ];

    /// The good request with one parameter changed; without it, for an empty value.
    fn check(name: &str, value: &str) -> Result<AuthorizationRequest, AuthorizationError> {
        let pairs = GOOD.iter().filter(|(key, _)| *key != name).copied();
        let pairs = pairs.chain((!value.is_empty()).then_some((name, value)));
        AuthorizationRequest::read(pairs.map(|(k, v)| (k.to_owned(), v.to_owned())))
    }

    #[test]
    fn a_good_request_is_taken_and_what_is_unknown_ignored() {
        let request = check("nonce", "n").unwrap();
        assert_eq!(request.nonce.as_deref(), Some("n"));
        for (name, value) in [
            ("connector_id", "https://github.com/login/oauth"),
            ("client_secret", "x"),
            ("access_type", "offline"),
            ("scope", "openid email profile other"),
            ("state", ""),
        ] {
            check(name, value).unwrap();
        }
    }

    #[test]
    fn without_a_known_client_and_target_the_browser_goes_nowhere() {
        for (name, value) in [
            ("client_id", ""),
            ("client_id", "other"),
            ("redirect_uri", ""),
            ("redirect_uri", "https://evil.example/"),
            ("state", &"s".repeat(MAX_STATE + 1)),
        ] {
            let error = check(name, value).unwrap_err();
            assert!(matches!(error, AuthorizationError::Untrusted { .. }), "{name}");
            assert_eq!(error.refusal("https://i.example"), None);
        }
        let twice = GOOD.iter().chain([&("redirect_uri", "http://localhost:2/")]);
        let twice = twice.map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let error = AuthorizationRequest::read(twice).unwrap_err();
        assert!(matches!(error, AuthorizationError::Untrusted { .. }));
    }

    #[test]
    fn other_faults_are_told_to_the_client() {
        for (name, value, expected) in [
            ("response_type", "", "invalid_request"),
            ("response_type", "token", "unsupported_response_type"),
            ("response_mode", "fragment", "invalid_request"),
            ("scope", "email", "invalid_scope"),
            ("code_challenge", "", "invalid_request"),
            ("code_challenge", "short", "invalid_request"),
            ("code_challenge_method", "", "invalid_request"),
            ("code_challenge_method", "plain", "invalid_request"),
            ("prompt", "none", "interaction_required"),
            ("max_age", "-1", "invalid_request"),
            ("nonce", &"n".repeat(MAX_NONCE + 1), "invalid_request"),
            ("request", "jwt", "request_not_supported"),
        ] {
            let refusal = check(name, value).unwrap_err().refusal("https://i.example").unwrap();
            let start = format!("http://localhost:1/cb?error={expected}&");
            assert!(refusal.starts_with(&start), "{name}: {refusal}");
            assert!(refusal.ends_with("&state=s&iss=https%3A%2F%2Fi.example"), "{refusal}");
        }
    }
}
