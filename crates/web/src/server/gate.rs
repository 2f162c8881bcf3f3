//! What every request passes on its way in and out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use http::{HeaderValue, Method, StatusCode, header};

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
    /// Proxies that are believed about the client's address.
    pub proxies: Vec<Network>,
    /// How much one client may write.
    pub writes: Option<Rate>,
    /// Where requests are counted.
    pub metrics: Metrics,
}

/// The id of a request: in its answer's `X-Request-ID`, and in every line that is logged for it.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Puts `router` behind `gate`.
pub fn guard(router: Router, gate: Arc<Gate>) -> Router {
    router.layer(middleware::from_fn_with_state(gate, pass))
}

async fn pass(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let peer = request.extensions().get::<super::listen::Peer>().map(|peer| peer.0);
    let client = peer.map(|peer| client_address::client(peer, request.headers(), &gate.proxies));
    let id = request_id(&request);
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unknown".to_owned(), |path| path.as_str().to_owned());

    let refusal = refuse(&gate, &request, client, started);
    let mut response = if let Some(refusal) = refusal {
        refusal
    } else {
        request.extensions_mut().insert(id.clone());
        if let Some(client) = client {
            request.extensions_mut().insert(client);
        }
        match tokio::time::timeout(DEADLINE, next.run(request)).await {
            Ok(response) => response,
            Err(_) => problem(StatusCode::REQUEST_TIMEOUT, "the request took too long"),
        }
    };

    let (status, took) = (response.status().as_u16(), started.elapsed());
    gate.metrics.count(&method, &route, status, took);
    let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    tracing::info!(id = %id.0, %method, route, status, took_us, "request");
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
        .headers_mut()
        .insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// What is wrong with a request before anyone looks at it.
fn refuse(
    gate: &Gate,
    request: &Request,
    client: Option<ClientAddress>,
    now: Instant,
) -> Option<Response> {
    let host = host(request).unwrap_or_default();
    if !gate.hosts.contains(&host) {
        return Some(problem(
            StatusCode::MISDIRECTED_REQUEST,
            "this server does not answer under this host name; the operator can add it to `hosts`",
        ));
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

/// The host name of a request, without port, in lower case.
fn host(request: &Request) -> Option<String> {
    let authority = match request.uri().authority() {
        Some(authority) => authority.as_str(),
        None => request.headers().get(header::HOST)?.to_str().ok()?,
    };
    let without_port = match authority.rsplit_once(':') {
        // A colon inside the brackets of an IPv6 address does not begin a port.
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    Some(without_port.to_ascii_lowercase())
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
        let peer = super::super::listen::Peer("127.0.0.1".parse().unwrap());
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
