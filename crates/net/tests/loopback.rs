//! What the listener of the browser flow lets in (GHSA-hm8f-75xx-w2vr: the state must be checked).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic, in its helpers too")]

use std::time::Duration;

use net::{Callback, Client, Loopback, LoopbackError, Retry, Settings, Url};
use tokio::task::JoinHandle;

const STATE: &str = "a-state-that-nobody-can-guess";

type Outcome = Result<Callback, LoopbackError>;

async fn start(timeout: Duration) -> (String, JoinHandle<Outcome>) {
    let loopback = Loopback::bind("/auth/callback").await.unwrap();
    let uri = loopback.redirect_uri();
    (uri, tokio::spawn(loopback.receive(STATE, timeout)))
}

async fn start_patiently() -> (String, JoinHandle<Outcome>) {
    start(Duration::from_secs(20)).await
}

async fn visit(url: &str) -> u16 {
    let request = Client::new(Settings::default()).get(Url::parse(url).unwrap());
    request.retry(Retry::NEVER).send().await.map_or(0, |response| response.status.as_u16())
}

#[tokio::test]
async fn the_code_comes_with_the_right_state() {
    let (uri, outcome) = start_patiently().await;
    assert_eq!(
        visit(&format!("{uri}?code=c%2Bd&state={STATE}&iss=https%3A%2F%2Fi.example")).await,
        200
    );
    let callback = outcome.await.unwrap().ok().unwrap();
    assert_eq!(callback.code, "c+d");
    assert_eq!(callback.issuer.as_deref(), Some("https://i.example"));
}

#[tokio::test]
async fn strangers_are_sent_away_and_change_nothing() {
    let (uri, outcome) = start_patiently().await;
    let origin = uri.strip_suffix("/auth/callback").unwrap();
    for stranger in [
        format!("{uri}?code=evil&state=wrong"),
        format!("{uri}?code=evil&state="),
        format!("{uri}?code=evil"),
        format!("{uri}?code=evil&state={STATE}x"),
        format!("{uri}?code=evil&state={STATE}&state=wrong"),
        format!("{uri}?error=access_denied"),
        format!("{origin}/?code=evil&state={STATE}"),
        format!("{origin}/favicon.ico"),
    ] {
        assert_eq!(visit(&stranger).await, 400, "{stranger}");
    }
    assert_eq!(visit(&format!("{uri}?code=good&state={STATE}")).await, 200);
    assert_eq!(outcome.await.unwrap().ok().unwrap().code, "good");
}

#[tokio::test]
async fn a_second_hit_finds_nobody() {
    let (uri, outcome) = start_patiently().await;
    let url = format!("{uri}?code=good&state={STATE}");
    assert_eq!(visit(&url).await, 200);
    assert_eq!(outcome.await.unwrap().ok().unwrap().code, "good");
    assert_ne!(visit(&url).await, 200);
}

#[tokio::test]
async fn a_refusal_is_told_with_its_reason() {
    let (uri, outcome) = start_patiently().await;
    visit(&format!("{uri}?error=access_denied&error_description=no&state={STATE}")).await;
    let error = outcome.await.unwrap().err().unwrap();
    assert!(
        matches!(&error, LoopbackError::Refused { error, description: Some(text) } if error == "access_denied" && text == "no"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_name_that_points_here_is_not_enough() {
    // What DNS rebinding would look like: our port under another name.
    let (uri, outcome) = start_patiently().await;
    let other = uri.replace("localhost", "evil.localhost");
    assert_eq!(visit(&format!("{other}?code=evil&state={STATE}")).await, 400);
    let number = uri.replace("localhost", "127.0.0.1");
    assert_eq!(visit(&format!("{number}?code=good&state={STATE}")).await, 200);
    assert_eq!(outcome.await.unwrap().ok().unwrap().code, "good");
}

#[tokio::test]
async fn nobody_is_waited_for_for_ever() {
    let (_, outcome) = start(Duration::from_millis(50)).await;
    assert!(matches!(outcome.await.unwrap(), Err(LoopbackError::Timeout { .. })));
}
