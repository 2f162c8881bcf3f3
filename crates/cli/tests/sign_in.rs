//! Our client signs in at our identity provider, over HTTP.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic, in its helpers too")]

use client::oidc::{self, AcquireError, Flow, IdentityToken, Invitation, Person, SignIn, Subject};
use crypto::{KeyKind, SigningKey};
use net::{Client, Retry, Settings, Url};
use services::clock::Clock;
use services::idp::{IdentityProvider, IdpSettings, UserFile};

const EMAIL: &str = "alice@example.com";
const PASSWORD: &str = "correct horse battery staple";

/// An identity provider on loopback; gives its issuer URL.
async fn serve() -> (String, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let users = UserFile::at(&directory.path().join("users.toml"));
    users.add(EMAIL, PASSWORD, jiff::Timestamp::now()).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}/auth", listener.local_addr().unwrap());
    let settings = IdpSettings {
        issuer: issuer.clone(),
        key: SigningKey::generate(KeyKind::Rsa { bits: 2048 }).unwrap(),
        other_keys: Vec::new(),
        users,
        clock: Clock::system(|| true),
    };
    let router = web::oidc::routes(IdentityProvider::new(settings).unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (issuer, directory)
}

async fn by_script(
    issuer: &str,
    email: &str,
    password: &str,
) -> Result<IdentityToken, AcquireError> {
    let http = Client::new(Settings::default());
    oidc::sign_in_by_script(&http, issuer, "sigstore", email, password).await
}

fn assert_is_alice(token: &IdentityToken, issuer: &str) {
    assert_eq!(token.subject(), &Subject::Email(EMAIL.into()));
    assert_eq!(token.issuer(), issuer);
}

#[tokio::test]
async fn a_program_signs_in_as_a_person_would() {
    let (issuer, _directory) = serve().await;
    assert_is_alice(&by_script(&issuer, EMAIL, PASSWORD).await.unwrap(), &issuer);
    for (email, password) in [(EMAIL, "wrong"), ("bob@example.com", PASSWORD)] {
        let error = by_script(&issuer, email, password).await.unwrap_err();
        assert!(matches!(error, AcquireError::NotSignedIn { .. }), "{error}");
    }
}

/// Somebody with a browser elsewhere, who does what the invitation says.
struct Elsewhere;

#[async_trait::async_trait]
impl Person for Elsewhere {
    fn has_terminal(&self) -> bool {
        false
    }

    fn open_browser(&self, _url: &Url) -> bool {
        panic!("there is no browser here")
    }

    fn invite(&self, invitation: &Invitation<'_>) {
        let Invitation::Device { url, user_code, .. } = *invitation else {
            panic!("{invitation:?}")
        };
        let (url, user_code) = (Url::parse(url).unwrap(), user_code.to_owned());
        tokio::spawn(async move { confirm(url, &user_code).await });
    }

    async fn ask_for_code(&self) -> Option<String> {
        None
    }
}

async fn confirm(url: Url, user_code: &str) {
    let http = Client::new(Settings::default());
    let page = http.get(url.clone()).send().await.unwrap();
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(html.contains(&format!("<p class=\"code\">{user_code}</p>")), "{html}");
    let token = html.split_once("name=\"form\" value=\"").unwrap().1.split('"').next().unwrap();
    let cookie = page.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let form =
        [("form", token), ("user_code", user_code), ("email", EMAIL), ("password", PASSWORD)];
    let answer = http.post(url).form(&form).retry(Retry::NEVER);
    let answer = answer.header(http::header::COOKIE, &cookie).send().await.unwrap();
    assert!(answer.status.is_success(), "{}", answer.status);
}

#[tokio::test]
async fn another_device_confirms_one_without_a_terminal() {
    let (issuer, _directory) = serve().await;
    let http = Client::new(Settings::default());
    let sign_in = SignIn {
        issuer: &issuer,
        client_id: "sigstore",
        http: &http,
        person: &Elsewhere,
        flow: Flow::Automatic,
    };
    assert_is_alice(&sign_in.run().await.unwrap(), &issuer);
}
