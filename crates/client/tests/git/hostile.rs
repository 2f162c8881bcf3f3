//! Signatures that would have been taken somewhere, or that nobody should take.

use client::git::SignatureError;
use pki::asn1::{integer, octet_string};
use pki::fulcio::San;
use verify::{IdentityError, LogError, TimeError};

use super::forge::{Forgery, attribute};
use super::sigstore::contents;
use super::*;

fn honest(api: Api) -> (Sigstore, Signer, String) {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    let signature = sign(&sigstore, &signer, api, COMMIT.as_bytes());
    (sigstore, signer, signature)
}

/// Twin of all that is put together anew: nothing is changed.
#[test]
pub(crate) fn a_signature_that_was_only_put_together_again_verifies() {
    for api in [Api::V1, Api::V2] {
        let (sigstore, _, signature) = honest(api);
        let again = Forgery::of(&signature).armored();
        assert_eq!(again, signature);
        check(&sigstore, &again, COMMIT.as_bytes()).unwrap();
    }
}

/// Twin: a stored commit as it was signed.
#[test]
pub(crate) fn a_commit_as_it_was_signed_verifies() {
    let (sigstore, _, signature) = honest(Api::V1);
    verify_stored(&sigstore, &store(COMMIT, &signature)).unwrap();
}

#[test]
pub(crate) fn a_commit_with_a_header_doubled_after_signing_is_refused() {
    let (sigstore, _, signature) = honest(Api::V1);
    let stored = store(COMMIT, &signature);
    let tree = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n";
    let other_tree = "tree 0000000000000000000000000000000000000000\n";
    let doubled = stored.replacen(tree, &format!("{tree}{other_tree}"), 1);
    let refused = verify_stored(&sigstore, &doubled).unwrap_err();
    assert_eq!(refused, "the object has the header \"tree\" twice");
    // Parents may be several: there the bytes alone say that it was changed.
    let parent = "parent 8d3b7b1c27f1ab5e04a7e0ab2ab8b0a1b3f6d3c2\n";
    let doubled = stored.replacen(parent, &format!("{parent}{parent}"), 1);
    assert!(verify_stored(&sigstore, &doubled).unwrap_err().contains("about an object with"));
}

#[test]
pub(crate) fn a_commit_with_a_second_signature_header_is_refused() {
    let (sigstore, signer, signature) = honest(Api::V1);
    let other = sign(&sigstore, &signer, Api::V1, TAG.as_bytes());
    let stored = store(COMMIT, &signature);
    let second = other.trim_end().replace('\n', "\n ");
    let doubled = stored.replacen("\n\n", &format!("\ngpgsig {second}\n\n"), 1);
    let refused = verify_stored(&sigstore, &doubled).unwrap_err();
    assert_eq!(refused, "the object has the header \"gpgsig\" twice");
}

#[test]
pub(crate) fn a_commit_is_not_verified_in_the_form_that_a_reader_would_give_it() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    let signature = sign(&sigstore, &signer, Api::V1, COMMIT.as_bytes());
    // A reader that parses and writes again would lose these.
    let odd = store(COMMIT, &signature).replacen("\ngpgsig", "\nx-unknown header\ngpgsig", 1);
    assert!(verify_stored(&sigstore, &odd).unwrap_err().contains("about an object with"));
}

#[test]
pub(crate) fn a_decoy_in_the_bag_is_not_taken_for_the_signer() {
    let (sigstore, _, signature) = honest(Api::V1);
    let boss = contents(&San::Email("boss@example.com".into()), ISSUER);
    let decoy = sigstore.signer_with(crypto::KeyKind::EcdsaP256, &boss).certificate;
    let mut forgery = Forgery::of(&signature);
    forgery.bag.insert(0, decoy.der().to_vec());
    let with_decoy = forgery.armored();
    // The signer is who they are, wherever their certificate stands.
    check(&sigstore, &with_decoy, COMMIT.as_bytes()).unwrap();
    let bound = bind(&with_decoy, COMMIT.as_bytes());
    let refused = bound.verify(&policy_for("boss@example.com"), &sigstore.trust).unwrap_err();
    let expected =
        IdentityError::OtherName { expected: "boss@example.com".into(), found: vec![NAME.into()] };
    assert_eq!(refused, VerifyError::Identity(expected));
}

#[test]
pub(crate) fn a_bag_without_the_signer_s_certificate_is_refused() {
    let (_, _, signature) = honest(Api::V1);
    let mut forgery = Forgery::of(&signature);
    forgery.bag.clear();
    let refused = GitSignature::read(forgery.armored().as_bytes()).unwrap_err();
    let expected = pki::cms::DetachedError::NoCertificate { found: 0 };
    assert_eq!(refused, SignatureError::Cms(expected));
}

#[test]
pub(crate) fn the_entry_of_another_commit_by_the_same_key_is_refused() {
    let (sigstore, signer, signature) = honest(Api::V1);
    let other = sign(&sigstore, &signer, Api::V1, TAG.as_bytes());
    let spliced = Forgery::of(&signature).with_entry(&Forgery::of(&other).entry()).armored();
    let refused = check(&sigstore, &spliced, COMMIT.as_bytes()).unwrap_err();
    assert_eq!(refused, VerifyError::Log(LogError::Promise));
    let (sigstore, signer, signature) = honest(Api::V2);
    let other = sign(&sigstore, &signer, Api::V2, TAG.as_bytes());
    let spliced = Forgery::of(&signature).with_entry(&Forgery::of(&other).entry()).armored();
    let refused = check(&sigstore, &spliced, COMMIT.as_bytes()).unwrap_err();
    assert!(matches!(refused, VerifyError::Log(LogError::Inclusion(_) | LogError::Root)));
}

#[test]
pub(crate) fn an_entry_of_a_log_that_is_not_trusted_does_not_count() {
    // The whole of another Sigstore's log, with the certificate of ours.
    let (sigstore, signer, _) = honest(Api::V1);
    let elsewhere = Sigstore::new();
    let signature = sign(&elsewhere, &signer, Api::V1, COMMIT.as_bytes());
    let refused = check(&sigstore, &signature, COMMIT.as_bytes()).unwrap_err();
    assert!(matches!(refused, VerifyError::Log(LogError::UnknownLog { .. })), "{refused:?}");
}

#[test]
pub(crate) fn a_body_that_comes_with_the_entry_is_not_looked_at() {
    let (sigstore, _, signature) = honest(Api::V2);
    let forgery = Forgery::of(&signature);
    let mut entry = forgery.entry();
    assert!(entry.canonicalized_body.is_empty());
    entry.canonicalized_body = b"{\"kind\":\"anything\"}".to_vec();
    let with_body = forgery.with_entry(&entry).armored();
    check(&sigstore, &with_body, COMMIT.as_bytes()).unwrap();
}

/// gitsign writes 0.0.1 for entries of either version.
#[test]
fn an_entry_of_version_2_that_says_1_is_read_as_what_it_is() {
    let (sigstore, _, signature) = honest(Api::V2);
    let forgery = Forgery::of(&signature);
    let mut entry = forgery.entry();
    entry.kind_version = wire::bundle::KindVersion::new("hashedrekord", "0.0.1");
    let renamed = forgery.with_entry(&entry).armored();
    let verified = check(&sigstore, &renamed, COMMIT.as_bytes()).unwrap();
    assert_eq!(verified.entries[0].kind.version, "0.0.2");
}

#[test]
fn a_signature_moved_to_another_object_is_refused() {
    let (_, _, signature) = honest(Api::V1);
    let read = GitSignature::read(signature.as_bytes()).unwrap();
    let refused = read.bind(TAG.as_bytes()).unwrap_err();
    assert_ne!(refused.signed, refused.found);
}

#[test]
fn a_time_that_only_the_signer_claims_is_no_time() {
    let (sigstore, signer, _) = honest(Api::V2);
    let (attributes, mut bundle) =
        attributes_and_bundle(&sigstore, &signer, Api::V2, COMMIT.as_bytes());
    bundle.material.timestamps.clear();
    let signature = armored(&attributes, &signer.certificate, &bundle).unwrap();
    // The signing time among the signed attributes is within the certificate's ten minutes.
    let refused = check(&sigstore, &signature, COMMIT.as_bytes()).unwrap_err();
    assert_eq!(refused, VerifyError::Time(TimeError::None));
}

#[test]
fn a_timestamp_for_another_signature_is_refused() {
    let (sigstore, signer, _) = honest(Api::V2);
    let (attributes, mut bundle) =
        attributes_and_bundle(&sigstore, &signer, Api::V2, COMMIT.as_bytes());
    bundle.material.timestamps = vec![sigstore.timestamp(b"another signature", signed())];
    let signature = armored(&attributes, &signer.certificate, &bundle).unwrap();
    let refused = check(&sigstore, &signature, COMMIT.as_bytes()).unwrap_err();
    assert_eq!(refused, VerifyError::Time(TimeError::OtherSignature { position: 0 }));
}

#[test]
fn evidence_that_cannot_be_read_is_refused() {
    let (_, _, signature) = honest(Api::V1);
    let read = |value: &[u8]| {
        let mut forgery = Forgery::of(&signature);
        forgery.unsigned = vec![attribute(value)];
        GitSignature::read(forgery.armored().as_bytes()).unwrap_err()
    };
    assert_eq!(read(&integer(1)), SignatureError::EntryForm);
    assert!(matches!(read(&octet_string(&[0xff])), SignatureError::Entry(_)));
    assert!(matches!(read(&octet_string(&[])), SignatureError::EntryKind(_)));
}

#[test]
fn more_evidence_than_a_bundle_may_hold_is_refused() {
    let (_, _, signature) = honest(Api::V1);
    let mut forgery = Forgery::of(&signature);
    let entry = octet_string(&forgery.entry().to_protobuf());
    forgery.unsigned = vec![attribute(&entry.repeat(33))];
    let refused = GitSignature::read(forgery.armored().as_bytes()).unwrap_err();
    assert_eq!(refused, SignatureError::TooMuch);
}
