//! Registries that keep us waiting: whatever the verification of an image waits for has an end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use client::image::attached::{Attached, attached, older_sbom, sbom_tag};
use client::image::candidate::CandidateError;
use client::image::subject::{self, SelectError, Selection, select};
use client::image::verifying::{DEADLINE, Finding, Rejection, VerifyImageError};
use oci::{AccessError, Descriptor, Document, FetchError, Index, Manifest, Target, media_type};

use crate::fake::{Abilities, Answer, Fake, Request};
use crate::hurry::hurried;
use crate::place::{BUNDLE, Cosign, Place, signature};

const ALL: Abilities = Abilities { referrers: true, whole_blobs: true, silent: false };
/// A registry that does not answer is asked five times, with waits in between.
const GIVEN_UP: Duration = Duration::from_secs(5 * 30 + 10);
/// How much later than a deadline a clock that goes by seconds may show that it is over.
const TICK: Duration = Duration::from_secs(2);

/// A registry that can be made to keep us waiting.
struct Slow {
    fake: Arc<Fake>,
    is_slow: Arc<AtomicBool>,
}

impl Slow {
    /// Where `is_late` says so, it answers as `answer` says.
    async fn registry(is_late: fn(&Request) -> bool, answer: Answer) -> Self {
        let is_slow = Arc::new(AtomicBool::new(false));
        let switch = Arc::clone(&is_slow);
        let fake = Fake::lying(ALL, move |request| {
            let late = switch.load(Ordering::SeqCst) && is_late(request);
            late.then(|| answer.clone())
        })
        .await;
        Self { fake, is_slow }
    }

    fn place(&self) -> Place {
        Place::within(self.fake.store(), Cosign::new().image())
    }

    /// Asks, with the registry as it is, and then with the one that keeps us waiting.
    async fn ask(&self) -> (Result<Finding, VerifyImageError>, Duration) {
        let cosign = Cosign::new();
        let (policy, trust) = (cosign.policy(), cosign.trust());
        let twin = self.place();
        let (good, _) = hurried(twin.ask(signature(), &policy, &trust)).await;
        assert!(!good.unwrap().proven.is_empty());
        self.is_slow.store(true, Ordering::SeqCst);
        let place = self.place();
        hurried(place.ask(signature(), &policy, &trust)).await
    }
}

fn is_timeout(error: &AccessError) -> bool {
    matches!(error, AccessError::Request { .. })
}

/// No answer, and one that comes a byte at a time.
fn answers() -> [Answer; 2] {
    let slow = Answer::new(200).body(media_type::INDEX, "{}").dribbling(Duration::from_secs(10));
    [Answer::never(), slow]
}

/// That what is attached cannot be listed, because a request took too long.
async fn assert_list_is_given_up(slow: &Slow) {
    let (outcome, took) = slow.ask().await;
    let error = outcome.unwrap_err();
    let VerifyImageError::List(FetchError::Access(error)) = error else { panic!("{error:?}") };
    assert!(is_timeout(&error) && took <= GIVEN_UP, "{took:?}: {error:?}");
}

#[tokio::test(start_paused = true)]
pub(crate) async fn a_list_of_referrers_that_does_not_come_is_not_waited_for() {
    for answer in answers() {
        let slow = Slow::registry(|request| request.path.contains("/referrers/"), answer).await;
        slow.place().refer(&[Cosign::new().bundle("signature")], |_| ()).await;
        assert_list_is_given_up(&slow).await;
    }
}

#[tokio::test(start_paused = true)]
pub(crate) async fn a_tag_of_the_older_form_that_does_not_come_is_not_waited_for() {
    for answer in answers() {
        let slow = Slow::registry(|request| request.path.ends_with(".sig"), answer).await;
        slow.place().tag("sig", &[Cosign::new().layer("keyless")]).await;
        assert_list_is_given_up(&slow).await;
    }
}

#[tokio::test(start_paused = true)]
pub(crate) async fn a_referrer_or_a_bundle_that_does_not_come_is_not_waited_for() {
    let referrer = |request: &Request| request.path.contains("/manifests/sha256:");
    let bundle = |request: &Request| request.path.contains("/blobs/sha256:");
    for is_late in [referrer as fn(&Request) -> bool, bundle] {
        for answer in answers() {
            let slow = Slow::registry(is_late, answer).await;
            slow.place().refer(&[Cosign::new().bundle("signature")], |_| ()).await;
            let (outcome, took) = slow.ask().await;
            let error = outcome.unwrap_err();
            let VerifyImageError::Rejected { rejected, .. } = error else { panic!("{error:?}") };
            let reason = &rejected[0].reason;
            let Rejection::Candidate(CandidateError::Unavailable(error)) = reason else {
                panic!("{reason:?}")
            };
            assert!(is_timeout(error) && took <= GIVEN_UP, "{took:?}: {error:?}");
        }
    }
}

/// Many of them, each of which is waited for as long as one may be.
#[tokio::test(start_paused = true)]
pub(crate) async fn all_that_is_attached_has_one_deadline() {
    let cosign = Cosign::new();
    let slow =
        Slow::registry(|request| request.path.contains("/manifests/sha256:"), Answer::never())
            .await;
    for number in 0..40 {
        let note = ("number".to_owned(), number.to_string());
        let differ = |manifest: &mut Manifest| manifest.annotations.extend([note]);
        slow.place().refer(&[cosign.bundle("signature")], differ).await;
    }
    let (outcome, took) = slow.ask().await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, VerifyImageError::Late { .. }), "{error:?}");
    assert!(took <= DEADLINE + TICK, "{took:?}");
}

#[tokio::test(start_paused = true)]
pub(crate) async fn looking_at_what_is_attached_has_a_deadline() {
    // Each of them is said to be gone, nearly as late as an answer may come.
    let listing = |count: usize| {
        let listed = (0..count).map(|n| Descriptor::of(media_type::MANIFEST, &n.to_le_bytes()));
        let list = Document::of_index(Index::new(listed.collect())).bytes().to_vec();
        Fake::lying(ALL, move |request| {
            let list = Answer::new(200).body(media_type::INDEX, list.clone());
            let gone = Answer::new(404).after(Duration::from_secs(25));
            Some(if request.path.contains("/referrers/") { list } else { gone })
        })
    };
    let image = Cosign::new().image();
    let look = async |count: usize| {
        let store = listing(count).await.store();
        hurried(attached(&store, &image, &|_| ())).await
    };
    let (outcome, took) = look(1000).await;
    assert!(matches!(outcome, Err(FetchError::List { .. })), "{outcome:?}");
    assert!(took <= DEADLINE + TICK, "{took:?}");
    assert_eq!(look(20).await.0.unwrap().len(), 0);
}

#[tokio::test(start_paused = true)]
pub(crate) async fn an_sbom_of_older_tools_has_a_deadline() {
    let image = Cosign::new().image();
    let slow = Slow::registry(|request| request.path.contains("/blobs/"), Answer::never()).await;
    let store = slow.fake.store();
    // It is said to have a hundred megabytes, which may take half an hour.
    let found = |descriptor| Attached {
        tag: Some(sbom_tag(&image)),
        digest: image,
        artifact_type: None,
        layers: vec![descriptor],
        meanings: Vec::new(),
    };
    let long = found(Descriptor::new("text/spdx", oci::Digest::of(b"long"), 100 << 20));
    let short = found(Descriptor::of("text/spdx", b"short"));
    store.push_blob(bytes::Bytes::from_static(b"short")).await.unwrap();
    assert_eq!(hurried(older_sbom(&store, &[short])).await.0.unwrap().unwrap(), "short");
    slow.is_slow.store(true, Ordering::SeqCst);
    let (outcome, took) = hurried(older_sbom(&store, &[long])).await;
    assert!(matches!(outcome, Err(FetchError::List { .. })), "{outcome:?}");
    assert!(took <= DEADLINE + TICK, "{took:?}");
}

#[tokio::test(start_paused = true)]
pub(crate) async fn a_long_bundle_has_the_deadline_of_all() {
    // It says that it has a hundred megabytes, which may take half an hour, and nothing of them comes.
    let slow =
        Slow::registry(|request| request.path.contains("/blobs/sha256:"), Answer::never()).await;
    let place = slow.place();
    place.refer(&[Cosign::new().bundle("signature")], |_| ()).await;
    let long = Descriptor::new(BUNDLE, oci::Digest::of(b"long"), 100 << 20);
    let mut manifest = Manifest::new(Descriptor::empty(), vec![long]);
    manifest.subject = Some(Descriptor::new(media_type::MANIFEST, Cosign::new().image(), 401));
    manifest.artifact_type = Some(BUNDLE.to_owned());
    let document = Document::of_manifest(manifest);
    let stored = (media_type::MANIFEST.to_owned(), document.bytes().to_vec());
    slow.fake.contents().documents.insert(document.digest().to_string(), stored);
    let (outcome, took) = slow.ask().await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, VerifyImageError::Late { .. }), "{error:?}");
    assert!(took <= DEADLINE + TICK, "{took:?}");
}

#[tokio::test(start_paused = true)]
pub(crate) async fn what_a_name_leads_to_is_not_waited_for() {
    // Each of five redirects takes nearly as long as an answer may, and then it is to be tried again.
    let fake = Fake::lying(ALL, |request| {
        let hop: usize = request.path.strip_prefix("/hop/").map_or(0, |hop| hop.parse().unwrap());
        let next = Answer::new(302).header("Location", format!("/hop/{}", hop + 1));
        Some(if hop < 5 { next } else { Answer::new(500) }.after(Duration::from_secs(25)))
    })
    .await;
    let tag = Target::tag("v1").unwrap();
    let wanted = Selection::Platform("linux/amd64".parse().unwrap());
    for selection in [Selection::Itself, wanted, Selection::Recursive] {
        let store = fake.store();
        let (outcome, took) = hurried(select(&store, &tag, &selection)).await;
        assert!(matches!(outcome, Err(SelectError::Late)), "{selection:?}: {outcome:?}");
        assert!(took <= subject::DEADLINE + TICK, "{selection:?}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
pub(crate) async fn the_images_of_an_index_are_not_waited_for() {
    let slow =
        Slow::registry(|request| request.path.contains("/manifests/sha256:"), Answer::never())
            .await;
    let store = slow.fake.store();
    store.push_blob(bytes::Bytes::from_static(b"{}")).await.unwrap();
    let mut images = Vec::new();
    for number in 0..40 {
        let mut image = Manifest::new(Descriptor::empty(), Vec::new());
        image.annotations.insert("number".to_owned(), number.to_string());
        let image = Document::of_manifest(image);
        store.push_document(&image, None).await.unwrap();
        images.push(image.descriptor());
    }
    let index = Document::of_index(Index::new(images));
    store.push_document(&index, Some("v1")).await.unwrap();
    let ask = async || select(&store, &Target::tag("v1").unwrap(), &Selection::Recursive).await;
    assert_eq!(hurried(ask()).await.0.unwrap().len(), 41);
    slow.is_slow.store(true, Ordering::SeqCst);
    let (outcome, took) = hurried(ask()).await;
    let given_up = match &outcome {
        Err(SelectError::Fetch(FetchError::Access(error))) => is_timeout(error),
        outcome => matches!(outcome, Err(SelectError::Late)),
    };
    assert!(given_up && took <= subject::DEADLINE + TICK, "{took:?}: {outcome:?}");
}
