//! A registry in this process, that can fail and lie.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use oci::{Access, Credentials, Digest, Reference, Registries, Repository, Settings, Store};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What a registry can do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Abilities {
    pub(crate) referrers: bool,
    pub(crate) whole_blobs: bool,
    /// It lists referrers, but does not say so when one is pushed.
    pub(crate) silent: bool,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// The connection ends before anything is done.
    CutBefore,
    /// The connection ends after it was done.
    CutAfter,
    /// Nothing is done, and this is the answer.
    Status(u16),
    /// The body ends early.
    Truncated,
    /// The body is another one of the same length.
    OtherBody,
    /// The body and its announced length are longer.
    Longer,
    /// The header that says what was stored, or is sent, is of something else.
    OtherDigestHeader,
}

pub(crate) const FAULTS: [Fault; 10] = [
    Fault::CutBefore,
    Fault::CutAfter,
    Fault::Status(429),
    Fault::Status(500),
    Fault::Status(503),
    Fault::Status(404),
    Fault::Truncated,
    Fault::OtherBody,
    Fault::Longer,
    Fault::OtherDigestHeader,
];

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
}

impl Answer {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
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

/// Answers instead of the registry, if it wants to.
type Lie = Box<dyn Fn(&Request) -> Option<Answer> + Send + Sync>;

#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) blobs: HashMap<String, Vec<u8>>,
    pub(crate) documents: HashMap<String, (String, Vec<u8>)>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) requests: Vec<Request>,
}

pub(crate) struct Fake {
    pub(crate) name: String,
    contents: Mutex<Contents>,
    abilities: Abilities,
    fault: Option<(usize, Fault)>,
    lie: Option<Lie>,
    count: AtomicUsize,
    /// How many bytes of bodies were sent.
    pub(crate) sent: AtomicUsize,
}

impl Fake {
    pub(crate) async fn start(abilities: Abilities) -> Arc<Self> {
        Self::start_with(abilities, None, None).await
    }

    pub(crate) async fn failing(abilities: Abilities, at: usize, fault: Fault) -> Arc<Self> {
        Self::start_with(abilities, Some((at, fault)), None).await
    }

    pub(crate) async fn lying(
        abilities: Abilities,
        lie: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Self::start_with(abilities, None, Some(Box::new(lie))).await
    }

    async fn start_with(
        abilities: Abilities,
        fault: Option<(usize, Fault)>,
        lie: Option<Lie>,
    ) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Arc::new(Self {
            name: listener.local_addr().unwrap().to_string(),
            contents: Mutex::default(),
            abilities,
            fault,
            lie,
            count: AtomicUsize::new(0),
            sent: AtomicUsize::new(0),
        });
        let server = fake.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move { server.serve(stream).await });
            }
        });
        fake
    }

    pub(crate) fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap()
    }

    /// How many requests came.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// What was asked for, in order.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.contents().requests.iter().map(Request::line).collect()
    }

    /// The repository `a/b`, seen by a program of its own.
    pub(crate) fn repository(&self) -> Repository {
        self.repository_with(Credentials::none())
    }

    pub(crate) fn repository_with(&self, credentials: Credentials) -> Repository {
        let settings = Settings { credentials, ..Settings::default() };
        Registries::new(settings).repository(&self.reference(), Access::Push)
    }

    pub(crate) fn store(&self) -> Store {
        Store::Registry(self.repository())
    }

    pub(crate) fn reference(&self) -> Reference {
        format!("{}/a/b:v1", self.name).parse().unwrap()
    }

    async fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let request = read(&mut stream).await?;
            let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
            let fault = self.fault.filter(|(at, _)| *at == number).map(|(_, fault)| fault);
            // Other tasks get their turn between any two requests.
            tokio::task::yield_now().await;
            if fault == Some(Fault::CutBefore) {
                return None;
            }
            let answer = self.answer(&request, fault);
            if fault == Some(Fault::CutAfter) {
                return None;
            }
            let head = request.method == "HEAD";
            let bytes = write(answer, head, fault);
            self.sent.fetch_add(bytes.len(), Ordering::SeqCst);
            stream.write_all(&bytes).await.ok()?;
            if fault == Some(Fault::Truncated) {
                return None;
            }
        }
    }

    fn answer(&self, request: &Request, fault: Option<Fault>) -> Answer {
        self.contents().requests.push(request.clone());
        if let Some(Fault::Status(status)) = fault {
            return Answer::new(status).header("Retry-After", "0").body("text/plain", "a fault");
        }
        if let Some(answer) = self.lie.as_ref().and_then(|lie| lie(request)) {
            return answer;
        }
        let Some(part) = request.path.strip_prefix("/v2/a/b/") else { return Answer::new(404) };
        let mut contents = self.contents();
        match part.split_once('/') {
            Some(("blobs", "uploads/")) => contents.begin(request, self.abilities),
            Some(("blobs", upload)) if request.method == "PUT" => contents.finish(request, upload),
            Some(("blobs", digest)) => contents.blob(digest),
            Some(("manifests", target)) => contents.manifest(request, target, self.abilities),
            Some(("tags", "list")) => contents.list_tags(),
            Some(("referrers", digest)) if self.abilities.referrers => contents.referrers(digest),
            _ => Answer::new(404).body("text/plain", "404 page not found"),
        }
    }
}

impl Contents {
    fn begin(&mut self, request: &Request, abilities: Abilities) -> Answer {
        match request.query("digest") {
            Some(digest) if abilities.whole_blobs => self.store(&digest, &request.body),
            _ => Answer::new(202).header("Location", "/v2/a/b/blobs/upload-1?state=x"),
        }
    }

    fn finish(&mut self, request: &Request, _: &str) -> Answer {
        let digest = request.query("digest").unwrap_or_default();
        self.store(&digest, &request.body)
    }

    fn store(&mut self, digest: &str, body: &[u8]) -> Answer {
        if Digest::of(body).to_string() != digest {
            return Answer::new(400)
                .body("application/json", r#"{"errors":[{"code":"DIGEST_INVALID"}]}"#);
        }
        self.blobs.insert(digest.to_owned(), body.to_vec());
        Answer::new(201).header("Docker-Content-Digest", digest)
    }

    fn blob(&self, digest: &str) -> Answer {
        match self.blobs.get(digest) {
            Some(blob) => Answer::new(200).body("application/octet-stream", blob.clone()),
            None => Answer::new(404),
        }
    }

    fn manifest(&mut self, request: &Request, target: &str, abilities: Abilities) -> Answer {
        match request.method.as_str() {
            "PUT" => self.put(request, target, abilities),
            "DELETE" => self.delete(target),
            _ => {
                let digest = self.tags.get(target).map_or(target, String::as_str);
                match self.documents.get(digest) {
                    Some((media_type, bytes)) => Answer::new(200)
                        .body(media_type, bytes.clone())
                        .header("Docker-Content-Digest", digest),
                    None => Answer::new(404),
                }
            }
        }
    }

    /// As the registry of Debian: a document that points to what is not there is refused.
    fn put(&mut self, request: &Request, target: &str, abilities: Abilities) -> Answer {
        let json: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        if !self.dangling(&json).is_empty() {
            return Answer::new(400)
                .body("application/json", r#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}"#);
        }
        let digest = Digest::of(&request.body).to_string();
        let media_type = request.headers["content-type"].clone();
        self.documents.insert(digest.clone(), (media_type, request.body.clone()));
        if !target.contains(':') {
            self.tags.insert(target.to_owned(), digest.clone());
        }
        let answer = Answer::new(201).header("Docker-Content-Digest", digest);
        match json["subject"]["digest"].as_str() {
            Some(subject) if abilities.referrers && !abilities.silent => {
                answer.header("OCI-Subject", subject)
            }
            _ => answer,
        }
    }

    fn delete(&mut self, target: &str) -> Answer {
        self.tags.retain(|tag, digest| tag != target && digest != target);
        self.documents.remove(target);
        Answer::new(202)
    }

    /// What a document points to that is not there, but for its subject.
    pub(crate) fn dangling(&self, json: &serde_json::Value) -> Vec<String> {
        let digest =
            |part: &serde_json::Value| part["digest"].as_str().unwrap_or_default().to_owned();
        let list = |name: &str| json[name].as_array().cloned().unwrap_or_default();
        let blobs = list("layers").into_iter().chain(json.get("config").cloned());
        let blobs =
            blobs.map(|blob| digest(&blob)).filter(|digest| !self.blobs.contains_key(digest));
        let documents = list("manifests").into_iter();
        let documents = documents
            .map(|part| digest(&part))
            .filter(|digest| !self.documents.contains_key(digest));
        blobs.chain(documents).collect()
    }

    fn list_tags(&self) -> Answer {
        let tags: Vec<_> = self.tags.keys().collect();
        let json = serde_json::json!({"name": "a/b", "tags": tags});
        Answer::new(200).body("application/json", json.to_string())
    }

    fn referrers(&self, subject: &str) -> Answer {
        let manifests: Vec<_> = self
            .documents
            .iter()
            .filter(|(_, (_, bytes))| {
                let json: serde_json::Value = serde_json::from_slice(bytes).unwrap();
                json["subject"]["digest"] == subject
            })
            .map(|(digest, (media_type, bytes))| {
                serde_json::json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
            })
            .collect();
        let json = serde_json::json!({"schemaVersion": 2, "mediaType": oci::media_type::INDEX, "manifests": manifests});
        Answer::new(200).body(oci::media_type::INDEX, json.to_string())
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
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

fn write(mut answer: Answer, head: bool, fault: Option<Fault>) -> Vec<u8> {
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
