//! The agent's side of the socket.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use super::keys::{Fresh, Kept, KeyRefusal, Keys};
use super::place::{Place, user};
use super::protocol::{Answer, MAX_LINE, Request, decode, encode};

/// How long the agent stays when it keeps nothing: the pause between two commits of somebody who works.
const IDLE: Duration = Duration::from_secs(60);
/// How often it looks whether keys have ended.
const BEAT: Duration = Duration::from_secs(5);
/// How long a client may say nothing: a sign-in takes minutes, and holds up others who wait for it.
const SILENCE: Duration = Duration::from_secs(15 * 60);
/// The most clients at a time.
const MAX_CLIENTS: usize = 256;

/// Why there is no agent.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Another agent runs. Use it.
    #[error("an agent runs already")]
    Running,
    /// The socket cannot be made.
    #[error("the agent's socket cannot be made")]
    Socket(#[source] io::Error),
}

/// Runs the agent until it has kept nothing for a minute, or is told to forget everything.
///
/// # Errors
///
/// See [`ServeError`].
pub async fn serve(place: &Place) -> Result<(), ServeError> {
    serve_keys(place, Keys::default()).await
}

pub(super) async fn serve_keys(place: &Place, keys: Keys) -> Result<(), ServeError> {
    harden();
    let _lock = lock(place)?;
    let listener = listen(place).map_err(ServeError::Socket)?;
    let (keys, clients) = (Arc::new(keys), Arc::new(AtomicUsize::new(0)));
    let dismissed = Arc::new(Notify::new());
    let (mut idle_since, mut leaves) = (Instant::now(), false);
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    // Out of descriptors: those who are connected go on.
                    sleep(Duration::from_millis(100)).await;
                    continue;
                };
                let client = Client::new(stream, &keys, &clients, &dismissed);
                tokio::spawn(client.serve());
            }
            () = dismissed.notified() => leaves = true,
            () = sleep(BEAT) => {}
        }
        // Whoever signs in just now is told that the key was forgotten, and until then has the agent stay.
        let keeps = keys.sweep(keys.now());
        if keeps || !leaves && clients.load(Ordering::Relaxed) > 0 {
            idle_since = Instant::now();
        } else if leaves || idle_since.elapsed() >= IDLE {
            break;
        }
    }
    // The lock is still held: the socket is ours.
    let _ = fs::remove_file(place.socket());
    Ok(())
}

/// Keeps other processes of the user, and the disk, from reading the keys. What the system does not allow is left.
fn harden() {
    #[cfg(target_os = "linux")]
    {
        use rustix::mm::{MlockAllFlags, mlockall};
        use rustix::process::{
            DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
        };
        // No debugger of the same user, no core dump.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
        // With a limit, locking all that will ever be allocated would end in a failed allocation.
        if getrlimit(Resource::Memlock).current.is_none() {
            let _ =
                mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT);
        }
    }
}

fn lock(place: &Place) -> Result<File, ServeError> {
    let open = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(place.lock())
        .map_err(ServeError::Socket)?;
    match rustix::fs::flock(&open, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(open),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(ServeError::Running),
        Err(error) => Err(ServeError::Socket(error.into())),
    }
}

fn listen(place: &Place) -> io::Result<UnixListener> {
    let path = place.socket();
    // Whoever left it does not run: we have the lock.
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// One client, and the key that it has taken.
struct Client {
    stream: BufReader<UnixStream>,
    keys: Arc<Keys>,
    taken: Option<Taken>,
    counted: Counted,
    /// Told when the agent is no longer wanted.
    dismissed: Arc<Notify>,
}

enum Taken {
    Kept(Arc<Kept>),
    Fresh(Fresh),
}

/// A client that counts as long as this lives.
struct Counted {
    clients: Arc<AtomicUsize>,
    before: usize,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.clients.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Client {
    fn new(
        stream: UnixStream,
        keys: &Arc<Keys>,
        clients: &Arc<AtomicUsize>,
        dismissed: &Arc<Notify>,
    ) -> Self {
        let before = clients.fetch_add(1, Ordering::Relaxed);
        let counted = Counted { clients: Arc::clone(clients), before };
        let (keys, dismissed) = (Arc::clone(keys), Arc::clone(dismissed));
        Self { stream: BufReader::new(stream), keys, taken: None, counted, dismissed }
    }

    /// Answers until the client hangs up, says nothing for too long, or says what cannot be understood.
    async fn serve(mut self) {
        let is_user = self.stream.get_ref().peer_cred().is_ok_and(|peer| peer.uid() == user());
        if !is_user || self.counted.before >= MAX_CLIENTS {
            return;
        }
        while let Ok(Ok(request)) = timeout(SILENCE, self.request()).await {
            let answer = self.answer(request).await;
            let answer =
                answer.unwrap_or_else(|refusal| Answer::Refused { reason: refusal.to_string() });
            let Ok(line) = encode(&answer) else { return };
            if self.stream.get_mut().write_all(&line).await.is_err() {
                return;
            }
            if matches!(answer, Answer::Forgotten { .. }) {
                self.dismissed.notify_one();
            }
        }
    }

    async fn request(&mut self) -> io::Result<Request> {
        let mut line = Vec::new();
        (&mut self.stream).take(MAX_LINE as u64).read_until(b'\n', &mut line).await?;
        decode(&line)
    }

    async fn answer(&mut self, request: Request) -> Result<Answer, KeyRefusal> {
        let now = self.keys.now();
        Ok(match request {
            Request::Take { slot } => {
                // A client that takes another key gives back the one it had.
                self.taken = None;
                match self.keys.take(&slot, now).await? {
                    super::keys::Taken::Kept(kept) => self.hold(kept),
                    super::keys::Taken::Fresh(fresh) => {
                        let public_key = STANDARD.encode(fresh.public_key());
                        self.taken = Some(Taken::Fresh(fresh));
                        Answer::New { public_key }
                    }
                }
            }
            Request::Keep { certificate } => {
                let der = STANDARD.decode(certificate).map_err(|_| KeyRefusal::Certificate)?;
                let Some(Taken::Fresh(fresh)) = self.taken.take() else {
                    return Err(KeyRefusal::Certificate);
                };
                self.hold(fresh.keep(&der, now)?);
                Answer::Kept {}
            }
            Request::Sign { digest } => self.sign(&digest, now)?,
            Request::List {} => Answer::Keys { keys: self.keys.list(now) },
            Request::Forget {} => Answer::Forgotten { keys: self.keys.forget() },
        })
    }

    fn hold(&mut self, kept: Arc<Kept>) -> Answer {
        let certificate = STANDARD.encode(kept.certificate());
        self.taken = Some(Taken::Kept(kept));
        Answer::Held { certificate }
    }

    fn sign(&self, digest: &str, now: Timestamp) -> Result<Answer, KeyRefusal> {
        let malformed = KeyRefusal::Key(crypto::SigningKeyError::Malformed);
        let digest = hex::decode(digest).map_err(|_| malformed)?;
        let signature = match &self.taken {
            Some(Taken::Kept(kept)) => kept.sign(&digest, now)?,
            Some(Taken::Fresh(fresh)) => fresh.sign(&digest)?,
            None => return Err(malformed),
        };
        Ok(Answer::Signed { signature: STANDARD.encode(signature) })
    }
}
