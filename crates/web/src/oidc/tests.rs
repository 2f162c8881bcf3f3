//! What each client of the ecosystem does, and what an attacker would try, through the router.

use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use crypto::{KeyKind, SigningKey};
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde_json::Value;
use services::clock::Clock;
use services::idp::{IdentityProvider, IdpSettings, UserFile};
use tower::ServiceExt as _;
use url::{Url, form_urlencoded};

const EMAIL: &str = "alice@example.com";
const PASSWORD: &str = "correct horse battery staple";
const ISSUER: &str = "https://sigstore.example/auth";
/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT: &str = "http://localhost:34567/auth/callback";

static KEY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let key = SigningKey::generate(KeyKind::Rsa { bits: 2048 }).unwrap();
    key.to_pkcs8_der().unwrap().to_vec()
});

/// A server, and a browser that knows only it.
struct World {
    router: Router,
    cookie: Option<String>,
    _directory: tempfile::TempDir,
}

struct Answer {
    status: StatusCode,
    headers: http::HeaderMap,
    text: String,
}

impl Answer {
    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The parameters of the URL that the browser is sent to.
    fn back(&self) -> Back {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        Back(Url::parse(self.header(header::LOCATION)).unwrap())
    }

    /// A hidden field of the form.
    fn field(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let (_, rest) = self.text.split_once(&start).unwrap_or_else(|| panic!("{}", self.text));
        rest.split('"').next().unwrap().to_owned()
    }
}

struct Back(Url);

impl Back {
    fn get(&self, name: &str) -> Option<String> {
        self.0.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The query of an authorization request; `more` replaces what has the same name, and an empty value removes it.
fn query(more: &[(&str, &str)]) -> String {
    let usual = [
        ("client_id", "sigstore"),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", "openid email"),
        ("state", "a state & more"),
        ("nonce", "n-0S6_WzA2Mj"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let kept = usual.iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
    let all: Vec<_> = kept.chain(more).filter(|(_, value)| !value.is_empty()).copied().collect();
    form(&all)
}

impl World {
    fn new() -> Self {
        Self::at(ISSUER)
    }

    fn at(issuer: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let users = UserFile::at(&directory.path().join("users.toml"));
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        users.add(EMAIL, PASSWORD, now).unwrap();
        let settings = IdpSettings {
            issuer: issuer.to_owned(),
            key: SigningKey::from_pkcs8_der(&KEY).unwrap(),
            other_keys: Vec::new(),
            users,
            clock: Clock::fixed(now),
        };
        let router = super::routes(IdentityProvider::new(settings).unwrap());
        Self { router, cookie: None, _directory: directory }
    }

    async fn send(&mut self, request: http::request::Builder, body: String) -> Answer {
        let request = match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        };
        let response: Response<Body> =
            self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        if let Some(cookie) = parts.headers.get(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
            self.cookie = Some(cookie.to_owned());
        }
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path), String::new()).await
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(Request::post(path), form(fields)).await
    }

    /// Signs in at the page of an authorization request.
    async fn sign_in(&mut self, more: &[(&str, &str)], password: &str) -> Answer {
        let path = format!("/auth/auth?{}", query(more));
        let token = self.get(&path).await.field("form");
        let fields = [("form", token.as_str()), ("email", EMAIL), ("password", password)];
        self.post(&path, &fields).await
    }

    async fn code(&mut self, more: &[(&str, &str)]) -> String {
        self.sign_in(more, PASSWORD).await.back().get("code").unwrap()
    }

    async fn redeem(&mut self, code: &str, more: &[(&str, &str)]) -> Answer {
        let usual = [
            ("grant_type", "authorization_code"),
            ("client_id", "sigstore"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        let kept = usual.iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
        let all: Vec<_> =
            kept.chain(more).filter(|(_, value)| !value.is_empty()).copied().collect();
        self.post("/auth/token", &all).await
    }
}

fn claims(token: &Value) -> Value {
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn discovery_says_what_go_clients_insist_on() {
    let answer = World::new().get("/auth/.well-known/openid-configuration").await;
    assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
    let document = answer.json();
    assert_eq!(document["issuer"], ISSUER);
    assert_eq!(document["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(document["id_token_signing_alg_values_supported"], serde_json::json!(["RS256"]));
    assert!(!answer.text.contains("password"), "{}", answer.text);
    for (name, path) in [
        ("authorization_endpoint", "/auth"),
        ("token_endpoint", "/token"),
        ("jwks_uri", "/keys"),
        ("device_authorization_endpoint", "/device/code"),
    ] {
        assert_eq!(document[name], format!("{ISSUER}{path}"));
    }
    let keys = World::new().get("/auth/keys").await.json();
    assert_eq!(keys["keys"][0]["alg"], "RS256");
}

#[tokio::test]
async fn an_issuer_may_have_a_host_of_its_own() {
    let mut world = World::at("https://id.example");
    let document = world.get("/.well-known/openid-configuration").await.json();
    assert_eq!(document["authorization_endpoint"], "https://id.example/auth");
    assert_eq!(world.get("/keys").await.status, StatusCode::OK);
}

#[tokio::test]
async fn go_gets_a_token_with_its_nonce() {
    let mut world = World::new();
    let back =
        world.sign_in(&[("connector_id", "https://github.com/login/oauth")], PASSWORD).await.back();
    assert!(back.0.as_str().starts_with(REDIRECT));
    assert_eq!(back.get("state").as_deref(), Some("a state & more"));
    assert_eq!(back.get("iss").as_deref(), Some(ISSUER));
    let answer = world.redeem(&back.get("code").unwrap(), &[]).await;
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    let tokens = answer.json();
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(claims(&tokens["id_token"])["nonce"], "n-0S6_WzA2Mj");
}

#[tokio::test]
async fn python_sends_an_empty_secret_by_basic_and_reads_the_access_token() {
    let mut world = World::new();
    let code = world.code(&[("client_secret", ""), ("nonce", "")]).await;
    let basic = format!("Basic {}", STANDARD.encode("sigstore:"));
    let request = Request::post("/auth/token").header(header::AUTHORIZATION, basic);
    let body = form(&[
        ("grant_type", "authorization_code"),
        ("redirect_uri", REDIRECT),
        ("code", &code),
        ("code_verifier", VERIFIER),
    ]);
    let tokens = world.send(request, body).await.json();
    let claims = claims(&tokens["access_token"]);
    assert_eq!(claims["email"], EMAIL);
    assert_eq!(claims["federated_claims"]["connector_id"], ISSUER);
    assert_eq!(claims.get("nonce"), None);
}

#[tokio::test]
async fn javascript_has_no_path_in_its_redirect() {
    let mut world = World::new();
    let redirect = ("redirect_uri", "http://localhost:45678");
    let back = world.sign_in(&[redirect], PASSWORD).await.back();
    assert!(back.0.as_str().starts_with("http://localhost:45678/?code="), "{}", back.0);
    let answer = world.redeem(&back.get("code").unwrap(), &[redirect, ("client_secret", "")]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

#[tokio::test]
async fn java_has_a_capital_in_its_redirect_and_needs_booleans() {
    let mut world = World::new();
    let redirect = ("redirect_uri", "http://localhost:45678/Callback");
    let code = world.code(&[redirect, ("access_type", "offline")]).await;
    let claims = claims(&world.redeem(&code, &[redirect]).await.json()["id_token"]);
    assert_eq!(claims["email_verified"], Value::Bool(true));
    assert_eq!(claims["nonce"], "n-0S6_WzA2Mj");
}

#[tokio::test]
async fn a_person_without_a_listener_copies_the_code() {
    let mut world = World::new();
    let redirect = ("redirect_uri", "urn:ietf:wg:oauth:2.0:oob");
    let page = world.sign_in(&[redirect], PASSWORD).await;
    assert_eq!(page.status, StatusCode::OK);
    let (_, rest) = page.text.split_once("<p class=\"code long\">").unwrap();
    let code = rest.split('<').next().unwrap();
    let answer = world.redeem(code, &[redirect]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

#[tokio::test]
async fn a_device_is_confirmed_in_a_browser() {
    let mut device = World::new();
    let started = device
        .post(
            "/auth/device/code",
            &[
                ("client_id", "sigstore"),
                ("scope", "openid email"),
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "S256"),
            ],
        )
        .await
        .json();
    let device_code = started["device_code"].as_str().unwrap().to_owned();
    let poll = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", "sigstore"),
        ("device_code", &device_code),
        ("code_verifier", VERIFIER),
    ];
    let answer = device.post("/auth/token", &poll).await;
    assert_eq!(
        (answer.status, answer.json()["error"].as_str()),
        (StatusCode::BAD_REQUEST, Some("authorization_pending"))
    );
    assert_eq!(device.post("/auth/token", &poll).await.json()["error"], "slow_down");

    let url = started["verification_uri_complete"].as_str().unwrap();
    let page = device.get(url.strip_prefix("https://sigstore.example").unwrap()).await;
    let user_code = page.field("user_code");
    assert_eq!(user_code, started["user_code"]);
    let stranger = [
        ("user_code", user_code.as_str()),
        ("form", "x"),
        ("email", EMAIL),
        ("password", PASSWORD),
    ];
    assert_eq!(device.post("/auth/device", &stranger).await.status, StatusCode::FORBIDDEN);
    let token = page.field("form");
    let fields = [
        ("user_code", user_code.as_str()),
        ("form", &token),
        ("email", EMAIL),
        ("password", PASSWORD),
    ];
    assert_eq!(device.post("/auth/device", &fields).await.status, StatusCode::OK);

    let tokens = device.post("/auth/token", &poll).await.json();
    assert_eq!(claims(&tokens["id_token"])["email"], EMAIL);
    assert_eq!(device.post("/auth/token", &poll).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_device_can_be_denied_and_a_code_that_is_not_there_is_told() {
    let mut world = World::new();
    let started = world.post("/auth/device/code", &[("client_id", "sigstore")]).await.json();
    let user_code = started["user_code"].as_str().unwrap();
    let token = world.get(&format!("/auth/device?user_code={user_code}")).await.field("form");
    let deny = [("user_code", user_code), ("form", token.as_str()), ("action", "cancel")];
    assert_eq!(world.post("/auth/device", &deny).await.status, StatusCode::OK);
    let poll = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", "sigstore"),
        ("device_code", started["device_code"].as_str().unwrap()),
    ];
    assert_eq!(world.post("/auth/token", &poll).await.json()["error"], "access_denied");
    assert_eq!(world.get("/auth/device?user_code=BBBB-BBBB").await.status, StatusCode::NOT_FOUND);
    assert!(world.get("/auth/device").await.text.contains("name=\"user_code\""));
}

#[tokio::test]
async fn a_code_is_worth_nothing_to_anybody_else() {
    let mut world = World::new();
    for more in [
        &[("code_verifier", "another-verifier-that-is-long-enough-to-be-one")][..],
        &[("redirect_uri", "http://localhost:1/")],
        &[("code", "another")],
    ] {
        let code = world.code(&[("prompt", "login")]).await;
        let answer = world.redeem(&code, more).await;
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (StatusCode::BAD_REQUEST, Some("invalid_grant")),
            "{more:?}"
        );
    }
    let code = world.code(&[("prompt", "login")]).await;
    assert_eq!(world.redeem(&code, &[]).await.status, StatusCode::OK);
    assert_eq!(world.redeem(&code, &[]).await.json()["error"], "invalid_grant");
    for name in ["code_verifier", "redirect_uri", "code", "grant_type"] {
        assert_eq!(
            world.redeem("code", &[(name, "")]).await.json()["error"],
            "invalid_request",
            "{name}"
        );
    }
    let answer = world.redeem("code", &[("grant_type", "password")]).await;
    assert_eq!(answer.json()["error"], "unsupported_grant_type");
    let answer = world.redeem("code", &[("client_id", "other")]).await;
    assert_eq!(
        (answer.status, answer.json()["error"].as_str()),
        (StatusCode::UNAUTHORIZED, Some("invalid_client"))
    );
}

#[tokio::test]
async fn a_request_without_a_known_way_back_stays_here() {
    let mut world = World::new();
    for more in [
        ("redirect_uri", "https://evil.example/"),
        ("redirect_uri", "http://localhost.evil.example/"),
        ("client_id", "other"),
    ] {
        let answer = world.get(&format!("/auth/auth?{}", query(&[more]))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.header(header::LOCATION), "");
        assert!(!answer.text.contains("evil"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_request_without_pkce_is_sent_back() {
    let mut world = World::new();
    for more in [("code_challenge", ""), ("code_challenge_method", "plain")] {
        let back = world.get(&format!("/auth/auth?{}", query(&[more]))).await.back();
        assert_eq!(back.get("error").as_deref(), Some("invalid_request"));
        assert_eq!(back.get("state").as_deref(), Some("a state & more"));
    }
}

#[tokio::test]
async fn a_form_from_elsewhere_is_refused() {
    let mut world = World::new();
    let path = format!("/auth/auth?{}", query(&[]));
    let token = world.get(&path).await.field("form");
    let fields = [("form", token.as_str()), ("email", EMAIL), ("password", PASSWORD)];
    // The browser does not send a strict cookie along with somebody else's form.
    world.cookie = None;
    assert_eq!(world.post(&path, &fields).await.status, StatusCode::FORBIDDEN);
    let planted = "__Host-bulla=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    world.cookie = Some(planted.to_owned());
    assert_eq!(world.post(&path, &fields).await.status, StatusCode::FORBIDDEN);
    let token = world.get(&path).await.field("form");
    let fields = [("form", token.as_str()), ("email", EMAIL), ("password", PASSWORD)];
    let answer = world.post(&path, &fields).await;
    answer.back();
    // The sign-in is not in the cookie that somebody planted.
    assert_ne!(world.cookie.as_deref(), Some(planted));
    world.cookie = Some(planted.to_owned());
    assert!(world.get(&path).await.text.contains("type=\"password\""));
}

#[tokio::test]
async fn who_is_signed_in_confirms_switches_or_cancels() {
    let mut world = World::new();
    world.code(&[]).await;
    let path = format!("/auth/auth?{}", query(&[]));
    let page = world.get(&path).await;
    assert!(!page.text.contains("type=\"password\""), "{}", page.text);
    assert!(page.text.contains("Continue as alice@example.com"));
    let token = page.field("form");
    let back = world.post(&path, &[("form", &token), ("action", "continue")]).await.back();
    assert!(back.get("code").is_some());
    let back = world.post(&path, &[("form", &token), ("action", "cancel")]).await.back();
    assert_eq!(back.get("error").as_deref(), Some("access_denied"));
    let page = world.post(&path, &[("form", &token), ("action", "switch")]).await;
    assert!(page.text.contains("type=\"password\""));
    let page = world.post(&path, &[("form", &token), ("action", "continue")]).await;
    assert!(page.text.contains("type=\"password\""));
}

#[tokio::test]
async fn guessing_is_slowed_down_and_said() {
    let mut world = World::new();
    for _ in 0..6 {
        let answer = world.sign_in(&[], "wrong").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.text.contains("is wrong"));
        assert!(!answer.text.contains("value=\"wrong\""));
    }
    let answer = world.sign_in(&[], PASSWORD).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.text.contains("Too many attempts"));
}

#[tokio::test]
async fn pages_load_nothing_and_are_framed_by_nobody() {
    let mut world = World::new();
    let page = world.get(&format!("/auth/auth?{}", query(&[("login_hint", "\"><script>")]))).await;
    let policy = page.header(header::CONTENT_SECURITY_POLICY);
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(policy.contains("form-action 'self' http://localhost:34567;"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!page.text.contains("<script>") && !page.text.contains("http-equiv"));
    assert_eq!(page.header(header::REFERRER_POLICY), "no-referrer");
    let cookie = page.header(header::SET_COOKIE);
    assert!(cookie.starts_with("__Host-bulla="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict; Secure"), "{cookie}");

    let mut plain = World::at("http://localhost:8080/auth");
    let page = plain.get(&format!("/auth/auth?{}", query(&[]))).await;
    let cookie = page.header(header::SET_COOKIE);
    assert!(cookie.starts_with("bulla=") && !cookie.contains("Secure"), "{cookie}");
}

#[tokio::test]
async fn the_style_is_the_one_that_the_policy_allows() {
    let page = World::new().get("/auth/device").await;
    let (_, rest) = page.text.split_once("<style>").unwrap();
    let (style, _) = rest.split_once("</style>").unwrap();
    let hash = STANDARD.encode(crypto::sha256(style.as_bytes()));
    let policy = page.header(header::CONTENT_SECURITY_POLICY);
    assert!(policy.contains(&format!("style-src 'sha256-{hash}'")), "{policy}");
}

#[tokio::test]
async fn an_access_token_is_asked_for_and_checked() {
    let mut world = World::new();
    let code = world.code(&[]).await;
    let tokens = world.redeem(&code, &[]).await.json();
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let request = Request::get("/auth/userinfo").header(header::AUTHORIZATION, bearer);
    assert_eq!(world.send(request, String::new()).await.json()["email"], EMAIL);
    let request = Request::get("/auth/userinfo").header(header::AUTHORIZATION, "Bearer x");
    let answer = world.send(request, String::new()).await;
    assert_eq!(
        (answer.status, answer.header(header::WWW_AUTHENTICATE)),
        (StatusCode::UNAUTHORIZED, "Bearer error=\"invalid_token\"")
    );
    assert_eq!(world.get("/auth/userinfo").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn large_bodies_and_doubled_fields_are_refused() {
    let mut world = World::new();
    let answer = world.post("/auth/token", &[("code", &"x".repeat(20_000))]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let answer = world.post("/auth/token", &[("code", "a"), ("code", "b")]).await;
    assert_eq!(answer.json()["error"], "invalid_request");
}
