//! What cosign writes is read, in both forms.

use std::collections::BTreeMap;

use client::image::verifying::{VerifyImageError, Wanted};
use oci::Digest;

use crate::place::{Cosign, Place, TYPE, of_type, signature, without_log};

#[tokio::test]
async fn signatures_in_the_older_form_are_verified() {
    let cosign = Cosign::new();
    let (trust, keyless, keyed) = (cosign.trust(), cosign.policy(), cosign.key_policy());
    for (name, policy) in [
        ("keyless", &keyless),
        ("keyless-and-timestamp", &keyless),
        ("keyless-cosign-2", &keyless),
        ("key", &keyed),
    ] {
        let place = Place::new(cosign.image());
        place.tag("sig", &[cosign.layer(name)]).await;
        let found = place.ask(signature(), policy, &trust).await;
        let found = found.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let payload = found.proven[0].payload.as_ref().unwrap();
        assert_eq!(Digest::from(payload.digest), cosign.image(), "{name}");
    }
}

#[tokio::test]
async fn a_timestamp_stands_for_a_log_where_that_is_allowed() {
    let cosign = Cosign::new();
    let place = Place::new(cosign.image());
    place.tag("sig", &[cosign.layer("keyless-timestamp-only")]).await;
    place.ask(signature(), &cosign.policy(), &cosign.trust()).await.unwrap_err();
    place.ask(signature(), &without_log(cosign.policy()), &cosign.trust()).await.unwrap();
}

#[tokio::test]
async fn attestations_in_the_older_form_are_verified() {
    let cosign = Cosign::new();
    let keyless = of_type(cosign.policy(), TYPE);
    let keyed = of_type(cosign.key_policy(), TYPE);
    for (name, policy) in
        [("attestation", &keyless), ("attestation-cosign-2", &keyless), ("attestation-key", &keyed)]
    {
        let place = Place::new(cosign.image());
        place.tag("att", &[cosign.layer(name)]).await;
        let found = place.ask(Wanted::Attestation, policy, &cosign.trust()).await;
        let found = found.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let statement = found.proven[0].verified.statement.as_ref().unwrap();
        assert_eq!(statement.predicate.as_ref().unwrap().get(), r#"{"a":1}"#, "{name}");
    }
}

#[tokio::test]
async fn bundles_in_referrers_are_verified() {
    let cosign = Cosign::new();
    let place = Place::new(cosign.image());
    place.refer(&[cosign.bundle("signature")], |_| ()).await;
    place.refer(&[cosign.bundle("signature-key")], |_| ()).await;
    place.refer(&[cosign.bundle("statement")], |_| ()).await;
    let trust = cosign.trust();
    let annotations = BTreeMap::from([("env".to_owned(), "prod".to_owned())]);
    place.ask(Wanted::Signature { annotations }, &cosign.policy(), &trust).await.unwrap();
    place.ask(signature(), &cosign.key_policy(), &trust).await.unwrap();
    let found = place.ask(Wanted::Attestation, &of_type(cosign.policy(), TYPE), &trust).await;
    assert_eq!(found.unwrap().proven.len(), 1);
}

#[tokio::test]
async fn nothing_attached_is_said_to_be_nothing() {
    let cosign = Cosign::new();
    let place = Place::new(cosign.image());
    let error = place.ask(signature(), &cosign.policy(), &cosign.trust()).await.unwrap_err();
    assert!(matches!(error, VerifyImageError::Nothing(image) if image == cosign.image()));
}
