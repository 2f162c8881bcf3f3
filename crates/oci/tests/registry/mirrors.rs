//! Mirrors: read first, believed in nothing, and never written to.

use oci::{Access, Credentials, Registries, Settings, Store, Target};

use crate::authorization::{alice, shown, wants_password};
use crate::fake::{Abilities, Fake};
use crate::push_image;

const ALL: Abilities = Abilities { referrers: true, whole_blobs: true, silent: false };

#[tokio::test]
pub(crate) async fn a_mirror_is_read_first_and_gets_no_credentials_of_the_original() {
    let (original, mirror) = (wants_password().await, Fake::start(ALL).await);
    let image = push_image(&Store::Registry(original.repository_with(alice(&original.name)))).await;
    let settings = |of: &Fake, is: &Fake| Settings {
        credentials: alice(&of.name),
        mirrors: vec![format!("{}={}", of.name, is.name).parse().unwrap()],
        ..Settings::default()
    };
    let registries = Registries::new(settings(&original, &mirror));
    let store = Store::Registry(registries.repository(&original.reference(), Access::Pull));
    // The mirror does not have it: the original is asked.
    assert_eq!(store.resolve(&Target::tag("v1").unwrap()).await.unwrap(), image);
    assert!(mirror.count() > 0);
    assert!(shown(&mirror).iter().all(Option::is_none));
    // Now it has.
    push_image(&mirror.store()).await;
    let before = original.count();
    store.document(&image).await.unwrap();
    assert_eq!(original.count(), before);
}

#[tokio::test]
async fn whoever_writes_reads_no_list_from_a_mirror() {
    let (original, mirror) =
        (Fake::start(Abilities::default()).await, Fake::start(Abilities::default()).await);
    for fake in [&original, &mirror] {
        push_image(&fake.store()).await;
    }
    crate::sign(&original.store(), "one").await.unwrap();
    let settings = Settings {
        credentials: Credentials::none(),
        mirrors: vec![format!("{}={}", original.name, mirror.name).parse().unwrap()],
        ..Settings::default()
    };
    let registries = Registries::new(settings);
    let before = mirror.count();
    let store = Store::Registry(registries.repository(&original.reference(), Access::Push));
    crate::sign(&store, "two").await.unwrap();
    assert_eq!(mirror.count(), before);
    let image = store.resolve(&Target::tag("v1").unwrap()).await.unwrap();
    assert_eq!(original.store().referrers(&image.digest).await.unwrap().len(), 2);
    // Whoever only reads finds nothing there, and looks at the original.
    let reader = Store::Registry(registries.repository(&original.reference(), Access::Pull));
    assert_eq!(reader.referrers(&image.digest).await.unwrap().len(), 2);
    assert!(mirror.count() > before);
}

#[tokio::test]
async fn whoever_writes_asks_the_original_what_a_tag_is() {
    let (original, mirror) = (Fake::start(ALL).await, Fake::start(ALL).await);
    let image = push_image(&original.store()).await;
    // The mirror is behind: the tag is an older image there.
    let older = crate::referrer(&image, b"older");
    push_image(&mirror.store()).await;
    for blob in ["{}", "older"] {
        mirror.store().push_blob(blob.into()).await.unwrap();
    }
    mirror.store().push_document(&older, Some("v1")).await.unwrap();
    let settings = Settings {
        credentials: Credentials::none(),
        mirrors: vec![format!("{}={}", original.name, mirror.name).parse().unwrap()],
        ..Settings::default()
    };
    let registries = Registries::new(settings);
    for (access, expected) in [(Access::Pull, older.descriptor()), (Access::Push, image)] {
        let store = Store::Registry(registries.repository(&original.reference(), access));
        let found = store.resolve(&Target::tag("v1").unwrap()).await.unwrap();
        assert_eq!(found.digest, expected.digest, "{access:?}");
    }
}
