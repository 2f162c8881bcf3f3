//! Who we are for a registry: passwords and tokens, and for how long.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use net::{Client, HeaderMap, HeaderName, Redirects, Response, Url};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::{Host, Scope};
use crate::challenge::{Bearer, Challenge};
use crate::credentials::Credential;
use crate::{Access, AccessError, TokenError};

/// How long the answer of a token server may be: tokens have some kilobytes.
const MAX_TOKEN_ANSWER: usize = 256 * 1024;
/// How long a token is good if its server does not say (Docker's token authentication specification).
const DEFAULT_LIFETIME: u64 = 60;
/// How long before its end a token is no longer used: the request that it is for takes time, too.
const MARGIN: Duration = Duration::from_secs(10);
/// How long a token is used, however long it is good: what is taken away from someone should be gone within the hour.
const LONGEST_USE: Duration = Duration::from_secs(3600);
/// How long a scope of a registry's own kind may be.
const MAX_SCOPE: usize = 1024;

/// What is known of a registry's demands.
#[derive(Default)]
pub(super) struct Authorizations(Mutex<State>);

#[derive(Default)]
struct State {
    challenge: Option<Challenge>,
    tokens: HashMap<Scope, Token>,
    credentials: HashMap<String, Option<Credential>>,
}

struct Token {
    header: Zeroizing<String>,
    until: Instant,
}

impl Host {
    /// The `Authorization` header for `scope`: none as long as the registry has not asked for any.
    pub(super) async fn authorization(
        &self,
        scope: &Scope,
    ) -> Result<Option<Zeroizing<String>>, AccessError> {
        let mut state = self.authorizations.0.lock().await;
        self.make(&mut state, scope).await
    }

    /// Meets a challenge, after `tried` was not enough. Whether there is something else to try.
    pub(super) async fn meet(
        &self,
        headers: &HeaderMap,
        scope: &Scope,
        tried: Option<Zeroizing<String>>,
    ) -> Result<bool, AccessError> {
        let headers = headers.get_all("www-authenticate").iter();
        let challenge = Challenge::of(headers.filter_map(|value| value.to_str().ok()));
        let Some(challenge) = challenge else { return Ok(false) };
        let mut state = self.authorizations.0.lock().await;
        state.challenge = Some(challenge);
        // Unless another request has replaced it, the token was tried and is of no use.
        let spent = |token: &mut Token| Some(&token.header) == tried.as_ref();
        if state.tokens.get_mut(scope).is_some_and(spent) {
            state.tokens.remove(scope);
        }
        let now = self.make(&mut state, scope).await?;
        Ok(now.is_some() && now != tried)
    }

    /// Whether the user has credentials for this.
    pub(super) async fn has_credential(&self, scope: &Scope) -> bool {
        let state = self.authorizations.0.lock().await;
        state.credentials.get(&scope.repository).is_some_and(Option::is_some)
    }

    async fn make(
        &self,
        state: &mut State,
        scope: &Scope,
    ) -> Result<Option<Zeroizing<String>>, AccessError> {
        let Some(challenge) = state.challenge.clone() else { return Ok(None) };
        let fresh = |token: &&Token| token.until > Instant::now();
        if let Some(token) = state.tokens.get(scope).filter(fresh) {
            return Ok(Some(token.header.clone()));
        }
        let credential = self.credential(state, &scope.repository).await?;
        if let Some(Credential::RegistryToken(token)) = &credential {
            return Ok(Some(Zeroizing::new(format!("Bearer {}", token.as_str()))));
        }
        match challenge {
            Challenge::Basic => Ok(credential.as_ref().and_then(basic)),
            Challenge::Bearer(bearer) => {
                let token = self.token(&bearer, scope, credential.as_ref()).await?;
                let header = token.header.clone();
                state.tokens.insert(scope.clone(), token);
                Ok(Some(header))
            }
        }
    }

    async fn credential(
        &self,
        state: &mut State,
        repository: &str,
    ) -> Result<Option<Credential>, AccessError> {
        if let Some(known) = state.credentials.get(repository) {
            return Ok(known.clone());
        }
        let found = self.settings.credentials.find(&self.name, repository).await;
        let found = found
            .map_err(|source| AccessError::Credentials { registry: self.name.clone(), source })?;
        state.credentials.insert(repository.to_owned(), found.clone());
        Ok(found)
    }

    /// Asks the token server that the registry names.
    async fn token(
        &self,
        bearer: &Bearer,
        scope: &Scope,
        credential: Option<&Credential>,
    ) -> Result<Token, AccessError> {
        let asked = async {
            let (client, realm) = self.token_server(&bearer.realm)?;
            let answer = ask(client, realm, bearer, scope, credential).await?;
            read(&answer)
        };
        let offered = credential.is_some();
        asked.await.map_err(|source| self.no_token(bearer, offered, source))
    }

    /// What it means for the registry that its token server gives no token.
    fn no_token(&self, bearer: &Bearer, offered: bool, source: TokenError) -> AccessError {
        let registry = self.name.clone();
        match source {
            TokenError::Refused { status: 401 | 403, message } => {
                AccessError::Unauthorized { registry, offered, message }
            }
            TokenError::Refused { status: 429, message } => {
                AccessError::Busy { registry, retry_after: Duration::ZERO, message }
            }
            source => {
                let realm = bearer.realm.chars().take(200).collect();
                AccessError::Token { registry, realm, source }
            }
        }
    }

    /// The token server at `realm`, if it may get what is meant for the registry: by TLS, or on the same host as a registry
    /// that is itself spoken to without. It is reached under the rules for redirects, and does not redirect; what TLS shows
    /// to the registry it sees only at the registry's own origin, since another port may be somebody else's.
    fn token_server(&self, realm: &str) -> Result<(&Client, Url), TokenError> {
        let untrusted = |reason| TokenError::Untrusted { reason };
        let realm =
            Url::parse(realm).map_err(|_| untrusted("what the registry names is no URL"))?;
        let registry = self.origin.now();
        let same_host = realm.host() == registry.host();
        match realm.scheme() {
            "https" => {}
            "http" if same_host && registry.scheme() == "http" => {}
            _ => return Err(untrusted("credentials go to another host by TLS only")),
        }
        let client = match same_host {
            true if self.is_home(&realm) => &self.near,
            true => &self.beside,
            false => self.beyond(),
        };
        Ok((client, realm))
    }
}

async fn ask(
    client: &Client,
    mut realm: Url,
    bearer: &Bearer,
    scope: &Scope,
    credential: Option<&Credential>,
) -> Result<Response, TokenError> {
    let scope = scope.for_token(bearer.scope.as_deref());
    let service = bearer.service.as_deref();
    let request = if let Some(Credential::IdentityToken(token)) = credential {
        let mut form = vec![
            ("grant_type", "refresh_token"),
            ("client_id", "bulla"),
            ("scope", &scope),
            ("refresh_token", token),
        ];
        form.extend(service.map(|service| ("service", service)));
        client.post(realm).form(&form)
    } else {
        let mut query = realm.query_pairs_mut();
        query.extend_pairs(service.map(|service| ("service", service)));
        query.extend_pairs(scope.split_whitespace().map(|scope| ("scope", scope)));
        drop(query);
        let request = client.get(realm).retry(net::Retry::NEVER);
        match credential.and_then(basic) {
            Some(header) => request.header(HeaderName::from_static("authorization"), &header),
            None => request,
        }
    };
    let request = request.redirects(Redirects::Never).max_body(MAX_TOKEN_ANSWER);
    request.send().await.map_err(TokenError::Request)
}

/// The answer of a token server.
#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<Zeroizing<String>>,
    access_token: Option<Zeroizing<String>>,
    expires_in: Option<u64>,
}

fn read(answer: &Response) -> Result<Token, TokenError> {
    if !answer.status.is_success() {
        let message = super::refusal::message(&answer.body);
        return Err(TokenError::Refused { status: answer.status.as_u16(), message });
    }
    let parsed: TokenAnswer =
        serde_json::from_slice(&answer.body).map_err(|_| TokenError::NoToken)?;
    let token = parsed.token.or(parsed.access_token).filter(|token| !token.is_empty());
    let token = token.ok_or(TokenError::NoToken)?;
    let lifetime = Duration::from_secs(parsed.expires_in.unwrap_or(DEFAULT_LIFETIME));
    let used = lifetime.saturating_sub(MARGIN).max(lifetime / 2).min(LONGEST_USE);
    let until = Instant::now() + used;
    Ok(Token { header: Zeroizing::new(format!("Bearer {}", token.as_str())), until })
}

/// A password as a header (RFC 7617).
fn basic(credential: &Credential) -> Option<Zeroizing<String>> {
    let Credential::Password { user, password } = credential else { return None };
    let pair = Zeroizing::new(format!("{user}:{}", password.as_str()));
    Some(Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes()))))
}

impl Scope {
    /// The scope to ask a token server for. What the registry names counts only if it is of a kind of its own, as some
    /// clouds have it: what will be done with which repository is known better here.
    fn for_token(&self, named: Option<&str>) -> String {
        if let Some(named) = named.filter(|named| !named.is_empty() && named.len() <= MAX_SCOPE)
            && !named.starts_with("repository:")
        {
            return named.to_owned();
        }
        let actions = match self.access {
            Access::Pull => "pull",
            Access::Push => "pull,push",
            Access::Delete => "pull,push,delete",
        };
        if self.repository.is_empty() {
            return String::new();
        }
        let own = format!("repository:{}:{actions}", self.repository);
        match &self.also {
            Some(also) => format!("{own} repository:{also}:pull"),
            None => own,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{OwnTls, Settings};

    #[test]
    fn a_token_server_sees_the_client_certificate_at_the_registrys_own_origin_only() {
        let registry = "registry.example:5000";
        let expected_name = Some("other.example".parse().unwrap());
        let own_tls = OwnTls { registry: registry.to_owned(), identity: None, expected_name };
        let settings = Settings { own_tls: Some(own_tls), ..Settings::default() };
        let host = Host::new(registry, Arc::new(settings));
        let sees = |realm: &str| std::ptr::eq(host.token_server(realm).unwrap().0, &host.near);
        assert!(sees("https://registry.example:5000/token"));
        for realm in [
            "https://registry.example:5001/token",
            "https://registry.example/token",
            "https://auth.registry.example:5000/token",
        ] {
            assert!(!sees(realm), "{realm}");
        }
    }

    #[test]
    fn the_scope_is_of_the_repository_that_is_used() {
        let scope = Scope { repository: "a/b".to_owned(), access: Access::Push, also: None };
        assert_eq!(scope.for_token(None), "repository:a/b:pull,push");
        assert_eq!(scope.for_token(Some("repository:victim:delete")), "repository:a/b:pull,push");
        assert_eq!(scope.for_token(Some("aws")), "aws");
        let mount = Scope { also: Some("c".to_owned()), ..scope };
        assert_eq!(mount.for_token(None), "repository:a/b:pull,push repository:c:pull");
    }

    #[test]
    fn who_only_signs_in_asks_for_no_repository() {
        let scope = Scope { repository: String::new(), access: Access::Pull, also: None };
        assert_eq!(scope.for_token(None), "");
        assert_eq!(scope.for_token(Some("repository:victim:delete")), "");
    }
}
