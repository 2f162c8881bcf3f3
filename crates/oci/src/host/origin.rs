//! By which scheme, host and port a registry is reached.

use std::sync::{Mutex, PoisonError};

use net::{RequestError, StatusCode, Streamed, Url};

/// The name that stands for Docker Hub, and where its API is.
const DOCKER_HUB: (&str, &str) = ("index.docker.io", "registry-1.docker.io");

/// Scheme, host and port of a registry. The scheme may have to be found out: nothing says whether `localhost:5000` speaks
/// TLS.
pub(super) struct Origin(Mutex<State>);

struct State {
    url: Url,
    /// The origin that it may turn out to be instead.
    other: Option<Url>,
}

impl Origin {
    /// Where `registry` is. Registries on this machine are asked by plain HTTP first, because a server that speaks TLS
    /// says so at once, and one that does not may wait for the end of a line that never comes. Others are asked by TLS
    /// first, and only then, if it is allowed, without.
    pub(super) fn of(registry: &str, allow_http: bool) -> Self {
        let host = if registry == DOCKER_HUB.0 { DOCKER_HUB.1 } else { registry };
        let url = |scheme: &str| {
            Url::parse(&format!("{scheme}://{host}/"))
                .expect("a reference has a host that a URL can have")
        };
        let loopback = is_loopback(&url("http"));
        let state = match (loopback, allow_http) {
            (true, _) => State { url: url("http"), other: Some(url("https")) },
            (false, true) => State { url: url("https"), other: Some(url("http")) },
            (false, false) => State { url: url("https"), other: None },
        };
        Self(Mutex::new(state))
    }

    /// What is known now.
    pub(super) fn now(&self) -> Url {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).url.clone()
    }

    /// Learns from what a request to `asked` led to. Whether there is another origin to send it to.
    ///
    /// As long as nothing was answered, the two origins take turns: a connection that was cut proves nothing.
    pub(super) fn is_other(&self, asked: &Url, outcome: &Result<Streamed, RequestError>) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = is_other_scheme(asked, outcome);
        if state.url != *asked {
            // Another request found it out in the meantime.
            return failed;
        }
        if !failed {
            if outcome.is_ok() {
                state.other = None;
            }
            return false;
        }
        let Some(other) = state.other.take() else { return false };
        state.other = Some(std::mem::replace(&mut state.url, other));
        true
    }
}

/// Whether this is how a server answers that speaks the other scheme.
fn is_other_scheme(asked: &Url, outcome: &Result<Streamed, RequestError>) -> bool {
    let plain = asked.scheme() == "http";
    match outcome {
        // A registry that speaks plain HTTP says in JSON what is wrong with a request.
        Ok(answer) => {
            let kind = answer.headers.get("content-type").map_or(&[][..], |kind| kind.as_bytes());
            plain
                && answer.status == StatusCode::BAD_REQUEST
                && !kind.starts_with(b"application/json")
        }
        Err(RequestError::Connect { .. }) => !plain || asked.port().is_none(),
        Err(RequestError::Broken { .. }) => plain,
        Err(RequestError::Timeout { .. }) => !plain,
        Err(_) => false,
    }
}

/// Whether a URL leads to this machine, by its name or address.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(registry: &str, allow_http: bool) -> String {
        Origin::of(registry, allow_http).now().to_string()
    }

    #[test]
    fn tls_is_spoken_to_other_machines() {
        assert_eq!(now("ghcr.io", false), "https://ghcr.io/");
        assert_eq!(now("ghcr.io", true), "https://ghcr.io/");
        assert_eq!(now("10.0.0.1:5000", false), "https://10.0.0.1:5000/");
        assert_eq!(now("index.docker.io", false), "https://registry-1.docker.io/");
    }

    #[test]
    fn this_machine_is_asked_without_tls_first() {
        for registry in ["localhost:5000", "127.0.0.1:5000", "[::1]:5000", "a.localhost:5000"] {
            assert_eq!(now(registry, false), format!("http://{registry}/"));
        }
    }
}
