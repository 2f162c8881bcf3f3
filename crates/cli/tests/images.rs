//! In which order registries are asked: a name is the last that a copy gets, and so many images are verified at a time.

#![allow(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

#[allow(dead_code, reason = "what the registry's own tests need of it, too")]
#[path = "../../oci/tests/registry/fake.rs"]
mod fake;

use std::path::Path;
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use crypto::{KeyKind, SigningKey};
use fake::{Abilities, Answer, Fake};
use oci::{Descriptor, Document, Index, Manifest, Store};

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

async fn bulla(home: &Path, arguments: &[&str]) -> Output {
    tokio::process::Command::new(env!("CARGO_BIN_EXE_bulla"))
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .output()
        .await
        .unwrap()
}

async fn copy(source: &Fake, target: &Fake) -> Output {
    let home = tempfile::tempdir().unwrap();
    let [source, target] = [(source, "v1"), (target, "v2")]
        .map(|(registry, tag)| format!("{}/a/b:{tag}", registry.name));
    bulla(home.path(), &["copy", &source, &target]).await
}

#[tokio::test]
async fn an_image_gets_its_tag_after_all_that_is_attached_to_it() {
    let (source, target) = (Fake::start(ALL).await, Fake::start(ALL).await);
    let referrer = push(&source.store()).await;
    let ended = copy(&source, &target).await;
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
    let ended = copy(&source, &target).await;
    assert_eq!(ended.status.code(), Some(3), "{}", String::from_utf8_lossy(&ended.stderr));
    let contents = target.contents();
    assert!(contents.tags.is_empty() && !contents.documents.is_empty());
}

/// About how many images a registry is asked before it is asked for the second thing about one of them: the tag of the older
/// form.
#[derive(Default)]
struct FirstRound {
    images: usize,
    over: bool,
}

impl FirstRound {
    fn see(&mut self, path: &str) {
        self.over |= path.ends_with(".sig");
        self.images += usize::from(!self.over && path.contains("/referrers/sha256:"));
    }
}

/// Two indexes of four images each.
async fn push_indexes(store: &Store) {
    store.push_blob(Bytes::from_static(b"{}")).await.unwrap();
    for name in ["v1", "v2"] {
        let mut images = Vec::new();
        for number in 0..4 {
            let mut image = Manifest::new(Descriptor::empty(), Vec::new());
            image.annotations.insert(name.to_owned(), number.to_string());
            let image = Document::of_manifest(image);
            store.push_document(&image, None).await.unwrap();
            images.push(image.descriptor());
        }
        let index = Document::of_index(Index::new(images));
        store.push_document(&index, Some(name)).await.unwrap();
    }
}

#[tokio::test]
async fn as_many_images_are_verified_at_a_time_as_there_are_workers_however_many_names_there_are() {
    let seen = Arc::new(Mutex::new(FirstRound::default()));
    let sees = Arc::clone(&seen);
    let registry = Fake::lying(ALL, move |request| {
        sees.lock().unwrap().see(&request.path);
        // Nothing is attached, which takes its time to say.
        let asked = request.method == "GET" && request.path.contains("/referrers/");
        let none = Document::of_index(Index::new(Vec::new())).bytes().to_vec();
        let none = Answer::new(200).body(oci::media_type::INDEX, none);
        asked.then(|| none.after(Duration::from_millis(100)))
    })
    .await;
    push_indexes(&registry.store()).await;
    let home = tempfile::tempdir().unwrap();
    let [key, trust] = ["key.pub", "root.json"].map(|name| home.path().join(name));
    let signer = SigningKey::generate(KeyKind::EcdsaP256).unwrap();
    std::fs::write(&key, signer.public_key().to_pem()).unwrap();
    let root = r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}"#;
    std::fs::write(&trust, root).unwrap();
    let images = ["v1", "v2"].map(|tag| format!("{}/a/b:{tag}", registry.name));
    let [key, trust] = [&key, &trust].map(|path| path.to_str().unwrap());
    let question =
        ["verify", "--recursive", "--key", key, "--trusted-root", trust, "--insecure-ignore-tlog"];
    for workers in [1, 2, 3] {
        *seen.lock().unwrap() = FirstRound::default();
        let number = workers.to_string();
        let more = ["--max-workers", &number, &images[0], &images[1]];
        let ended = bulla(home.path(), &[&question[..], &more].concat()).await;
        assert_eq!(ended.status.code(), Some(1), "{}", String::from_utf8_lossy(&ended.stderr));
        let images = seen.lock().unwrap().images;
        assert!((1..=workers).contains(&images), "{images} of {workers}");
    }
}
