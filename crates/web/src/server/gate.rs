//! What every request passes on its way in and out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::HttpBody;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use http::{HeaderValue, Method, StatusCode, header};
use tracing::Instrument;

use super::bodies::{Bodies, Held, TooMany};
use super::host::host;
use super::listen::Peer;
use super::{ClientAddress, Network, Rate, client_address};
use crate::operations::Metrics;

/// The longest that any request may take. Sequencing under load takes a second at most; what is slower than
/// this is a client that sends its body by the byte.
const DEADLINE: Duration = Duration::from_secs(30);
/// The longest request id that is taken over from a client.
const MAX_REQUEST_ID: usize = 64;

/// The rules at the gate of the public port.
pub struct Gate {
    /// The host names under which requests are taken, without port, in lower case. Refusing all others also
    /// stops DNS rebinding: a page that makes a browser reach us under a name of its own gets nothing.
    pub hosts: Vec<String>,
    /// Proxies that are believed about the client's address. Where there are any, they are the only ones that may
    /// speak plain HTTP from another machine: what goes past them goes unencrypted past everybody.
    pub proxies: Vec<Network>,
    /// How much one client may write.
    pub writes: Option<Rate>,
    /// Where requests are counted.
    pub metrics: Metrics,
}

/// The id of a request: in its answer's `X-Request-ID`, and in the span of every line that is logged while it is
/// answered. Work that requests share, such as sequencing, is logged under none.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Puts `router` behind `gate`.
pub fn guard(router: Router, gate: Arc<Gate>) -> Router {
    router.layer(middleware::from_fn_with_state((gate, Bodies::default()), pass))
}

async fn pass(
    State((gate, bodies)): State<(Arc<Gate>, Bodies)>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = request_id(&request);
    request.extensions_mut().insert(id.clone());
    // Of the highest level, so that no filter that lets a line through takes its id away.
    let span = tracing::error_span!("request", id = %id.0);
    let mut response = answer(&gate, &bodies, request, next).instrument(span).await;
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
        .headers_mut()
        .insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Refuses the request or passes it on; either way it is logged and counted.
async fn answer(gate: &Gate, bodies: &Bodies, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let peer = request.extensions().get::<Peer>().copied();
    let client =
        peer.map(|peer| client_address::client(peer.address, request.headers(), &gate.proxies));
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unknown".to_owned(), |path| path.as_str().to_owned());

    let response = if let Some(refusal) = refuse(gate, &request, peer, client, started) {
        refusal
    } else {
        if let Some(client) = client {
            request.extensions_mut().insert(client);
        }
        match hold_body(bodies, &request, client) {
            Err(TooMany) => too_many_bodies(),
            Ok(_held) => match tokio::time::timeout(DEADLINE, next.run(request)).await {
                Ok(response) => response,
                Err(_) => problem(StatusCode::REQUEST_TIMEOUT, "the request took too long"),
            },
        }
    };

    let (status, took) = (response.status().as_u16(), started.elapsed());
    gate.metrics.count(&method, &route, status, took);
    let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    tracing::info!(%method, route, status, took_us, "answered");
    response
}

/// What is wrong with a request before anyone looks at it.
fn refuse(
    gate: &Gate,
    request: &Request,
    peer: Option<Peer>,
    client: Option<ClientAddress>,
    now: Instant,
) -> Option<Response> {
    if peer.is_some_and(|peer| goes_past_proxies(peer, &gate.proxies)) {
        return Some(problem(
            StatusCode::FORBIDDEN,
            "plain HTTP is answered only through the proxies of this server; use its public URL",
        ));
    }
    if !host(request).is_some_and(|host| gate.hosts.contains(&host)) {
        return Some(misdirected());
    }
    let writes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let (Some(rate), Some(client), true) = (&gate.writes, client, writes) else { return None };
    let wait = rate.take(client.0, now).err()?;
    let mut response =
        problem(StatusCode::TOO_MANY_REQUESTS, "too many requests from this address");
    let seconds = HeaderValue::from(wait.as_secs() + 1);
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    Some(response)
}

/// Counts the body of the request, if it is long, for as long as what is returned lives.
fn hold_body(
    bodies: &Bodies,
    request: &Request,
    client: Option<ClientAddress>,
) -> Result<Option<Held>, TooMany> {
    client.map_or(Ok(None), |client| bodies.take(client.0, request.body().size_hint().upper()))
}

fn too_many_bodies() -> Response {
    let message = "too many long requests are under way";
    let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, message);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// Whether an unencrypted connection comes from another machine that is not one of the proxies.
fn goes_past_proxies(peer: Peer, proxies: &[Network]) -> bool {
    let local = peer.address.to_canonical().is_loopback();
    let declared = client_address::any_contains(proxies, peer.address);
    !peer.encrypted && !proxies.is_empty() && !local && !declared
}

/// The client's own request id if it is short and plain, else a new one.
fn request_id(request: &Request) -> RequestId {
    let sent = request.headers().get("x-request-id").and_then(|value| value.to_str().ok());
    let plain = |text: &&str| {
        !text.is_empty()
            && text.len() <= MAX_REQUEST_ID
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    match sent.filter(plain) {
        Some(id) => RequestId(id.to_owned()),
        None => RequestId(hex::encode(crypto::random_array::<8>())),
    }
}

/// The refusal of a request that names somebody else (RFC 9110, section 15.5.20).
pub(super) fn misdirected() -> Response {
    problem(
        StatusCode::MISDIRECTED_REQUEST,
        "this server does not answer under this host name; the operator can add it to `hosts`",
    )
}

/// A refusal that is no protocol's own.
fn problem(status: StatusCode, message: &str) -> Response {
    let body = serde_json::json!({ "code": status.as_u16(), "message": message });
    (status, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::{get, post};
    use tower::ServiceExt;

    async fn check(host: &str, method: &str) -> StatusCode {
        let gate = Gate {
            hosts: vec!["localhost".into(), "[::1]".into()],
            proxies: Vec::new(),
            writes: Some(Rate::new(1)),
            metrics: Metrics::default(),
        };
        let router = Router::new()
            .route("/", get(|| async { "read" }))
            .route("/", post(|| async { "written" }));
        let mut request = Request::builder()
            .method(method)
            .uri("/")
            .header("host", host)
            .body(Body::empty())
            .unwrap();
        let peer = Peer { address: "127.0.0.1".parse().unwrap(), encrypted: false };
        request.extensions_mut().insert(peer);
        guard(router, Arc::new(gate)).oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn only_known_hosts_are_answered() {
        assert_eq!(check("localhost", "GET").await, StatusCode::OK);
        assert_eq!(check("LOCALHOST:8700", "GET").await, StatusCode::OK);
        assert_eq!(check("[::1]:8700", "GET").await, StatusCode::OK);
        assert_eq!(check("evil.example", "GET").await, StatusCode::MISDIRECTED_REQUEST);
        assert_eq!(check("localhost.evil.example", "POST").await, StatusCode::MISDIRECTED_REQUEST);
    }

    #[test]
    fn plain_http_from_another_machine_comes_through_declared_proxies() {
        let past = |address: &str, encrypted, proxies: &[&str]| {
            let proxies: Vec<Network> = proxies.iter().map(|text| text.parse().unwrap()).collect();
            goes_past_proxies(Peer { address: address.parse().unwrap(), encrypted }, &proxies)
        };
        let proxies = ["10.0.0.0/8"];
        assert!(past("192.0.2.1", false, &proxies));
        assert!(past("::ffff:192.0.2.1", false, &proxies));
        assert!(!past("192.0.2.1", true, &proxies));
        assert!(!past("10.1.2.3", false, &proxies));
        assert!(!past("::ffff:10.1.2.3", false, &proxies));
        assert!(!past("127.0.0.1", false, &proxies));
        assert!(!past("::1", false, &proxies));
        assert!(!past("192.0.2.1", false, &[]));
    }

    #[tokio::test]
    async fn who_goes_past_the_proxies_is_forbidden() {
        let gate = Gate {
            hosts: vec!["localhost".into()],
            proxies: vec!["10.0.0.0/8".parse().unwrap()],
            writes: None,
            metrics: Metrics::default(),
        };
        let router = guard(Router::new().route("/", get(|| async { "read" })), Arc::new(gate));
        let mut request =
            Request::get("/").header("host", "localhost").body(Body::empty()).unwrap();
        let peer = Peer { address: "192.0.2.1".parse().unwrap(), encrypted: false };
        request.extensions_mut().insert(peer);
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert!(response.headers().contains_key("x-request-id"));
    }

    #[tokio::test]
    async fn a_long_body_waits_while_its_client_has_too_many_and_a_short_one_does_not() {
        let gate = Gate {
            hosts: vec!["localhost".into()],
            proxies: Vec::new(),
            writes: None,
            metrics: Metrics::default(),
        };
        // What is asked for is never answered.
        let never = || async { std::future::pending::<()>().await };
        let routes = Router::new().route("/wait", post(never)).route("/", post(|| async {}));
        let router = guard(routes, Arc::new(gate));
        let ask = |path: &str, length: usize| {
            let body = Body::from(vec![0; length]);
            let mut request = Request::post(path).header("host", "localhost").body(body).unwrap();
            let peer = Peer { address: "192.0.2.1".parse().unwrap(), encrypted: true };
            request.extensions_mut().insert(peer);
            router.clone().oneshot(request)
        };
        let long = 8 << 20;
        assert_eq!(ask("/", long).await.unwrap().status(), StatusCode::OK);
        let waiting: Vec<_> = (0..16).map(|_| tokio::spawn(ask("/wait", long))).collect();
        tokio::task::yield_now().await;
        let refused = ask("/", long).await.unwrap();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(refused.headers().contains_key("retry-after"));
        assert_eq!(ask("/", 1000).await.unwrap().status(), StatusCode::OK);
        waiting.iter().for_each(tokio::task::JoinHandle::abort);
        for task in waiting {
            task.await.unwrap_err();
        }
        assert_eq!(ask("/", long).await.unwrap().status(), StatusCode::OK);
    }

    #[test]
    fn a_request_id_is_taken_over_only_if_it_is_plain() {
        let id = |sent: &str| {
            request_id(
                &Request::builder().header("x-request-id", sent).body(Body::empty()).unwrap(),
            )
            .0
        };
        assert_eq!(id("build-7.a_b"), "build-7.a_b");
        assert_ne!(id("a b"), "a b");
        assert_eq!(id(&"a".repeat(65)).len(), 16);
    }
}
