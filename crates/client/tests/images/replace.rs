//! Which attestations give way to a new one.

use client::image::replacing::Older;
use client::image::signing::SignedImage;
use client::image::subject::Subject;
use client::image::verifying::Wanted;
use oci::{Attached, Descriptor, Digest};

use crate::place::{Cosign, Place, TYPE, of_type, signature};

/// A place with a signature and an attestation in each form.
async fn place(cosign: &Cosign) -> Place {
    let place = Place::new(cosign.image());
    place.refer(&[cosign.bundle("signature")], |_| ()).await;
    place.refer(&[cosign.bundle("statement")], |_| ()).await;
    place.tag("sig", &[cosign.layer("keyless")]).await;
    place.tag("att", &[cosign.layer("attestation"), cosign.layer("attestation-cosign-2")]).await;
    place
}

/// An image to which nothing new was attached that is there already.
fn unlike(image: Digest) -> SignedImage {
    let descriptor = Descriptor::new(oci::media_type::MANIFEST, image, 401);
    let subject = Subject { descriptor, platform: None, named: None };
    SignedImage { subject, referrer: None, legacy_tag: None, legacy_layer: None, signed: vec![] }
}

#[tokio::test]
async fn attestations_of_the_type_are_removed_in_both_forms_and_nothing_else() {
    let cosign = Cosign::new();
    let (place, image) = (place(&cosign).await, cosign.image());
    let older = Older::find(&place.store, &image, TYPE).await.unwrap();
    assert_eq!(older.count(), 3);
    older.remove(&place.store, &unlike(image)).await.unwrap();
    let typed = of_type(cosign.policy(), TYPE);
    place.ask(Wanted::Attestation, &typed, &cosign.trust()).await.unwrap_err();
    place.ask(signature(), &cosign.policy(), &cosign.trust()).await.unwrap();
    assert_eq!(Older::find(&place.store, &image, TYPE).await.unwrap().count(), 0);
}

#[tokio::test]
async fn an_attestation_that_came_meanwhile_stays() {
    let cosign = Cosign::new();
    let (place, image) = (place(&cosign).await, cosign.image());
    let older = Older::find(&place.store, &image, TYPE).await.unwrap();
    place
        .refer(&[cosign.bundle("statement")], |manifest| {
            drop(manifest.annotations.insert("a".into(), "b".into()));
        })
        .await;
    older.remove(&place.store, &unlike(image)).await.unwrap();
    place.ask(Wanted::Attestation, &of_type(cosign.policy(), TYPE), &cosign.trust()).await.unwrap();
}

#[tokio::test]
async fn what_was_just_attached_stays_though_it_is_equal_to_an_older_layer() {
    let cosign = Cosign::new();
    let (place, image) = (Place::new(cosign.image()), cosign.image());
    let layer = || cosign.layer("attestation");
    place.tag("att", &[layer()]).await;
    let older = Older::find(&place.store, &image, TYPE).await.unwrap();
    place.tag("att", &[layer(), layer()]).await;
    let legacy_layer = Some(Digest::of(layer().blob()));
    older.remove(&place.store, &SignedImage { legacy_layer, ..unlike(image) }).await.unwrap();
    assert_eq!(Older::find(&place.store, &image, TYPE).await.unwrap().count(), 1);
    place.ask(Wanted::Attestation, &of_type(cosign.policy(), TYPE), &cosign.trust()).await.unwrap();
}

#[tokio::test]
async fn what_was_just_attached_stays_though_it_is_the_older_referrer() {
    let cosign = Cosign::new();
    let (place, image) = (Place::new(cosign.image()), cosign.image());
    place.refer(&[cosign.bundle("statement")], |_| ()).await;
    let older = Older::find(&place.store, &image, TYPE).await.unwrap();
    let descriptor = place.refer(&[cosign.bundle("statement")], |_| ()).await;
    let referrer = Some(Attached { descriptor, fallback_tag: None });
    older.remove(&place.store, &SignedImage { referrer, ..unlike(image) }).await.unwrap();
    assert_eq!(Older::find(&place.store, &image, TYPE).await.unwrap().count(), 1);
}

#[tokio::test]
async fn an_attestation_of_another_type_stays() {
    let cosign = Cosign::new();
    let place = place(&cosign).await;
    for uri in ["https://example.com/other", client::predicate::SIGNATURE] {
        let older = Older::find(&place.store, &cosign.image(), uri).await.unwrap();
        assert_eq!(older.count(), 0, "{uri}");
    }
}

#[tokio::test]
async fn a_referrer_with_something_else_in_it_stays() {
    let cosign = Cosign::new();
    let place = Place::new(cosign.image());
    place.refer(&[cosign.bundle("statement"), cosign.bundle("signature")], |_| ()).await;
    assert_eq!(Older::find(&place.store, &cosign.image(), TYPE).await.unwrap().count(), 0);
}
