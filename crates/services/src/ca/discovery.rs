//! Issuers' keys over HTTPS (OpenID Connect Discovery 1.0 §4), and those of our own identity provider.

use std::sync::Arc;
use std::time::Duration;

use net::{
    AddressPolicy, Client, PlainHttp, Redirects, Retry, Settings, StatusCode, TlsTrust, Url,
};
use serde::Deserialize;

use super::jwk::MAX_KEY_SET;
use super::key_source::{FetchKeysError, FetchedKeys, IssuerAddress, KeySource, KnownBy};

/// The longest discovery document. Real ones have up to 10 KiB.
const MAX_DOCUMENT: usize = 256 * 1024;
/// How long each of the two requests may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Fetches keys from issuers. No redirects are followed, and where a request may go depends on
/// [how the issuer is known](KnownBy).
#[derive(Clone, Copy, Debug, Default)]
pub struct Discovery;

/// What is read of a discovery document.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
    #[serde(default)]
    id_token_signing_alg_values_supported: Vec<String>,
}

#[async_trait::async_trait]
impl KeySource for Discovery {
    async fn fetch(&self, issuer: &IssuerAddress) -> Result<FetchedKeys, FetchKeysError> {
        let client = client(issuer)?;
        let url = document_url(issuer)?;
        let body = get(&client, issuer, url, MAX_DOCUMENT).await?;
        let document: Document = serde_json::from_slice(&body)
            .map_err(|_| malformed(issuer, "it is not a discovery document"))?;
        if document.issuer != issuer.url {
            return Err(malformed(issuer, "it is another issuer's"));
        }
        let keys = key_set_url(issuer, &document.jwks_uri)?;
        let jwks = get(&client, issuer, keys, MAX_KEY_SET).await?;
        Ok(FetchedKeys { algorithms: document.id_token_signing_alg_values_supported, jwks })
    }
}

fn malformed(issuer: &IssuerAddress, reason: &'static str) -> FetchKeysError {
    FetchKeysError::Discovery { issuer: issuer.url.clone(), reason }
}

fn client(issuer: &IssuerAddress) -> Result<Client, FetchKeysError> {
    let further = match &issuer.ca_certificates {
        None => Vec::new(),
        Some(pem) => TlsTrust::roots_from_pem(pem.as_bytes())
            .map_err(|_| malformed(issuer, "its ca-cert is not a PEM certificate"))?,
    };
    Ok(Client::new(Settings {
        addresses: match issuer.known {
            KnownBy::ExactUrl => AddressPolicy::Any,
            KnownBy::Pattern => AddressPolicy::PublicOnly,
        },
        tls: TlsTrust::System { further },
        plain_http: PlainHttp::LoopbackOnly,
        redirects: Redirects::Never,
        connect_timeout: TIMEOUT,
        timeout: TIMEOUT,
        ..Settings::default()
    }))
}

/// Where the document is. An issuer's URL has neither user nor query nor fragment (§3); one that only
/// matches a pattern must be https as well.
fn document_url(issuer: &IssuerAddress) -> Result<Url, FetchKeysError> {
    let text = format!("{}/.well-known/openid-configuration", issuer.url.trim_end_matches('/'));
    let url = Url::parse(&text).map_err(|_| malformed(issuer, "its URL is not a URL"))?;
    let has_more = !url.username().is_empty() || url.password().is_some();
    if has_more || url.query().is_some() || url.fragment().is_some() {
        return Err(malformed(issuer, "its URL has a user, a query or a fragment"));
    }
    if issuer.known == KnownBy::Pattern && url.scheme() != "https" {
        return Err(malformed(issuer, "its URL is not https"));
    }
    Ok(url)
}

/// Where the keys are. GHSA-f5mr-q85p-6hh6: whoever chooses the issuer's URL must not choose the host of
/// the keys as well.
fn key_set_url(issuer: &IssuerAddress, jwks_uri: &str) -> Result<Url, FetchKeysError> {
    let forbidden = || FetchKeysError::ForbiddenAddress {
        issuer: issuer.url.clone(),
        jwks_uri: jwks_uri.to_owned(),
    };
    let url = Url::parse(jwks_uri).map_err(|_| forbidden())?;
    let own = Url::parse(&issuer.url).map_err(|_| forbidden())?;
    let has_user = !url.username().is_empty() || url.password().is_some();
    let is_same_origin = url.origin() == own.origin();
    let is_allowed = match issuer.known {
        KnownBy::ExactUrl => url.scheme() == "https" || is_same_origin,
        KnownBy::Pattern => is_same_origin,
    };
    if is_allowed && !has_user { Ok(url) } else { Err(forbidden()) }
}

async fn get(
    client: &Client,
    issuer: &IssuerAddress,
    url: Url,
    limit: usize,
) -> Result<Vec<u8>, FetchKeysError> {
    let unreachable = |source| FetchKeysError::Unreachable { issuer: issuer.url.clone(), source };
    // The budget of the cache says when to try again.
    let response = client
        .get(url)
        .max_body(limit)
        .retry(Retry::NEVER)
        .send()
        .await
        .map_err(|error| unreachable(error.into()))?;
    if response.status != StatusCode::OK {
        return Err(unreachable(format!("it answered with {}", response.status).into()));
    }
    Ok(response.body.to_vec())
}

/// The identity provider of this process, whose keys are at hand, before other issuers.
pub struct OwnIssuer {
    url: String,
    key_set: Box<dyn Fn() -> String + Send + Sync>,
    others: Arc<dyn KeySource>,
}

impl OwnIssuer {
    /// The issuer at `url`, which signs with RS256 and whose JWK set is `key_set`; `others` answers for all
    /// other issuers.
    pub fn new(
        url: &str,
        key_set: impl Fn() -> String + Send + Sync + 'static,
        others: Arc<dyn KeySource>,
    ) -> Self {
        Self { url: url.to_owned(), key_set: Box::new(key_set), others }
    }
}

#[async_trait::async_trait]
impl KeySource for OwnIssuer {
    async fn fetch(&self, issuer: &IssuerAddress) -> Result<FetchedKeys, FetchKeysError> {
        if issuer.url != self.url {
            return self.others.fetch(issuer).await;
        }
        let jwks = (self.key_set)().into_bytes();
        Ok(FetchedKeys { algorithms: vec!["RS256".to_owned()], jwks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str, known: KnownBy) -> IssuerAddress {
        IssuerAddress { url: url.to_owned(), known, ca_certificates: None }
    }

    fn is_allowed(known: KnownBy, jwks_uri: &str) -> bool {
        key_set_url(&address("https://id.example/a", known), jwks_uri).is_ok()
    }

    #[test]
    fn keys_of_an_issuer_that_is_listed_may_be_at_any_https_host() {
        for good in ["https://id.example/keys", "https://keys.example/", "https://10.0.0.1/keys"] {
            assert!(is_allowed(KnownBy::ExactUrl, good), "{good}");
        }
        for bad in
            ["http://id.example/keys", "https://u:p@keys.example/", "file:///etc/passwd", "x"]
        {
            assert!(!is_allowed(KnownBy::ExactUrl, bad), "{bad}");
        }
    }

    #[test]
    fn keys_of_an_issuer_that_matches_a_pattern_must_be_on_its_own_origin() {
        assert!(is_allowed(KnownBy::Pattern, "https://id.example/keys"));
        for bad in [
            "https://keys.example/",
            "https://id.example:8443/keys",
            "http://id.example/keys",
            "https://169.254.169.254/latest/meta-data",
            "https://id.example@evil.example/keys",
        ] {
            assert!(!is_allowed(KnownBy::Pattern, bad), "{bad}");
        }
    }

    #[test]
    fn an_issuer_that_is_no_plain_url_is_not_asked() {
        let ask = |url, known| document_url(&address(url, known));
        assert!(ask("https://id.example/a/", KnownBy::Pattern).is_ok());
        for url in
            ["https://u@id.example", "https://id.example?x", "https://id.example#x", "id.example"]
        {
            ask(url, KnownBy::ExactUrl).expect_err(url);
        }
        ask("http://id.example", KnownBy::Pattern).unwrap_err();
    }

    #[tokio::test]
    async fn an_issuer_of_a_pattern_at_a_private_address_is_not_reached() {
        for url in
            ["https://169.254.169.254", "https://10.0.0.1", "https://[::1]", "https://localhost"]
        {
            let error = Discovery.fetch(&address(url, KnownBy::Pattern)).await.unwrap_err();
            assert!(matches!(error, FetchKeysError::Unreachable { .. }), "{url}: {error}");
        }
    }
}
