//! What is asked for, in which order, and how often.

use bytes::Bytes;
use oci::{Access, Credentials, Descriptor, FetchError, Registries, Settings, Store, Target};

use crate::fake::{Abilities, Answer, Fake};
use crate::{push_image, referrer, sign};

const NEWEST: Abilities = Abilities { referrers: true, whole_blobs: true, silent: false };
const OLDEST: Abilities = Abilities { referrers: false, whole_blobs: false, silent: false };

#[tokio::test]
async fn what_was_stored_comes_back() {
    for abilities in [NEWEST, OLDEST] {
        let fake = Fake::start(abilities).await;
        let store = fake.store();
        let image = push_image(&store).await;
        assert_eq!(store.resolve(&Target::tag("v1").unwrap()).await.unwrap(), image);
        let document = store.document(&image).await.unwrap();
        let layer = &document.manifest().unwrap().layers[0];
        assert_eq!(store.blob(layer, 100).await.unwrap(), "a layer");
        let error = store.blob(layer, 6).await.unwrap_err();
        assert!(matches!(error, FetchError::TooLong { size: 7, limit: 6, .. }), "{error}");
        assert_eq!(store.referrers(&image.digest).await.unwrap(), []);
        assert_eq!(store.tags().await.unwrap(), ["v1"]);
    }
}

#[tokio::test]
async fn what_is_attached_is_listed() {
    for abilities in [NEWEST, OLDEST] {
        let fake = Fake::start(abilities).await;
        push_image(&fake.store()).await;
        for content in ["one", "two"] {
            sign(&fake.store(), content).await.unwrap();
        }
        let store = fake.store();
        let image = store.resolve(&Target::tag("v1").unwrap()).await.unwrap();
        let mut found = Vec::new();
        for descriptor in store.referrers(&image.digest).await.unwrap() {
            let document = store.document(&descriptor).await.unwrap();
            assert_eq!(document.subject(), Some(&image));
            found.push(store.blob(&document.manifest().unwrap().layers[0], 10).await.unwrap());
        }
        found.sort();
        assert_eq!(found, ["one", "two"]);
    }
}

/// As the registry of go-containerregistry v0.22.
#[tokio::test]
async fn a_registry_that_lists_silently_is_found_out_once() {
    let fake = Fake::start(Abilities { silent: true, ..NEWEST }).await;
    let store = fake.store();
    push_image(&store).await;
    for (content, requests) in [("one", 5), ("two", 3)] {
        let before = fake.count();
        sign(&store, content).await.unwrap();
        let lines = fake.lines()[before..].to_vec();
        assert_eq!(lines.len(), requests, "{lines:#?}");
    }
    assert_eq!(store.tags().await.unwrap(), ["v1"], "no list is kept under a tag");
}

#[tokio::test]
async fn what_one_repository_does_silently_another_need_not() {
    let fake = Fake::lying(Abilities { silent: true, ..NEWEST }, |request| {
        request.path.starts_with("/v2/a/second/referrers/").then(|| Answer::new(404))
    })
    .await;
    let settings = Settings { credentials: Credentials::none(), ..Settings::default() };
    let registries = Registries::new(settings);
    for (name, has_list) in [("b", false), ("second", true)] {
        let repository = format!("{}/a/{name}:v1", fake.name).parse().unwrap();
        let store = Store::Registry(registries.repository(&repository, Access::Push));
        push_image(&store).await;
        let attached = sign(&store, name).await.unwrap();
        assert_eq!(attached.fallback_tag.is_some(), has_list, "{name}");
    }
}

/// The numbers in the documentation.
#[tokio::test]
async fn a_signature_takes_as_few_requests_as_the_protocol_allows() {
    let fake = Fake::start(NEWEST).await;
    push_image(&fake.store()).await;
    let before = fake.count();
    sign(&fake.store(), "one").await.unwrap();
    let lines = fake.lines()[before..].to_vec();
    assert_eq!(lines.len(), 4, "{lines:#?}");
    assert_eq!(lines[0], "GET /v2/a/b/manifests/v1");
    assert!(lines[3].starts_with("PUT /v2/a/b/manifests/sha256:"), "{}", lines[3]);
}

#[tokio::test]
async fn a_second_signature_of_one_process_knows_the_registry() {
    for (abilities, requests) in [(NEWEST, 3), (OLDEST, 8)] {
        let fake = Fake::start(abilities).await;
        let store = fake.store();
        push_image(&store).await;
        sign(&store, "one").await.unwrap();
        let before = fake.count();
        sign(&store, "two").await.unwrap();
        let lines = fake.lines()[before..].to_vec();
        assert_eq!(lines.len(), requests, "{lines:#?}");
    }
}

#[tokio::test]
async fn the_list_says_of_a_referrer_what_the_referrer_says_of_itself() {
    let fake = Fake::start(OLDEST).await;
    let image = push_image(&fake.store()).await;
    let attached = sign(&fake.store(), "one").await.unwrap();
    assert_eq!(attached.fallback_tag, Some(image.digest.to_tag()));
    let listed = fake.store().referrers(&image.digest).await.unwrap();
    assert_eq!(listed, [attached.descriptor]);
    assert_eq!(listed[0].artifact_type.as_deref(), Some("a/b"));
    assert_eq!(listed[0].annotations["by"], "one");
}

#[tokio::test]
async fn what_is_not_there_is_missing() {
    let fake = Fake::start(NEWEST).await;
    let store = fake.store();
    let nothing = Descriptor::of(oci::media_type::MANIFEST, b"nothing");
    for error in [
        store.resolve(&Target::tag("v2").unwrap()).await.unwrap_err(),
        store.document(&nothing).await.unwrap_err(),
        store.blob(&nothing, 100).await.unwrap_err(),
    ] {
        assert!(matches!(error, FetchError::Missing { .. }), "{error}");
    }
}

#[tokio::test]
async fn what_is_deleted_is_gone() {
    let fake = Fake::start(NEWEST).await;
    let store = fake.store();
    let image = push_image(&store).await;
    store.push_blob(Bytes::from_static(b"one")).await.unwrap();
    store.push_blob(Bytes::from_static(b"{}")).await.unwrap();
    let document = referrer(&image, b"one");
    store.attach(&document).await.unwrap();
    store.delete(&Target::Digest(document.digest())).await.unwrap();
    assert_eq!(store.referrers(&image.digest).await.unwrap(), []);
}

#[tokio::test]
async fn what_is_taken_away_leaves_the_list_to_the_others() {
    for abilities in [NEWEST, OLDEST] {
        let fake = Fake::start(abilities).await;
        let image = push_image(&fake.store()).await;
        let gone = sign(&fake.store(), "one").await.unwrap().descriptor.digest;
        let left = sign(&fake.store(), "two").await.unwrap().descriptor.digest;
        // A third has stored its referrer, and where there is a list, has not come to write it yet.
        fake.store().push_blob(Bytes::from_static(b"three")).await.unwrap();
        let third = referrer(&image, b"three");
        let tag = format!("{}.{:.12}", image.digest.to_tag(), third.digest().to_hex());
        fake.store().push_document(&third, Some(&tag)).await.unwrap();
        fake.store().detach(&image.digest, &[gone]).await.unwrap();
        let listed = fake.store().referrers(&image.digest).await.unwrap();
        let mut found: Vec<_> = listed.iter().map(|entry| entry.digest).collect();
        let mut expected = [left, third.digest()];
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{abilities:?}");
    }
}
