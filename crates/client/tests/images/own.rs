//! The older form under roots of the verifier's own: the chain beside a certificate leads to a root, and is none.

use std::sync::Arc;

use client::image::verifying::{Rejection, VerifyImageError, Wanted};
use crypto::{KeyKind, SigningKey};
use jiff::{SignedDuration, Timestamp};
use oci::Digest;
use pki::chain::{PathError, Purpose};
use pki::fulcio::{LeafContents, San};
use pki::issue::{self, Issuer, LeafRequest, Serial, Validity};
use pki::{Certificate, DistinguishedName};
use verify::{CertifyError, Holder, OwnPolicy, OwnRoots, Policy, VerifyError};
use wire::dsse::pae;
use wire::legacy::{Annotations, CHAIN, DSSE_LAYER, SIMPLE_SIGNING_LAYER, SimpleSigning};
use wire::trusted_root::TrustedRoot;

use crate::place::{Layer, Place, TYPE, of_type, signature, without_log};

const IN_TOTO: &str = "application/vnd.in-toto+json";

fn begin() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn image() -> Digest {
    Digest::of(b"an image")
}

fn key() -> SigningKey {
    SigningKey::generate(KeyKind::EcdsaP256).unwrap()
}

fn validity() -> Validity {
    Validity::starting(begin(), SignedDuration::from_hours(1))
}

fn issuer(above: Option<&Issuer>, name: &str) -> Issuer {
    let (key, serial) = (Arc::new(key()), Serial::from_random([7; 20]));
    let name = DistinguishedName::new("Corp", name).unwrap();
    let purpose = Purpose::CodeSigning;
    let certificate = match above {
        None => issue::root(&key, &name, validity(), serial),
        Some(above) => above.intermediate(key.public_key(), &name, purpose, validity(), serial),
    };
    Issuer::new(certificate.unwrap(), key).unwrap()
}

/// A root, an intermediate authority, and somebody whom that certifies.
struct Company {
    root: Certificate,
    intermediate: Certificate,
    leaf: Certificate,
    key: SigningKey,
}

impl Company {
    fn new() -> Self {
        let root = issuer(None, "root");
        let intermediate = issuer(Some(&root), "intermediate");
        let (key, serial) = (key(), Serial::from_random([7; 20]));
        let san = San::Email("a@corp.example".into());
        let contents = LeafContents { san, extensions: Vec::new() };
        let (public, validity) = (key.public_key(), validity());
        let request = LeafRequest { key: public, contents: &contents, serial, validity };
        let leaf = intermediate.unlogged_certificate(&request).unwrap();
        let [root, intermediate] = [root, intermediate].map(|issuer| issuer.certificate().clone());
        Self { root, intermediate, leaf, key }
    }

    /// A layer with these certificates beside the signer's, or without a word of any.
    fn layer(&self, blob: Vec<u8>, signature: Option<Vec<u8>>, chain: &[&Certificate]) -> Layer {
        let der = |certificate: &Certificate| certificate.der().to_vec();
        let written = Annotations {
            certificate: Some(der(&self.leaf)),
            chain: chain.iter().map(|&certificate| der(certificate)).collect(),
            signature,
            ..Annotations::default()
        };
        let media_type = match written.signature {
            Some(_) => SIMPLE_SIGNING_LAYER,
            None => DSSE_LAYER,
        };
        let (annotations, blob) = (written.to_map(), String::from_utf8(blob).unwrap());
        Layer { media_type: media_type.to_owned(), annotations, blob }
    }

    fn signature(&self, chain: &[&Certificate]) -> Layer {
        let (reference, digest) = ("registry.example/app".to_owned(), image().into());
        let payload = SimpleSigning { reference, digest, optional: serde_json::Map::new() };
        let payload = payload.to_json();
        let signature = self.key.sign(&payload).unwrap();
        self.layer(payload, Some(signature), chain)
    }

    fn attestation(&self, chain: &[&Certificate]) -> Layer {
        let hex = image().to_string().replace("sha256:", "");
        let statement = serde_json::json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "app", "digest": {"sha256": hex}}],
            "predicateType": TYPE,
            "predicate": {"a": 1},
        });
        let statement = statement.to_string().into_bytes();
        let signature = self.key.sign(&pae(IN_TOTO, &statement)).unwrap();
        let base64 = wire::json::base64_text;
        let envelope = serde_json::json!({
            "payloadType": IN_TOTO,
            "payload": base64(&statement),
            "signatures": [{"sig": base64(&signature)}],
        });
        self.layer(envelope.to_string().into_bytes(), None, chain)
    }

    /// Asks for a signature and, if there is one, for an attestation, under `root` alone.
    async fn ask(
        &self,
        root: &Certificate,
        wanted: Wanted,
        layer: Layer,
    ) -> Result<(), Box<VerifyImageError>> {
        let place = Place::new(image());
        let policy = Policy::own(OwnPolicy {
            roots: OwnRoots::new(vec![root.clone()], Vec::new()).unwrap(),
            holder: Holder::Anyone,
            issuer: None,
            extensions: Vec::new(),
            present: begin(),
        });
        let policy = without_log(policy);
        let (ending, policy) = match wanted {
            Wanted::Signature { .. } => ("sig", policy),
            Wanted::Attestation => ("att", of_type(policy, TYPE)),
        };
        place.tag(ending, &[layer]).await;
        place.ask(wanted, &policy, &TrustedRoot::default()).await.map(drop).map_err(Box::new)
    }
}

fn assert_leads_nowhere(outcome: Result<(), Box<VerifyImageError>>) {
    let VerifyImageError::Rejected { rejected, .. } = *outcome.unwrap_err() else {
        panic!("it should be rejected")
    };
    let Rejection::Verify(VerifyError::Certificate(CertifyError::OwnPath(why))) =
        &rejected[0].reason
    else {
        panic!("{}", rejected[0].reason)
    };
    assert!(matches!(why, PathError::UnknownIssuer { .. } | PathError::Signature { .. }), "{why}");
}

#[tokio::test]
async fn the_chain_of_a_layer_leads_to_a_root_of_ones_own() {
    let company = Company::new();
    let Company { root, intermediate, .. } = &company;
    for (chain, leads) in [
        (&[intermediate, root][..], true),
        (&[root, intermediate], true),
        (&[intermediate], true),
        (&[root], false),
        (&[], false),
    ] {
        let signed = company.ask(root, signature(), company.signature(chain)).await;
        let attested = company.ask(root, Wanted::Attestation, company.attestation(chain)).await;
        for outcome in [signed, attested] {
            if leads { outcome.unwrap() } else { assert_leads_nowhere(outcome) }
        }
    }
}

#[tokio::test]
async fn a_root_in_the_chain_of_a_layer_is_nobodys_root() {
    let (ours, theirs) = (Company::new(), Company::new());
    let layer = || theirs.signature(&[&theirs.intermediate, &theirs.root]);
    theirs.ask(&theirs.root, signature(), layer()).await.unwrap();
    assert_leads_nowhere(theirs.ask(&ours.root, signature(), layer()).await);
}

#[tokio::test]
async fn a_chain_that_cannot_be_read_breaks_nothing_and_leads_nowhere() {
    let company = Company::new();
    let Company { root, intermediate, .. } = &company;
    let good = company.signature(&[intermediate]);
    let pem = good.annotations[CHAIN].clone();
    company.ask(root, signature(), good.clone()).await.unwrap();
    company.ask(root, signature(), good.clone().with(CHAIN, &format!("{pem}x"))).await.unwrap();
    assert_leads_nowhere(company.ask(root, signature(), good.with(CHAIN, "x")).await);
}
