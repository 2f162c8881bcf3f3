//! Two registries: neither is shown what is meant for the other.

use std::sync::Arc;

use bytes::Bytes;
use oci::{
    Access, AccessError, Copier, CopyError, Credential, Credentials, Descriptor, Document,
    FetchError, Manifest, Registries, Settings, Step, Store,
};

use crate::authorization::{
    BASIC, alice, challenge, header, own_realm, secret, shown, wants_password, wants_token,
};
use crate::fake::{Abilities, Answer, Fake};
use crate::{push_image, sign};

const ALL: Abilities = Abilities { referrers: true, whole_blobs: true, silent: false };
/// `bob:another`.
const BOB: &str = "Basic Ym9iOmFub3RoZXI=";

const fn nobody(_: Step) {}

/// An image with a layer that is too long to be copied in memory.
async fn push_long(store: &Store) -> Descriptor {
    let layer = Bytes::from(vec![7; 300_000]);
    for blob in [Bytes::from_static(b"{}"), layer.clone()] {
        store.push_blob(blob).await.unwrap();
    }
    let image = Document::of_manifest(Manifest::new(
        Descriptor::empty(),
        vec![Descriptor::of("application/vnd.oci.image.layer.v1.tar", &layer)],
    ));
    store.push_document(&image, Some("v1")).await.unwrap();
    image.descriptor()
}

/// A registry that lets in bob only.
async fn wants_bob() -> Arc<Fake> {
    Fake::lying(ALL, |request| match header(request, "authorization") {
        Some(BOB) => None,
        _ => challenge("Basic realm=\"fake\"".to_owned()),
    })
    .await
}

/// A registry was shown this and nothing else.
fn was_shown_only(fake: &Fake, expected: &str) {
    let shown: Vec<_> = shown(fake).into_iter().flatten().collect();
    assert!(!shown.is_empty() && shown.iter().all(|shown| shown == expected), "{shown:?}");
}

#[tokio::test]
pub(crate) async fn a_copy_shows_each_registry_what_is_meant_for_it() {
    let (from, to) = (wants_password().await, wants_bob().await);
    let credentials = alice(&from.name).with(&to.name, secret());
    // One program, which knows both.
    let registries = Registries::new(Settings { credentials, ..Settings::default() });
    let store =
        |fake: &Fake, access| Store::Registry(registries.repository(&fake.reference(), access));
    let image = push_long(&store(&from, Access::Push)).await;
    sign(&store(&from, Access::Push), "one").await.unwrap();
    let (source, target) = (store(&from, Access::Pull), store(&to, Access::Push));
    let copier = Copier::new(&source, &target, &nobody);
    copier.image(&image, Some("v1")).await.unwrap();
    assert_eq!(copier.attached(&image.digest, &[]).await.unwrap(), 1);
    was_shown_only(&from, BASIC);
    was_shown_only(&to, BOB);
}

#[tokio::test]
pub(crate) async fn a_copy_to_a_registry_without_credentials_shows_it_none() {
    let (from, to) = (wants_password().await, wants_password().await);
    let store = |fake: &Fake| Store::Registry(fake.repository_with(alice(&from.name)));
    let image = push_long(&store(&from)).await;
    let (source, target) = (store(&from), store(&to));
    let error = Copier::new(&source, &target, &nobody).image(&image, Some("v1")).await.unwrap_err();
    let refused = matches!(
        error,
        CopyError::Read(FetchError::Access(AccessError::Unauthorized { offered: false, .. }))
    );
    assert!(refused, "{error:?}");
    assert!(shown(&to).iter().all(Option::is_none));
    was_shown_only(&from, BASIC);
}

#[tokio::test]
pub(crate) async fn a_token_server_at_another_registry_gets_what_is_for_the_one_that_names_it() {
    let other = Fake::lying(ALL, |request| {
        let token = Answer::new(200).body("application/json", r#"{"token":"of-the-other"}"#);
        (request.path == "/token").then_some(token)
    })
    .await;
    let realm = format!("http://{}/token", other.name);
    let fake = wants_token(move |_| realm.clone(), 1).await;
    let credentials = alice(&fake.name).with(&other.name, secret());
    let store = Store::Registry(fake.repository_with(credentials));
    let error = store.tags().await.unwrap_err();
    // A token that it does not take is not shown for ever.
    let refused =
        matches!(error, FetchError::Access(AccessError::Unauthorized { offered: true, .. }));
    assert!(refused, "{error:?}");
    was_shown_only(&other, BASIC);
    was_shown_only(&fake, "Bearer of-the-other");
}

#[tokio::test]
pub(crate) async fn a_token_for_one_registry_is_not_shown_to_another() {
    const TOKEN: &str = "Bearer secret";
    let one = Fake::lying(ALL, |request| match header(request, "authorization") {
        Some(TOKEN) => None,
        _ => challenge(format!(r#"Bearer realm="{}""#, own_realm(request))),
    })
    .await;
    let two = wants_token(own_realm, 1000).await;
    let token = Credential::RegistryToken("secret".to_owned().into());
    let credentials = Credentials::none().with(&one.name, token);
    let registries = Registries::new(Settings { credentials, ..Settings::default() });
    for fake in [&one, &two] {
        push_image(&Store::Registry(registries.repository(&fake.reference(), Access::Push))).await;
    }
    was_shown_only(&one, TOKEN);
    was_shown_only(&two, "Bearer token-1");
}

/// A registry in which one repository may be read by whoever has a token for it, and the other written.
async fn wants_scopes(allows_mounts: bool) -> Arc<Fake> {
    let issued = std::sync::Mutex::new(Vec::<String>::new());
    Fake::lying(ALL, move |request| {
        let mut issued = issued.lock().unwrap();
        if request.path == "/token" {
            issued.push(request.query.clone());
            let json = format!(r#"{{"token":"{}"}}"#, issued.len() - 1);
            return Some(Answer::new(200).body("application/json", json));
        }
        let number =
            header(request, "authorization").and_then(|token| token.strip_prefix("Bearer "));
        let scopes = number.and_then(|number| issued.get(number.parse::<usize>().ok()?));
        let mounts = request.query.contains("mount=");
        match scopes {
            None => challenge(format!(r#"Bearer realm="{}""#, own_realm(request))),
            Some(_) if mounts && !allows_mounts => Some(Answer::new(403)),
            Some(scopes) if mounts => {
                let both =
                    ["scope=repository%3Aa%2Fb%3Apull", "scope=repository%3Aa%2Fsource%3Apull"];
                let both = both.iter().all(|scope| scopes.contains(scope));
                Some(Answer::new(if both { 201 } else { 401 }))
            }
            Some(_) => None,
        }
    })
    .await
}

#[tokio::test]
pub(crate) async fn a_blob_of_a_neighbour_is_taken_over_with_one_token_for_both() {
    for (allows_mounts, sent) in [(true, 0), (false, 2)] {
        let fake = wants_scopes(allows_mounts).await;
        let settings = Settings { credentials: alice(&fake.name), ..Settings::default() };
        let registries = Registries::new(settings);
        let source = format!("{}/a/source:v1", fake.name).parse().unwrap();
        let image = push_long(&Store::Registry(registries.repository(&source, Access::Push))).await;
        let before = fake.count();
        let from = Store::Registry(registries.repository(&source, Access::Pull));
        let to = Store::Registry(registries.repository(&fake.reference(), Access::Push));
        Copier::new(&from, &to, &nobody).image(&image, Some("v2")).await.unwrap();
        let contents = fake.contents();
        let blobs = contents.requests[before..].iter().filter(|request| {
            request.path.starts_with("/v2/a/b/blobs/") && !request.body.is_empty()
        });
        assert_eq!(blobs.count(), sent);
    }
}
