//! A timestamp authority on a port, for the acceptance script that asks it with openssl.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use crypto::{KeyKind, SigningKey};
use jiff::{SignedDuration, Timestamp};
use pki::DistinguishedName;
use pki::issue::{self, Issuer, Serial, Validity};
use pki::tsp::{Policy, TokenSigner};
use services::clock::Clock;
use services::tsa::{DEFAULT_POLICY, Rules, TimestampAuthority};
use web::timestamp::Granted;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/acceptance/openssl.sh");

fn authority(kind: KeyKind) -> TimestampAuthority {
    let name = |common| DistinguishedName::new("tsa.example", common).unwrap();
    let validity = Validity::starting(Timestamp::now(), SignedDuration::from_hours(24));
    let serial = |seed| Serial::from_random([seed; 20]);
    let [root_key, key] =
        [KeyKind::EcdsaP384, kind].map(|kind| Arc::new(SigningKey::generate(kind).unwrap()));
    let root = issue::root(&root_key, &name("root"), validity, serial(1)).unwrap();
    let issuer = Issuer::new(root.clone(), root_key).unwrap();
    let leaf =
        issuer.timestamp_signer(key.public_key(), &name("tsa"), validity, serial(2)).unwrap();
    let signer = TokenSigner::new(key, vec![leaf, root], None, false, Timestamp::now()).unwrap();
    let rules = Rules {
        default_policy: Policy::from_dotted(DEFAULT_POLICY).unwrap(),
        accepted_policies: Vec::new(),
        allow_extensions: false,
    };
    TimestampAuthority::new(signer, rules, Clock::system(|| true))
}

#[tokio::test]
async fn openssl_accepts_tokens_of_every_kind_of_key() {
    for program in ["openssl", "curl"] {
        if std::process::Command::new(program).arg("version").output().is_err() {
            return testdata::skip(&format!("there is no {program}"));
        }
    }
    for kind in [KeyKind::EcdsaP256, KeyKind::EcdsaP384, KeyKind::Rsa { bits: 2048 }] {
        let router = web::timestamp::routes(Arc::new(authority(kind)), Granted::Ok);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let script = tokio::task::spawn_blocking(move || {
            std::process::Command::new(SCRIPT).arg(url).output()
        });
        let output = script.await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{kind}: {said}{complained}");
        testdata::report(&format!("openssl, {kind}: {}", said.lines().last().unwrap_or_default()));
        server.abort();
    }
}
