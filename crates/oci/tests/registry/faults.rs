//! One request of a signature fails, each in its turn, in each way.

use std::error::Error;

use futures_util::future::join_all;

use crate::fake::{Abilities, FAULTS, Fake, Fault};
use crate::{assert_whole, push_image, sign};

/// More requests than a signature takes, with those that are repeated.
const REQUESTS: usize = 14;
/// How many requests storing the image takes, in a registry of each kind.
const IMAGE: [(Abilities, usize); 2] = [
    (Abilities { referrers: true, whole_blobs: true, silent: false }, 3),
    (Abilities { referrers: false, whole_blobs: false, silent: false }, 5),
];

async fn sign_with(abilities: Abilities, at: usize, fault: Fault) {
    let what = format!("{abilities:?}, {fault:?} at request {at}");
    let fake = Fake::failing(abilities, at, fault).await;
    push_image(&fake.store()).await;
    let outcome = sign(&fake.store(), "one").await;
    if fake.count() < at {
        // There was no such request.
        return;
    }
    assert_whole(&fake, &what);
    match outcome {
        Ok(attached) => {
            // What was attached is there for others.
            let subject = fake.contents().tags["v1"].parse().unwrap();
            let listed = fake.store().referrers(&subject).await.unwrap();
            let found = listed.iter().any(|entry| entry.digest == attached.descriptor.digest);
            assert!(found, "{what}: {:#?}", fake.lines());
        }
        Err(error) => {
            // A registry that says clearly that something is not there is believed; a list that is none is reported.
            let told = [Fault::Status(404), Fault::OtherBody].contains(&fault);
            assert!(told, "{what}: {}", chain(&*error));
        }
    }
}

fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_at_any_request_ends_in_success_or_in_a_clear_error() {
    let all = IMAGE.into_iter().flat_map(|(abilities, image)| {
        (1..=REQUESTS).flat_map(move |at| {
            FAULTS.into_iter().map(move |fault| sign_with(abilities, image + at, fault))
        })
    });
    join_all(all).await;
}

#[tokio::test]
async fn a_registry_that_never_has_time_is_given_up() {
    let busy = Fake::lying(Abilities::default(), |_| {
        Some(
            crate::fake::Answer::new(429)
                .header("Retry-After", "0")
                .body("text/plain", "slow down"),
        )
    })
    .await;
    let error = busy.store().tags().await.unwrap_err();
    assert_eq!(busy.count(), 5);
    assert!(chain(&error).contains("asked too often: slow down"), "{}", chain(&error));
}
