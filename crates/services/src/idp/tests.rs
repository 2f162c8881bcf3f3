//! The identity provider as a whole: who gets a token, and who does not.

use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::*;
use crate::clock::{ClockError, Source};

const EMAIL: &str = "alice@example.com";
const PASSWORD: &str = "correct horse battery staple";
const ISSUER: &str = "https://sigstore.example/auth";
const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT: &str = "http://localhost:1234/auth/callback";

/// Made once: a key of 2048 bits takes a while.
static KEY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let key = SigningKey::generate(KeyKind::Rsa { bits: 2048 }).unwrap();
    key.to_pkcs8_der().unwrap().to_vec()
});

/// A clock that is set by hand.
#[derive(Default)]
struct Hand(AtomicI64);

impl Source for Hand {
    fn now(&self) -> Result<Timestamp, ClockError> {
        Ok(Timestamp::from_second(1_800_000_000 + self.0.load(Ordering::SeqCst)).unwrap())
    }
}

struct World {
    idp: Arc<IdentityProvider>,
    users: UserFile,
    hand: Arc<Hand>,
    _directory: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let users = UserFile::at(&directory.path().join("users.toml"));
        let hand = Arc::new(Hand::default());
        users.add(EMAIL, PASSWORD, hand.now().unwrap()).unwrap();
        let settings = IdpSettings {
            issuer: ISSUER.to_owned(),
            key: SigningKey::from_pkcs8_der(&KEY).unwrap(),
            other_keys: Vec::new(),
            users: users.clone(),
            clock: Clock::from_source(hand.clone()),
        };
        let idp = IdentityProvider::new(settings).unwrap();
        Self { idp, users, hand, _directory: directory }
    }

    fn wait(&self, seconds: i64) {
        self.hand.0.fetch_add(seconds, Ordering::SeqCst);
    }

    async fn sign_in(&self, password: &str) -> Result<SignedIn, SignInError> {
        self.idp.sign_in(HERE, EMAIL, password.to_owned().into()).await
    }

    async fn code(&self) -> String {
        let who = self.sign_in(PASSWORD).await.unwrap();
        self.idp.authorize(&request(&[]), &who).unwrap()
    }

    fn redeem(&self, code: &str, redirect_uri: &str, verifier: &str) -> Result<Tokens, TokenError> {
        self.idp.redeem(client(), Grant::Code { code, redirect_uri, verifier })
    }

    fn poll(&self, device_code: &str, verifier: Option<&str>) -> Result<Tokens, TokenError> {
        self.idp.redeem(client(), Grant::Device { device_code, verifier })
    }
}

fn client() -> PublicClient {
    let credentials = ClientCredentials { id: Some("sigstore"), ..ClientCredentials::default() };
    PublicClient::recognise(credentials).unwrap()
}

fn request(more: &[(&str, &str)]) -> AuthorizationRequest {
    let usual = [
        ("client_id", "sigstore"),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", "openid email"),
        ("nonce", "n-0S6_WzA2Mj"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let pairs = usual.iter().chain(more).map(|(name, value)| ((*name).into(), (*value).into()));
    AuthorizationRequest::read(pairs).unwrap()
}

#[tokio::test]
async fn a_token_says_what_every_client_needs() {
    let world = World::new();
    let tokens = world.redeem(&world.code().await, REDIRECT, VERIFIER).unwrap().into_response();
    let token = tokens.id_token.unwrap();
    assert_eq!(token, tokens.access_token);

    let jwt = wire::oidc::CompactJwt::parse(&token).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&jwt.header).unwrap();
    let kid = &world.idp.key_set().keys[0].kid;
    assert_eq!(header, serde_json::json!({ "alg": "RS256", "kid": kid, "typ": "JWT" }));

    let claims: serde_json::Value = serde_json::from_slice(&jwt.payload).unwrap();
    let id = &world.users.list().unwrap()[0].id;
    let now = 1_800_000_000;
    let expected = serde_json::json!({
        "iss": ISSUER, "sub": id, "aud": "sigstore", "iat": now, "exp": now + 600, "auth_time": now,
        "nonce": "n-0S6_WzA2Mj", "email": EMAIL, "email_verified": true,
        "federated_claims": { "connector_id": ISSUER, "user_id": id },
    });
    assert_eq!(claims, expected);

    let key = SigningKey::from_pkcs8_der(&KEY).unwrap();
    let scheme = crypto::Scheme::RsaPkcs1(crypto::HashAlgorithm::Sha256);
    key.public_key().verify(scheme, jwt.signed.as_bytes(), &jwt.signature).unwrap();
}

#[tokio::test]
async fn a_code_is_used_once_soon_and_by_whoever_asked_for_it() {
    let world = World::new();
    let code = world.code().await;
    world.redeem(&code, REDIRECT, VERIFIER).unwrap();
    let refused = |code: &str, redirect: &str, verifier: &str| {
        let error = world.redeem(code, redirect, verifier).err().unwrap();
        assert!(matches!(error, TokenError::InvalidGrant), "{error}");
    };
    refused(&code, REDIRECT, VERIFIER);
    refused("another", REDIRECT, VERIFIER);

    let code = world.code().await;
    refused(&code, REDIRECT, &VERIFIER.replace('d', "e"));
    // Somebody has tried to guess: the code is gone.
    refused(&code, REDIRECT, VERIFIER);

    refused(&world.code().await, "http://localhost:1235/auth/callback", VERIFIER);

    let code = world.code().await;
    world.wait(60);
    refused(&code, REDIRECT, VERIFIER);
}

#[tokio::test]
async fn nothing_says_whether_an_address_exists() {
    let world = World::new();
    let known = world.sign_in("wrong").await.unwrap_err();
    let unknown = world.idp.sign_in(HERE, "bob@example.com", "wrong".to_owned().into()).await;
    assert_eq!(known.to_string(), unknown.unwrap_err().to_string());
}

#[tokio::test]
async fn guessing_is_slowed_down_even_at_once() {
    let world = World::new();
    let guesses = (0..12).map(|n| {
        let idp = world.idp.clone();
        tokio::spawn(async move {
            let address = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, n));
            idp.sign_in(address, EMAIL, format!("guess {n}").into()).await.err().unwrap()
        })
    });
    let mut wrong = 0;
    for guess in guesses.collect::<Vec<_>>() {
        match guess.await.unwrap() {
            SignInError::Wrong => wrong += 1,
            error => assert!(matches!(error, SignInError::Throttled { .. }), "{error}"),
        }
    }
    assert_eq!(wrong, 6);
    let error = world.sign_in(PASSWORD).await.unwrap_err();
    let SignInError::Throttled { retry_after } = error else { panic!("{error}") };
    assert_eq!(retry_after, Duration::from_secs(2));
    world.wait(2);
    world.sign_in(PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_session_lasts_until_it_is_closed_the_day_is_over_or_the_password_changes() {
    let world = World::new();
    let planted = Browser::new();
    let who = world.sign_in(PASSWORD).await.unwrap();
    let browser = world.idp.open_session(&who);
    assert_ne!(planted.cookie(), browser.cookie());
    assert!(world.idp.session(&planted).is_none());
    assert_eq!(world.idp.session(&browser).unwrap().email(), EMAIL);
    world.idp.close_session(&browser);
    assert!(world.idp.session(&browser).is_none());

    let browser = world.idp.open_session(&who);
    world.users.set_password(EMAIL, "another horse battery staple").unwrap();
    assert!(world.idp.session(&browser).is_none());

    let who = world.sign_in("another horse battery staple").await.unwrap();
    let browser = world.idp.open_session(&who);
    world.wait(10 * 3600 - 1);
    assert!(world.idp.session(&browser).is_some());
    world.wait(1);
    assert!(world.idp.session(&browser).is_none());
}

#[tokio::test]
async fn the_password_is_asked_for_again_when_the_client_says_so() {
    let world = World::new();
    let who = world.sign_in(PASSWORD).await.unwrap();
    world.wait(100);
    let suffices = |more: &[(&str, &str)]| world.idp.suffices(&request(more), &who);
    assert!(suffices(&[]));
    assert!(suffices(&[("max_age", "100")]));
    assert!(!suffices(&[("max_age", "99")]));
    assert!(!suffices(&[("prompt", "login")]));
}

#[tokio::test]
async fn a_max_age_beyond_all_time_is_no_limit() {
    let world = World::new();
    let who = world.sign_in(PASSWORD).await.unwrap();
    let most = u64::MAX.to_string();
    assert!(world.idp.suffices(&request(&[("max_age", &most)]), &who));
}

#[test]
fn a_form_counts_only_in_the_browser_that_it_was_shown_to() {
    let world = World::new();
    let (ours, other) = (Browser::new(), Browser::new());
    let token = world.idp.form_token(&ours);
    world.idp.check_form(&ours, &token).unwrap();
    for (browser, token) in [(&other, token.as_str()), (&ours, ""), (&ours, &token[1..])] {
        assert_eq!(world.idp.check_form(browser, token).err(), Some(FormError));
    }
    assert!(Browser::from_cookie("short").is_none());
    let again = Browser::from_cookie(&ours.cookie()).unwrap();
    world.idp.check_form(&again, &token).unwrap();
}

#[tokio::test]
async fn a_device_gets_a_token_once_somebody_allows_it() {
    let world = World::new();
    let started = world.idp.start_device(HERE, Some(CHALLENGE)).unwrap();
    let device_code = started.device_code.as_str();
    let poll = || world.poll(device_code, Some(VERIFIER));
    assert!(matches!(poll().err().unwrap(), TokenError::AuthorizationPending));

    world.wait(7);
    let waiting = world.idp.device(HERE, &started.user_code.to_lowercase()).unwrap();
    assert_eq!((waiting.address, waiting.since), (HERE, Duration::from_secs(7)));
    let who = world.sign_in(PASSWORD).await.unwrap();
    world.idp.allow_device(HERE, &started.user_code, &who).unwrap();
    let error = world.idp.deny_device(HERE, &started.user_code).unwrap_err();
    assert!(matches!(error, DeviceError::Unknown));

    for verifier in [None, Some(CHALLENGE)] {
        let error = world.poll(device_code, verifier).err().unwrap();
        assert!(matches!(error, TokenError::InvalidGrant), "{error}");
    }
    poll().unwrap();
    assert!(matches!(poll().err().unwrap(), TokenError::InvalidGrant));
}

#[tokio::test]
async fn a_device_is_told_no_and_too_late() {
    let world = World::new();
    let started = world.idp.start_device(HERE, None).unwrap();
    world.idp.deny_device(HERE, &started.user_code).unwrap();
    let error = world.poll(&started.device_code, None).err().unwrap();
    assert!(matches!(error, TokenError::AccessDenied));

    let started = world.idp.start_device(HERE, None).unwrap();
    world.wait(600);
    assert!(matches!(
        world.idp.device(HERE, &started.user_code).unwrap_err(),
        DeviceError::Unknown
    ));
    let error = world.poll(&started.device_code, None).err().unwrap();
    assert!(matches!(error, TokenError::ExpiredToken));
    assert!(matches!(
        world.idp.start_device(HERE, Some("plain")),
        Err(StartDeviceError::Challenge)
    ));
}

#[test]
fn user_codes_cannot_be_tried_one_after_the_other() {
    let world = World::new();
    let tried = (0..1000).take_while(|n| {
        let code = format!("BBBB-{}", ["BCDF", "GHJK"][n % 2]);
        matches!(world.idp.device(HERE, &code).unwrap_err(), DeviceError::Unknown)
    });
    assert_eq!(tried.count(), 21);
}

#[tokio::test]
async fn an_access_token_tells_whose_it_is_until_it_expires() {
    let world = World::new();
    let tokens = world.redeem(&world.code().await, REDIRECT, VERIFIER).unwrap().into_response();
    let token = tokens.access_token;
    assert_eq!(world.idp.user_info(&token).unwrap().email, EMAIL);

    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let other = String::from_utf8(URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    let other = URL_SAFE_NO_PAD.encode(other.replace("alice", "mallo"));
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    for forged in [
        format!("{header}.{other}.{signature}"),
        format!("{none}.{payload}."),
        format!("{signed}."),
        "token".to_owned(),
    ] {
        assert_eq!(world.idp.user_info(&forged), Err(UserInfoError::Invalid), "{forged}");
    }
    world.wait(600);
    assert_eq!(world.idp.user_info(&token), Err(UserInfoError::Invalid));
}

#[test]
fn an_issuer_is_a_plain_https_url_or_on_this_machine() {
    for issuer in
        [ISSUER, "http://localhost:8080/auth", "http://127.0.0.1/auth", "http://[::1]:1/auth"]
    {
        assert_eq!(check_issuer(issuer), Ok(()), "{issuer}");
    }
    for issuer in [
        "sigstore.example/auth",
        "http://sigstore.example/auth",
        "https://sigstore.example/auth/",
        "https://sigstore.example/auth?x",
        "https://sigstore.example/auth#x",
        "https://a@sigstore.example/auth",
        "ftp://sigstore.example/auth",
    ] {
        assert!(check_issuer(issuer).is_err(), "{issuer}");
    }
}

#[test]
fn keys_of_another_kind_are_refused_and_keys_that_retire_are_published() {
    let world = World::new();
    let settings = |kind, other| IdpSettings {
        issuer: ISSUER.to_owned(),
        key: SigningKey::generate(kind).unwrap(),
        other_keys: vec![other],
        users: world.users.clone(),
        clock: Clock::from_source(world.hand.clone()),
    };
    let rsa = SigningKey::from_pkcs8_der(&KEY).unwrap().public_key().clone();
    let p256 = SigningKey::generate(KeyKind::EcdsaP256).unwrap().public_key().clone();
    let new = |settings| IdentityProvider::new(settings);
    assert!(matches!(new(settings(KeyKind::EcdsaP256, rsa.clone())), Err(IdpSettingsError::Key)));
    let kind = KeyKind::Rsa { bits: 2048 };
    assert!(matches!(new(settings(kind, p256)), Err(IdpSettingsError::Key)));
    assert_eq!(new(settings(kind, rsa)).unwrap().key_set().keys.len(), 2);
}
