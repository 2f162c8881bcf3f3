//! The client against a registry that can fail and lie.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic, in its helpers too")]

mod authorization;
mod between;
mod copies;
mod deadlines;
mod fake;
mod faults;
mod hurry;
mod journey;
mod liars;
mod mirrors;
mod table;
mod writers;

use std::sync::Arc;

use bytes::Bytes;
use oci::{Attached, Descriptor, Document, Manifest, Store, Target};

/// Puts an image into a store, and gives it the tag `v1`.
async fn push_image(store: &Store) -> Descriptor {
    let (config, layer) = (b"{\"os\":\"linux\"}".as_slice(), b"a layer".as_slice());
    for blob in [config, layer] {
        store.push_blob(Bytes::from_static(blob)).await.unwrap();
    }
    let manifest = Manifest::new(
        Descriptor::of(oci::media_type::CONFIG, config),
        vec![Descriptor::of("application/vnd.oci.image.layer.v1.tar", layer)],
    );
    let image = Document::of_manifest(manifest);
    store.push_document(&image, Some("v1")).await.unwrap();
    image.descriptor()
}

/// What a signer does: find out what the tag is, store what it has to say, attach it.
async fn sign(
    store: &Store,
    content: &str,
) -> Result<Attached, Box<dyn std::error::Error + Send + Sync>> {
    let image = store.resolve(&Target::tag("v1")?).await?;
    let content = Bytes::from(content.to_owned());
    store.push_blob(content.clone()).await?;
    store.push_blob(Bytes::from_static(b"{}")).await?;
    Ok(store.attach(&referrer(&image, &content)).await?)
}

fn referrer(subject: &Descriptor, content: &[u8]) -> Document {
    let mut manifest = Manifest::new(Descriptor::empty(), vec![Descriptor::of("a/b", content)]);
    manifest.artifact_type = Some("a/b".to_owned());
    manifest.subject = Some(subject.bare());
    manifest.annotations.insert("by".to_owned(), String::from_utf8_lossy(content).into_owned());
    Document::of_manifest(manifest)
}

/// Every document points to what is there.
fn assert_whole(fake: &Arc<fake::Fake>, what: &str) {
    let contents = fake.contents();
    for (_, bytes) in contents.documents.values() {
        let json = serde_json::from_slice(bytes).unwrap();
        assert_eq!(contents.dangling(&json), [""; 0], "{what}");
    }
    for (tag, digest) in &contents.tags {
        assert!(contents.documents.contains_key(digest), "{what}: {tag}");
    }
}
