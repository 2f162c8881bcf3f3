//! Tags that move: what was looked up once is what is signed and verified, whatever the tag says later.

use std::collections::BTreeMap;
use std::sync::Arc;

use client::image::signing::{Format, SignImageError, sign};
use client::image::statement::Claim;
use client::image::subject::{Selection, Subject, select};
use client::image::verifying::verify;
use client::select::Services;
use client::sign::Signer;
use crypto::{KeyKind, SigningKey};
use oci::{Descriptor, Document, Manifest, Store, Target};
use verify::{Policy, danger};

use crate::fake::{Abilities, Fake};
use crate::place::{Cosign, image, signature};

const ALL: Abilities = Abilities { referrers: true, whole_blobs: true, silent: false };

fn tag() -> Target {
    Target::tag("v1").unwrap()
}

/// Gives the tag to a new image.
async fn push(store: &Store, name: &str) -> Descriptor {
    store.push_blob(bytes::Bytes::from_static(b"{}")).await.unwrap();
    let mut manifest = Manifest::new(Descriptor::empty(), Vec::new());
    manifest.annotations.insert("name".to_owned(), name.to_owned());
    let document = Document::of_manifest(manifest);
    store.push_document(&document, Some("v1")).await.unwrap();
    document.descriptor().bare()
}

async fn look_up(store: &Store) -> Subject {
    select(store, &tag(), &Selection::Itself).await.unwrap().remove(0)
}

/// A signer with a key and no services: a bundle with nothing but a signature.
fn signer() -> (Signer, Policy) {
    let key = SigningKey::generate(KeyKind::EcdsaP256).unwrap();
    let policy = danger::ignore_transparency_logs(Policy::key(key.public_key().clone()));
    let nobody =
        Services { ca: None, issuer: None, logs: Vec::new(), timestamp_authorities: Vec::new() };
    let http = net::Client::new(net::Settings::default());
    (Signer::with_key(nobody, http, Arc::new(Cosign::new().trust()), key).unwrap(), policy)
}

fn claim() -> Claim {
    Claim::Signature { annotations: BTreeMap::new(), identity: None }
}

#[tokio::test]
pub(crate) async fn a_tag_that_moves_while_it_is_signed_leaves_nothing_attached() {
    let (signer, policy) = signer();
    for format in [Format::Bundle, Format::Legacy, Format::Both] {
        let fake = Fake::start(ALL).await;
        let store = fake.store();
        let first = push(&store, "first").await;
        let looked_up = look_up(&store).await;
        let second = push(&store, "second").await;
        let asked = image(&store, tag());
        let error = sign(&signer, &asked, looked_up, &claim(), format).await.unwrap_err();
        let SignImageError::TagMoved { tag, before, now } = &error else { panic!("{error:?}") };
        assert_eq!((tag.as_str(), *before, *now), ("v1", first.digest, second.digest));
        let said = error.to_string();
        assert!(
            said.contains(&first.digest.to_string()) && said.contains(&second.digest.to_string())
        );
        for image in [&first, &second] {
            assert_eq!(store.referrers(&image.digest).await.unwrap(), []);
        }
        assert_eq!(store.tags().await.unwrap(), ["v1"], "no signature in the older form");

        // The twin: the tag stays.
        let looked_up = look_up(&store).await;
        let done = sign(&signer, &asked, looked_up.clone(), &claim(), format).await.unwrap();
        assert_eq!(done.subject.descriptor, second);
        let trust = Cosign::new().trust();
        verify(&asked, looked_up.descriptor.digest, &signature(), &policy, &trust).await.unwrap();
    }
}

#[tokio::test]
pub(crate) async fn a_digest_is_signed_whatever_its_tag_says_later() {
    let (signer, policy) = signer();
    let fake = Fake::start(ALL).await;
    let store = fake.store();
    let first = push(&store, "first").await;
    push(&store, "second").await;
    let by_digest = Target::Digest(first.digest);
    let subject = select(&store, &by_digest, &Selection::Itself).await.unwrap().remove(0);
    let asked = image(&store, by_digest);
    let done = sign(&signer, &asked, subject.clone(), &claim(), Format::Bundle).await.unwrap();
    assert_eq!(done.subject.descriptor, first);
    verify(&asked, subject.descriptor.digest, &signature(), &policy, &Cosign::new().trust())
        .await
        .unwrap();
}

/// CVE-2022-47633 of Kyverno: one image is verified, and another one run.
#[tokio::test]
pub(crate) async fn verification_asks_for_the_tag_once() {
    let (signer, policy) = signer();
    let fake = Fake::start(ALL).await;
    let store = fake.store();
    push(&store, "first").await;
    let asked = image(&store, tag());
    let signed = look_up(&store).await;
    sign(&signer, &asked, signed.clone(), &claim(), Format::Bundle).await.unwrap();
    let before = fake.count();
    let looked_up = look_up(&store).await;
    // From here on the tag is another image, which nobody has signed.
    let trust = Cosign::new().trust();
    let pushed = fake.store();
    let other = push(&pushed, "second").await;
    let finding =
        verify(&asked, looked_up.descriptor.digest, &signature(), &policy, &trust).await.unwrap();
    let statement = finding.proven[0].verified.statement.as_ref().unwrap();
    assert!(
        statement.subject.iter().all(|s| s.has(&crypto::Digest::from(signed.descriptor.digest)))
    );
    let asked_for_tag = |line: &&String| *line == "GET /v2/a/b/manifests/v1";
    assert_eq!(fake.lines()[before..].iter().filter(asked_for_tag).count(), 1);
    // Whoever looks it up now gets the other one, and a refusal.
    let looked_up = look_up(&store).await;
    assert_eq!(looked_up.descriptor, other);
    verify(&asked, looked_up.descriptor.digest, &signature(), &policy, &trust).await.unwrap_err();
}
