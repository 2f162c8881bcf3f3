//! Signers who are not the one expected.

use crypto::{KeyKind, SigningKey};
use pki::fulcio::{self, San};
use verify::{EntryError, IdentityError, MaterialError, Policy, SignatureError, VerifyError};
use wire::body::{Body, HashedRekordV1};
use wire::bundle::{Bundle, Content, SignerMaterial};

use super::{accepted, ask, assert_refused, exactly, identity, policy};
use crate::sigstore::{ARTIFACT, Api, ISSUER, NAME, SOURCE, Sigstore, contents, signed};

#[test]
pub(super) fn another_name_is_refused() {
    let sigstore = Sigstore::new();
    let bundle = sigstore.sign(&sigstore.signer(), Api::V2);
    accepted(&bundle, &sigstore.trust);
    for name in
        ["other@example.com", "Signer@example.com", "signer@example.co", "signer@example.com."]
    {
        assert_refused!(
            ask(&bundle, &identity(name, ISSUER), &sigstore.trust).expect_err("it is another name"),
            VerifyError::Identity(IdentityError::OtherName { .. })
        );
    }
}

#[test]
pub(super) fn another_issuer_is_refused() {
    let sigstore = Sigstore::new();
    let bundle = sigstore.sign(&sigstore.signer(), Api::V2);
    accepted(&bundle, &sigstore.trust);
    for issuer in
        ["https://issuer.example/", "https://issuer.example.evil.example", "issuer.example"]
    {
        assert_refused!(
            ask(&bundle, &identity(NAME, issuer), &sigstore.trust).expect_err("another issuer"),
            VerifyError::Identity(IdentityError::OtherIssuer { .. })
        );
    }
}

#[test]
pub(super) fn an_extension_with_another_value_is_refused() {
    let sigstore = Sigstore::new();
    let bundle = sigstore.sign(&sigstore.signer(), Api::V2);
    let source = *fulcio::by_yaml_key("source-repository-uri").expect("it is known");
    let visibility =
        *fulcio::by_yaml_key("source-repository-visibility-at-signing").expect("it is known");
    let asks = |known, value| policy().with_extension(known, exactly(value));
    ask(&bundle, &asks(source, SOURCE), &sigstore.trust).expect("the twin is good");
    for policy in [asks(source, "https://example.com/other"), asks(visibility, "public")] {
        assert_refused!(
            ask(&bundle, &policy, &sigstore.trust).expect_err("another value, or none"),
            VerifyError::Identity(IdentityError::OtherExtension { .. })
        );
    }
}

#[test]
pub(super) fn two_issuers_that_differ_are_refused() {
    let sigstore = Sigstore::new();
    let mut says = contents(&San::Email(NAME.into()), ISSUER);
    let good = sigstore.signer_with(KeyKind::EcdsaP256, &says);
    accepted(&sigstore.sign(&good, Api::V2), &sigstore.trust);
    says.extensions[0].1 = fulcio::ISSUER.encode("https://other.example");
    let bad = sigstore.signer_with(KeyKind::EcdsaP256, &says);
    assert_refused!(
        ask(&sigstore.sign(&bad, Api::V2), &policy(), &sigstore.trust).expect_err("two issuers"),
        VerifyError::Identity(IdentityError::TwoIssuers { .. })
    );
}

#[test]
pub(super) fn every_kind_of_name_is_read() {
    let sigstore = Sigstore::new();
    let uri = "https://example.com/workflow@refs/heads/main";
    for name in
        [San::Email(NAME.into()), San::Uri(uri.into()), San::OtherName("user!example".into())]
    {
        let signer = sigstore.signer_with(KeyKind::EcdsaP256, &contents(&name, ISSUER));
        let bundle = sigstore.sign(&signer, Api::V2);
        ask(&bundle, &identity(name.text(), ISSUER), &sigstore.trust).expect("it is that name");
        assert_refused!(
            ask(&bundle, &identity("x", ISSUER), &sigstore.trust).expect_err("it is not x"),
            VerifyError::Identity(IdentityError::OtherName { .. })
        );
    }
}

/// The artifact signed with a bare key, and logged.
fn key_signed(sigstore: &Sigstore, key: &SigningKey) -> Bundle {
    let mut bundle = sigstore.sign(&sigstore.signer(), Api::V1);
    let Content::Message(message) = &mut bundle.content else { panic!("an artifact was signed") };
    message.signature = key.sign(ARTIFACT).expect("the key can sign");
    let body = Body::HashedRekordV1(HashedRekordV1 {
        hash: message.digest.expect("the good bundle has a digest").into(),
        signature: message.signature.clone(),
        public_key: key.public_key().to_pem().into_bytes(),
    });
    bundle.material.entries = vec![sigstore.log_v1(&body, signed())];
    bundle.material.signer = SignerMaterial::PublicKey { hint: "a hint".into() };
    bundle
}

#[test]
pub(super) fn a_key_from_the_bundle_never_takes_the_place_of_what_was_asked_for() {
    let sigstore = Sigstore::new();
    let generate = || SigningKey::generate(KeyKind::EcdsaP256).expect("a key");
    let (expected, attacker) = (generate(), generate());
    let trusted_key = Policy::key(expected.public_key().clone());
    ask(&key_signed(&sigstore, &expected), &trusted_key, &sigstore.trust)
        .expect("the twin is good");

    // A good signature by the attacker's key, in the log with that key.
    let mut bundle = key_signed(&sigstore, &attacker);
    assert_refused!(
        ask(&bundle, &trusted_key, &sigstore.trust).expect_err("another key"),
        VerifyError::Signature(SignatureError::Invalid)
    );
    assert_refused!(
        ask(&bundle, &policy(), &sigstore.trust).expect_err("a key is no identity"),
        VerifyError::Material(MaterialError::KeyNeeded { .. })
    );
    // The key in the place of a certificate.
    bundle.material.signer = SignerMaterial::Certificate(attacker.public_key().spki_der().to_vec());
    assert_refused!(
        ask(&bundle, &policy(), &sigstore.trust).expect_err("a key is no certificate"),
        VerifyError::Material(MaterialError::Certificate { .. })
    );
    assert_refused!(
        ask(&bundle, &trusted_key, &sigstore.trust).expect_err("the bundle says certificate"),
        VerifyError::Material(MaterialError::CertificateInsteadOfKey)
    );
}

#[test]
pub(super) fn an_entry_with_another_key_than_the_one_given_is_refused() {
    let sigstore = Sigstore::new();
    let generate = || SigningKey::generate(KeyKind::EcdsaP256).expect("a key");
    let (expected, other) = (generate(), generate());
    let policy = Policy::key(expected.public_key().clone());
    let mut bundle = key_signed(&sigstore, &expected);
    ask(&bundle, &policy, &sigstore.trust).expect("the twin is good");
    let entries = key_signed(&sigstore, &other).material.entries;
    bundle.material.entries = entries;
    assert_refused!(
        ask(&bundle, &policy, &sigstore.trust).expect_err("another key"),
        VerifyError::Entry { source: EntryError::OtherKey, .. }
    );
}
