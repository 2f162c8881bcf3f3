//! Who gets credentials, and who does not.

use std::sync::{Arc, Mutex};

use oci::{AccessError, Credential, Credentials, FetchError, PushError, Store, TokenError};

use crate::fake::{Abilities, Answer, Fake, Request};
use crate::push_image;

const ALL: Abilities = Abilities { referrers: true, whole_blobs: true, silent: false };
/// `alice:secret`.
pub(crate) const BASIC: &str = "Basic YWxpY2U6c2VjcmV0";

pub(crate) fn alice(registry: &str) -> Credentials {
    let password = "secret".to_owned().into();
    Credentials::none().with(registry, Credential::Password { user: "alice".to_owned(), password })
}

pub(crate) fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.get(name).map(String::as_str)
}

pub(crate) fn challenge(challenge: String) -> Option<Answer> {
    Some(Answer::new(401).header("WWW-Authenticate", challenge))
}

/// The credentials that a server was shown.
pub(crate) fn shown(fake: &Fake) -> Vec<Option<String>> {
    let contents = fake.contents();
    contents
        .requests
        .iter()
        .map(|request| header(request, "authorization").map(str::to_owned))
        .collect()
}

pub(crate) async fn wants_password() -> Arc<Fake> {
    Fake::lying(ALL, |request| match header(request, "authorization") {
        Some(BASIC) => None,
        _ => challenge("Basic realm=\"fake\"".to_owned()),
    })
    .await
}

fn access(error: FetchError) -> AccessError {
    match error {
        FetchError::Access(error) => error,
        error => panic!("{error}"),
    }
}

#[tokio::test]
pub(crate) async fn a_password_is_shown_when_it_is_asked_for_and_from_then_on() {
    let fake = wants_password().await;
    let store = Store::Registry(fake.repository_with(alice(&fake.name)));
    push_image(&store).await;
    let shown = shown(&fake);
    assert_eq!(shown[0], None);
    assert!(shown[1..].iter().all(|shown| shown.as_deref() == Some(BASIC)), "{shown:?}");
}

#[tokio::test]
pub(crate) async fn credentials_for_another_registry_are_not_shown() {
    let fake = wants_password().await;
    let port = fake.name.rsplit_once(':').unwrap().1;
    for other in
        ["ghcr.io", "127.0.0.1", &format!("127.0.0.1:{port}0"), &format!("localhost:{port}")]
    {
        let repository = Store::Registry(fake.repository_with(alice(other)));
        let error = access(repository.tags().await.unwrap_err());
        assert!(matches!(error, AccessError::Unauthorized { offered: false, .. }), "{error}");
    }
    assert!(shown(&fake).iter().all(Option::is_none));
}

#[tokio::test]
pub(crate) async fn a_password_that_is_not_taken_is_not_shown_for_ever() {
    let fake = Fake::lying(ALL, |_| challenge("Basic realm=\"fake\"".to_owned())).await;
    let store = Store::Registry(fake.repository_with(alice(&fake.name)));
    let error = access(store.tags().await.unwrap_err());
    assert!(matches!(error, AccessError::Unauthorized { offered: true, .. }), "{error}");
    assert_eq!(fake.count(), 2);
}

/// A registry that takes the tokens of a server at `/token` of its own; each is good for `uses` requests.
pub(crate) async fn wants_token(
    realm: impl Fn(&Request) -> String + Send + Sync + 'static,
    uses: usize,
) -> Arc<Fake> {
    let issued = Mutex::new((0_usize, 0_usize));
    Fake::lying(ALL, move |request| {
        let mut issued = issued.lock().unwrap();
        if request.path == "/token" {
            *issued = (issued.0 + 1, uses);
            let json = format!(r#"{{"token":"token-{}","expires_in":300}}"#, issued.0);
            return Some(Answer::new(200).body("application/json", json));
        }
        let good = header(request, "authorization") == Some(&format!("Bearer token-{}", issued.0));
        if good && issued.1 > 0 {
            issued.1 -= 1;
            return None;
        }
        let realm = realm(request);
        challenge(format!(r#"Bearer realm="{realm}",service="fake",scope="repository:other:pull""#))
    })
    .await
}

pub(crate) fn own_realm(request: &Request) -> String {
    format!("http://{}/token", request.headers["host"])
}

#[tokio::test]
pub(crate) async fn a_token_is_asked_for_once_and_for_the_repository_that_is_used() {
    let fake = wants_token(own_realm, 1000).await;
    let store = Store::Registry(fake.repository_with(alice(&fake.name)));
    push_image(&store).await;
    let contents = fake.contents();
    let asked: Vec<_> =
        contents.requests.iter().filter(|request| request.path == "/token").collect();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].query("scope").as_deref(), Some("repository:a%2Fb:pull%2Cpush"));
    assert_eq!(asked[0].query("service").as_deref(), Some("fake"));
    assert_eq!(header(asked[0], "authorization"), Some(BASIC));
    let others = contents.requests.iter().filter(|request| request.path != "/token");
    assert!(
        others.skip(1).all(|request| header(request, "authorization") == Some("Bearer token-1"))
    );
}

#[tokio::test]
pub(crate) async fn a_token_that_has_run_out_is_replaced() {
    let fake = wants_token(own_realm, 2).await;
    let store = Store::Registry(fake.repository_with(alice(&fake.name)));
    push_image(&store).await;
    assert_eq!(store.tags().await.unwrap(), ["v1"]);
}

#[tokio::test]
pub(crate) async fn nobody_in_particular_gets_a_token_too() {
    let fake = wants_token(own_realm, 1000).await;
    push_image(&fake.store()).await;
    assert!(shown(&fake).iter().flatten().all(|shown| shown.starts_with("Bearer ")));
}

#[tokio::test]
pub(crate) async fn an_identity_token_goes_to_the_token_server_only() {
    let fake = wants_token(own_realm, 1000).await;
    let credential = Credential::IdentityToken("refresh".to_owned().into());
    let credentials = Credentials::none().with(&fake.name, credential);
    push_image(&Store::Registry(fake.repository_with(credentials))).await;
    let contents = fake.contents();
    let asked = contents.requests.iter().find(|request| request.path == "/token").unwrap();
    let form = String::from_utf8(asked.body.clone()).unwrap();
    assert_eq!(asked.method, "POST");
    assert!(
        form.contains("grant_type=refresh_token") && form.contains("refresh_token=refresh"),
        "{form}"
    );
}

#[tokio::test]
pub(crate) async fn a_token_server_on_another_host_gets_nothing_without_tls() {
    let other = Fake::start(ALL).await;
    let realm = format!("http://localhost:{}/token", other.name.rsplit_once(':').unwrap().1);
    let fake = wants_token(move |_| realm.clone(), 1).await;
    let store = Store::Registry(fake.repository_with(alice(&fake.name)));
    let error = access(store.tags().await.unwrap_err());
    let refused = matches!(error, AccessError::Token { source: TokenError::Untrusted { .. }, .. });
    assert!(refused, "{error}");
    assert_eq!(other.count(), 0);
}

#[tokio::test]
pub(crate) async fn a_token_server_that_is_no_web_server_is_refused() {
    for realm in ["", "file:///etc/passwd", "gopher://a/", "token", "http://[::1"] {
        let fake = wants_token(move |_| realm.to_owned(), 1).await;
        let store = Store::Registry(fake.repository_with(alice(&fake.name)));
        store.tags().await.unwrap_err();
        assert!(shown(&fake).iter().all(Option::is_none), "{realm}");
    }
}

#[tokio::test]
pub(crate) async fn a_token_server_that_redirects_is_not_followed() {
    let other = Fake::start(ALL).await;
    let away = format!("http://{}/elsewhere", other.name);
    let fake = Fake::lying(ALL, move |request| match request.path.as_str() {
        "/token" => Some(Answer::new(302).header("Location", &away)),
        _ => challenge(format!(r#"Bearer realm="{}""#, own_realm(request))),
    })
    .await;
    Store::Registry(fake.repository_with(alice(&fake.name))).tags().await.unwrap_err();
    assert_eq!(other.count(), 0);
}

/// <https://github.com/advisories/GHSA-jxpm-75mh-9fp7>
#[tokio::test]
pub(crate) async fn whoever_a_registry_sends_us_to_gets_no_credentials() {
    // It has the blobs, and asks for credentials.
    let other = Fake::lying(ALL, |request| {
        request
            .path
            .contains("private")
            .then(|| challenge("Basic realm=\"mine\"".to_owned()))
            .flatten()
    })
    .await;
    let (blobs, image) = (other.store(), push_image(&other.store()).await);
    let layer = blobs.document(&image).await.unwrap().manifest().unwrap().layers[0].clone();
    let before = other.count();
    for (path, works) in [("a/b", true), ("private", false)] {
        let away = format!("http://{}/v2/{path}/blobs/{}", other.name, layer.digest);
        let fake = Fake::lying(ALL, move |request| match header(request, "authorization") {
            Some(BASIC) => Some(Answer::new(307).header("Location", &away)),
            _ => challenge("Basic realm=\"fake\"".to_owned()),
        })
        .await;
        let store =
            Store::Registry(fake.repository_with(alice(&fake.name).with(&other.name, secret())));
        assert_eq!(store.blob(&layer, 100).await.is_ok(), works, "{path}");
    }
    assert!(shown(&other)[before..].iter().all(Option::is_none));
}

pub(crate) fn secret() -> Credential {
    Credential::Password { user: "bob".to_owned(), password: "another".to_owned().into() }
}

/// <https://github.com/advisories/GHSA-jxpm-75mh-9fp7>
#[tokio::test]
pub(crate) async fn where_a_registry_lets_us_upload_to_gets_no_credentials() {
    let other = Fake::start(Abilities::default()).await;
    let away = format!("http://{}/v2/a/b/blobs/upload-1", other.name);
    let fake =
        Fake::lying(Abilities::default(), move |request| match header(request, "authorization") {
            Some(BASIC) if request.method == "POST" => {
                Some(Answer::new(202).header("Location", &away))
            }
            Some(BASIC) => None,
            _ => challenge("Basic realm=\"fake\"".to_owned()),
        })
        .await;
    let store = Store::Registry(fake.repository_with(alice(&fake.name)));
    store.push_blob(bytes::Bytes::from_static(b"a blob")).await.unwrap();
    assert_eq!(other.lines(), ["PUT /v2/a/b/blobs/upload-1"]);
    assert_eq!(shown(&other), [None]);
}

#[tokio::test]
pub(crate) async fn a_list_does_not_go_on_elsewhere() {
    let other = Fake::start(ALL).await;
    let away = format!("<http://{}/v2/a/b/tags/list>; rel=\"next\"", other.name);
    let fake = Fake::lying(ALL, move |_| {
        Some(Answer::new(200).body("application/json", r#"{"tags":["v1"]}"#).header("Link", &away))
    })
    .await;
    let error = fake.store().tags().await.unwrap_err();
    assert!(matches!(error, FetchError::List { .. }), "{error}");
    assert_eq!(other.count(), 0);
}

#[tokio::test]
pub(crate) async fn what_is_to_be_written_is_not_redirected() {
    let other = Fake::start(ALL).await;
    let away = format!("http://{}/v2/a/b/blobs/uploads/", other.name);
    let fake = Fake::lying(ALL, move |_| Some(Answer::new(307).header("Location", &away))).await;
    let error = fake.store().push_blob(bytes::Bytes::from_static(b"x")).await.unwrap_err();
    assert!(matches!(error, PushError::Access(AccessError::Nonsense { .. })), "{error}");
    assert_eq!(other.count(), 0);
}

#[tokio::test]
pub(crate) async fn the_users_configuration_is_read_when_a_registry_asks() {
    let fake = wants_password().await;
    let directory = tempfile::tempdir().unwrap();
    let (docker, podman) =
        (directory.path().join("config.json"), directory.path().join("auth.json"));
    std::fs::write(&docker, r#"{"auths":{"ghcr.io":{"auth":"Ym9iOng="}}}"#).unwrap();
    let auths = format!(r#"{{"auths":{{"{}":{{"auth":"YWxpY2U6c2VjcmV0"}}}}}}"#, fake.name);
    std::fs::write(&podman, auths).unwrap();
    let missing = directory.path().join("missing/config.json");
    let store =
        Store::Registry(fake.repository_with(Credentials::of_files(vec![missing, docker, podman])));
    push_image(&store).await;
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_not_told_that_the_password_is_wrong() {
    // A token for nobody in particular is given, and is not enough.
    let fake = wants_token(own_realm, 0).await;
    let error = access(fake.store().tags().await.unwrap_err());
    assert!(matches!(error, AccessError::Unauthorized { offered: false, .. }), "{error}");
    // No token is given.
    let fake = Fake::lying(ALL, |request| match request.path.as_str() {
        "/token" => Some(Answer::new(401)),
        _ => challenge(format!(r#"Bearer realm="{}""#, own_realm(request))),
    })
    .await;
    for (credentials, signed_in) in [(Credentials::none(), false), (alice(&fake.name), true)] {
        let store = Store::Registry(fake.repository_with(credentials));
        let error = access(store.tags().await.unwrap_err());
        let AccessError::Unauthorized { offered, .. } = error else { panic!("{error}") };
        assert_eq!(offered, signed_in);
    }
}

#[tokio::test]
async fn a_token_server_that_is_busy_is_asked_again_and_told_from_one_that_says_no() {
    let registry = |refusals: usize| {
        let turn = std::sync::atomic::AtomicUsize::new(0);
        Fake::lying(ALL, move |request| match header(request, "authorization") {
            Some("Bearer t") => None,
            _ if request.path != "/token" => {
                challenge(format!(r#"Bearer realm="{}""#, own_realm(request)))
            }
            _ if turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < refusals => {
                Some(Answer::new(429).body("text/plain", "slow down"))
            }
            _ => Some(Answer::new(200).body("application/json", r#"{"token":"t"}"#)),
        })
    };
    push_image(&registry(2).await.store()).await;
    let error = access(registry(usize::MAX).await.store().tags().await.unwrap_err());
    assert!(matches!(error, AccessError::Busy { .. }), "{error:?}");
}
