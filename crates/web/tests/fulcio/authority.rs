//! A certificate authority with everything around it: an issuer of tokens, a CT log, a client.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::{HashAlgorithm, KeyKind, Scheme, SigningKey};
use jiff::{SignedDuration, Timestamp};
use pki::chain::Purpose;
use pki::issue::{Issuer, Serial, Validity, root};
use pki::sct::{Entry, Sct, leaf_index_extension};
use pki::{Certificate, DistinguishedName};
use serde_json::{Value, json};
use services::ca::{
    CertificateAuthority, CertificateRequest, Config, FetchKeysError, FetchedKeys, IssueError,
    IssuedCertificate, IssuerAddress, KeySource, Parts, PrecertificateChain, PrecertificateLog,
    ProofOfPossession, SubmitPrecertificateError,
};
use services::clock::{Clock, ClockError, Source};

/// The issuer of most tokens.
pub(crate) const ISSUER: &str = "https://issuer.example";
/// The name of its key.
pub(crate) const KEY_ID: &str = "k1";

/// When everything happens.
pub(crate) fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// The issuer's key; making one takes long.
pub(crate) static TOKEN_KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(KeyKind::Rsa { bits: 2048 }).unwrap());

/// A client's key.
pub(crate) static CLIENT_KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(KeyKind::EcdsaP256).unwrap());

/// What the CT log answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LogConduct {
    Honest,
    Garbage,
    OtherKey,
    /// Names the right log, but is signed by another key.
    ForgedSignature,
    FarFuture,
    FarPast,
    OtherCertificate,
    Busy,
    Refuses,
}

/// A CT log that remembers what was submitted.
pub(crate) struct PlayedLog {
    pub(crate) key: SigningKey,
    pub(crate) conduct: Mutex<LogConduct>,
    pub(crate) submissions: Mutex<Vec<Submission>>,
}

/// One submission, and the answer to it.
#[derive(Clone)]
pub(crate) struct Submission {
    pub(crate) precertificate: Vec<u8>,
    pub(crate) issuers: Vec<Vec<u8>>,
    pub(crate) answer: Vec<u8>,
}

impl PlayedLog {
    fn new() -> Self {
        Self {
            key: SigningKey::generate(KeyKind::EcdsaP256).unwrap(),
            conduct: Mutex::new(LogConduct::Honest),
            submissions: Mutex::default(),
        }
    }

    fn answer(
        &self,
        conduct: LogConduct,
        entry: &Entry,
    ) -> Result<Vec<u8>, SubmitPrecertificateError> {
        let millisecond = u64::try_from(now().as_millisecond()).unwrap();
        let day = 24 * 60 * 60 * 1000;
        let sign = |key: &SigningKey, entry: &Entry, time| {
            Sct::sign(key, entry, time, leaf_index_extension(0)).unwrap()
        };
        let other = SigningKey::generate(KeyKind::EcdsaP256).unwrap();
        Ok(match conduct {
            LogConduct::Honest => sign(&self.key, entry, millisecond).encode(),
            LogConduct::Garbage => b"garbage".to_vec(),
            LogConduct::OtherKey => sign(&other, entry, millisecond).encode(),
            LogConduct::ForgedSignature => {
                let mut sct = sign(&other, entry, millisecond);
                sct.log_id = self.key.public_key().id();
                sct.encode()
            }
            LogConduct::FarFuture => sign(&self.key, entry, millisecond + day).encode(),
            LogConduct::FarPast => sign(&self.key, entry, millisecond - day).encode(),
            LogConduct::OtherCertificate => {
                let entry = Entry::X509(b"another certificate".to_vec());
                sign(&self.key, &entry, millisecond).encode()
            }
            LogConduct::Busy => {
                let retry_after = Some(Duration::from_secs(7));
                return Err(SubmitPrecertificateError::Busy { retry_after });
            }
            LogConduct::Refuses => {
                return Err(SubmitPrecertificateError::Refused("it is a test".into()));
            }
        })
    }
}

#[async_trait::async_trait]
impl PrecertificateLog for PlayedLog {
    async fn submit(
        &self,
        chain: PrecertificateChain<'_>,
    ) -> Result<Vec<u8>, SubmitPrecertificateError> {
        let conduct = *self.conduct.lock().unwrap();
        let certificate = Certificate::from_der(chain.precertificate).unwrap();
        let issuer = Certificate::from_der(&chain.issuers[0]).unwrap();
        let entry = Entry::of_precertificate(&certificate, &issuer).unwrap();
        let answer = self.answer(conduct, &entry)?;
        self.submissions.lock().unwrap().push(Submission {
            precertificate: chain.precertificate.to_vec(),
            issuers: chain.issuers.to_vec(),
            answer: answer.clone(),
        });
        Ok(answer)
    }
}

/// An issuer whose keys are always at hand, and that counts how often it is asked.
pub(crate) struct PlayedIssuer {
    pub(crate) algorithms: Vec<String>,
    pub(crate) jwks: Vec<u8>,
    pub(crate) fetches: AtomicUsize,
}

impl PlayedIssuer {
    /// The issuer that signs with [`TOKEN_KEY`] and RS256.
    pub(crate) fn usual() -> Self {
        Self::with(&["RS256"], json!({ "keys": [rsa_jwk(&TOKEN_KEY, KEY_ID)] }).to_string())
    }

    pub(crate) fn with(algorithms: &[&str], jwks: impl Into<Vec<u8>>) -> Self {
        let algorithms = algorithms.iter().map(|name| (*name).to_owned()).collect();
        Self { algorithms, jwks: jwks.into(), fetches: AtomicUsize::new(0) }
    }
}

#[async_trait::async_trait]
impl KeySource for PlayedIssuer {
    async fn fetch(&self, _: &IssuerAddress) -> Result<FetchedKeys, FetchKeysError> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        Ok(FetchedKeys { algorithms: self.algorithms.clone(), jwks: self.jwks.clone() })
    }
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn rsa_jwk(key: &SigningKey, key_id: &str) -> Value {
    let modulus = encode(key.public_key().rsa_modulus().unwrap());
    json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": key_id, "n": modulus, "e": "AQAB" })
}

/// A clock that can be set, and that can refuse.
pub(crate) struct PlayedClock(pub(crate) Mutex<Result<Timestamp, ClockError>>);

impl Source for PlayedClock {
    fn now(&self) -> Result<Timestamp, ClockError> {
        *self.0.lock().unwrap()
    }
}

/// A certificate authority and what is around it.
pub(crate) struct World {
    pub(crate) authority: Arc<CertificateAuthority>,
    pub(crate) log: Arc<PlayedLog>,
    pub(crate) clock: Arc<PlayedClock>,
}

/// The usual configuration: one issuer of the type `email`.
pub(crate) fn email_config() -> Config {
    config(&json!({ ISSUER: { "IssuerURL": ISSUER, "ClientID": "sigstore", "Type": "email" } }))
}

/// A configuration with these `OIDCIssuers`.
pub(crate) fn config(issuers: &Value) -> Config {
    Config::read(json!({ "OIDCIssuers": issuers }).to_string().as_bytes()).unwrap()
}

impl World {
    /// The usual one.
    pub(crate) fn new() -> Self {
        Self::with(email_config(), PlayedIssuer::usual())
    }

    pub(crate) fn with(config: Config, issuer: PlayedIssuer) -> Self {
        Self::with_lifetime(config, issuer, SignedDuration::from_hours(24))
    }

    /// One whose intermediate certificate expires so long after [`now`].
    pub(crate) fn with_lifetime(
        config: Config,
        issuer: PlayedIssuer,
        left: SignedDuration,
    ) -> Self {
        let (signing_key, chain) = chain(left);
        let log = Arc::new(PlayedLog::new());
        let clock = Arc::new(PlayedClock(Mutex::new(Ok(now()))));
        let authority = CertificateAuthority::new(Parts {
            config,
            keys: Arc::new(issuer),
            signing_key,
            chain,
            log: Arc::clone(&log) as Arc<dyn PrecertificateLog>,
            log_key: log.key.public_key().clone(),
            clock: Clock::from_source(Arc::clone(&clock) as Arc<dyn Source>),
        })
        .unwrap();
        Self { authority: Arc::new(authority), log, clock }
    }

    /// Asks for a certificate with a token and a proof.
    pub(crate) async fn ask(
        &self,
        token: &str,
        proof: ProofOfPossession<'_>,
    ) -> Result<IssuedCertificate, IssueError> {
        self.authority.issue(CertificateRequest { token, proof }).await
    }

    /// Asks with a token, and proves possession of [`CLIENT_KEY`] over `subject`.
    pub(crate) async fn ask_for(
        &self,
        token: &str,
        subject: &str,
    ) -> Result<Certificate, IssueError> {
        let key = CLIENT_KEY.public_key().to_pem();
        let signature = CLIENT_KEY.sign(subject.as_bytes()).unwrap();
        let proof =
            ProofOfPossession::Challenge { public_key: key.as_bytes(), signature: &signature };
        let issued = self.ask(token, proof).await?;
        Ok(Certificate::from_pem(issued.chain[0].as_bytes()).unwrap())
    }
}

/// A P-384 intermediate, as the recorded server has it, that expires so long after [`now`].
fn chain(left: SignedDuration) -> (SigningKey, String) {
    let serial = || Serial::from_random(crypto::random_array());
    let validity = |left| {
        Validity::starting(
            now() - SignedDuration::from_hours(24),
            SignedDuration::from_hours(24) + left,
        )
    };
    let name = |common_name| DistinguishedName::new("sigstore.example", common_name).unwrap();
    let root_key = SigningKey::generate(KeyKind::EcdsaP384).unwrap();
    let far = SignedDuration::from_hours(24 * 365);
    let top = root(&root_key, &name("root"), validity(far), serial()).unwrap();
    let top = Issuer::new(top, Arc::new(root_key)).unwrap();
    let key = SigningKey::generate(KeyKind::EcdsaP384).unwrap();
    let purpose = Purpose::CodeSigning;
    let intermediate = top
        .intermediate(key.public_key(), &name("intermediate"), purpose, validity(left), serial())
        .unwrap();
    (key, intermediate.to_pem() + &top.certificate().to_pem())
}

/// The claims of Alice.
pub(crate) fn alice() -> Value {
    json!({
        "iss": ISSUER, "sub": "u1", "aud": "sigstore", "exp": 4_102_444_800_u64,
        "email": "alice@example.com", "email_verified": true,
    })
}

/// Alice's claims with some changed; `null` takes one away.
pub(crate) fn alice_but(changes: &Value) -> Value {
    let mut claims = alice();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

/// A token of the usual issuer.
pub(crate) fn token(claims: &Value) -> String {
    token_of(claims.to_string())
}

/// A token of the usual issuer, with a payload of any form.
pub(crate) fn token_of(payload: impl AsRef<[u8]>) -> String {
    let header = json!({ "alg": "RS256", "kid": KEY_ID });
    signed_token(&header.to_string(), payload.as_ref(), &TOKEN_KEY)
}

/// A token with any header, signed with RS256.
pub(crate) fn signed_token(header: &str, payload: &[u8], key: &SigningKey) -> String {
    let signed = format!("{}.{}", encode(header), encode(payload));
    let scheme = Scheme::RsaPkcs1(HashAlgorithm::Sha256);
    let signature = key.sign_with(scheme, signed.as_bytes()).unwrap();
    format!("{signed}.{}", encode(signature))
}
