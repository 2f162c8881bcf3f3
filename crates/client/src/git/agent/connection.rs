//! A client's side of the socket.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::{Digest, HashAlgorithm, PublicKey, Scheme, SigningKeyError};
use pki::Certificate;

use super::place::{Place, PlaceError};
use super::protocol::{Answer, KeptKey, MAX_LINE, Request, decode, encode};
use crate::key_holder::{KeyError, KeyHolder};

/// How long the agent may take to start.
const START: Duration = Duration::from_secs(5);
/// How long an answer may take: signing takes none, but another client may be signing in for the same slot.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// The agent, connected.
#[derive(Debug)]
pub struct Agent(BufReader<UnixStream>);

/// What [`Agent::take`] gives.
pub enum Taken {
    /// A key that can sign, and its certificate.
    Held(HeldKey, Certificate),
    /// A key that nobody vouches for yet.
    New(NewKey),
}

/// A key that the agent holds.
pub struct HeldKey {
    agent: Mutex<Agent>,
    public: PublicKey,
}

/// A key that the agent has made, for which a certificate must be had. Others who want one wait meanwhile.
pub struct NewKey(HeldKey);

/// Why the agent is of no use.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// There is no place for its socket.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// It does not run.
    #[error("no agent runs")]
    NotRunning,
    /// It cannot be started.
    #[error("the agent cannot be started")]
    Start(#[source] io::Error),
    /// It hung up, or what it says cannot be understood.
    #[error("the agent cannot be talked to")]
    Talk(#[from] io::Error),
    /// It says no.
    #[error("the agent refuses: {0}")]
    Refused(String),
    /// It answers something else than what was asked.
    #[error("the agent answers something else")]
    OtherAnswer,
}

impl Agent {
    /// Connects to the agent that runs.
    ///
    /// # Errors
    ///
    /// [`AgentError::NotRunning`], [`AgentError::Talk`].
    pub fn connect(place: &Place) -> Result<Self, AgentError> {
        let stream = match UnixStream::connect(place.socket()) {
            Ok(stream) => stream,
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                    return Err(AgentError::NotRunning);
                }
                _ => return Err(error.into()),
            },
        };
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Connects to the agent, and starts it with `program` if it does not run.
    ///
    /// # Errors
    ///
    /// See [`AgentError`].
    pub fn connect_or_start(
        place: &Place,
        program: &Path,
        arguments: &[&str],
    ) -> Result<Self, AgentError> {
        match Self::connect(place) {
            Err(AgentError::NotRunning) => {}
            other => return other,
        }
        let mut started = start(place, program, arguments).map_err(AgentError::Start)?;
        let begun = Instant::now();
        loop {
            match Self::connect(place) {
                // One that ended well has found that another runs.
                Err(AgentError::NotRunning) if has_failed(&mut started) => {
                    let ended =
                        io::Error::other("it ended at once; run `bulla git agent` to see why");
                    return Err(AgentError::Start(ended));
                }
                Err(AgentError::NotRunning) if begun.elapsed() < START => {
                    sleep(Duration::from_millis(10));
                }
                other => return other,
            }
        }
    }

    /// The key of `slot`, or a new one for it.
    ///
    /// # Errors
    ///
    /// See [`AgentError`].
    pub fn take(mut self, slot: &str) -> Result<Taken, AgentError> {
        match self.ask(&Request::Take { slot: slot.to_owned() })? {
            Answer::Held { certificate } => {
                let certificate = Certificate::from_der(&decode_base64(&certificate)?)
                    .map_err(|_| AgentError::OtherAnswer)?;
                let public = certificate.public_key().clone();
                Ok(Taken::Held(HeldKey { agent: Mutex::new(self), public }, certificate))
            }
            Answer::New { public_key } => {
                let public = PublicKey::from_spki_der(&decode_base64(&public_key)?)
                    .map_err(|_| AgentError::OtherAnswer)?;
                Ok(Taken::New(NewKey(HeldKey { agent: Mutex::new(self), public })))
            }
            _ => Err(AgentError::OtherAnswer),
        }
    }

    /// What it keeps.
    ///
    /// # Errors
    ///
    /// See [`AgentError`].
    pub fn list(&mut self) -> Result<Vec<KeptKey>, AgentError> {
        match self.ask(&Request::List {})? {
            Answer::Keys { keys } => Ok(keys),
            _ => Err(AgentError::OtherAnswer),
        }
    }

    /// Has it forget all keys, and end; how many there were.
    ///
    /// # Errors
    ///
    /// See [`AgentError`].
    pub fn forget(&mut self) -> Result<usize, AgentError> {
        match self.ask(&Request::Forget {})? {
            Answer::Forgotten { keys } => Ok(keys),
            _ => Err(AgentError::OtherAnswer),
        }
    }

    fn ask(&mut self, request: &Request) -> Result<Answer, AgentError> {
        self.0.get_mut().write_all(&encode(request)?)?;
        let mut line = Vec::new();
        (&mut self.0).take(MAX_LINE as u64).read_until(b'\n', &mut line)?;
        match decode(&line)? {
            Answer::Refused { reason } => Err(AgentError::Refused(reason)),
            answer => Ok(answer),
        }
    }
}

/// Starts the agent apart from whoever starts it: it outlives the terminal, holds no pipe open, and gets nothing of the
/// environment, in which there may be tokens, but where its socket goes.
fn start(place: &Place, program: &Path, arguments: &[&str]) -> io::Result<Child> {
    use std::os::unix::process::CommandExt;
    Command::new(program)
        .args(arguments)
        .arg("--directory")
        .arg(place.directory())
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}

fn has_failed(started: &mut Child) -> bool {
    matches!(started.try_wait(), Ok(Some(status)) if !status.success())
}

impl HeldKey {
    fn ask(&self, request: &Request) -> Result<Answer, AgentError> {
        self.agent.lock().unwrap_or_else(PoisonError::into_inner).ask(request)
    }
}

impl KeyHolder for HeldKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign_digest(&self, scheme: Scheme, digest: &Digest) -> Result<Vec<u8>, KeyError> {
        if scheme != Scheme::Ecdsa(HashAlgorithm::Sha256)
            || digest.algorithm() != HashAlgorithm::Sha256
        {
            return Err(SigningKeyError::Scheme.into());
        }
        let holder = |error: AgentError| KeyError::Holder(error.into());
        let answer = self.ask(&Request::Sign { digest: digest.to_hex() }).map_err(holder)?;
        let Answer::Signed { signature } = answer else {
            return Err(holder(AgentError::OtherAnswer));
        };
        decode_base64(&signature).map_err(holder)
    }
}

impl NewKey {
    /// The key, to prove its possession with.
    #[must_use]
    pub const fn key(&self) -> &HeldKey {
        &self.0
    }

    /// Has the agent keep the key for as long as `certificate` lasts.
    ///
    /// # Errors
    ///
    /// See [`AgentError`].
    pub fn keep(self, certificate: &Certificate) -> Result<HeldKey, AgentError> {
        let certificate = STANDARD.encode(certificate.der());
        match self.0.ask(&Request::Keep { certificate })? {
            Answer::Kept {} => Ok(self.0),
            _ => Err(AgentError::OtherAnswer),
        }
    }
}

fn decode_base64(text: &str) -> Result<Vec<u8>, AgentError> {
    STANDARD.decode(text).map_err(|_| AgentError::OtherAnswer)
}
