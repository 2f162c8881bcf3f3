//! Whom our client trusts for TLS, against a server of ours.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic, in its helpers too")]

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use crypto::{KeyKind, SigningKey};
use jiff::{SignedDuration, Timestamp};
use net::{Alias, Client, RequestError, Response, Retry, Settings, TlsTrust, Url};
use pki::issue::{Issuer, Serial, ServerName, Validity, root};
use pki::{Certificate, DistinguishedName};
use web::server::{Listener, serve, tls_from_pem};

fn key() -> SigningKey {
    SigningKey::generate(KeyKind::EcdsaP256).unwrap()
}

fn serial() -> Serial {
    Serial::from_random(crypto::random_array())
}

fn validity() -> Validity {
    Validity::starting(
        Timestamp::now() - SignedDuration::from_hours(1),
        SignedDuration::from_hours(24),
    )
}

fn authority(key: &SigningKey) -> Certificate {
    let name = DistinguishedName::new("Example", "tls").unwrap();
    root(key, &name, validity(), serial()).unwrap()
}

/// A server for `localhost`, with a certificate of `authority`; gives its port.
async fn start(authority: Certificate, authority_key: SigningKey) -> u16 {
    let issuer = Issuer::new(authority, Arc::new(authority_key)).unwrap();
    let key = key();
    let names = [ServerName::Dns("localhost".into())];
    let certificate = issuer.tls_server(key.public_key(), &names, validity(), serial()).unwrap();
    let pem = key.to_pkcs8_pem().unwrap();
    let tls = tls_from_pem(certificate.to_pem().as_bytes(), pem.as_bytes()).unwrap();
    let listener = Listener::bind(([127, 0, 0, 1], 0).into(), Some(tls)).await.unwrap();
    let port = listener.address().unwrap().port();
    let router = Router::new().route("/", get(|| async { "hello" }));
    tokio::spawn(serve(listener, router, std::future::pending()));
    port
}

async fn ask(host: &str, port: u16, tls: TlsTrust) -> Result<Response, RequestError> {
    ask_with(host, port, Settings { tls, ..Settings::default() }).await
}

async fn ask_with(host: &str, port: u16, settings: Settings) -> Result<Response, RequestError> {
    let client = Client::new(settings);
    let url = Url::parse(&format!("https://{host}:{port}/")).unwrap();
    client.get(url).retry(Retry::NEVER).send().await
}

#[tokio::test]
async fn a_server_is_believed_only_under_its_name_and_a_root_that_was_given() {
    let authority_key = key();
    let authority = authority(&authority_key);
    let ours = authority.der().to_vec();
    let port = start(authority, authority_key).await;
    let pinned = || TlsTrust::Only(vec![ours.clone()]);
    let further = || TlsTrust::System { further: vec![ours.clone()] };
    let stranger = self::authority(&key()).der().to_vec();

    for tls in [pinned(), further(), TlsTrust::DangerouslyUnverified] {
        assert_eq!(ask("localhost", port, tls).await.unwrap().body, "hello");
    }
    for (host, tls) in [
        ("localhost", TlsTrust::Only(vec![stranger])),
        ("localhost", TlsTrust::system()),
        ("127.0.0.1", pinned()),
        ("other.localhost", pinned()),
    ] {
        let error = ask(host, port, tls).await.unwrap_err();
        assert!(matches!(error, RequestError::Connect { .. }), "{host}: {error}");
    }
}

#[tokio::test]
async fn a_server_is_believed_under_the_alias_that_was_given_and_under_no_other_name() {
    let authority_key = key();
    let authority = authority(&authority_key);
    let tls = TlsTrust::Only(vec![authority.der().to_vec()]);
    let port = start(authority, authority_key).await;
    for (host, name, believed) in [
        ("127.0.0.1", "localhost", true),
        ("127.0.0.1", "other.localhost", false),
        ("localhost", "other.localhost", false),
        ("localhost", "127.0.0.1", false),
    ] {
        let alias = Some(Alias { host: host.into(), name: name.parse().unwrap() });
        let settings = Settings { tls: tls.clone(), alias, ..Settings::default() };
        let answer = ask_with(host, port, settings).await;
        assert_eq!(answer.is_ok(), believed, "{host} as {name}");
    }
}
