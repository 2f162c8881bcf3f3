//! Connections: accepting them, ending TLS, and closing them gracefully.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tower::Service;

use super::TlsConfig;

/// How many connections may be open. Each costs some tens of kilobytes; the rest waits in the kernel.
const MAX_CONNECTIONS: usize = 8192;
/// How long a client may take over its TLS handshake or the headers of a request.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long requests under way may take to end when the server stops.
const FAREWELL: Duration = Duration::from_secs(10);
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
}

impl Listener {
    /// Binds `address`. With `tls`, connections are encrypted.
    ///
    /// # Errors
    ///
    /// What the system says, for instance that the address is in use.
    pub async fn bind(address: SocketAddr, tls: Option<TlsConfig>) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener, tls: tls.map(TlsAcceptor::from) })
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

/// Serves `router` until `stop` is ready, and then until the requests under way have been answered.
pub async fn serve(listener: Listener, router: Router, stop: impl Future<Output = ()>) {
    let Listener { listener, tls } = listener;
    let connections = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = &mut stop => break,
        };
        let (stream, peer, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Running out of file descriptors is one of these: wait for others to be closed.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let (router, watcher) = (router.clone(), connections.watcher());
        if let Some(tls) = tls.clone() {
            tokio::spawn(async move {
                let handshake = tokio::time::timeout(PATIENCE, tls.accept(stream)).await;
                // A failed handshake is the client's affair.
                if let Ok(Ok(stream)) = handshake {
                    let peer = Peer { address: peer.ip(), encrypted: true };
                    converse(stream, peer, router, watcher, place).await;
                }
            });
        } else {
            let peer = Peer { address: peer.ip(), encrypted: false };
            tokio::spawn(converse(stream, peer, router, watcher, place));
        }
    }
    drop(listener);
    if tokio::time::timeout(FAREWELL, connections.shutdown()).await.is_err() {
        tracing::warn!("requests under way were cut off after {} s", FAREWELL.as_secs());
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(tokio::net::TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
    _place: OwnedSemaphorePermit,
) {
    let service = service_fn(move |mut request: http::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(peer);
        router.clone().call(request)
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADERS)
        .keep_alive_interval(PATIENCE);
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    // A broken connection is the client's affair.
    let _ = watcher.watch(connection).await;
}
