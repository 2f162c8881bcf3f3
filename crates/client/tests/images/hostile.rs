//! What a registry or somebody with the right to push may put beside an image.

use std::collections::BTreeMap;

use client::image::candidate::{CandidateError, MAX_ATTACHMENT, MAX_BUNDLES};
use client::image::verifying::{Rejection, VerifyImageError, Wanted};
use oci::{Descriptor, Digest, Manifest};
use verify::{EntryError, IdentityError, MaterialError, Policy, SignatureError, VerifyError};
use wire::legacy::{AnnotationsError, BUNDLE, CERTIFICATE, CHAIN, SIGNATURE, TIMESTAMP};

use crate::place::{Cosign, Layer, Place, TYPE, of_type, signature};

/// Why the only thing attached does not count.
fn only(error: VerifyImageError) -> Rejection {
    match error {
        VerifyImageError::Rejected { mut rejected, .. } if rejected.len() == 1 => {
            rejected.remove(0).reason
        }
        other => panic!("{other:?}"),
    }
}

/// Whether something was read and found to be wrong, in contrast to not being had.
fn is_about_content(refused: &Rejection) -> bool {
    matches!(refused, Rejection::Candidate(CandidateError::Annotations(_)) | Rejection::Verify(_))
}

/// What comes of a signature layer under the tag of the image.
async fn asked(cosign: &Cosign, layer: Layer, policy: &Policy) -> Result<(), Rejection> {
    let place = Place::new(cosign.image());
    place.tag("sig", &[layer]).await;
    place.ask(signature(), policy, &cosign.trust()).await.map(drop).map_err(only)
}

#[tokio::test]
pub(crate) async fn the_promise_of_another_signature_is_refused() {
    let cosign = Cosign::new();
    let other = cosign.layer("keyless-cosign-2").annotations[BUNDLE].clone();
    let layer = cosign.layer("keyless");
    asked(&cosign, layer.clone(), &cosign.policy()).await.unwrap();
    let refused = asked(&cosign, layer.with(BUNDLE, &other), &cosign.policy()).await.unwrap_err();
    let Rejection::Verify(VerifyError::Entry { source, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert!(matches!(source, EntryError::OtherDigest { .. }), "{source:?}");
}

#[tokio::test]
pub(crate) async fn a_statement_of_another_type_is_not_what_is_asked_for() {
    let cosign = Cosign::new();
    let place = Place::new(cosign.image());
    place.refer(&[cosign.bundle("statement")], |_| ()).await;
    place.tag("att", &[cosign.layer("attestation")]).await;
    let ask = async |policy: Policy| place.ask(Wanted::Attestation, &policy, &cosign.trust()).await;
    assert_eq!(ask(of_type(cosign.policy(), TYPE)).await.unwrap().proven.len(), 2);
    let error = ask(of_type(cosign.policy(), "https://spdx.dev/Document")).await.unwrap_err();
    let VerifyImageError::Rejected { rejected, .. } = error else { panic!("{error:?}") };
    let is_type = |reason: &Rejection| {
        matches!(
            reason,
            Rejection::Verify(VerifyError::Signature(SignatureError::PredicateType { .. }))
        )
    };
    assert!(rejected.len() == 2 && rejected.iter().all(|rejected| is_type(&rejected.reason)));
}

#[tokio::test]
pub(crate) async fn a_statement_is_no_signature() {
    let cosign = Cosign::new();
    let place = Place::new(cosign.image());
    place.refer(&[cosign.bundle("statement")], |_| ()).await;
    place.ask(signature(), &cosign.policy(), &cosign.trust()).await.unwrap_err();
    place.refer(&[cosign.bundle("signature")], |_| ()).await;
    place.ask(signature(), &cosign.policy(), &cosign.trust()).await.unwrap();
}

#[tokio::test]
pub(crate) async fn a_public_key_in_place_of_a_certificate_is_refused() {
    let cosign = Cosign::new();
    // The key's holder signed it, so that a verifier that took the key from here would be content.
    let layer = cosign.layer("key");
    asked(&cosign, layer.clone(), &cosign.key_policy()).await.unwrap();
    let layer = layer.with(CERTIFICATE, &cosign.key_pem());
    for policy in [cosign.policy(), cosign.key_policy()] {
        let refused = asked(&cosign, layer.clone(), &policy).await.unwrap_err();
        let Rejection::Candidate(CandidateError::Annotations(error)) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(error, AnnotationsError::Certificate);
    }
}

#[tokio::test]
pub(crate) async fn without_a_certificate_no_identity_signed() {
    let cosign = Cosign::new();
    let layer = cosign.layer("keyless");
    asked(&cosign, layer.clone(), &cosign.policy()).await.unwrap();
    let refused = asked(&cosign, layer.with(CERTIFICATE, ""), &cosign.policy()).await.unwrap_err();
    let is_key_needed = matches!(
        refused,
        Rejection::Verify(VerifyError::Material(MaterialError::KeyNeeded { .. }))
    );
    assert!(is_key_needed, "{refused:?}");
}

#[tokio::test]
pub(crate) async fn whatever_stands_in_an_annotation_is_refused_or_means_nothing() {
    let cosign = Cosign::new();
    let layer = cosign.layer("keyless-and-timestamp");
    asked(&cosign, layer.clone(), &cosign.policy()).await.unwrap();
    let values =
        [" ", "\n", "null", "{}", "[]", "0", "\"\"", "true", "-----BEGIN CERTIFICATE-----"];
    for name in [SIGNATURE, CERTIFICATE, BUNDLE, TIMESTAMP] {
        for value in values {
            let damaged = layer.clone().with(name, value);
            let refused = asked(&cosign, damaged, &cosign.policy()).await.unwrap_err();
            assert!(is_about_content(&refused), "{name}: {value:?}: {refused:?}");
        }
    }
    // Intermediate certificates come from the trusted root.
    for value in values {
        asked(&cosign, layer.clone().with(CHAIN, value), &cosign.policy()).await.unwrap();
    }
}

#[tokio::test]
pub(crate) async fn a_log_entry_with_null_or_another_type_in_any_member_is_refused() {
    let cosign = Cosign::new();
    let layer = cosign.layer("keyless");
    let entry: serde_json::Value = serde_json::from_str(&layer.annotations[BUNDLE]).unwrap();
    for path in [
        "/SignedEntryTimestamp",
        "/Payload",
        "/Payload/body",
        "/Payload/integratedTime",
        "/Payload/logIndex",
        "/Payload/logID",
    ] {
        for value in [
            serde_json::json!(null),
            serde_json::json!({}),
            serde_json::json!([1]),
            serde_json::json!(""),
        ] {
            let mut damaged = entry.clone();
            *damaged.pointer_mut(path).unwrap() = value;
            let damaged = layer.clone().with(BUNDLE, &damaged.to_string());
            let refused = asked(&cosign, damaged, &cosign.policy()).await.expect_err(path);
            assert!(is_about_content(&refused), "{path}: {refused:?}");
        }
    }
    asked(&cosign, layer, &cosign.policy()).await.unwrap();
}

#[tokio::test]
pub(crate) async fn the_signature_of_another_image_is_refused() {
    let cosign = Cosign::new();
    let another = Digest::of(b"another image");
    let place = Place::new(another);
    place.tag("sig", &[cosign.layer("keyless")]).await;
    let refused =
        only(place.ask(signature(), &cosign.policy(), &cosign.trust()).await.unwrap_err());
    assert!(matches!(refused, Rejection::OtherImage(image) if image == cosign.image()));
    // The same as a bundle, which says that it is about this image.
    let place = Place::new(another);
    place.refer(&[cosign.bundle("signature")], |_| ()).await;
    let refused =
        only(place.ask(signature(), &cosign.policy(), &cosign.trust()).await.unwrap_err());
    let other_subject =
        matches!(refused, Rejection::Verify(VerifyError::Signature(SignatureError::OtherSubject)));
    assert!(other_subject, "{refused:?}");
    asked(&cosign, cosign.layer("keyless"), &cosign.policy()).await.unwrap();
}

#[tokio::test]
pub(crate) async fn a_changed_payload_is_refused_whatever_it_says() {
    let cosign = Cosign::new();
    let layer = cosign.layer("keyless");
    asked(&cosign, layer.clone(), &cosign.policy()).await.unwrap();
    for (from, to) in
        [("cosign container image signature", "atomic"), ("prod", "test"), ("{", "["), ("}", "} ")]
    {
        let damaged = Layer { blob: layer.blob.replacen(from, to, 1), ..layer.clone() };
        let refused = asked(&cosign, damaged, &cosign.policy()).await.unwrap_err();
        assert!(matches!(refused, Rejection::Verify(_)), "{to}: {refused:?}");
    }
}

#[tokio::test]
pub(crate) async fn another_signer_is_named() {
    let cosign = Cosign::new();
    let policy = cosign.policy_for("mallory@example.com");
    let refused = asked(&cosign, cosign.layer("keyless"), &policy).await.unwrap_err();
    let Rejection::Verify(VerifyError::Identity(IdentityError::OtherName { found, .. })) = refused
    else {
        panic!("{refused:?}")
    };
    assert_eq!(found, ["alice@example.com"]);
}

#[tokio::test]
pub(crate) async fn a_note_that_is_asked_for_must_be_there() {
    let cosign = Cosign::new();
    let place = Place::new(cosign.image());
    place.tag("sig", &[cosign.layer("keyless")]).await;
    let ask = async |name: &str, value: &str| {
        let annotations = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        place.ask(Wanted::Signature { annotations }, &cosign.policy(), &cosign.trust()).await
    };
    ask("b", "x<y>&é").await.unwrap();
    for (name, value) in [("env", "dev"), ("env", ""), ("other", "prod"), ("", "")] {
        let refused = only(ask(name, value).await.unwrap_err());
        assert!(matches!(refused, Rejection::Annotation { .. }), "{refused:?}");
    }
}

#[tokio::test]
pub(crate) async fn a_referrer_of_another_image_is_refused() {
    let cosign = Cosign::new();
    let place = Place::new(cosign.image());
    let other = Descriptor::of(oci::media_type::MANIFEST, b"another image");
    let listed = |manifest: &mut Manifest| manifest.subject = Some(other.clone());
    // A layout lists by what documents say, so the lie is of the kind that a registry tells.
    place.refer(&[cosign.bundle("signature")], listed).await;
    let error = place.ask(signature(), &cosign.policy(), &cosign.trust()).await.unwrap_err();
    assert!(matches!(error, VerifyImageError::Nothing(_)), "{error:?}");
    place.refer(&[cosign.bundle("signature")], |_| ()).await;
    place.ask(signature(), &cosign.policy(), &cosign.trust()).await.unwrap();
}

#[tokio::test]
pub(crate) async fn what_a_list_calls_a_referrer_decides_nothing() {
    let cosign = Cosign::new();
    let place = Place::new(cosign.image());
    let lies = |manifest: &mut Manifest| {
        manifest.artifact_type = Some("application/spdx+json".to_owned());
        let said = (
            "dev.sigstore.bundle.predicateType".to_owned(),
            "https://spdx.dev/Document".to_owned(),
        );
        manifest.annotations = BTreeMap::from([said]);
    };
    place.refer(&[cosign.bundle("signature")], lies).await;
    place.ask(signature(), &cosign.policy(), &cosign.trust()).await.unwrap();
}

#[tokio::test]
pub(crate) async fn one_good_signature_among_garbage_is_found() {
    let cosign = Cosign::new();
    let place = Place::new(cosign.image());
    for number in 0..40 {
        let garbage =
            Layer { blob: format!("{{\"garbage\":{number}}}"), ..cosign.bundle("signature") };
        place.refer(&[garbage], |_| ()).await;
    }
    place.ask(signature(), &cosign.policy(), &cosign.trust()).await.unwrap_err();
    place.refer(&[cosign.bundle("signature")], |_| ()).await;
    let found = place.ask(signature(), &cosign.policy(), &cosign.trust()).await.unwrap();
    assert_eq!(found.proven.len(), 1);
}

#[tokio::test]
pub(crate) async fn more_layers_than_anybody_writes_are_not_looked_at() {
    let cosign = Cosign::new();
    let good = cosign.bundle("signature");
    let asked = async |layers: Vec<Layer>| {
        let place = Place::new(cosign.image());
        place.refer(&layers, |_| ()).await;
        place.ask(signature(), &cosign.policy(), &cosign.trust()).await.map_err(only)
    };
    asked(vec![good.clone(); MAX_BUNDLES]).await.unwrap();
    let refused = asked(vec![good; MAX_BUNDLES + 1]).await.unwrap_err();
    assert!(matches!(refused, Rejection::Candidate(CandidateError::TooManyLayers { .. })));

    let place = Place::new(cosign.image());
    place.tag("sig", &vec![cosign.layer("keyless"); 1001]).await;
    let refused =
        only(place.ask(signature(), &cosign.policy(), &cosign.trust()).await.unwrap_err());
    assert!(matches!(refused, Rejection::Candidate(CandidateError::TooManyLayers { .. })));
}

#[tokio::test]
pub(crate) async fn more_candidates_than_are_looked_at_end_the_search() {
    let cosign = Cosign::new();
    let place = Place::new(cosign.image());
    let garbage = Layer { blob: "{}".to_owned(), ..cosign.bundle("signature") };
    for number in 0..260 {
        let differ = |manifest: &mut Manifest| {
            manifest.annotations = BTreeMap::from([("number".to_owned(), number.to_string())]);
        };
        place.refer(&vec![garbage.clone(); MAX_BUNDLES], differ).await;
    }
    let error = place.ask(signature(), &cosign.policy(), &cosign.trust()).await.unwrap_err();
    assert!(matches!(error, VerifyImageError::TooMany { .. }), "{error:?}");
}

#[tokio::test]
pub(crate) async fn an_attachment_that_is_too_long_is_not_fetched() {
    let cosign = Cosign::new();
    let digest = Digest::of(b"a blob that is nowhere");
    let asked = async |size: u64| {
        let place = Place::new(cosign.image());
        let layer = Descriptor::new(crate::place::BUNDLE, digest, size);
        place.refer(&[], |manifest| manifest.layers = vec![layer]).await;
        only(place.ask(signature(), &cosign.policy(), &cosign.trust()).await.unwrap_err())
    };
    // One byte less is asked for, and is not there.
    let lost = asked(MAX_ATTACHMENT).await;
    assert!(matches!(lost, Rejection::Candidate(CandidateError::Lost)), "{lost:?}");
    for size in [MAX_ATTACHMENT + 1, 100 << 30, u64::MAX] {
        let refused = asked(size).await;
        let is_too_long = matches!(
            refused,
            Rejection::Candidate(CandidateError::Unreadable(oci::FetchError::TooLong { .. }))
        );
        assert!(is_too_long, "{refused:?}");
    }
}
