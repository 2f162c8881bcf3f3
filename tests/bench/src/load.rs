//! Loads: clients that each send one request after the other until the time is over.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto::{KeyKind, SigningKey};
use serde_json::{Value, json};

use crate::http::{Connection, post};
use crate::process::{Running, Usage};

/// What is to be done, by how many at once.
pub(crate) struct Load {
    clients: usize,
    address: SocketAddr,
    work: Work,
}

#[derive(Clone)]
enum Work {
    /// Prepared entries, each sent once.
    Entries { prepared: Arc<Vec<Vec<u8>>>, next: Arc<AtomicUsize> },
    /// Whole signings with this token.
    Signings { token: Arc<str> },
}

/// What came out.
pub(crate) struct Measured {
    /// Operations done.
    pub(crate) done: usize,
    /// For how long.
    pub(crate) elapsed: Duration,
    /// The time of each operation, sorted.
    pub(crate) latencies: Vec<Duration>,
    /// What the server used.
    pub(crate) used: Usage,
    /// Bytes that clients sent.
    pub(crate) sent: usize,
}

impl Load {
    /// `clients` that write entries. Requests are prepared before the time runs.
    pub(crate) fn entries(clients: usize, address: SocketAddr) -> Self {
        let key = SigningKey::generate(KeyKind::EcdsaP256).expect("keys can be made");
        // More than can be written in the time at the rate of the signature verifications of two cores.
        let count = if clients == 1 { 30_000 } else { 120_000 };
        let prepared =
            (0..count).map(|_| entry_request(&key, &crypto::random_array::<32>())).collect();
        let work = Work::Entries { prepared: Arc::new(prepared), next: Arc::default() };
        Self { clients, address, work }
    }

    /// `clients` that sign with `token`, each time with a new key.
    pub(crate) fn signings(clients: usize, address: SocketAddr, token: &str) -> Self {
        Self { clients, address, work: Work::Signings { token: token.into() } }
    }

    /// Runs the load for about `time`.
    pub(crate) async fn run(self, time: Duration, server: &Running) -> anyhow::Result<Measured> {
        let (before, started) = (server.usage()?, Instant::now());
        let until = started + time;
        let clients: Vec<_> = (0..self.clients)
            .map(|_| tokio::spawn(client(self.address, self.work.clone(), until)))
            .collect();
        let (mut latencies, mut sent) = (Vec::new(), 0);
        for client in clients {
            let (times, bytes) = client.await??;
            latencies.extend(times);
            sent += bytes;
        }
        let elapsed = started.elapsed();
        latencies.sort_unstable();
        ensure!(!latencies.is_empty(), "no request was answered in {time:?}");
        let used = server.usage()?.since(&before);
        Ok(Measured { done: latencies.len(), elapsed, latencies, used, sent })
    }
}

async fn client(
    address: SocketAddr,
    work: Work,
    until: Instant,
) -> anyhow::Result<(Vec<Duration>, usize)> {
    let mut connection = Connection::open(address).await?;
    let (mut latencies, mut sent) = (Vec::new(), 0);
    while Instant::now() < until {
        let started = Instant::now();
        match &work {
            Work::Entries { prepared, next } => {
                let Some(request) = prepared.get(next.fetch_add(1, Ordering::Relaxed)) else {
                    break;
                };
                let answer = connection.ask(request).await?;
                let text = String::from_utf8_lossy(&answer.body);
                ensure!(answer.status == 201, "{} {text}", answer.status);
                sent += request.len();
            }
            Work::Signings { token } => sign(&mut connection, token).await?,
        }
        latencies.push(started.elapsed());
    }
    Ok((latencies, sent))
}

/// Token given: certificate with SCT, timestamp, v2 entry with its proof.
async fn sign(connection: &mut Connection, token: &str) -> anyhow::Result<()> {
    let key = SigningKey::generate(KeyKind::EcdsaP256)?;
    let subject = subject(token)?;
    let request = json!({
        "credentials": { "oidcIdentityToken": token },
        "publicKeyRequest": {
            "publicKey": { "algorithm": "ECDSA", "content": key.public_key().to_pem() },
            "proofOfPossession": STANDARD.encode(key.sign(subject.as_bytes())?),
        },
    });
    let request = post("/api/v2/signingCert", "application/json", request.to_string().as_bytes());
    let answer = connection.ask(&request).await?;
    ensure!(answer.status == 200, "{}", String::from_utf8_lossy(&answer.body));
    let answer: Value = serde_json::from_slice(&answer.body)?;
    let leaf = answer["signedCertificateEmbeddedSct"]["chain"]["certificates"][0].as_str();
    let (leaf, _) = crypto::decode_pem(leaf.context("no certificate")?.as_bytes())?;

    let artifact = crypto::HashAlgorithm::Sha256.digest(&crypto::random_array::<32>());
    let signature = key.sign_digest(crypto::Scheme::default_for(key.kind()), &artifact)?;
    let query = json!({
        "artifactHash": STANDARD.encode(crypto::sha256(&signature)),
        "hashAlgorithm": "sha256",
        "certificates": true,
        "nonce": 7,
    });
    let request = post("/api/v1/timestamp", "application/json", query.to_string().as_bytes());
    let answer = connection.ask(&request).await?;
    ensure!(answer.status == 200, "{}", String::from_utf8_lossy(&answer.body));

    let verifier = json!({
        "x509Certificate": { "rawBytes": STANDARD.encode(leaf.contents) },
        "keyDetails": "PKIX_ECDSA_P256_SHA_256",
    });
    let answer = connection.ask(&hashed_rekord(artifact.as_bytes(), &signature, &verifier)).await?;
    ensure!(answer.status == 201, "{}", String::from_utf8_lossy(&answer.body));
    Ok(())
}

fn entry_request(key: &SigningKey, message: &[u8]) -> Vec<u8> {
    let signature = key.sign(message).expect("the key signs");
    let verifier = json!({
        "publicKey": { "rawBytes": STANDARD.encode(key.public_key().spki_der()) },
        "keyDetails": "PKIX_ECDSA_P256_SHA_256",
    });
    hashed_rekord(&crypto::sha256(message), &signature, &verifier)
}

fn hashed_rekord(digest: &[u8], signature: &[u8], verifier: &Value) -> Vec<u8> {
    let request = json!({ "hashedRekordRequestV002": {
        "digest": STANDARD.encode(digest),
        "signature": { "content": STANDARD.encode(signature), "verifier": verifier },
    }});
    post("/api/v2/log/entries", "application/json", request.to_string().as_bytes())
}

/// The e-mail address in a token.
fn subject(token: &str) -> anyhow::Result<String> {
    let payload = token.split('.').nth(1).context("the token is no JWT")?;
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload)?;
    let claims: Value = serde_json::from_slice(&payload)?;
    Ok(claims["email"].as_str().context("no e-mail address")?.to_owned())
}
