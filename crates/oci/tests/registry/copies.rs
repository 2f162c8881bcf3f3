//! Copies between registries and layouts.

use std::sync::Mutex;

use bytes::Bytes;
use oci::{
    Copier, CopyError, Descriptor, Document, FetchError, Index, Layout, Manifest, Platform, Step,
    Store, Target, media_type,
};

use crate::fake::{Abilities, Fake};
use crate::{assert_whole, push_image, referrer};

const NEWEST: Abilities = Abilities { referrers: true, whole_blobs: true, silent: false };
const OLDEST: Abilities = Abilities { referrers: false, whole_blobs: false, silent: false };

const fn nobody(_: Step) {}

/// An index of two images, one of which has a large layer; each image and the index have a referrer.
async fn push_index(store: &Store) -> Descriptor {
    let small = push_image(store).await;
    let layer = Bytes::from(vec![7; 300_000]);
    for blob in [Bytes::from_static(b"{}"), layer.clone(), Bytes::from_static(b"said")] {
        store.push_blob(blob).await.unwrap();
    }
    let large = Manifest::new(
        Descriptor::empty(),
        vec![Descriptor::of("application/vnd.oci.image.layer.v1.tar", &layer)],
    );
    let large = Document::of_manifest(large);
    store.push_document(&large, None).await.unwrap();
    let mut entries = vec![small, large.descriptor()];
    for (entry, platform) in entries.iter_mut().zip(["linux/amd64", "linux/arm64/v8"]) {
        entry.platform = Some(platform.parse::<Platform>().unwrap());
    }
    let index = Document::of_index(Index::new(entries.clone()));
    store.push_document(&index, Some("multi")).await.unwrap();
    for subject in [&index.descriptor(), &entries[0], &entries[1]] {
        store.attach(&referrer(subject, b"said")).await.unwrap();
    }
    index.descriptor()
}

async fn copy_all(source: &Store, target: &Store, root: &Descriptor) -> usize {
    let copier = Copier::new(source, target, &nobody);
    copier.image(root, Some("multi")).await.unwrap();
    let mut attached = 0;
    for document in Copier::documents(source, root).await.unwrap() {
        attached += copier.attached(&document.digest(), &[]).await.unwrap();
    }
    attached
}

async fn assert_copied(target: &Store, root: &Descriptor) {
    assert_eq!(target.resolve(&Target::tag("multi").unwrap()).await.unwrap(), *root);
    for document in Copier::documents(target, root).await.unwrap() {
        let referrers = target.referrers(&document.digest()).await.unwrap();
        assert_eq!(referrers.len(), 1, "{target:?} {}", document.digest());
    }
}

#[tokio::test]
async fn an_index_goes_from_a_registry_to_a_layout_to_another_registry_with_all_that_is_attached() {
    let directory = tempfile::tempdir().unwrap();
    for (from, to, name) in [(NEWEST, OLDEST, "layout"), (OLDEST, NEWEST, "layout.tar")] {
        let (from, to) = (Fake::start(from).await, Fake::start(to).await);
        let root = push_index(&from.store()).await;
        let path = directory.path().join(name);
        let layout = Store::Layout(Layout::create(&path).unwrap());
        assert_eq!(copy_all(&from.store(), &layout, &root).await, 3);
        assert_copied(&layout, &root).await;
        // It is all on disk.
        let layout = Store::Layout(Layout::open(&path).unwrap());
        assert_copied(&layout, &root).await;
        assert_eq!(copy_all(&layout, &to.store(), &root).await, 3);
        assert_copied(&to.store(), &root).await;
        assert_whole(&to, name);
    }
}

#[tokio::test]
async fn what_is_there_is_not_sent_again() {
    let (from, to) = (Fake::start(NEWEST).await, Fake::start(NEWEST).await);
    let root = push_index(&from.store()).await;
    copy_all(&from.store(), &to.store(), &root).await;
    let before = to.count();
    copy_all(&from.store(), &to.store(), &root).await;
    let sent = to.lines()[before..].iter().filter(|line| line.contains("uploads")).count();
    assert_eq!(sent, 0);
}

#[tokio::test]
async fn whoever_watches_sees_all_bytes_go_by() {
    let (from, to) = (Fake::start(NEWEST).await, Fake::start(NEWEST).await);
    let root = push_index(&from.store()).await;
    let sums = Mutex::new((0, 0));
    let watch = |step| {
        let mut sums = sums.lock().unwrap();
        match step {
            Step::Needed(bytes) => sums.0 += bytes,
            Step::Done(bytes) => sums.1 += bytes,
            Step::LeftOut(digest) => panic!("{digest}"),
        }
    };
    let (source, target) = (from.store(), to.store());
    Copier::new(&source, &target, &watch).image(&root, None).await.unwrap();
    let sums = *sums.lock().unwrap();
    assert_eq!(sums.0, sums.1);
    assert!(sums.0 > 300_000);
}

#[tokio::test]
async fn an_index_with_a_missing_image_is_not_copied() {
    let (from, to) = (Fake::start(NEWEST).await, Fake::start(NEWEST).await);
    let root = push_index(&from.store()).await;
    let part = Copier::documents(&from.store(), &root).await.unwrap().pop().unwrap().digest();
    from.contents().documents.remove(&part.to_string());
    let (source, target) = (from.store(), to.store());
    let error =
        Copier::new(&source, &target, &nobody).image(&root, Some("multi")).await.unwrap_err();
    let CopyError::MissingPart { of, part: missing } = error else { panic!("{error}") };
    assert_eq!((*of, *missing), (root.digest, part));
    assert!(to.contents().tags.is_empty());
    assert_whole(&to, "a missing image");
}

#[tokio::test]
async fn a_layer_that_is_another_one_than_it_should_be_is_not_copied() {
    let (from, to) = (Fake::start(NEWEST).await, Fake::start(OLDEST).await);
    let root = push_index(&from.store()).await;
    for blob in from.contents().blobs.values_mut().filter(|blob| blob.len() > 1000) {
        blob[200_000] = 8;
    }
    let (source, target) = (from.store(), to.store());
    Copier::new(&source, &target, &nobody).image(&root, Some("multi")).await.unwrap_err();
    assert!(to.contents().tags.is_empty());
    // Not even the bytes came to the registry: it would have to find out by itself that they are others.
    let whole = to.contents().requests.iter().any(|request| request.body.len() == 300_000);
    assert!(!whole, "the request ended before its last byte");
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::create(&directory.path().join("layout")).unwrap();
    let target = Store::Layout(layout);
    Copier::new(&source, &target, &nobody).image(&root, Some("multi")).await.unwrap_err();
    assert_eq!(target.tags().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn layers_that_must_not_be_passed_on_are_not() {
    let (from, to) = (Fake::start(NEWEST).await, Fake::start(NEWEST).await);
    let (source, target) = (from.store(), to.store());
    source.push_blob(Bytes::from_static(b"{}")).await.unwrap();
    source.push_blob(Bytes::from_static(b"base")).await.unwrap();
    let kind = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    let image = Document::of_manifest(Manifest::new(
        Descriptor::empty(),
        vec![Descriptor::of(kind, b"base")],
    ));
    source.push_document(&image, Some("v1")).await.unwrap();
    // Registries that check want it nevertheless; what matters is that it was not sent.
    let _ = Copier::new(&source, &target, &nobody).image(&image.descriptor(), Some("v1")).await;
    assert_eq!(to.contents().blobs.len(), 1);
    assert_eq!(media_type::MANIFEST, image.media_type());
}

#[tokio::test]
async fn a_referrer_that_is_lost_is_left_out_and_the_others_go_along() {
    let (from, to) = (Fake::start(OLDEST).await, Fake::start(NEWEST).await);
    let image = push_image(&from.store()).await;
    let lost = crate::sign(&from.store(), "one").await.unwrap().descriptor.digest;
    crate::sign(&from.store(), "two").await.unwrap();
    from.contents().documents.remove(&lost.to_string());
    let left_out = Mutex::new(Vec::new());
    let watch = |step| {
        if let Step::LeftOut(digest) = step {
            left_out.lock().unwrap().push(digest);
        }
    };
    let (source, target) = (from.store(), to.store());
    let copier = Copier::new(&source, &target, &watch);
    copier.image(&image, Some("v1")).await.unwrap();
    assert_eq!(copier.attached(&image.digest, &[]).await.unwrap(), 1);
    assert_eq!(*left_out.lock().unwrap(), [lost]);
}

#[tokio::test]
pub(crate) async fn a_layer_that_is_longer_than_any_is_not_begun() {
    let (from, to) = (Fake::start(NEWEST).await, Fake::start(NEWEST).await);
    let (source, target) = (from.store(), to.store());
    source.push_blob(Bytes::from_static(b"{}")).await.unwrap();
    let image = |size| {
        let layer = Descriptor::new("a/b", oci::Digest::of(b"nowhere"), size);
        Document::of_manifest(Manifest::new(Descriptor::empty(), vec![layer]))
    };
    let copy = async |image: &Document| {
        // As somebody would store it who does not check.
        let stored = (media_type::MANIFEST.to_owned(), image.bytes().to_vec());
        from.contents().documents.insert(image.digest().to_string(), stored);
        Copier::new(&source, &target, &nobody).image(&image.descriptor(), None).await.unwrap_err()
    };
    let error = copy(&image((256 << 30) + 1)).await;
    assert!(matches!(error, CopyError::Read(FetchError::TooLong { .. })), "{error:?}");
    let asked = |fake: &Fake| {
        fake.lines().iter().any(|line| line.contains(&oci::Digest::of(b"nowhere").to_string()))
    };
    assert!(!asked(&from) && !asked(&to));
    // One byte less is asked for, and is not there.
    let error = copy(&image(256 << 30)).await;
    assert!(matches!(error, CopyError::MissingPart { .. }), "{error:?}");
    assert!(asked(&from));
}

#[tokio::test]
async fn what_is_named_by_sha_512_is_copied_under_its_name() {
    let (from, to) = (Fake::start(NEWEST).await, Fake::start(NEWEST).await);
    let blob = b"a small layer".to_vec();
    let digest = oci::Digest::from(crypto::HashAlgorithm::Sha512.digest(&blob));
    let layer = Descriptor::new("a/b", digest, blob.len() as u64);
    from.contents().blobs.insert(digest.to_string(), blob);
    let (source, target) = (from.store(), to.store());
    source.push_blob(Bytes::from_static(b"{}")).await.unwrap();
    let image = Document::of_manifest(Manifest::new(Descriptor::empty(), vec![layer]));
    source.push_document(&image, Some("v1")).await.unwrap();
    Copier::new(&source, &target, &nobody).image(&image.descriptor(), Some("v1")).await.unwrap();
    assert!(to.contents().blobs.contains_key(&digest.to_string()));
    assert_whole(&to, "a digest of SHA-512");
}

#[tokio::test]
async fn an_archive_is_written_once_with_all_that_is_in_it() {
    let from = Fake::start(NEWEST).await;
    let root = push_index(&from.store()).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("layout.tar");
    let target = Store::Layout(Layout::create(&path).unwrap());
    let (source, nothing) = (from.store(), std::fs::metadata(&path).map_or(0, |file| file.len()));
    let written = Mutex::new(Vec::new());
    let watch =
        |_| written.lock().unwrap().push(std::fs::metadata(&path).map_or(0, |file| file.len()));
    Copier::new(&source, &target, &watch).image(&root, Some("multi")).await.unwrap();
    let all = std::fs::metadata(&path).unwrap().len();
    assert!(written.lock().unwrap().iter().all(|length| *length == nothing && *length < all));
}
