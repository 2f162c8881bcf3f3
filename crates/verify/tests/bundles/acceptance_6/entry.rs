//! Log entries that are good in themselves and about something else.

use verify::{EntryError, LogError, VerifyError};
use wire::bundle::KindVersion;

use super::{accepted, assert_refused, refusal};
use crate::sigstore::{ARTIFACT, Api, Sigstore};

const APIS: [Api; 2] = [Api::V1, Api::V2];

#[test]
pub(super) fn the_entry_of_another_artifact_by_the_same_signer_is_refused() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    for api in APIS {
        let mut bundle = sigstore.sign(&signer, api);
        accepted(&bundle, &sigstore.trust);
        bundle.material.entries =
            sigstore.sign_artifact(&signer, api, b"another artifact").material.entries;
        assert_refused!(
            refusal(&bundle, &sigstore.trust),
            VerifyError::Entry { source: EntryError::OtherDigest { .. }, .. }
        );
    }
}

#[test]
pub(super) fn the_entry_of_another_signature_of_the_same_artifact_is_refused() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    for api in APIS {
        let mut bundle = sigstore.sign(&signer, api);
        accepted(&bundle, &sigstore.trust);
        // ECDSA makes another signature each time.
        bundle.material.entries = sigstore.sign(&signer, api).material.entries;
        assert_refused!(
            refusal(&bundle, &sigstore.trust),
            VerifyError::Entry { source: EntryError::OtherSignature, .. }
        );
    }
}

#[test]
pub(super) fn the_entry_of_another_signer_is_refused() {
    let sigstore = Sigstore::new();
    for api in APIS {
        let mut bundle = sigstore.sign(&sigstore.signer(), api);
        accepted(&bundle, &sigstore.trust);
        bundle.material.entries = sigstore.sign(&sigstore.signer(), api).material.entries;
        assert_refused!(
            refusal(&bundle, &sigstore.trust),
            VerifyError::Entry { source: EntryError::OtherCertificate, .. }
        );
    }
}

#[test]
pub(super) fn a_second_entry_by_the_same_key_for_another_artifact_is_refused() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    for api in APIS {
        let mut bundle = sigstore.sign(&signer, api);
        accepted(&bundle, &sigstore.trust);
        let mut other = sigstore.sign_artifact(&signer, api, b"another artifact").material.entries;
        other[0].log_index += 1;
        bundle.material.entries.append(&mut other);
        assert_refused!(
            refusal(&bundle, &sigstore.trust),
            VerifyError::Entry { position: 1, source: EntryError::OtherDigest { .. } }
        );
    }
}

#[test]
pub(super) fn one_entry_given_twice_is_refused() {
    let sigstore = Sigstore::new();
    for api in APIS {
        let mut bundle = sigstore.sign(&sigstore.signer(), api);
        accepted(&bundle, &sigstore.trust);
        bundle.material.entries.push(bundle.material.entries[0].clone());
        assert_refused!(
            refusal(&bundle, &sigstore.trust),
            VerifyError::Log(LogError::Repeated { .. })
        );
    }
}

#[test]
pub(super) fn a_body_that_cannot_be_read_is_refused() {
    let sigstore = Sigstore::new();
    let bundle = sigstore.sign(&sigstore.signer(), Api::V1);
    accepted(&bundle, &sigstore.trust);
    let body = String::from_utf8(bundle.material.entries[0].canonicalized_body.clone())
        .expect("a body is text");
    let damaged = [
        String::new(),
        "null".into(),
        "[]".into(),
        "{}".into(),
        format!("{body} x"),
        body.replacen("{", r#"{"kind":"hashedrekord","#, 1),
        body.replace("sha256", "sha1"),
        body.replace("sha256", "sha224"),
        body.replace(r#""0.0.1""#, r#""0.0.3""#),
        body.replace("hashedrekord", "rekord"),
        body.replace(r#""spec":{"#, r#""spec":{"x":1,"#),
    ];
    for text in damaged {
        let mut bundle = bundle.clone();
        bundle.material.entries[0].canonicalized_body = text.clone().into_bytes();
        assert_refused!(
            refusal(&bundle, &sigstore.trust),
            VerifyError::Entry { source: EntryError::Body(_), .. }
        );
    }
}

#[test]
pub(super) fn a_kind_that_is_not_the_body_s_is_refused() {
    let sigstore = Sigstore::new();
    for (api, other) in [(Api::V1, "0.0.2"), (Api::V2, "0.0.1"), (Api::V2, "")] {
        let mut bundle = sigstore.sign(&sigstore.signer(), api);
        accepted(&bundle, &sigstore.trust);
        bundle.material.entries[0].kind_version = KindVersion::new("hashedrekord", other);
        assert_refused!(
            refusal(&bundle, &sigstore.trust),
            VerifyError::Entry { source: EntryError::Kind { .. }, .. }
        );
    }
}

#[test]
pub(super) fn the_entry_of_an_artifact_beside_an_envelope_is_refused() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    let payload = super::payload::statement(ARTIFACT);
    let mut bundle = sigstore.attest(&signer, Api::V1, &payload);
    accepted(&bundle, &sigstore.trust);
    bundle.material.entries = sigstore.sign(&signer, Api::V1).material.entries;
    assert_refused!(
        refusal(&bundle, &sigstore.trust),
        VerifyError::Entry { source: EntryError::UnfitKind { .. }, .. }
    );
}

#[test]
pub(super) fn key_text_with_anything_beside_the_key_is_refused() {
    use wire::body::Body;
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    let bundle = sigstore.sign(&signer, Api::V1);
    accepted(&bundle, &sigstore.trust);
    let Ok(Body::HashedRekordV1(good)) =
        Body::parse(&bundle.material.entries[0].canonicalized_body)
    else {
        panic!("the body is a hashedrekord")
    };
    let pem = String::from_utf8(good.public_key.clone()).expect("PEM is text");
    let other = sigstore.signer().certificate.to_pem();
    for text in [
        format!("{pem}{other}"),
        format!("{other}{pem}"),
        format!("garbage\n{pem}"),
        format!("{pem}garbage"),
        signer.key.public_key().to_pem(),
        String::new(),
    ] {
        let mut body = good.clone();
        body.public_key = text.into_bytes();
        let mut bundle = bundle.clone();
        let body = Body::HashedRekordV1(body);
        bundle.material.entries = vec![sigstore.log_v1(&body, crate::sigstore::signed())];
        assert_refused!(
            refusal(&bundle, &sigstore.trust),
            VerifyError::Entry { source: EntryError::OtherCertificate, .. }
        );
    }
}

/// Submitters write hexadecimal digits in either case, and the log keeps what they wrote.
#[test]
pub(super) fn a_digest_in_a_body_is_its_bytes_and_not_their_case() {
    use wire::body::Body;
    let sigstore = Sigstore::new();
    let bundle = sigstore.sign(&sigstore.signer(), Api::V1);
    accepted(&bundle, &sigstore.trust);
    let Ok(Body::HashedRekordV1(good)) =
        Body::parse(&bundle.material.entries[0].canonicalized_body)
    else {
        panic!("the body is a hashedrekord")
    };
    let logged = |value: String| {
        let mut body = good.clone();
        body.hash.value = value;
        let entry = sigstore.log_v1(&Body::HashedRekordV1(body), crate::sigstore::signed());
        let mut bundle = bundle.clone();
        bundle.material.entries = vec![entry];
        bundle
    };
    accepted(&logged(good.hash.value.to_uppercase()), &sigstore.trust);
    let other = good.hash.value.replacen(|_: char| true, "g", 1);
    for wrong in [other, format!(" {}", good.hash.value), good.hash.value[2..].to_owned()] {
        assert_refused!(
            refusal(&logged(wrong), &sigstore.trust),
            VerifyError::Entry { source: EntryError::OtherDigest { .. }, .. }
        );
    }
}

#[test]
pub(super) fn a_body_of_version_2_that_is_not_canonical_is_refused() {
    let sigstore = Sigstore::new();
    let mut bundle = sigstore.sign(&sigstore.signer(), Api::V2);
    accepted(&bundle, &sigstore.trust);
    bundle.material.entries[0].canonicalized_body.push(b'\n');
    assert_refused!(
        refusal(&bundle, &sigstore.trust),
        VerifyError::Entry { source: EntryError::NotCanonical, .. }
    );
}
