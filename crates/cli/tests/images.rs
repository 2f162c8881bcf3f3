//! `copy` between two registries: a name is the last that the copy gets.

#![allow(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

#[allow(dead_code, reason = "what the registry's own tests need of it, too")]
#[path = "../../oci/tests/registry/fake.rs"]
mod fake;

use std::process::Output;

use bytes::Bytes;
use fake::{Abilities, Answer, Fake};
use oci::{Descriptor, Document, Manifest, Store};

const ALL: Abilities = Abilities { referrers: true, whole_blobs: true, silent: false };

/// An image `v1` with a referrer; the digest of that.
async fn push(store: &Store) -> String {
    store.push_blob(Bytes::from_static(b"{}")).await.unwrap();
    let image = Document::of_manifest(Manifest::new(Descriptor::empty(), Vec::new()));
    store.push_document(&image, Some("v1")).await.unwrap();
    let mut referrer = Manifest::new(Descriptor::empty(), Vec::new());
    referrer.artifact_type = Some("a/b".to_owned());
    referrer.subject = Some(image.descriptor());
    let referrer = Document::of_manifest(referrer);
    store.attach(&referrer).await.unwrap();
    referrer.digest().to_string()
}

async fn bulla(source: &Fake, target: &Fake) -> Output {
    let home = tempfile::tempdir().unwrap();
    tokio::process::Command::new(env!("CARGO_BIN_EXE_bulla"))
        .args(["copy", &format!("{}/a/b:v1", source.name), &format!("{}/a/b:v2", target.name)])
        .env_clear()
        .env("HOME", home.path())
        .output()
        .await
        .unwrap()
}

#[tokio::test]
async fn an_image_gets_its_tag_after_all_that_is_attached_to_it() {
    let (source, target) = (Fake::start(ALL).await, Fake::start(ALL).await);
    let referrer = push(&source.store()).await;
    let ended = bulla(&source, &target).await;
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let puts: Vec<_> = target.lines().into_iter().filter(|line| line.starts_with("PUT ")).collect();
    let attached = puts.iter().position(|line| line.ends_with(&referrer));
    let named = puts.iter().position(|line| line.ends_with("/manifests/v2"));
    assert!(attached.is_some() && attached < named, "{puts:?}");
    assert_eq!(named, Some(puts.len() - 1), "{puts:?}");
}

#[tokio::test]
async fn an_image_whose_referrer_is_not_taken_gets_no_tag() {
    let source = Fake::start(ALL).await;
    let referrer = push(&source.store()).await;
    let target = Fake::lying(ALL, move |request| {
        let refused = request.method == "PUT" && request.path.ends_with(&referrer);
        refused.then(|| Answer::new(403))
    })
    .await;
    let ended = bulla(&source, &target).await;
    assert_eq!(ended.status.code(), Some(3), "{}", String::from_utf8_lossy(&ended.stderr));
    let contents = target.contents();
    assert!(contents.tags.is_empty() && !contents.documents.is_empty());
}
