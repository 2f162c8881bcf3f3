//! An answer whose body is read piece by piece.

use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use tokio::time::Instant;
use url::Url;

use crate::request::{failed, place};
use crate::{RequestError, Response};

/// How long nothing may come of a body: a server that is done, or dead, need not be waited for until its deadline.
const STALLED: Duration = Duration::from_secs(60);

/// An answer of which the headers are there, and the body may still come.
#[derive(Debug)]
#[non_exhaustive]
pub struct Streamed {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// Where it came from.
    pub url: Url,
    /// The address that it came from, unless that may be the address of a proxy.
    pub peer: Option<IpAddr>,
    body: reqwest::Response,
    deadline: Deadline,
}

impl Streamed {
    pub(crate) fn new(
        mut body: reqwest::Response,
        url: Url,
        deadline: Deadline,
        may_be_proxied: bool,
    ) -> Self {
        let peer = body.remote_addr().filter(|_| !may_be_proxied);
        Self {
            status: body.status(),
            headers: std::mem::take(body.headers_mut()),
            url,
            peer: peer.map(|address| address.ip()),
            body,
            deadline,
        }
    }

    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    ///
    /// If the connection breaks, or the time of the request is over.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, RequestError> {
        let chunk = self.deadline.sooner(STALLED).guard(self.body.chunk()).await?;
        chunk.map_err(|error| failed(place(&self.url), self.deadline.after, error))
    }

    /// The whole body, if it has no more than `limit` bytes.
    ///
    /// # Errors
    ///
    /// As [`Streamed::chunk`], and [`RequestError::TooLong`].
    pub async fn whole(mut self, limit: usize) -> Result<Response, RequestError> {
        let mut body = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            if chunk.len() > limit - body.len() {
                return Err(RequestError::TooLong { place: place(&self.url), limit });
            }
            body.extend_from_slice(&chunk);
        }
        let Self { status, headers, url, peer, .. } = self;
        Ok(Response { status, headers, body: body.freeze(), url, peer })
    }
}

/// When a request must be over, with what comes back.
#[derive(Debug)]
pub(crate) struct Deadline {
    at: Instant,
    after: Duration,
    place: String,
}

impl Deadline {
    pub(crate) fn after(after: Duration, place: String) -> Self {
        Self { at: Instant::now() + after, after, place }
    }

    /// This deadline, or one that is `after` from now, if that is sooner.
    fn sooner(&self, after: Duration) -> Self {
        let at = Instant::now() + after;
        let place = self.place.clone();
        if at < self.at {
            Self { at, after, place }
        } else {
            Self { at: self.at, after: self.after, place }
        }
    }

    /// Waits for `work` until then.
    pub(crate) async fn guard<T>(&self, work: impl Future<Output = T>) -> Result<T, RequestError> {
        tokio::time::timeout_at(self.at, work)
            .await
            .map_err(|_| RequestError::Timeout { place: self.place.clone(), after: self.after })
    }
}
