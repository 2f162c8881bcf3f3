//! Tokens that are forged, malformed, or not meant for us.

use crypto::{HashAlgorithm, Scheme, SigningKey, sha256};
use pki::fulcio::{ISSUER as ISSUER_EXTENSION, ISSUER_V2};
use serde_json::{Value, json};
use services::ca::{ClaimError, IssueError, MAX_TOKEN, TokenError};

use crate::authority::{
    ISSUER, KEY_ID, PlayedIssuer, TOKEN_KEY, World, alice, alice_but, email_config, encode, now,
    rsa_jwk, signed_token, token, token_of,
};

const ALICE: &str = "alice@example.com";

async fn accepted(world: &World, token: &str) {
    world.ask_for(token, ALICE).await.unwrap();
}

async fn refused(world: &World, token: &str) -> TokenError {
    match world.ask_for(token, ALICE).await.unwrap_err() {
        IssueError::Token(error) => error,
        other => panic!("{other:?}"),
    }
}

async fn unknown_issuer(world: &World, token: &str) {
    let error = world.ask_for(token, ALICE).await.unwrap_err();
    assert!(matches!(error, IssueError::UnknownIssuer { .. }), "{error:?}");
}

fn header(members: &Value) -> String {
    members.to_string()
}

#[tokio::test]
pub(super) async fn a_token_without_a_signature_is_refused() {
    let world = World::new();
    let payload = encode(alice().to_string());
    for algorithm in ["none", "None", "NONE", "nOnE", ""] {
        let header = encode(header(&json!({ "alg": algorithm, "kid": KEY_ID })));
        let error = refused(&world, &format!("{header}.{payload}.")).await;
        assert_eq!(error, TokenError::Algorithm { algorithm: algorithm.to_owned() });
    }
    accepted(&world, &token(&alice())).await;
}

/// HMAC-SHA256, RFC 2104: what an attacker computes with the public key as the secret.
fn hmac(secret: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    block[..32].copy_from_slice(&sha256(secret));
    let inner: Vec<u8> =
        block.iter().map(|byte| byte ^ 0x36).chain(message.iter().copied()).collect();
    let outer = block.iter().map(|byte| byte ^ 0x5c).chain(sha256(&inner));
    sha256(&outer.collect::<Vec<u8>>())
}

#[tokio::test]
pub(super) async fn an_rsa_key_is_never_taken_for_a_shared_secret() {
    let world = World::new();
    let header = encode(header(&json!({ "alg": "HS256", "kid": KEY_ID })));
    let signed = format!("{header}.{}", encode(alice().to_string()));
    for secret in
        [TOKEN_KEY.public_key().to_pem().into_bytes(), TOKEN_KEY.public_key().spki_der().to_vec()]
    {
        let forged = format!("{signed}.{}", encode(hmac(&secret, signed.as_bytes())));
        let error = refused(&world, &forged).await;
        assert_eq!(error, TokenError::Algorithm { algorithm: "HS256".to_owned() });
    }
    accepted(&world, &token(&alice())).await;
}

#[tokio::test]
pub(super) async fn an_algorithm_that_the_issuer_does_not_list_is_refused() {
    let signed =
        format!("{}.{}", encode(header(&json!({ "alg": "RS512" }))), encode(alice().to_string()));
    let scheme = Scheme::RsaPkcs1(HashAlgorithm::Sha512);
    let signature = TOKEN_KEY.sign_with(scheme, signed.as_bytes()).unwrap();
    let token = format!("{signed}.{}", encode(signature));
    let mut jwk = rsa_jwk(&TOKEN_KEY, KEY_ID);
    let world = |algorithms: &[&str], jwk: &Value| {
        World::with(
            email_config(),
            PlayedIssuer::with(algorithms, json!({ "keys": [jwk] }).to_string()),
        )
    };
    // The key says that it is for RS256 only; then it says nothing.
    assert_eq!(refused(&world(&["RS256", "RS512"], &jwk), &token).await, TokenError::UnknownKey);
    jwk.as_object_mut().unwrap().remove("alg");
    let error = refused(&world(&["RS256"], &jwk), &token).await;
    assert!(matches!(error, TokenError::AlgorithmOfIssuer { .. }), "{error:?}");
    accepted(&world(&["RS256", "RS512"], &jwk), &token).await;
}

#[tokio::test]
pub(super) async fn the_name_of_a_key_is_compared_and_never_followed() {
    let world = World::new();
    let payload = alice().to_string();
    let with_key_id = |key_id: &str| {
        let header = header(&json!({ "alg": "RS256", "kid": key_id }));
        signed_token(&header, payload.as_bytes(), &TOKEN_KEY)
    };
    for key_id in
        ["https://evil.example/key", "../../../etc/passwd", "/dev/null", "K1", "k1 ", "' or 1=1"]
    {
        assert_eq!(refused(&world, &with_key_id(key_id)).await, TokenError::UnknownKey, "{key_id}");
    }
    accepted(&world, &with_key_id(KEY_ID)).await;
}

#[tokio::test]
pub(super) async fn a_key_in_the_header_is_not_looked_at() {
    let world = World::new();
    let mallory = SigningKey::generate(crypto::KeyKind::Rsa { bits: 2048 }).unwrap();
    let header = header(&json!({
        "alg": "RS256", "kid": KEY_ID, "jwk": rsa_jwk(&mallory, KEY_ID),
        "jku": "https://evil.example/keys", "x5u": "https://evil.example/chain.pem", "x5c": ["AAAA"],
    }));
    let payload = alice().to_string();
    let error = refused(&world, &signed_token(&header, payload.as_bytes(), &mallory)).await;
    assert_eq!(error, TokenError::Signature);
    accepted(&world, &signed_token(&header, payload.as_bytes(), &TOKEN_KEY)).await;
}

#[tokio::test]
pub(super) async fn a_critical_header_is_refused() {
    let world = World::new();
    let payload = alice().to_string();
    let mut members = json!({ "alg": "RS256", "kid": KEY_ID, "exp": 1, "crit": ["exp"] });
    let critical = signed_token(&header(&members), payload.as_bytes(), &TOKEN_KEY);
    assert_eq!(refused(&world, &critical).await, TokenError::CriticalHeader);
    members.as_object_mut().unwrap().remove("crit");
    accepted(&world, &signed_token(&header(&members), payload.as_bytes(), &TOKEN_KEY)).await;
}

#[tokio::test]
pub(super) async fn of_an_issuer_named_twice_the_last_counts_for_keys_and_certificate_alike() {
    let world = World::new();
    let rest = r#""sub":"u1","aud":"sigstore","exp":4102444800,"email":"alice@example.com","email_verified":true}"#;
    let twice = |first: &str, second: &str| token_of(format!("{{{first},{second},{rest}"));
    let ours = format!("\"iss\":\"{ISSUER}\"");
    for other in [r#""iss":"https://evil.example""#, r#""ISS":"https://evil.example""#] {
        unknown_issuer(&world, &twice(&ours, other)).await;
        let certificate = world.ask_for(&twice(other, &ours), ALICE).await.unwrap();
        let text = |oid| certificate.extension(oid).unwrap().value.to_vec();
        assert_eq!(text(ISSUER_EXTENSION.oid), ISSUER.as_bytes());
        assert_eq!(text(ISSUER_V2.oid)[2..], *ISSUER.as_bytes());
    }
}

#[tokio::test]
pub(super) async fn an_issuer_written_otherwise_is_another_issuer() {
    let world = World::new();
    for issuer in [
        "https://user@issuer.example",
        "https://issuer.example#",
        "https://issuer.example#https://issuer.example",
        "https://issuer.example?",
        "https://issuer.example/",
        "https://issuer.example:443",
        "https://ISSUER.example",
        "HTTPS://issuer.example",
        "https://issuer.example.",
        "https://issuer.ex%61mple",
        " https://issuer.example",
        "https://issuer.example\u{0}",
        "issuer.example",
        "",
    ] {
        unknown_issuer(&world, &token(&alice_but(&json!({ "iss": issuer })))).await;
    }
    accepted(&world, &token(&alice())).await;
}

#[tokio::test]
pub(super) async fn letters_that_look_alike_are_others() {
    let world = World::new();
    // A Cyrillic i, full-width letters, and a soft hyphen.
    for issuer in
        ["https://\u{456}ssuer.example", "https://ｉssuer.example", "https://is\u{ad}suer.example"]
    {
        unknown_issuer(&world, &token(&alice_but(&json!({ "iss": issuer })))).await;
    }
    let email = "\u{430}lice@example.com";
    let confusable = token(&alice_but(&json!({ "email": email })));
    let error = world.ask_for(&confusable, email).await.unwrap_err();
    assert!(matches!(error, IssueError::Contents(_)), "{error:?}");
    accepted(&world, &token(&alice())).await;
}

#[tokio::test]
pub(super) async fn further_audiences_do_no_harm_and_ours_must_be_among_them() {
    let world = World::new();
    for audience in
        [json!(["other"]), json!("Sigstore"), json!(["sigstore "]), json!([]), json!("")]
    {
        let error = refused(&world, &token(&alice_but(&json!({ "aud": audience })))).await;
        assert_eq!(error, TokenError::Audience { expected: "sigstore".to_owned() }, "{audience}");
    }
    for audience in [json!(["sigstore", 1]), json!({ "sigstore": 1 }), json!(true)] {
        let error = refused(&world, &token(&alice_but(&json!({ "aud": audience })))).await;
        assert!(
            matches!(error, TokenError::Claims(ClaimError::Type { claim: "aud", .. })),
            "{audience}"
        );
    }
    accepted(&world, &token(&alice_but(&json!({ "aud": ["other", "sigstore", "third"] })))).await;
}

#[tokio::test]
pub(super) async fn an_expiry_is_a_time_that_has_not_come() {
    let world = World::new();
    let second = now().as_second();
    let with_expiry = |expiry: Value| token(&alice_but(&json!({ "exp": expiry })));
    for expiry in
        [json!(second - 1), json!(-1), json!(-1e300), json!(1e300), json!("-1"), json!(null)]
    {
        assert_eq!(
            refused(&world, &with_expiry(expiry.clone())).await,
            TokenError::Expired,
            "{expiry}"
        );
    }
    for expiry in [json!("soon"), json!(true), json!([second + 60]), json!("0x7fffffff"), json!("")]
    {
        let error = refused(&world, &with_expiry(expiry.clone())).await;
        assert!(
            matches!(error, TokenError::Claims(ClaimError::Type { claim: "exp", .. })),
            "{expiry}"
        );
    }
    #[expect(clippy::cast_precision_loss, reason = "a time of this century")]
    let fraction = second as f64 + 0.5;
    for expiry in [json!(second), json!(fraction), json!((second + 60).to_string()), json!(4.1e9)] {
        accepted(&world, &with_expiry(expiry)).await;
    }
}

#[tokio::test]
pub(super) async fn a_token_that_is_not_in_force_yet_is_refused() {
    let world = World::new();
    let not_before = |seconds| token(&alice_but(&json!({ "nbf": now().as_second() + seconds })));
    assert_eq!(refused(&world, &not_before(301)).await, TokenError::NotYetValid);
    accepted(&world, &not_before(299)).await;
}

/// A token of this many bytes, give or take three.
fn padded_token(length: usize) -> String {
    let bare = token(&alice_but(&json!({ "padding": "" }))).len();
    token(&alice_but(&json!({ "padding": "x".repeat((length - bare) / 4 * 3) })))
}

#[tokio::test]
pub(super) async fn a_token_longer_than_any_is_refused() {
    let world = World::new();
    let long = padded_token(MAX_TOKEN + 8);
    assert_eq!(refused(&world, &long).await, TokenError::TooLong { length: long.len() });
    let fitting = padded_token(MAX_TOKEN - 8);
    assert!(fitting.len() > MAX_TOKEN - 16);
    accepted(&world, &fitting).await;
}

#[tokio::test]
pub(super) async fn a_token_with_deeply_nested_claims_is_refused() {
    let world = World::new();
    let nested = |depth: usize| {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let claims = alice().to_string();
        token_of(format!("{},\"deep\":{deep}}}", &claims[..claims.len() - 1]))
    };
    for depth in [128, 5000] {
        let error = refused(&world, &nested(depth)).await;
        assert_eq!(error, TokenError::Claims(ClaimError::NotAnObject));
    }
    accepted(&world, &nested(100)).await;
}

/// GHSA-f83f-xpx7-ffpw: splitting at every dot exhausted memory.
#[tokio::test]
pub(super) async fn a_token_of_dots_is_refused() {
    let world = World::new();
    let dots = ".".repeat(3_000_000);
    assert_eq!(refused(&world, &dots).await, TokenError::TooLong { length: 3_000_000 });
    for text in ["....", "..", ".", "a", "a.b", "a.b.c.d"] {
        let error = refused(&world, text).await;
        assert!(matches!(error, TokenError::NotCompact | TokenError::Header), "{text}: {error:?}");
    }
    assert_eq!(refused(&world, "").await, TokenError::Missing);
    let good = token(&alice());
    assert_eq!(refused(&world, &format!("{good}.")).await, TokenError::NotCompact);
    assert_eq!(refused(&world, &format!("{good}=")).await, TokenError::NotCompact);
    accepted(&world, &good).await;
}
