//! The one-shot listener to which a browser returns at the end of a sign-in (RFC 8252 §7.3).

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use subtle::ConstantTimeEq as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use url::Url;

/// How often to look for a port that is free on both protocols.
const ATTEMPTS: u32 = 16;

/// Connections at a time. A browser needs two or three: one to speak, one in store, one for an icon.
const MAX_CONNECTIONS: usize = 16;

/// How long a connection may take to send its request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A listener on a random port of `127.0.0.1` and `[::1]`.
///
/// Both, because `localhost` may be either for the browser, and another program could listen on the one that
/// is left free.
pub struct Loopback {
    listeners: Vec<TcpListener>,
    port: u16,
    path: String,
}

/// What the browser brought back.
pub struct Callback {
    /// The authorization code. It is a secret until it is redeemed.
    pub code: String,
    /// The issuer that says it sent the browser (RFC 9207), to be compared if it is there.
    pub issuer: Option<String>,
}

/// Why the browser brought no code.
#[derive(Debug, thiserror::Error)]
pub enum LoopbackError {
    /// No port could be opened.
    #[error("no port of this machine can be opened for the browser to return to")]
    Bind(#[source] io::Error),
    /// The identity provider says no.
    #[error("the identity provider refused: {error}")]
    Refused {
        /// Its code (RFC 6749 §4.1.2.1).
        error: String,
        /// Its explanation.
        description: Option<String>,
    },
    /// Nobody came.
    #[error("the browser did not return within {} s", .after.as_secs())]
    Timeout {
        /// How long was waited.
        after: Duration,
    },
}

impl Loopback {
    /// Opens a port. `path` is where the browser will return to, such as `/auth/callback`.
    ///
    /// # Errors
    ///
    /// [`LoopbackError::Bind`].
    pub async fn bind(path: &str) -> Result<Self, LoopbackError> {
        let (listeners, port) = listen().await.map_err(LoopbackError::Bind)?;
        Ok(Self { listeners, port, path: path.to_owned() })
    }

    /// The redirect URI to ask for: `http://localhost:PORT/PATH`.
    #[must_use]
    pub fn redirect_uri(&self) -> String {
        format!("http://localhost:{}{}", self.port, self.path)
    }

    /// Waits for the browser. A request to another path, or without the right `state`, is refused and
    /// changes nothing; the first that has it ends the wait, and the port is closed.
    ///
    /// # Errors
    ///
    /// [`LoopbackError::Refused`], [`LoopbackError::Timeout`].
    pub async fn receive(self, state: &str, timeout: Duration) -> Result<Callback, LoopbackError> {
        let expected = Arc::new(Expected {
            hosts: ["localhost", "127.0.0.1", "[::1]"].map(|host| format!("{host}:{}", self.port)),
            path: self.path,
            state: state.to_owned(),
        });
        // One place, never emptied before the listeners are closed: a second hit finds it full.
        let (sender, mut receiver) = mpsc::channel(1);
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut tasks = JoinSet::new();
        for listener in self.listeners {
            tasks.spawn(accept(listener, expected.clone(), places.clone(), sender.clone()));
        }
        let callback = tokio::time::timeout(timeout, receiver.recv()).await;
        tasks.abort_all();
        match callback {
            Ok(Some(callback)) => callback,
            Ok(None) | Err(_) => Err(LoopbackError::Timeout { after: timeout }),
        }
    }
}

/// Opens one port on both protocols, or on the one that this machine has.
async fn listen() -> io::Result<(Vec<TcpListener>, u16)> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for _ in 0..ATTEMPTS {
        let Ok(first) = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await else {
            let only = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await?;
            let port = only.local_addr()?.port();
            return Ok((vec![only], port));
        };
        let port = first.local_addr()?.port();
        match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
            Ok(second) => return Ok((vec![first, second], port)),
            // Somebody else has it there; take another.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
            // This machine speaks no IPv6.
            Err(_) => return Ok((vec![first], port)),
        }
    }
    Err(last)
}

type Sender = mpsc::Sender<Result<Callback, LoopbackError>>;

async fn accept(
    listener: TcpListener,
    expected: Arc<Expected>,
    places: Arc<Semaphore>,
    sender: Sender,
) {
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, for instance: it passes, and must not be waited for in a hot loop.
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (expected, sender) = (expected.clone(), sender.clone());
        // Not joined to the listener: the last page must still reach the browser when the wait is over.
        tokio::spawn(async move {
            converse(stream, &expected, &sender).await;
            drop(place);
        });
    }
}

/// Serves one connection: one request, one answer.
async fn converse(stream: TcpStream, expected: &Expected, sender: &Sender) {
    let answer = service_fn(|request: hyper::Request<Incoming>| {
        let page = match expected.judge(&request) {
            Some(outcome) => deliver(outcome, sender),
            None => Page::STRANGER,
        };
        std::future::ready(Ok::<_, std::convert::Infallible>(page.render()))
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), answer);
    // A browser that goes away has what it wanted.
    let _ = connection.await;
}

fn deliver(outcome: Result<Callback, LoopbackError>, sender: &Sender) -> Page {
    let page = if outcome.is_ok() { Page::DONE } else { Page::REFUSED };
    match sender.try_send(outcome) {
        Ok(()) => page,
        Err(_) => Page::STRANGER,
    }
}

/// What the browser must bring.
struct Expected {
    hosts: [String; 3],
    path: String,
    state: String,
}

impl Expected {
    /// What the request says about the sign-in; `None` if it has nothing to do with it.
    ///
    /// Any page in the browser can send a request here. It cannot know `state`, and it cannot choose `Host`.
    fn judge(&self, request: &hyper::Request<Incoming>) -> Option<Result<Callback, LoopbackError>> {
        let host = request.headers().get(header::HOST)?.to_str().ok()?;
        let ours = self.hosts.iter().any(|ours| ours == host);
        if !ours || request.method() != Method::GET || request.uri().path() != self.path {
            return None;
        }
        let url = format!("http://localhost{}", request.uri().path_and_query()?);
        self.read(&Url::parse(&url).ok()?)
    }

    fn read(&self, url: &Url) -> Option<Result<Callback, LoopbackError>> {
        let parameter = |name: &str| {
            let mut found = url.query_pairs().filter(|(key, _)| key == name);
            let first = found.next().map(|(_, value)| value.into_owned());
            // RFC 6749 §3.1: a parameter must not be there twice.
            if found.next().is_some() { None } else { first }
        };
        let state = parameter("state")?;
        if !bool::from(state.as_bytes().ct_eq(self.state.as_bytes())) {
            return None;
        }
        if let Some(error) = parameter("error") {
            let description = parameter("error_description");
            return Some(Err(LoopbackError::Refused { error, description }));
        }
        Some(Ok(Callback { code: parameter("code")?, issuer: parameter("iss") }))
    }
}

/// What the browser shows at the end.
#[derive(Clone, Copy)]
struct Page {
    status: StatusCode,
    title: &'static str,
    text: &'static str,
}

impl Page {
    const DONE: Self = Self {
        status: StatusCode::OK,
        title: "You are signed in",
        text: "You can close this window and go back to the program.",
    };
    const REFUSED: Self = Self {
        status: StatusCode::OK,
        title: "You are not signed in",
        text: "The program will tell you why. You can close this window.",
    };
    const STRANGER: Self = Self {
        status: StatusCode::BAD_REQUEST,
        title: "Nothing happened",
        text: "This address does not belong to a sign-in that is under way.",
    };

    fn render(self) -> hyper::Response<Full<Bytes>> {
        let Self { title, text, .. } = self;
        let html = format!(
            "<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>\
             <meta name=viewport content=\"width=device-width\"><h1>{title}</h1><p>{text}</p></html>\n"
        );
        let mut response = hyper::Response::new(Full::from(html));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
            (header::CACHE_CONTROL, "no-store"),
            // The address of this page has the code in it.
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
