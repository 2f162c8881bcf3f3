//! Registries that are silent or slow: whatever is waited for has an end.

use std::time::Duration;

use bytes::Bytes;
use oci::{
    AccessError, Copier, CopyError, Descriptor, Digest, Document, FetchError, Index, Manifest,
    Store, media_type,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::authorization::alice;
use crate::fake::{Abilities, Answer, Fake, Request};
use crate::hurry::hurried;

const ALL: Abilities = Abilities { referrers: true, whole_blobs: true, silent: false };
/// Longer than the twin of each test may take, and shorter than one request may.
const SLOW: Duration = Duration::from_secs(25);
/// What five attempts at one request take, with the waits in between.
const FIVE_ATTEMPTS: Duration = Duration::from_secs(5 * 30 + 10);

fn tags(tags: &str) -> Answer {
    Answer::new(200).body("application/json", format!(r#"{{"tags":["{tags}"]}}"#))
}

/// Nothing came, as often as it was asked for.
fn is_timeout(error: &FetchError) -> bool {
    let FetchError::Access(AccessError::Request { source, .. }) = error else { return false };
    matches!(source, net::RequestError::Timeout { .. })
}

#[tokio::test(start_paused = true)]
pub(crate) async fn a_registry_that_sends_nothing_is_not_waited_for() {
    let slow = tags("v1").dribbling(Duration::from_secs(10));
    for answer in [Answer::never(), slow] {
        let fake = Fake::lying(ALL, move |_| Some(answer.clone())).await;
        let (outcome, took) = hurried(fake.store().tags()).await;
        let error = outcome.unwrap_err();
        assert!(is_timeout(&error), "{error:?}");
        assert!(took <= FIVE_ATTEMPTS && took >= Duration::from_secs(5 * 30), "{took:?}");
    }
    let fake = Fake::lying(ALL, |_| Some(tags("v1").after(SLOW))).await;
    assert_eq!(hurried(fake.store().tags()).await.0.unwrap(), ["v1"]);
}

#[tokio::test(start_paused = true)]
pub(crate) async fn a_blob_that_never_ends_is_not_waited_for() {
    let blob = Bytes::from(vec![7; 1000]);
    let wanted = Descriptor::of("a/b", &blob);
    let whole = Answer::new(200).body("a/b", blob.clone());
    let dribbling = whole.clone().dribbling(Duration::from_secs(2));
    let fake = Fake::lying(ALL, move |_| Some(dribbling.clone())).await;
    let (outcome, took) = hurried(async { fake.store().blob(&wanted, 1000).await }).await;
    let error = outcome.unwrap_err();
    assert!(is_timeout(&error), "{error:?}");
    assert!(took <= FIVE_ATTEMPTS, "{took:?}");
    let fake = Fake::lying(ALL, move |_| Some(whole.clone().after(SLOW))).await;
    assert_eq!(hurried(async { fake.store().blob(&wanted, 1000).await }).await.0.unwrap(), blob);
}

#[tokio::test(start_paused = true)]
pub(crate) async fn a_wait_that_is_asked_for_is_cut_short() {
    let busy = || Answer::new(429).header("Retry-After", "1000000000");
    let fake = Fake::lying(ALL, move |_| Some(busy())).await;
    let (outcome, took) = hurried(fake.store().tags()).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, FetchError::Access(AccessError::Busy { .. })), "{error:?}");
    assert!(took <= Duration::from_secs(5 * 10), "{took:?}");
    let turn = std::sync::atomic::AtomicUsize::new(0);
    let fake = Fake::lying(ALL, move |_| {
        let turn = turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Some(if turn < 4 { busy() } else { tags("v1") })
    })
    .await;
    assert_eq!(hurried(fake.store().tags()).await.0.unwrap(), ["v1"]);
}

/// A list of so many pages, each of which takes nearly as long as it may.
async fn slow_list(pages: usize) -> std::sync::Arc<Fake> {
    Fake::lying(ALL, move |request: &Request| {
        let page: usize = request.query("page").map_or(0, |page| page.parse().unwrap());
        let next = format!("<?page={}>; rel=\"next\"", page + 1);
        let answer = tags(&format!("v{page}")).after(SLOW);
        Some(if page + 1 < pages { answer.header("Link", next) } else { answer })
    })
    .await
}

#[tokio::test(start_paused = true)]
pub(crate) async fn a_list_has_a_deadline_as_a_whole() {
    let (outcome, took) = hurried(slow_list(1000).await.store().tags()).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, FetchError::List { .. }), "{error:?}");
    assert!(error.to_string().contains("within 180 s"), "{error}");
    assert!(took <= Duration::from_secs(182), "{took:?}");
    assert_eq!(hurried(slow_list(3).await.store().tags()).await.0.unwrap().len(), 3);
}

/// An index of so many images, each of which takes nearly as long as it may.
async fn slow_index(images: u8) -> (std::sync::Arc<Fake>, Descriptor) {
    let image = |number: u8| {
        Document::of_manifest(Manifest::new(Descriptor::of("a/b", &[number]), Vec::new()))
    };
    let images: Vec<_> = (0..images).map(image).collect();
    let root = Document::of_index(Index::new(images.iter().map(Document::descriptor).collect()));
    let descriptor = root.descriptor();
    let all: Vec<_> = images.into_iter().chain([root]).collect();
    let fake = Fake::lying(ALL, move |request| {
        let asked = all.iter().find(|one| request.path.ends_with(&one.digest().to_string()))?;
        Some(Answer::new(200).body(asked.media_type(), asked.bytes().to_vec()).after(SLOW))
    })
    .await;
    (fake, descriptor)
}

#[tokio::test(start_paused = true)]
pub(crate) async fn an_index_has_a_deadline_with_all_that_it_lists() {
    let (fake, root) = slow_index(20).await;
    let (outcome, took) = hurried(Copier::documents(&fake.store(), &root)).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, CopyError::Timeout { .. }), "{error:?}");
    assert!(took <= Duration::from_secs(302), "{took:?}");
    let (fake, root) = slow_index(3).await;
    let found = hurried(Copier::documents(&fake.store(), &root)).await.0.unwrap();
    assert_eq!(found.len(), 4);
}

#[tokio::test(start_paused = true)]
pub(crate) async fn a_copy_has_a_deadline_with_all_that_hangs_together() {
    let watch = |_| ();
    let copy = async |images: u8| {
        let (fake, root) = slow_index(images).await;
        let (source, target) = (fake.store(), Fake::start(ALL).await);
        for number in 0..images {
            target.contents().blobs.insert(Digest::of(&[number]).to_string(), vec![number]);
        }
        let target = target.store();
        hurried(async { Copier::new(&source, &target, &watch).unnamed(&root).await }).await
    };
    let (outcome, took) = copy(100).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, CopyError::Timeout { .. }), "{error:?}");
    assert!(took <= Duration::from_secs(1802), "{took:?}");
    copy(3).await.0.unwrap();
}

/// Attached to one image are so many things, each of which is said to be gone, nearly as late as it may be said.
#[tokio::test(start_paused = true)]
pub(crate) async fn what_is_attached_is_copied_until_a_deadline() {
    let watch = |_| ();
    let image = Digest::of(b"image");
    let copy = async |count: u8| {
        let listed = (0..count).map(|number| Descriptor::of(media_type::MANIFEST, &[number]));
        let list = Document::of_index(Index::new(listed.collect())).bytes().to_vec();
        let source = Fake::lying(ALL, move |request| {
            let list = Answer::new(200).body(media_type::INDEX, list.clone());
            let gone = Answer::new(404).after(SLOW);
            Some(if request.path.contains("/referrers/") { list } else { gone })
        });
        let (source, target) = (source.await.store(), Fake::start(ALL).await.store());
        hurried(async { Copier::new(&source, &target, &watch).attached(&image, &[]).await }).await
    };
    let (outcome, took) = copy(100).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, CopyError::Timeout { .. }), "{error:?}");
    assert!(took <= Duration::from_secs(1802), "{took:?}");
    assert_eq!(copy(3).await.0.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
pub(crate) async fn a_token_server_that_says_nothing_is_not_waited_for() {
    let registry = |token: Answer| {
        Fake::lying(ALL, move |request| {
            let bearer = format!(r#"Bearer realm="http://{}/token""#, request.headers["host"]);
            match (request.path.as_str(), request.headers.get("authorization")) {
                ("/token", _) => Some(token.clone()),
                (_, None) => Some(Answer::new(401).header("WWW-Authenticate", bearer)),
                (_, Some(_)) => Some(tags("v1")),
            }
        })
    };
    let fake = registry(Answer::never()).await;
    let store = Store::Registry(fake.repository_with(alice(&fake.name)));
    let (outcome, took) = hurried(store.tags()).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, FetchError::Access(AccessError::Token { .. })), "{error:?}");
    assert!(took <= FIVE_ATTEMPTS, "{took:?}");
    let token = Answer::new(200).body("application/json", r#"{"token":"t"}"#).after(SLOW);
    let fake = registry(token).await;
    let store = Store::Registry(fake.repository_with(alice(&fake.name)));
    assert_eq!(hurried(store.tags()).await.0.unwrap(), ["v1"]);
}

/// A registry that has nothing, begins every upload, and then takes nothing of it.
async fn takes_nothing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let name = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = [0; 2048];
                loop {
                    let read = stream.read(&mut head).await.unwrap_or(0);
                    let answer = match head[..read].split(|byte| *byte == b' ').next() {
                        Some(b"HEAD") => "HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n",
                        Some(b"POST") => {
                            "HTTP/1.1 202 X\r\nLocation: /upload\r\nContent-Length: 0\r\n\r\n"
                        }
                        _ if read == 0 => return,
                        _ => return std::future::pending().await,
                    };
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            });
        }
    });
    name
}

/// A blob of this size may take minutes, as long as it goes on.
#[tokio::test(start_paused = true)]
pub(crate) async fn a_registry_that_takes_nothing_is_not_waited_for() {
    let blob = vec![7; 30 << 20];
    let source = Fake::start(ALL).await;
    let pointer = Descriptor::of("a/b", &blob);
    source.contents().blobs.insert(pointer.digest.to_string(), blob);
    let image = Document::of_manifest(Manifest::new(pointer, Vec::new()));
    source.store().push_document(&image, Some("v1")).await.unwrap();
    let watch = |_| ();
    let copy = async |target: Store| {
        let source = source.store();
        Copier::new(&source, &target, &watch).image(&image.descriptor(), None).await
    };
    let target = crate::liars::store(&takes_nothing().await);
    let (outcome, took) = hurried(copy(target)).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, CopyError::Write(_)), "{error:?}");
    assert!(took <= Duration::from_secs(5 * 60 + 60), "{took:?}");
    let target = Fake::start(ALL).await;
    hurried(copy(target.store())).await.0.unwrap();
}
