//! Registries that lie.

use oci::{
    AccessError, Copier, CopyError, Descriptor, Digest, Document, FetchError, Index, MAX_DOCUMENT,
    Store, Target, media_type,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::fake::{Abilities, Answer, Fake};

const ALL: Abilities = Abilities { referrers: true, whole_blobs: true, silent: false };

fn tag() -> Target {
    Target::tag("v1").unwrap()
}

/// A registry that gives this answer to everything.
pub(crate) async fn always(answer: Answer) -> std::sync::Arc<Fake> {
    Fake::lying(ALL, move |_| Some(answer.clone())).await
}

fn index(entries: usize) -> Vec<u8> {
    let entry = |number: usize| Descriptor::of(media_type::MANIFEST, &number.to_le_bytes());
    Document::of_index(Index::new((0..entries).map(entry).collect())).bytes().to_vec()
}

/// A server that sends `head`, and then `piece` for ever; and how many bytes it got rid of.
async fn endless(
    head: &'static str,
    piece: &'static [u8],
) -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    use std::sync::atomic::Ordering;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let name = listener.local_addr().unwrap().to_string();
    let sent = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = sent.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let counter = counter.clone();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(head.as_bytes()).await;
                while stream.write_all(piece).await.is_ok() {
                    counter.fetch_add(piece.len(), Ordering::SeqCst);
                }
            });
        }
    });
    (name, sent)
}

pub(crate) fn store(name: &str) -> Store {
    let reference = format!("{name}/a/b:v1").parse().unwrap();
    let settings =
        oci::Settings { credentials: oci::Credentials::none(), ..oci::Settings::default() };
    Store::Registry(oci::Registries::new(settings).repository(&reference, oci::Access::Pull))
}

#[tokio::test]
pub(crate) async fn another_document_than_the_one_that_was_asked_for_is_refused() {
    let fake = always(Answer::new(200).body(media_type::INDEX, index(1))).await;
    let wanted = Descriptor::new(media_type::INDEX, Digest::of(b"wanted"), index(1).len() as u64);
    for error in [
        fake.store().document(&wanted).await.unwrap_err(),
        fake.store().fetch(&Target::Digest(wanted.digest)).await.unwrap_err(),
        fake.store().blob(&wanted, 10_000).await.unwrap_err(),
    ] {
        assert!(matches!(error, FetchError::OtherDigest { .. }), "{error}");
    }
    let wanted = Descriptor::of(media_type::INDEX, &index(1));
    fake.store().document(&wanted).await.unwrap();
    fake.store().fetch(&Target::Digest(wanted.digest)).await.unwrap();
    fake.store().blob(&wanted, 10_000).await.unwrap();
}

#[tokio::test]
pub(crate) async fn a_tag_that_moves_between_two_questions_moves_nothing() {
    let turn = std::sync::atomic::AtomicUsize::new(1);
    let fake = Fake::lying(ALL, move |_| {
        let turn = turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Some(Answer::new(200).body(media_type::INDEX, index(turn)))
    })
    .await;
    let first = fake.store().resolve(&tag()).await.unwrap();
    let error = fake.store().document(&first).await.unwrap_err();
    assert!(
        matches!(error, FetchError::OtherSize { .. } | FetchError::OtherDigest { .. }),
        "{error}"
    );
    let fake = always(Answer::new(200).body(media_type::INDEX, index(1))).await;
    let first = fake.store().resolve(&tag()).await.unwrap();
    fake.store().document(&first).await.unwrap();
}

/// What a registry calls by another algorithm is the same image under the digest that everybody signs.
#[tokio::test]
pub(crate) async fn a_tag_leads_to_a_digest_of_sha_256_whatever_the_registry_announces() {
    let sha_512 = Digest::from(crypto::HashAlgorithm::Sha512.digest(&index(1)));
    let announcing = |digest: Digest| {
        let answer = Answer::new(200).body(media_type::INDEX, index(1));
        always(answer.header("Docker-Content-Digest", digest.to_string()))
    };
    let found = announcing(sha_512).await.store().resolve(&tag()).await.unwrap();
    assert_eq!(found.digest, Digest::of(&index(1)));
    let other = Digest::from(crypto::HashAlgorithm::Sha512.digest(b"another"));
    let error = announcing(other).await.store().resolve(&tag()).await.unwrap_err();
    assert!(matches!(error, FetchError::OtherDigest { .. }), "{error}");
}

/// <https://github.com/advisories/GHSA-88jx-383q-w4qc>
#[tokio::test]
pub(crate) async fn a_body_without_end_is_read_up_to_what_was_announced() {
    static PIECE: [u8; 4096] = [b'x'; 4096];
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.oci.image.index.v1+json\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.oci.image.index.v1+json\r\nContent-Length: 99999999999\r\n\r\n",
    ] {
        let (name, sent) = endless(head, &PIECE).await;
        let blob = Descriptor::new("a/b", Digest::of(b""), 1000);
        let error = store(&name).blob(&blob, 1_000_000).await.unwrap_err();
        assert!(
            matches!(error, FetchError::OtherSize { expected: 1000, more: true, .. }),
            "{error}"
        );
        let error = store(&name).fetch(&tag()).await.unwrap_err();
        assert!(matches!(error, FetchError::TooLong { .. }), "{error}");
        let error = store(&name).referrers(&blob.digest).await.unwrap_err();
        assert!(matches!(error, FetchError::TooLong { .. }), "{error}");
        // What is in the buffers of the sockets comes on top.
        let sent = sent.load(std::sync::atomic::Ordering::SeqCst);
        assert!(sent < 8 * MAX_DOCUMENT, "{sent} bytes were read");
        testdata::report(&format!("three endless answers: {sent} bytes were read"));
    }
    let fake = always(Answer::new(200).body(media_type::INDEX, index(1))).await;
    fake.store().fetch(&tag()).await.unwrap();
}

#[tokio::test]
pub(crate) async fn a_blob_of_a_hundred_gigabytes_is_not_asked_for() {
    let fake = Fake::start(ALL).await;
    let blob = Descriptor::new("a/b", Digest::of(b""), 100 << 30);
    let error = fake.store().blob(&blob, 1 << 20).await.unwrap_err();
    assert!(matches!(error, FetchError::TooLong { .. }), "{error}");
    let document = Descriptor::new(media_type::MANIFEST, Digest::of(b""), 100 << 30);
    let error = fake.store().document(&document).await.unwrap_err();
    assert!(matches!(error, FetchError::TooLong { .. }), "{error}");
    assert_eq!(fake.count(), 0);
    // One byte less is asked for, and is not there.
    let blob = Descriptor { size: 1 << 20, ..blob };
    let error = fake.store().blob(&blob, 1 << 20).await.unwrap_err();
    assert!(matches!(error, FetchError::Missing { .. }), "{error}");
}

/// <https://github.com/advisories/GHSA-95pr-fxf5-86gv>: a list costs what was sent of it, not what it says of itself.
#[tokio::test]
pub(crate) async fn a_document_with_as_many_entries_as_fit_is_read_and_one_with_more_is_not() {
    let most = MAX_DOCUMENT / index(2).len().saturating_sub(index(1).len());
    let fake = always(Answer::new(200).body(media_type::INDEX, index(most - 10))).await;
    fake.store().fetch(&tag()).await.unwrap();
    let fake = always(Answer::new(200).body(media_type::INDEX, index(most + 10))).await;
    let error = fake.store().fetch(&tag()).await.unwrap_err();
    assert!(matches!(error, FetchError::TooLong { .. }), "{error}");
}

#[tokio::test]
pub(crate) async fn a_list_of_a_hundred_thousand_referrers_is_cut_off() {
    // Pages of two thousand, one after the other.
    let listing = |pages: usize| {
        Fake::lying(ALL, move |request| {
            let page: usize = request.query("page").map_or(1, |page| page.parse().unwrap());
            let next = format!("</v2/a/b/referrers/x?page={}>; rel=\"next\"", page + 1);
            let answer = Answer::new(200).body(media_type::INDEX, index(2000));
            Some(if page < pages { answer.header("Link", next) } else { answer })
        })
    };
    let fake = listing(5).await;
    assert_eq!(fake.store().referrers(&Digest::of(b"")).await.unwrap().len(), 10_000);
    let fake = listing(50).await;
    let error = fake.store().referrers(&Digest::of(b"")).await.unwrap_err();
    assert!(matches!(error, FetchError::TooMany { limit: 10_000, .. }), "{error}");
    assert_eq!(fake.count(), 6);
    assert!(fake.sent.load(std::sync::atomic::Ordering::SeqCst) < 4 << 20);
}

/// Few entries, each of which is as long as a page may be.
#[tokio::test]
pub(crate) async fn a_list_with_long_entries_is_cut_off() {
    let fake = listing_notes(3 << 20, usize::MAX).await;
    for error in [
        fake.store().tags().await.unwrap_err(),
        fake.store().referrers(&Digest::of(b"")).await.unwrap_err(),
    ] {
        let cut = matches!(error, FetchError::List { .. } | FetchError::TooLong { .. });
        assert!(cut, "{error}");
    }
    assert!(fake.count() < 25, "{} pages were read", fake.count());
    // What is short enough to be read, and too long to be kept, is not kept.
    for (length, kept) in [(1000, true), (3 << 20, false)] {
        let fake = listing_notes(length, 3).await;
        assert_eq!(fake.store().tags().await.unwrap(), ["t0", "t1", "t2"]);
        let listed = fake.store().referrers(&Digest::of(b"")).await.unwrap();
        assert_eq!(listed.len(), 3);
        assert!(listed.iter().all(|entry| entry.annotations.is_empty() != kept), "{length}");
    }
}

/// A registry whose lists have an entry a page, with a note of this length.
async fn listing_notes(length: usize, pages: usize) -> std::sync::Arc<Fake> {
    let long = "x".repeat(length);
    Fake::lying(ALL, move |request| {
        let page: usize = request.query("page").map_or(0, |page| page.parse().unwrap());
        let here = format!("<?page={}>; rel=\"next\"", page + 1);
        let mut entry = Descriptor::of(media_type::MANIFEST, &page.to_le_bytes());
        entry.annotations.insert("note".to_owned(), long.clone());
        let referrers = Document::of_index(Index::new(vec![entry])).bytes().to_vec();
        let tags = format!(r#"{{"tags":["t{page}","{long}"]}}"#);
        let answer = match request.path.contains("referrers") {
            true => Answer::new(200).body(media_type::INDEX, referrers),
            false => Answer::new(200).body("application/json", tags),
        };
        Some(if page + 1 < pages { answer.header("Link", here) } else { answer })
    })
    .await
}

#[tokio::test]
pub(crate) async fn a_list_that_is_cut_off_without_a_word_is_read_to_its_end() {
    let fake = Fake::lying(ALL, |request| {
        let from: usize =
            request.query("last").map_or(0, |last| last[1..].parse::<usize>().unwrap() + 1);
        let tags: Vec<_> = (from..2500).take(1000).map(|number| format!("t{number:05}")).collect();
        let json = serde_json::json!({ "tags": tags });
        Some(Answer::new(200).body("application/json", json.to_string()))
    })
    .await;
    assert_eq!(fake.store().tags().await.unwrap().len(), 2500);
}

#[tokio::test]
pub(crate) async fn an_answer_that_is_no_list_of_referrers_is_none() {
    let fake = Fake::lying(Abilities::default(), |request| {
        let page = "<html>welcome</html>";
        request.path.contains("/referrers/").then(|| Answer::new(200).body("text/html", page))
    })
    .await;
    crate::push_image(&fake.store()).await;
    crate::sign(&fake.store(), "one").await.unwrap();
    let image = fake.store().resolve(&tag()).await.unwrap();
    assert_eq!(fake.store().referrers(&image.digest).await.unwrap().len(), 1);
}

#[tokio::test]
pub(crate) async fn an_index_that_announces_more_than_is_read_is_left() {
    let fake = Fake::start(ALL).await;
    let mut entries: Vec<_> =
        (0..20_u8).map(|n| Descriptor::of(media_type::MANIFEST, &[n])).collect();
    entries.iter_mut().for_each(|entry| entry.size = 4 << 20);
    let root = Document::of_index(Index::new(entries));
    fake.contents()
        .documents
        .insert(root.digest().to_string(), (media_type::INDEX.to_owned(), root.bytes().to_vec()));
    let error = Copier::documents(&fake.store(), &root.descriptor()).await.unwrap_err();
    assert!(matches!(error, CopyError::TooLong { .. }), "{error}");
    assert_eq!(fake.count(), 1);
}

#[tokio::test]
pub(crate) async fn a_list_of_ten_thousand_with_one_good_one_is_read() {
    let fake = always(Answer::new(200).body(media_type::INDEX, index(10_000))).await;
    assert_eq!(fake.store().referrers(&Digest::of(b"")).await.unwrap().len(), 10_000);
}

#[tokio::test]
pub(crate) async fn a_list_that_goes_round_in_a_circle_is_left() {
    for next in ["</v2/a/b/tags/list?n=1000>; rel=\"next\"", "<?>; rel=next", "<#x>; rel=next"] {
        let page = Answer::new(200).body("application/json", r#"{"tags":[]}"#).header("Link", next);
        let error = always(page).await.store().tags().await.unwrap_err();
        assert!(matches!(error, FetchError::List { .. }), "{next}: {error}");
    }
    let page = Answer::new(200).body("application/json", r#"{"tags":["v1"]}"#);
    assert_eq!(always(page).await.store().tags().await.unwrap(), ["v1"]);
}

#[tokio::test]
pub(crate) async fn a_list_of_empty_pages_comes_to_an_end() {
    let empty = |pages: usize| {
        Fake::lying(ALL, move |request| {
            let page: usize = request.query("page").map_or(1, |page| page.parse().unwrap());
            let next = format!("<?page={}>; rel=\"next\"", page + 1);
            let answer = Answer::new(200).body("application/json", r#"{"tags":null}"#);
            Some(if page < pages { answer.header("Link", next) } else { answer })
        })
    };
    let fake = empty(usize::MAX).await;
    let error = fake.store().tags().await.unwrap_err();
    assert!(matches!(error, FetchError::List { .. }), "{error}");
    assert_eq!(fake.count(), 1000);
    assert_eq!(empty(1000).await.store().tags().await.unwrap(), [""; 0]);
}

#[tokio::test]
pub(crate) async fn an_index_is_not_taken_for_a_manifest_whatever_it_is_called() {
    let json = index(1);
    let fake = always(Answer::new(200).body(media_type::MANIFEST, json.clone())).await;
    let error = fake.store().fetch(&tag()).await.unwrap_err();
    assert!(matches!(error, FetchError::Document { .. }), "{error}");
    let pointer = Descriptor::of(media_type::MANIFEST, &json);
    let error = fake.store().document(&pointer).await.unwrap_err();
    assert!(matches!(error, FetchError::Document { .. }), "{error}");
    let fake = always(Answer::new(200).body(media_type::INDEX, json.clone())).await;
    fake.store().fetch(&tag()).await.unwrap();
    fake.store().document(&Descriptor::of(media_type::INDEX, &json)).await.unwrap();
}

#[tokio::test]
pub(crate) async fn a_fallback_tag_that_is_no_index_is_reported() {
    let fake = Fake::start(Abilities::default()).await;
    let image = crate::push_image(&fake.store()).await;
    fake.contents().tags.insert(image.digest.to_tag(), image.digest.to_string());
    let error = fake.store().referrers(&image.digest).await.unwrap_err();
    assert!(matches!(error, FetchError::List { .. }), "{error}");
    let list = Document::of_index(Index::new(vec![image.bare()]));
    fake.store().push_document(&list, Some(&image.digest.to_tag())).await.unwrap();
    assert_eq!(fake.store().referrers(&image.digest).await.unwrap(), [image.bare()]);
}

#[tokio::test]
pub(crate) async fn a_list_says_nothing_of_a_referrer_that_is_believed() {
    let fake = Fake::start(Abilities::default()).await;
    let image = crate::push_image(&fake.store()).await;
    crate::sign(&fake.store(), "one").await.unwrap();
    // Someone rewrites the list: another kind, other notes, and the image itself as its own referrer.
    let mut entries = fake.store().referrers(&image.digest).await.unwrap();
    entries[0].artifact_type = Some("another".to_owned());
    entries[0].annotations.clear();
    entries.push(image.clone());
    let list = Document::of_index(Index::new(entries));
    fake.store().push_document(&list, Some(&image.digest.to_tag())).await.unwrap();
    // Whoever looks at the document sees what it is.
    let mut subjects = Vec::new();
    for entry in fake.store().referrers(&image.digest).await.unwrap() {
        let document = fake.store().document(&entry).await.unwrap();
        subjects.push(document.subject().map(|subject| subject.digest));
        if document.subject().is_some() {
            assert_eq!(document.manifest().unwrap().artifact_type.as_deref(), Some("a/b"));
        }
    }
    assert_eq!(subjects, [Some(image.digest), None]);
}

#[tokio::test]
pub(crate) async fn indexes_in_indexes_are_followed_to_a_depth_that_is_reasonable() {
    let fake = Fake::start(ALL).await;
    let store = fake.store();
    let mut inner = crate::push_image(&store).await;
    for depth in 1..=20 {
        let outer = Document::of_index(Index::new(vec![inner]));
        store.push_document(&outer, None).await.unwrap();
        inner = outer.descriptor();
        let found = Copier::documents(&store, &inner).await;
        let too_deep = matches!(found, Err(CopyError::TooDeep { limit: 5 }));
        assert_eq!(too_deep, depth > 5, "{depth}: {found:?}");
    }
}

#[tokio::test]
pub(crate) async fn a_redirect_leads_to_no_file_and_not_round_in_a_circle() {
    let to = |location: &'static str| {
        Fake::lying(ALL, move |request| {
            let again = request.path != "/elsewhere";
            let elsewhere = Answer::new(200).body(media_type::INDEX, index(1));
            Some(if again { Answer::new(302).header("Location", location) } else { elsewhere })
        })
    };
    for location in ["file:///etc/passwd", "ftp://a.example/", "https://user:password@127.0.0.1/"] {
        let error = to(location).await.store().fetch(&tag()).await.unwrap_err();
        assert!(matches!(error, FetchError::Access(AccessError::Request { .. })), "{error:?}");
    }
    for location in ["", "http://["] {
        let error = to(location).await.store().fetch(&tag()).await.unwrap_err();
        let nowhere = matches!(error, FetchError::Access(AccessError::Nonsense { .. }));
        assert!(nowhere, "{location:?}: {error:?}");
    }
    // How a registry on the public internet is treated is decided by its address: see `host.rs`.
    let circle = to("/v2/").await;
    let error = circle.store().fetch(&tag()).await.unwrap_err();
    assert!(error.to_string().contains("redirects again and again"), "{error}");
    assert_eq!(circle.count(), 6);
    to("/elsewhere").await.store().fetch(&tag()).await.unwrap();
}
