//! The agent over a real socket.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crypto::{HashAlgorithm, KeyKind, Scheme, SigningKey};
use jiff::{SignedDuration, Timestamp};
use pki::fulcio::{ISSUER_V2, LeafContents, San};
use pki::issue::{self, Issuer, LeafRequest, Serial, Validity};
use pki::{Certificate, DistinguishedName};
use std::sync::Arc;
use tempfile::TempDir;

use super::clock::tests::Machine;
use super::keys::Keys;
use super::server::serve_keys;
use super::*;
use crate::key_holder::KeyHolder as _;

const SCHEME: Scheme = Scheme::Ecdsa(HashAlgorithm::Sha256);

struct Running {
    directory: TempDir,
    place: Place,
    task: tokio::task::JoinHandle<Result<(), ServeError>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run() -> Running {
    run_with(Keys::default()).await
}

async fn run_with(keys: Keys) -> Running {
    let directory = tempfile::tempdir().unwrap();
    let place = Place::at(&directory.path().join("agent")).unwrap();
    let served = place.clone();
    let task = tokio::spawn(async move { serve_keys(&served, keys).await });
    let begun = Instant::now();
    while Agent::connect(&place).is_err() && begun.elapsed() < Duration::from_secs(10) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Running { directory, place, task }
}

/// A certificate for a key of the agent, which lasts for so many minutes.
fn certify(key: &HeldKey, minutes: i64) -> Certificate {
    let root_key = Arc::new(SigningKey::generate(KeyKind::EcdsaP256).unwrap());
    let name = DistinguishedName::new("sigstore.example", "root").unwrap();
    let serial = Serial::from_random([7; 20]);
    let hour = Validity::starting(Timestamp::now(), SignedDuration::from_hours(1));
    let root = issue::root(&root_key, &name, hour, serial).unwrap();
    let contents = LeafContents {
        san: San::Email("jane@example.com".to_owned()),
        extensions: vec![(ISSUER_V2.oid, ISSUER_V2.encode("https://issuer.example"))],
    };
    let validity = Validity::starting(Timestamp::now(), SignedDuration::from_mins(minutes));
    let request = LeafRequest { key: key.public_key(), contents: &contents, serial, validity };
    Issuer::new(root, root_key).unwrap().unlogged_certificate(&request).unwrap()
}

async fn take(place: &Place, slot: &'static str) -> Taken {
    let place = place.clone();
    tokio::task::spawn_blocking(move || Agent::connect(&place).unwrap().take(slot).unwrap())
        .await
        .unwrap()
}

async fn new_key(place: &Place, slot: &'static str) -> NewKey {
    match take(place, slot).await {
        Taken::New(key) => key,
        Taken::Held(..) => panic!("nobody has signed in"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sign_in_serves_all_who_come_while_the_certificate_lasts() {
    let running = run().await;
    let new = new_key(&running.place, "alice").await;
    let digest = HashAlgorithm::Sha256.digest(b"proof");
    let proof = new.key().sign_digest(SCHEME, &digest).unwrap();
    new.key().public_key().verify_digest(SCHEME, &digest, &proof).unwrap();

    // Somebody who wants the same key waits for the certificate, and gets it.
    let place = running.place.clone();
    let waiting = tokio::spawn(async move { take(&place, "alice").await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    let certificate = certify(new.key(), 10);
    let held = new.keep(&certificate).unwrap();
    let Taken::Held(other, found) = waiting.await.unwrap() else { panic!("it is kept") };
    assert_eq!(found.der(), certificate.der());
    for key in [&held, &other] {
        let signature = key.sign_digest(SCHEME, &digest).unwrap();
        certificate.public_key().verify_digest(SCHEME, &digest, &signature).unwrap();
    }
    let kept = Agent::connect(&running.place).unwrap().list().unwrap();
    assert_eq!(kept[0].identity, "jane@example.com");

    // Another slot has another key.
    let bob = new_key(&running.place, "bob").await;
    assert_ne!(bob.key().public_key().spki_der(), held.public_key().spki_der());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_gives_up_the_sign_in_leaves_it_to_the_next() {
    let running = run().await;
    let first = new_key(&running.place, "alice").await;
    let place = running.place.clone();
    let waiting = tokio::spawn(async move { take(&place, "alice").await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(first);
    assert!(matches!(waiting.await.unwrap(), Taken::New(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_ends_soon_is_asked_for_again() {
    let running = run().await;
    let new = new_key(&running.place, "alice").await;
    let certificate = certify(new.key(), 1);
    new.keep(&certificate).unwrap();
    new_key(&running.place, "alice").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_of_another_key_is_not_kept() {
    let running = run().await;
    let (alice, bob) = (new_key(&running.place, "a").await, new_key(&running.place, "b").await);
    let certificate = certify(bob.key(), 10);
    assert!(matches!(alice.keep(&certificate), Err(AgentError::Refused(_))));
    new_key(&running.place, "a").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_forgets_ends_and_the_next_knows_nothing() {
    let mut running = run().await;
    let new = new_key(&running.place, "alice").await;
    let certificate = certify(new.key(), 10);
    new.keep(&certificate).unwrap();
    let mut agent = Agent::connect(&running.place).unwrap();
    assert_eq!(agent.forget().unwrap(), 1);
    (&mut running.task).await.unwrap().unwrap();
    assert!(!running.place.socket().exists());
    assert!(matches!(Agent::connect(&running.place), Err(AgentError::NotRunning)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_forgotten_signs_no_more_and_one_that_is_signed_in_for_is_not_kept() {
    let running = run().await;
    let (alice, bob) = (new_key(&running.place, "a").await, new_key(&running.place, "b").await);
    let certificate = certify(alice.key(), 10);
    let held = alice.keep(&certificate).unwrap();
    Agent::connect(&running.place).unwrap().forget().unwrap();
    let digest = HashAlgorithm::Sha256.digest(b"after");
    held.sign_digest(SCHEME, &digest).unwrap_err();
    let certificate = certify(bob.key(), 10);
    assert!(bob.keep(&certificate).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_sleeps_forgets_all_keys() {
    let machine = Machine::new();
    let running = run_with(Keys::by(machine.clock())).await;
    let (alice, bob) = (new_key(&running.place, "a").await, new_key(&running.place, "b").await);
    let certificate = certify(alice.key(), 10);
    let held = alice.keep(&certificate).unwrap();
    let digest = HashAlgorithm::Sha256.digest(b"awake");
    machine.wakes_for(Duration::from_secs(120));
    held.sign_digest(SCHEME, &digest).unwrap();
    assert!(matches!(take(&running.place, "a").await, Taken::Held(..)));

    machine.sleeps_for(Duration::from_secs(120));
    // Neither who has the key already, nor who is signing in, nor who comes next.
    held.sign_digest(SCHEME, &digest).unwrap_err();
    let certificate = certify(bob.key(), 10);
    assert!(bob.keep(&certificate).is_err());
    assert!(Agent::connect(&running.place).unwrap().list().unwrap().is_empty());
    let new = new_key(&running.place, "a").await;
    // The agent goes on, for whoever signs in again.
    let certificate = certify(new.key(), 10);
    new.keep(&certificate).unwrap().sign_digest(SCHEME, &digest).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_minutes_are_not_made_longer_by_setting_the_clock_back() {
    let machine = Machine::new();
    let running = run_with(Keys::by(machine.clock())).await;
    let new = new_key(&running.place, "alice").await;
    let certificate = certify(new.key(), 10);
    let held = new.keep(&certificate).unwrap();
    machine.is_set_back_by(Duration::from_secs(3600));
    machine.wakes_for(Duration::from_secs(9 * 60));
    let digest = HashAlgorithm::Sha256.digest(b"late");
    held.sign_digest(SCHEME, &digest).unwrap();
    machine.wakes_for(Duration::from_secs(2 * 60));
    held.sign_digest(SCHEME, &digest).unwrap_err();
    new_key(&running.place, "alice").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_can_reach_the_socket() {
    let running = run().await;
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(running.place.directory()), 0o700);
    assert_eq!(mode(&running.place.socket()), 0o600);
    // There is one agent, and a directory that others can enter is not used.
    assert!(matches!(serve(&running.place).await, Err(ServeError::Running)));
    let open = running.directory.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(Place::at(&open), Err(PlaceError::Open { .. })));
    let link = running.directory.path().join("link");
    std::os::unix::fs::symlink(running.place.directory(), &link).unwrap();
    assert!(matches!(Place::at(&link), Err(PlaceError::Open { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_understood_ends_the_connection() {
    use std::io::{Read as _, Write as _};
    let running = run().await;
    let endless = [vec![b'{'; super::protocol::MAX_LINE], b"\n".to_vec()].concat();
    for line in [b"{\"export\":{}}\n".to_vec(), b"\n".to_vec(), endless] {
        let place = running.place.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mut stream = std::os::unix::net::UnixStream::connect(place.socket()).unwrap();
            // The agent may hang up before it has read all of it.
            let _ = stream.write_all(&line);
            let mut said = Vec::new();
            let _ = stream.read_to_end(&mut said);
            said
        });
        assert!(read.await.unwrap().is_empty());
    }
    Agent::connect(&running.place).unwrap().list().unwrap();
}
