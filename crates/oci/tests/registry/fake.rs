//! A registry in this process, that can fail and lie.

#[path = "fake/contents.rs"]
mod contents;
#[path = "fake/http.rs"]
mod http;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use oci::{Access, Credentials, Reference, Registries, Repository, Settings, Store};
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};

use contents::Contents;
pub(crate) use http::{Answer, Request};
use http::{read, send, write};

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

/// Answers instead of the registry, if it wants to.
type Lie = Box<dyn Fn(&Request) -> Option<Answer> + Send + Sync>;

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
            let (head, pace) = (request.method == "HEAD", answer.pace);
            let bytes = write(answer, head, fault);
            self.sent.fetch_add(bytes.len(), Ordering::SeqCst);
            send(&mut stream, &bytes, pace).await?;
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
        // All repositories below `a` hold the same.
        let below = request.path.strip_prefix("/v2/a/").and_then(|below| below.split_once('/'));
        let Some((_, part)) = below else { return Answer::new(404) };
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
