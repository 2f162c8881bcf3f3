//! Signatures of git objects as honest signers make them, and as hostile ones do.
//!
//! Every test signs with a small Sigstore of its own (that of the verifier's tests). The hostile ones then damage one
//! thing and name what refuses it; each has a twin that is good, from which it differs in that thing only. [`table`]
//! has a row for every advisory about gitsign that our notes list.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

mod allowed;
mod forge;
mod hostile;
#[path = "../../../verify/tests/bundles/sigstore.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the verifier's tests, which use more of it"
)]
mod sigstore;
mod table;

use client::git::object::{ObjectFormat, Parts};
use client::git::{BoundSignature, GitSignature, armored};
use crypto::HashAlgorithm;
use pki::cms::SignedAttributes;
use verify::{Expected, Policy, Verified, VerifyError};
use wire::bundle::Bundle;

use sigstore::{Api, ISSUER, NAME, Signer, Sigstore, signed};

/// What is signed, as git stores it.
const COMMIT: &str = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\
    parent 8d3b7b1c27f1ab5e04a7e0ab2ab8b0a1b3f6d3c2\n\
    author Jane <jane@example.com> 1780315260 +0000\n\
    committer Jane <jane@example.com> 1780315260 +0000\n\nsubject\n";
const TAG: &str = "object 8d3b7b1c27f1ab5e04a7e0ab2ab8b0a1b3f6d3c2\ntype commit\ntag v1\n\
    tagger Jane <jane@example.com> 1780315260 +0000\n\nv1\n";

/// A signer's attributes about some object, and the bundle over them.
fn attributes_and_bundle(
    sigstore: &Sigstore,
    signer: &Signer,
    api: Api,
    object: &[u8],
) -> (SignedAttributes, Bundle) {
    let attributes = SignedAttributes::new(&HashAlgorithm::Sha256.digest(object), signed());
    let bundle = sigstore.sign_artifact(signer, api, &attributes.to_der());
    (attributes, bundle)
}

/// An honest signature.
fn sign(sigstore: &Sigstore, signer: &Signer, api: Api, object: &[u8]) -> String {
    let (attributes, bundle) = attributes_and_bundle(sigstore, signer, api, object);
    armored(&attributes, &signer.certificate, &bundle).unwrap()
}

fn bind(signature: &str, object: &[u8]) -> BoundSignature {
    GitSignature::read(signature.as_bytes()).unwrap().bind(object).unwrap()
}

/// The ordinary policy: the signer of the tests.
fn policy() -> Policy {
    policy_for(NAME)
}

fn policy_for(name: &str) -> Policy {
    Policy::identity(Expected::exactly(name).unwrap(), Expected::exactly(ISSUER).unwrap())
}

fn check(sigstore: &Sigstore, signature: &str, object: &[u8]) -> Result<Verified, VerifyError> {
    bind(signature, object).verify(&policy(), &sigstore.trust)
}

/// A commit with its signature in it, as git stores it.
fn store(content: &str, signature: &str) -> String {
    let (head, message) = content.split_once("\n\n").unwrap();
    let lines = signature.trim_end().replace('\n', "\n ");
    format!("{head}\ngpgsig {lines}\n\n{message}")
}

/// Takes a stored object apart and verifies it.
fn verify_stored(sigstore: &Sigstore, object: &str) -> Result<Verified, String> {
    let parts = Parts::of(object.as_bytes(), ObjectFormat::Sha1).map_err(|e| e.to_string())?;
    let read = GitSignature::read(&parts.signature).map_err(|e| e.to_string())?;
    let bound = read.bind(parts.content.bytes()).map_err(|e| e.to_string())?;
    bound.verify(&policy(), &sigstore.trust).map_err(|e| e.to_string())
}

#[test]
fn honest_signatures_of_commits_and_tags_verify() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    for api in [Api::V1, Api::V2] {
        for object in [COMMIT, TAG] {
            let signature = sign(&sigstore, &signer, api, object.as_bytes());
            let verified = check(&sigstore, &signature, object.as_bytes()).unwrap();
            assert_eq!(verified.entries.len(), 1);
            assert!(verified.left_out.is_empty());
        }
    }
}

#[test]
fn what_is_read_is_what_was_written() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    for api in [Api::V1, Api::V2] {
        let (attributes, mut bundle) =
            attributes_and_bundle(&sigstore, &signer, api, COMMIT.as_bytes());
        let text = armored(&attributes, &signer.certificate, &bundle).unwrap();
        for timestamp in &mut bundle.material.timestamps {
            *timestamp = pki::tsp::Token::bare(timestamp).unwrap().to_vec();
        }
        assert_eq!(bind(&text, COMMIT.as_bytes()).bundle(), &bundle);
    }
}

#[test]
fn a_stored_commit_verifies_over_its_own_bytes() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    // Also what no git writes: an unknown header, no newline at the end, bytes that are not UTF-8 are beside the point.
    let odd = COMMIT.replacen("\n\n", "\nx-unknown  two blanks \n\n", 1).trim_end().to_owned();
    for content in [COMMIT, odd.as_str()] {
        let signature = sign(&sigstore, &signer, Api::V1, content.as_bytes());
        verify_stored(&sigstore, &store(content, &signature)).unwrap();
    }
}
