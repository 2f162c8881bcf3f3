//! One registry: how it is reached, and what is learned about it on the way.

mod authorization;
mod origin;
mod refusal;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use net::{
    AddressPolicy, Alias, Client, HeaderMap, HeaderName, Method, PlainHttp, RequestError,
    StatusCode, Streamed, Upload, Url,
};

use crate::{Access, AccessError, Digest, OwnTls, Settings};
use authorization::Authorizations;
use origin::Origin;

pub(crate) use refusal::place;

/// How long one request may take, but for the bytes of a blob.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);
/// How slow a registry may be while it sends or takes a blob, in bytes per second. Slower is as good as not at all.
pub(crate) const SLOWEST: u64 = 64 * 1024;
/// How many redirects are followed. Registries have one, to where their blobs are.
const MAX_REDIRECTS: u32 = 5;
/// How often a request is sent to another origin, where it is not known yet whether the registry speaks TLS.
const MAX_TURNS: u32 = 1;
/// How many challenges are answered for one request: one for no token, one for a token that has just run out.
const MAX_CHALLENGES: u32 = 2;

/// One registry.
pub(crate) struct Host {
    name: String,
    settings: Arc<Settings>,
    origin: Origin,
    /// For the registry itself.
    near: Client,
    /// For what a registry that is not on the public internet points to.
    beside: Client,
    /// For what the registry points to, if the registry is on the public internet.
    far: Client,
    /// Whether the registry was found at an address that is not of the public internet.
    private: AtomicBool,
    authorizations: Authorizations,
    /// What the registry was found to do.
    pub(crate) habits: Habits,
}

/// What a registry was found to do, so that it need not be found out again.
#[derive(Default)]
pub(crate) struct Habits {
    /// Whether it keeps lists of referrers (OCI Distribution Specification 1.1).
    pub(crate) lists_referrers: OnceLock<bool>,
    /// Whether it lists a referrer without saying so when the referrer is pushed, for each repository.
    lists_silently: Mutex<HashMap<String, Arc<tokio::sync::OnceCell<bool>>>>,
    /// Whether it takes a blob in one request.
    pub(crate) takes_whole_blobs: OnceLock<bool>,
    /// Blobs that are known to be in a repository.
    there: Mutex<HashSet<(String, Digest)>>,
    /// Held while a blob that many documents have is stored: some registries lose sight of it for a moment when it is
    /// stored twice at the same time.
    pub(crate) storing_shared: tokio::sync::Mutex<()>,
}

impl Habits {
    /// Whether it lists silently in `repository`: looked up by one, while others who want to know wait.
    pub(crate) fn lists_silently(&self, repository: &str) -> Arc<tokio::sync::OnceCell<bool>> {
        let mut known = self.lists_silently.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(repository.to_owned()).or_default())
    }

    pub(crate) fn is_there(&self, repository: &str, digest: Digest) -> bool {
        let there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
        there.contains(&(repository.to_owned(), digest))
    }

    pub(crate) fn note(&self, repository: &str, digest: Digest) {
        let mut there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
        there.insert((repository.to_owned(), digest));
    }
}

/// What a token is for.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Scope {
    pub(crate) repository: String,
    pub(crate) access: Access,
    /// Another repository that is read from at the same time.
    pub(crate) also: Option<String>,
}

/// Something to be asked of a registry.
pub(crate) struct Ask {
    method: Method,
    place: Place,
    headers: Vec<(HeaderName, String)>,
    body: Body,
    timeout: Duration,
}

/// Where to ask.
pub(crate) enum Place {
    /// Path and query, on the registry.
    Path(String),
    /// Where the registry said. It gets credentials only if it is the registry.
    Given(Url),
}

enum Body {
    None,
    Whole(String, Bytes),
    Pieces(Option<Upload>),
}

impl Ask {
    pub(crate) fn new(method: Method, place: Place) -> Self {
        Self { method, place, headers: Vec::new(), body: Body::None, timeout: TIMEOUT }
    }

    pub(crate) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn body(self, media_type: &str, body: Bytes) -> Self {
        let size = body.len() as u64;
        Self { body: Body::Whole(media_type.to_owned(), body), ..self }.size(size)
    }

    pub(crate) fn pieces(self, upload: Upload, size: u64) -> Self {
        Self { body: Body::Pieces(Some(upload)), ..self }.size(size)
    }

    /// How many bytes will be sent or taken, which takes its time.
    pub(crate) fn size(self, bytes: u64) -> Self {
        Self { timeout: TIMEOUT + Duration::from_secs(bytes / SLOWEST), ..self }
    }
}

impl Host {
    pub(crate) fn new(name: &str, settings: Arc<Settings>) -> Self {
        let allowed = |addresses, plain_http| net::Settings {
            addresses,
            plain_http,
            tls: settings.tls.clone(),
            redirects: net::Redirects::Shown,
            timeout: TIMEOUT,
            ..net::Settings::default()
        };
        let plain = if settings.allow_http { PlainHttp::Anywhere } else { PlainHttp::LoopbackOnly };
        let beside = Client::new(allowed(AddressPolicy::Any, plain));
        let origin = Origin::of(name, settings.allow_http);
        let near = match settings.own_tls.clone().filter(|own| own.registry == name) {
            None => beside.clone(),
            Some(OwnTls { identity, expected_name, .. }) => {
                let host = origin.now().host_str().unwrap_or_default().to_owned();
                let alias = expected_name.map(|name| Alias { host, name });
                let allowed = allowed(AddressPolicy::Any, plain);
                Client::new(net::Settings { identity, alias, ..allowed })
            }
        };
        let far = Client::new(allowed(AddressPolicy::PublicOrProxied, PlainHttp::LoopbackOnly));
        Self {
            name: name.to_owned(),
            origin,
            near,
            beside,
            far,
            private: AtomicBool::new(false),
            authorizations: Authorizations::default(),
            habits: Habits::default(),
            settings,
        }
    }

    /// How the registry is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Asks, with the credentials that the registry wants, and follows redirects of reads. The answer may have any status
    /// but 401.
    pub(crate) async fn send(&self, mut ask: Ask, scope: &Scope) -> Result<Streamed, AccessError> {
        let (mut redirected, mut redirects, mut challenges, mut turns) = (None, 0, 0, 0);
        loop {
            let origin = self.origin.now();
            let url = match (&redirected, &ask.place) {
                (Some(url), _) | (None, Place::Given(url)) => url.clone(),
                (None, Place::Path(path)) => self.url(&origin, path)?,
            };
            let home = url.origin() == origin.origin();
            let authorization = if home { self.authorization(scope).await? } else { None };
            let outcome = self
                .open(&mut ask, &url, home, authorization.as_ref().map(|header| header.as_str()))
                .await;
            if home && self.origin.is_other(&origin, &outcome) && turns < MAX_TURNS {
                turns += 1;
                continue;
            }
            let answer = outcome.map_err(|source| self.unanswered(source))?;
            if home {
                self.note_peer(answer.peer);
            }
            if answer.status == StatusCode::UNAUTHORIZED && home {
                challenges += 1;
                if challenges <= MAX_CHALLENGES
                    && self.meet(&answer.headers, scope, authorization).await?
                {
                    continue;
                }
                let offered = self.has_credential(scope).await;
                return Err(self.unauthorized(answer, offered).await);
            }
            let Some(target) = self.redirect(&ask, &answer)? else { return Ok(answer) };
            redirects += 1;
            if redirects > MAX_REDIRECTS {
                return Err(nonsense(&url, "it redirects again and again"));
            }
            redirected = Some(target);
        }
    }

    /// Asks whether the registry takes the credentials for it. Whether it wanted any.
    pub(crate) async fn sign_in(&self) -> Result<bool, AccessError> {
        // No repository: the token that is asked for allows nothing.
        let scope = Scope { repository: String::new(), access: Access::Pull, also: None };
        let ask = Ask::new(Method::GET, Place::Path("/v2/".to_owned()));
        let answer = self.send(ask, &scope).await?;
        match answer.status {
            StatusCode::OK => Ok(self.has_credential(&scope).await),
            _ => Err(self.refused(answer).await),
        }
    }

    fn url(&self, origin: &Url, path: &str) -> Result<Url, AccessError> {
        origin.join(path).map_err(|_| nonsense(origin, "no URL can be made for it"))
    }

    /// One request.
    async fn open(
        &self,
        ask: &mut Ask,
        url: &Url,
        home: bool,
        authorization: Option<&str>,
    ) -> Result<Streamed, RequestError> {
        let client = if home { &self.near } else { self.beyond() };
        let mut request = client
            .request(ask.method.clone(), url.clone())
            .timeout(ask.timeout)
            // A digest is of the bytes as they are stored.
            .header(HeaderName::from_static("accept-encoding"), "identity");
        for (name, value) in &ask.headers {
            request = request.header(name.clone(), value);
        }
        if let Some(authorization) = authorization {
            request = request.header(HeaderName::from_static("authorization"), authorization);
        }
        request = match &mut ask.body {
            Body::None => request,
            Body::Whole(media_type, bytes) => request.body(media_type, bytes.clone()),
            Body::Pieces(upload) => match upload.take() {
                Some(upload) => request.upload("application/octet-stream", upload),
                None => return Err(RequestError::Spent { place: place(url) }),
            },
        };
        request.open().await
    }

    /// The client for other hosts that the registry points to: it may point to a private address only if it is private
    /// itself.
    fn beyond(&self) -> &Client {
        if self.private.load(Ordering::Relaxed) { &self.beside } else { &self.far }
    }

    fn note_peer(&self, peer: Option<IpAddr>) {
        if let Some(peer) = peer {
            self.private.store(!net::is_public_address(peer), Ordering::Relaxed);
        }
    }

    /// Where a read is redirected to, if it is.
    fn redirect(&self, ask: &Ask, answer: &Streamed) -> Result<Option<Url>, AccessError> {
        if !answer.status.is_redirection() {
            return Ok(None);
        }
        if ask.method != Method::GET && ask.method != Method::HEAD {
            return Err(nonsense(&answer.url, "it redirects what is to be written"));
        }
        self.given(answer, "location").map(Some)
    }

    /// The URL in a header of an answer.
    pub(crate) fn given(&self, answer: &Streamed, header: &str) -> Result<Url, AccessError> {
        let target = text(&answer.headers, header).and_then(|target| answer.url.join(target).ok());
        let target =
            target.ok_or_else(|| nonsense(&answer.url, "it does not say where to go on"))?;
        // A registry that is reached by TLS does not get what it takes from there without TLS.
        if target.scheme() == "http" && answer.url.scheme() == "https" && !self.settings.allow_http
        {
            return Err(nonsense(&answer.url, "it leads from TLS to plain HTTP"));
        }
        Ok(target)
    }

    /// Whether a URL is one of the registry itself.
    pub(crate) fn is_home(&self, url: &Url) -> bool {
        url.origin() == self.origin.now().origin()
    }

    fn unanswered(&self, source: RequestError) -> AccessError {
        AccessError::Request { registry: self.name.clone(), source }
    }
}

/// An answer that is none.
pub(crate) fn nonsense(url: &Url, reason: &'static str) -> AccessError {
    AccessError::Nonsense { place: place(url), reason }
}

/// A header that is text.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a redirect to `target` by a registry that was reached at `peer`.
    async fn redirected(peer: &str, target: &str) -> Result<Streamed, RequestError> {
        let host = Host::new("registry.example", Arc::default());
        host.note_peer(Some(peer.parse().unwrap()));
        let url = Url::parse(target).unwrap();
        host.open(&mut Ask::new(Method::GET, Place::Given(url.clone())), &url, false, None).await
    }

    #[tokio::test]
    async fn a_registry_on_the_internet_leads_to_no_private_address() {
        for target in [
            "https://10.0.0.1/blob",
            "https://169.254.169.254/latest/meta-data/",
            "http://169.254.169.254/latest/meta-data/",
            "https://127.0.0.1:6443/api",
            "http://localhost:2375/containers",
            "https://[::1]/",
            "https://[fd00:ec2::254]/",
            "file:///etc/passwd",
        ] {
            let error = redirected("1.1.1.1", target).await.unwrap_err();
            let refused =
                matches!(error, RequestError::Address { .. } | RequestError::Refused { .. });
            assert!(refused, "{target}: {error}");
        }
    }

    #[tokio::test]
    async fn a_private_registry_may_lead_to_its_private_store() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = format!("http://{}/blob", listener.local_addr().unwrap());
        drop(listener);
        // Nobody is there any more; what matters is that it was tried.
        let error = redirected("10.0.0.1", &target).await.unwrap_err();
        assert!(matches!(error, RequestError::Connect { .. }), "{error}");
    }
}
