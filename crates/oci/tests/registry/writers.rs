//! Many who attach to one image at once, on a registry that keeps no list of referrers.

use std::collections::BTreeSet;

use oci::Target;

use crate::fake::{Abilities, Fake};
use crate::{assert_whole, push_image, sign};

/// Acceptance 6 has two hundred programs and a real registry; here the registry yields between any two requests.
const WRITERS: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_writers_none_loses_an_entry() {
    let fake = Fake::start(Abilities::default()).await;
    push_image(&fake.store()).await;
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            // Each is a program of its own, that knows nothing of the others.
            let store = fake.store();
            tokio::spawn(async move { sign(&store, &format!("writer {number}")).await.unwrap() })
        })
        .collect();
    let mut expected = BTreeSet::new();
    for writer in writers {
        expected.insert(writer.await.unwrap().descriptor.digest);
    }
    let store = fake.store();
    let image = store.resolve(&Target::tag("v1").unwrap()).await.unwrap();
    let listed = store.referrers(&image.digest).await.unwrap();
    let found: BTreeSet<_> = listed.iter().map(|descriptor| descriptor.digest).collect();
    assert_eq!(found, expected);
    assert_eq!(listed.len(), WRITERS, "none is listed twice");
    assert_whole(&fake, "many writers");
    testdata::report(&format!("{WRITERS} writers of one image: {} requests", fake.count()));
}

#[tokio::test]
async fn an_entry_that_someone_else_lost_is_put_back() {
    let fake = Fake::start(Abilities::default()).await;
    let image = push_image(&fake.store()).await;
    let lost = sign(&fake.store(), "one").await.unwrap().descriptor;
    // A writer that does not know the protocol writes a list of its own over it.
    fake.contents().tags.remove(&image.digest.to_tag());
    let own = sign(&fake.store(), "two").await.unwrap().descriptor;
    let mut listed = fake.store().referrers(&image.digest).await.unwrap();
    let mut expected = [lost, own];
    listed.sort_by_key(|descriptor| descriptor.digest);
    expected.sort_by_key(|descriptor| descriptor.digest);
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn a_tag_that_names_no_referrer_is_left_alone() {
    let fake = Fake::start(Abilities::default()).await;
    let image = push_image(&fake.store()).await;
    // Someone tags the image itself in the way of a referrer.
    let stray = format!("{}.0123456789ab", image.digest.to_tag());
    fake.contents().tags.insert(stray, image.digest.to_string());
    let own = sign(&fake.store(), "one").await.unwrap().descriptor;
    assert_eq!(fake.store().referrers(&image.digest).await.unwrap(), [own]);
}
