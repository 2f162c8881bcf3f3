//! Connections: accepting them, ending TLS, and closing them gracefully.
//!
//! A client that is slow costs a place and nothing else, and each kind of slowness has its bound: a handshake or
//! headers [`PATIENCE`], a body the deadline of its request, a connection without requests its idle time, and one that
//! does not read its answers its idle time, or at most its age, and [`LAST_ANSWERS`].

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::Service;

use super::life::Requests;
use super::share::{Share, Shares};
use super::{Network, TlsConfig};

/// How many connections may be open. Each costs some tens of kilobytes; the rest waits in the kernel.
const MAX_CONNECTIONS: usize = 8192;
/// How long a client may take over its TLS handshake or the headers of a request.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long requests under way may take to end when the server stops.
const FAREWELL: Duration = Duration::from_secs(10);
/// How long a client may take to read what it has asked for on a connection that is to end: an answer of
/// 16 MiB at a little more than 2 Mbit/s.
const LAST_ANSWERS: Duration = Duration::from_secs(60);
/// How many requests one HTTP/2 connection may have open.
const MAX_STREAMS: u32 = 256;
/// The longest list of headers, in bytes: an ID token in `Authorization` may have 16 KiB.
const MAX_HEADERS: u32 = 64 * 1024;

/// The other end of the connection. Every request carries one as an extension.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// Whether it speaks TLS to us.
    pub encrypted: bool,
}

/// A bound port.
pub struct Listener {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    shares: Shares,
}

impl Listener {
    /// Binds `address`. With `tls`, connections are encrypted.
    ///
    /// # Errors
    ///
    /// What the system says, for instance that the address is in use.
    pub async fn bind(address: SocketAddr, tls: Option<TlsConfig>) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener, tls: tls.map(TlsAcceptor::from), shares: Shares::default() })
    }

    /// Lets `proxies` have more connections than a client's share: they bring many clients. Without this, only this
    /// machine may.
    #[must_use]
    pub fn with_proxies(self, proxies: Vec<Network>) -> Self {
        Self { shares: Shares::new(proxies), ..self }
    }

    /// The address that was bound; with port 0, the one that the system chose.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// What a connection holds until its end.
struct Place {
    _of_all: OwnedSemaphorePermit,
    _of_client: Share,
    /// Tells that the server stops, and when it is dropped, that this connection has ended.
    stopping: watch::Receiver<()>,
}

/// Serves `router` until `stop` is ready, and then until the requests under way have been answered.
pub async fn serve(listener: Listener, router: Router, stop: impl Future<Output = ()>) {
    let Listener { listener, tls, shares } = listener;
    let stopping = watch::Sender::new(());
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = &mut stop => break,
        };
        let (stream, address, of_all) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Running out of file descriptors is one of these: wait for others to be closed.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(of_client) = shares.take(address.ip()) else {
            tracing::debug!("a client has all the connections that one may have");
            continue;
        };
        let stopping = stopping.subscribe();
        let place = Place { _of_all: of_all, _of_client: of_client, stopping };
        let _ = stream.set_nodelay(true);
        tokio::spawn(welcome(stream, address.ip(), tls.clone(), router.clone(), place));
    }
    drop(listener);
    stopping.send_replace(());
    if tokio::time::timeout(FAREWELL, stopping.closed()).await.is_err() {
        tracing::warn!("requests under way were cut off after {} s", FAREWELL.as_secs());
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

/// Ends TLS if there is any, and answers what is asked.
async fn welcome(
    stream: TcpStream,
    address: IpAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    place: Place,
) {
    let peer = Peer { address, encrypted: tls.is_some() };
    let Some(tls) = tls else { return converse(stream, peer, router, place).await };
    // A failed handshake is the client's affair.
    if let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, tls.accept(stream)).await {
        converse(stream, peer, router, place).await;
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    router: Router,
    mut place: Place,
) {
    let requests = Requests::new();
    let end_of_life = requests.end_of_life();
    let service = service_fn(move |mut request: http::Request<hyper::body::Incoming>| {
        let under_way = requests.begin();
        request.extensions_mut().insert(peer);
        let answer = router.clone().call(request);
        async move {
            let answer = answer.await;
            drop(under_way);
            answer
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        // Of what is read at once, which its headers must fit into.
        .max_buf_size(MAX_HEADERS as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADERS)
        .keep_alive_interval(PATIENCE);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // A broken connection is the client's affair.
        _ = connection.as_mut() => return,
        () = end_of_life => {}
        _ = place.stopping.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(LAST_ANSWERS, connection).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::oneshot;
    use tokio::time::Instant;

    /// A server, the means to stop it, and a connection to it.
    async fn connected() -> (tokio::task::JoinHandle<()>, oneshot::Sender<()>, TcpStream) {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), None).await.unwrap();
        let address = listener.address().unwrap();
        let router = Router::new().route("/", get(|| async { "here" }));
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(serve(listener, router, async {
            let _ = stopped.await;
        }));
        (server, stop, TcpStream::connect(address).await.unwrap())
    }

    #[tokio::test]
    async fn a_connection_on_which_nothing_is_said_is_closed() {
        let (_server, _stop, mut stream) = connected().await;
        tokio::time::pause();
        let begun = Instant::now();
        assert_eq!(stream.read(&mut [0; 64]).await.unwrap_or(0), 0);
        assert!(begun.elapsed() < Duration::from_secs(90));
    }

    #[tokio::test]
    async fn headers_longer_than_the_longest_are_refused_and_those_that_are_not_are_read() {
        let longest = MAX_HEADERS as usize;
        for (length, status) in [(longest - 1024, "200"), (longest + 1024, "431")] {
            let (_server, _stop, mut stream) = connected().await;
            let long = "x".repeat(length);
            let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\nLong: {long}\r\n\r\n");
            let read = request.len().min(longest);
            stream.write_all(&request.as_bytes()[..read]).await.unwrap();
            let mut answer = [0; 512];
            let length = stream.read(&mut answer).await.unwrap();
            let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        }
    }

    #[tokio::test]
    async fn a_server_that_stops_does_not_wait_for_idle_connections() {
        let (server, stop, mut stream) = connected().await;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut answer = [0; 512];
        let length = stream.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 200"));
        stop.send(()).unwrap();
        tokio::time::timeout(Duration::from_secs(5), server).await.unwrap().unwrap();
        assert_eq!(stream.read(&mut answer).await.unwrap_or(0), 0);
    }
}
