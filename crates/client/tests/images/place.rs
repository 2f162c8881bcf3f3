//! A place for an image's signatures, and what cosign would put there.

use std::collections::BTreeMap;

use bytes::Bytes;
use client::image::Image;
use client::image::verifying::{Finding, VerifyImageError, Wanted, verify};
use crypto::PublicKey;
use oci::{Descriptor, Digest, Document, Layout, Manifest, Store, Target};
use serde_json::Value;
use verify::{Expected, Policy, danger};
use wire::trusted_root::TrustedRoot;

pub(crate) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
pub(crate) const TYPE: &str = "https://example.com/p";

/// What cosign wrote.
pub(crate) struct Cosign(Value);

impl Cosign {
    pub(crate) fn new() -> Self {
        Self(serde_json::from_str(include_str!("cosign.json")).unwrap())
    }

    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap()
    }

    /// The image that all of it is about.
    pub(crate) fn image(&self) -> Digest {
        self.text("image").parse().unwrap()
    }

    pub(crate) fn trust(&self) -> TrustedRoot {
        TrustedRoot::parse(self.0["trustedRoot"].to_string().as_bytes()).unwrap()
    }

    pub(crate) fn policy(&self) -> Policy {
        self.policy_for(self.text("identity"))
    }

    pub(crate) fn policy_for(&self, name: &str) -> Policy {
        let exactly = |text| Expected::exactly(text).unwrap();
        Policy::identity(exactly(name), exactly(self.text("issuer")))
    }

    pub(crate) fn key_policy(&self) -> Policy {
        Policy::key(self.key())
    }

    pub(crate) fn key(&self) -> PublicKey {
        PublicKey::from_pem(self.text("publicKey").as_bytes()).unwrap()
    }

    pub(crate) fn key_pem(&self) -> String {
        self.text("publicKey").to_owned()
    }

    /// A layer of the older form.
    pub(crate) fn layer(&self, name: &str) -> Layer {
        let layer = &self.0["layers"][name];
        Layer {
            media_type: layer["mediaType"].as_str().unwrap().to_owned(),
            annotations: serde_json::from_value(layer["annotations"].clone()).unwrap(),
            blob: layer["blob"].as_str().unwrap().to_owned(),
        }
    }

    /// A bundle, as a layer of a referrer.
    pub(crate) fn bundle(&self, name: &str) -> Layer {
        Layer {
            media_type: BUNDLE.to_owned(),
            annotations: BTreeMap::new(),
            blob: self.0["bundles"][name].as_str().unwrap().to_owned(),
        }
    }
}

/// A layer of a document.
#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) media_type: String,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) blob: String,
}

impl Layer {
    pub(crate) fn blob(&self) -> &[u8] {
        self.blob.as_bytes()
    }

    pub(crate) fn with(mut self, annotation: &str, value: &str) -> Self {
        self.annotations.insert(annotation.to_owned(), value.to_owned());
        self
    }
}

/// A place for signatures, empty at first.
pub(crate) struct Place {
    pub(crate) store: Store,
    subject: Digest,
    _directory: Option<tempfile::TempDir>,
}

impl Place {
    /// A place in a store that is there already.
    pub(crate) const fn within(store: Store, subject: Digest) -> Self {
        Self { store, subject, _directory: None }
    }

    /// A place for what is attached to `subject`.
    pub(crate) fn new(subject: Digest) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::Layout(Layout::create(directory.path()).unwrap());
        Self { store, subject, _directory: Some(directory) }
    }

    async fn manifest(&self, layers: &[Layer]) -> Manifest {
        let mut listed = Vec::new();
        for layer in layers {
            let blob = Bytes::from(layer.blob.clone());
            self.store.push_blob(blob.clone()).await.unwrap();
            let descriptor = Descriptor::of(&layer.media_type, &blob);
            listed.push(Descriptor { annotations: layer.annotations.clone(), ..descriptor });
        }
        self.store.push_blob(Bytes::from_static(b"{}")).await.unwrap();
        Manifest::new(Descriptor::empty(), listed)
    }

    /// Puts layers under the tag with this ending.
    pub(crate) async fn tag(&self, ending: &str, layers: &[Layer]) {
        let manifest = self.manifest(layers).await;
        self.tag_manifest(ending, manifest).await;
    }

    pub(crate) async fn tag_manifest(&self, ending: &str, manifest: Manifest) {
        let document = Document::of_manifest(manifest);
        let tag = format!("{}.{ending}", self.subject.to_tag());
        self.store.push_document(&document, Some(&tag)).await.unwrap();
    }

    /// Attaches layers as a referrer, which says of itself what `change` makes of it.
    pub(crate) async fn refer(
        &self,
        layers: &[Layer],
        change: impl FnOnce(&mut Manifest),
    ) -> Descriptor {
        let mut manifest = self.manifest(layers).await;
        manifest.artifact_type = Some(BUNDLE.to_owned());
        let subject = Descriptor::new(oci::media_type::MANIFEST, self.subject, 401);
        manifest.subject = Some(subject);
        change(&mut manifest);
        self.store.attach(&Document::of_manifest(manifest)).await.unwrap().descriptor
    }

    /// Asks for what is attached to the image.
    pub(crate) async fn ask(
        &self,
        wanted: Wanted,
        policy: &Policy,
        trust: &TrustedRoot,
    ) -> Result<Finding, VerifyImageError> {
        let image = image(&self.store, Target::Digest(self.subject));
        verify(&image, self.subject, &wanted, policy, trust).await
    }
}

/// An image that lies in `store`, as what is attached to it does.
pub(crate) fn image(store: &Store, target: Target) -> Image {
    let name = "registry.example/app".to_owned();
    Image { name, target, store: store.clone(), attachments: store.clone() }
}

pub(crate) fn signature() -> Wanted {
    Wanted::Signature { annotations: BTreeMap::new() }
}

pub(crate) fn of_type(policy: Policy, name: &str) -> Policy {
    policy.with_predicate_type(Expected::exactly(name).unwrap())
}

pub(crate) fn without_log(policy: Policy) -> Policy {
    danger::ignore_transparency_logs(policy)
}
