//! Requests and answers, as bytes and at a pace.

use std::collections::HashMap;
use std::time::Duration;

use oci::Digest;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::Fault;

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let pair = self.query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")))?;
        Some(pair.replace("%3A", ":"))
    }

    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(super) pace: Pace,
}

/// How fast an answer comes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    AtOnce,
    /// All of it, but only then.
    After(Duration),
    /// A byte, and then a pause, again and again.
    Dribbling(Duration),
    Never,
}

impl Answer {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), pace: Pace::AtOnce }
    }

    /// No answer, and no end either.
    pub(crate) fn never() -> Self {
        Self { pace: Pace::Never, ..Self::new(200) }
    }

    pub(crate) fn after(self, wait: Duration) -> Self {
        Self { pace: Pace::After(wait), ..self }
    }

    pub(crate) fn dribbling(self, pause: Duration) -> Self {
        Self { pace: Pace::Dribbling(pause), ..self }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("Content-Type", media_type)
    }
}

pub(super) async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let mut parts = line.split_whitespace().map(str::to_owned);
    let (method, target) = (parts.next()?, parts.next()?);
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Some(Request { method, path: path.to_owned(), query: query.to_owned(), headers, body })
}

pub(super) async fn send(
    stream: &mut BufReader<TcpStream>,
    bytes: &[u8],
    pace: Pace,
) -> Option<()> {
    match pace {
        Pace::AtOnce => {}
        Pace::After(wait) => tokio::time::sleep(wait).await,
        Pace::Never => return std::future::pending().await,
        Pace::Dribbling(pause) => {
            for byte in bytes {
                stream.write_all(&[*byte]).await.ok()?;
                tokio::time::sleep(pause).await;
            }
            return Some(());
        }
    }
    stream.write_all(bytes).await.ok()
}

pub(super) fn write(mut answer: Answer, head: bool, fault: Option<Fault>) -> Vec<u8> {
    match fault {
        Some(Fault::OtherBody) => answer.body.iter_mut().for_each(|byte| *byte ^= 1),
        Some(Fault::Longer) => answer.body.extend_from_slice(b"   "),
        Some(Fault::OtherDigestHeader) => {
            answer.headers.retain(|(name, _)| name != "Docker-Content-Digest");
            answer = answer.header("Docker-Content-Digest", Digest::of(b"another").to_string());
        }
        _ => {}
    }
    let mut text =
        format!("HTTP/1.1 {} Whatever\r\nContent-Length: {}\r\n", answer.status, answer.body.len());
    for (name, value) in &answer.headers {
        text += &format!("{name}: {value}\r\n");
    }
    let mut bytes = (text + "\r\n").into_bytes();
    if !head {
        bytes.extend_from_slice(&answer.body);
        if fault == Some(Fault::Truncated) {
            bytes.pop();
        }
    }
    bytes
}
