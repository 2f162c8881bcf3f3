//! What is around the certificate authority fails, or lies.

use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode};
use jiff::SignedDuration;
use serde_json::json;
use services::ca::{IssueError, SctRefusal, SubmitPrecertificateError};
use services::clock::ClockError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower::ServiceExt;
use web::server::{Listener, serve};

use crate::authority::{
    CLIENT_KEY, LogConduct, PlayedIssuer, World, alice, email_config, now, token,
};
use crate::golden::router;

const ALICE: &str = "alice@example.com";

async fn ask(world: &World) -> Result<pki::Certificate, IssueError> {
    world.ask_for(&token(&alice()), ALICE).await
}

async fn refused_timestamp(conduct: LogConduct) -> SctRefusal {
    let world = World::new();
    *world.log.conduct.lock().unwrap() = conduct;
    match ask(&world).await.unwrap_err() {
        IssueError::Sct(error) => error,
        other => panic!("{conduct:?}: {other:?}"),
    }
}

#[tokio::test]
pub(super) async fn an_answer_of_the_log_that_is_no_promise_for_this_certificate_is_refused() {
    assert!(matches!(refused_timestamp(LogConduct::Garbage).await, SctRefusal::Malformed(_)));
    assert!(matches!(refused_timestamp(LogConduct::OtherKey).await, SctRefusal::OtherLog { .. }));
    for conduct in [LogConduct::ForgedSignature, LogConduct::OtherCertificate] {
        assert!(
            matches!(refused_timestamp(conduct).await, SctRefusal::Signature(_)),
            "{conduct:?}"
        );
    }
    for conduct in [LogConduct::FarFuture, LogConduct::FarPast] {
        assert!(matches!(refused_timestamp(conduct).await, SctRefusal::Time { .. }), "{conduct:?}");
    }
    let world = World::new();
    ask(&world).await.unwrap();
}

#[tokio::test]
pub(super) async fn a_log_that_is_busy_or_broken_gives_no_certificate_and_heals() {
    let world = World::new();
    *world.log.conduct.lock().unwrap() = LogConduct::Busy;
    let error = ask(&world).await.unwrap_err();
    assert!(matches!(error, IssueError::Log(SubmitPrecertificateError::Busy { .. })), "{error:?}");
    *world.log.conduct.lock().unwrap() = LogConduct::Refuses;
    let error = ask(&world).await.unwrap_err();
    assert!(matches!(error, IssueError::Log(SubmitPrecertificateError::Refused(_))), "{error:?}");
    *world.log.conduct.lock().unwrap() = LogConduct::Honest;
    ask(&world).await.unwrap();
}

#[tokio::test]
pub(super) async fn without_a_trusted_time_nothing_is_issued() {
    let world = World::new();
    for error in [ClockError::SetBack { behind_ms: 10_000 }, ClockError::NotSynchronised] {
        *world.clock.0.lock().unwrap() = Err(error);
        let refusal = ask(&world).await.unwrap_err();
        assert!(matches!(refusal, IssueError::Clock(found) if found == error), "{refusal:?}");
    }
    assert!(world.log.submissions.lock().unwrap().is_empty());
    *world.clock.0.lock().unwrap() = Ok(now());
    ask(&world).await.unwrap();
}

#[tokio::test]
pub(super) async fn nothing_is_issued_that_would_outlive_the_issuer() {
    let world = |minutes| {
        let left = SignedDuration::from_mins(minutes);
        World::with_lifetime(email_config(), PlayedIssuer::usual(), left)
    };
    let expiring = world(9);
    let error = ask(&expiring).await.unwrap_err();
    let expected =
        matches!(error, IssueError::Signing(pki::issue::IssueError::OutlivesIssuer { .. }));
    assert!(expected, "{error:?}");
    assert!(expiring.log.submissions.lock().unwrap().is_empty());
    assert!(expiring.authority.issues_until() < now());
    let certificate = ask(&world(10)).await.unwrap();
    assert_eq!(certificate.not_after(), now() + SignedDuration::from_mins(10));
}

/// A request for a certificate, with this many bytes.
fn body(length: usize) -> String {
    let proof = CLIENT_KEY.sign(ALICE.as_bytes()).unwrap();
    let request = json!({
        "credentials": { "oidcIdentityToken": token(&alice()) },
        "publicKeyRequest": {
            "publicKey": { "content": CLIENT_KEY.public_key().to_pem() },
            "proofOfPossession": crate::authority::encode(proof),
        },
    });
    let request = request.to_string();
    format!("{}{request}", " ".repeat(length - request.len()))
}

#[tokio::test]
pub(super) async fn a_body_of_more_than_four_mebibytes_is_refused() {
    let world = World::new();
    let router = router(&world);
    let limit = 4 * 1024 * 1024;
    for (length, status) in [(limit, StatusCode::OK), (limit + 1, StatusCode::BAD_REQUEST)] {
        let request = Request::post("/api/v2/signingCert").body(Body::from(body(length))).unwrap();
        assert_eq!(router.clone().oneshot(request).await.unwrap().status(), status);
    }
}

/// Sends the beginning of a request, or all of it, and returns what comes back until the connection ends.
async fn converse(address: std::net::SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
pub(super) async fn a_client_that_dawdles_over_its_headers_is_sent_away() {
    let world = World::new();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), None).await.unwrap();
    let address = listener.address().unwrap();
    tokio::spawn(serve(listener, router(&world), std::future::pending()));
    let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    let whole = converse(address, &format!("{request}\r\n")).await;
    assert!(whole.starts_with("HTTP/1.1 200"), "{whole}");
    // From here on time passes whenever everybody waits.
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let half = converse(address, request).await;
    assert!(!half.contains("200"), "{half}");
    assert!(begun.elapsed() < Duration::from_secs(30));
}

/// What the client is told, and whether it is told to come back.
#[tokio::test]
pub(super) async fn failures_of_the_servers_are_told_apart_from_mistakes_of_clients() {
    let world = World::new();
    let answer = async || {
        let request = Request::post("/api/v2/signingCert").body(Body::from(body(4096))).unwrap();
        let response = router(&world).oneshot(request).await.unwrap();
        let retry =
            response.headers().get("Retry-After").map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), retry)
    };
    assert_eq!(answer().await, (200, None));
    *world.log.conduct.lock().unwrap() = LogConduct::Busy;
    assert_eq!(answer().await, (503, Some("7".to_owned())));
    *world.log.conduct.lock().unwrap() = LogConduct::OtherKey;
    assert_eq!(answer().await, (500, None));
    *world.clock.0.lock().unwrap() = Err(ClockError::NotSynchronised);
    assert_eq!(answer().await, (503, Some("2".to_owned())));
}
