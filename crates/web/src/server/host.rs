//! The name under which a request reaches us.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::header;

use super::gate::misdirected;

/// Lets through to `router` only what is asked of `localhost`, of an IP address or of one of `hosts` (without port, in
/// lower case): for a port that has no [`Gate`](super::Gate), such as that of the metrics.
///
/// DNS rebinding needs a name that a stranger's page shares with us. An address is no such name, so that a scraper
/// needs no configuration to use one.
pub fn expected_hosts_only(router: Router, hosts: Vec<String>) -> Router {
    router.layer(middleware::from_fn_with_state(Arc::new(hosts), pass))
}

async fn pass(State(hosts): State<Arc<Vec<String>>>, request: Request, next: Next) -> Response {
    let expected = host(&request)
        .is_some_and(|host| host == "localhost" || is_address(&host) || hosts.contains(&host));
    if expected { next.run(request).await } else { misdirected().into_response() }
}

/// Whether `host` is an IPv4 address, or an IPv6 address in brackets (RFC 3986, section 3.2.2).
fn is_address(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.parse::<IpAddr>().is_ok_and(|address| address.is_ipv4()),
    }
}

/// The host name of a request, without port, in lower case.
pub(super) fn host(request: &Request) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::get;
    use http::StatusCode;
    use tower::ServiceExt;

    #[tokio::test]
    async fn a_port_without_a_gate_is_not_answered_under_a_strangers_name() {
        let router = Router::new().route("/metrics", get(|| async { "figures" }));
        let router = expected_hosts_only(router, vec!["log.example".to_owned()]);
        let status = async |host: &str| {
            let request =
                Request::get("/metrics").header("host", host).body(Body::empty()).unwrap();
            router.clone().oneshot(request).await.unwrap().status()
        };
        for host in ["localhost", "LOCALHOST:9100", "127.0.0.1:9100", "10.1.2.3", "[::1]:9100"] {
            assert_eq!(status(host).await, StatusCode::OK, "{host}");
        }
        assert_eq!(status("log.example:9100").await, StatusCode::OK);
        for host in ["rebound.example", "127.0.0.1.rebound.example", "[::1", "", "localhost."] {
            assert_eq!(status(host).await, StatusCode::MISDIRECTED_REQUEST, "{host}");
        }
    }
}
