//! Claims whose values are meant to become somebody else's name.

use pki::GeneralName;
use serde_json::{Value, json};
use services::ca::{Config, ContentsError, IdentityError, IssueError};

use crate::authority::{ISSUER, PlayedIssuer, World, alice_but, config, token};

/// The name in the certificate of a token with these changes.
async fn named(world: &World, changes: &Value, challenge: &str) -> Result<GeneralName, IssueError> {
    let certificate = world.ask_for(&token(&alice_but(changes)), challenge).await?;
    let [name] = certificate.sans() else { panic!("there is exactly one name") };
    Ok(name.clone())
}

async fn email(world: &World, email: &str) -> Result<GeneralName, IssueError> {
    named(world, &json!({ "email": email }), email).await
}

async fn not_an_email(world: &World, address: &str) {
    let error = email(world, address).await.unwrap_err();
    let expected = IdentityError::NotAnEmailAddress;
    assert!(
        matches!(&error, IssueError::Identity(found) if *found == expected),
        "{address:?}: {error:?}"
    );
}

#[tokio::test]
pub(super) async fn an_email_with_a_control_character_is_refused() {
    let world = World::new();
    for address in
        ["alice@example.com\0", "alice\0@example.com", "alice@example.com\n", "a\r\nb@example.com"]
    {
        not_an_email(&world, address).await;
    }
    email(&world, "alice@example.com").await.unwrap();
}

#[tokio::test]
pub(super) async fn an_email_of_an_odd_form_is_refused() {
    let world = World::new();
    for address in
        ["\"alice smith\"@example.com", "alice(comment)@example.com", "Alice <alice@example.com>"]
    {
        not_an_email(&world, address).await;
    }
    let international = email(&world, "alice@ex\u{e4}mple.com").await.unwrap_err();
    let name = "alice@ex\u{e4}mple.com".to_owned();
    let expected = ContentsError::NotIa5 { name };
    assert!(matches!(&international, IssueError::Contents(found) if *found == expected));
    let name = email(&world, "alice@xn--exmple-cua.com").await.unwrap();
    assert_eq!(name, GeneralName::Email("alice@xn--exmple-cua.com".to_owned()));
}

#[tokio::test]
pub(super) async fn an_email_with_two_at_signs_is_refused() {
    let world = World::new();
    for address in ["alice@evil.example@example.com", "\"alice@evil.example\"@example.com", "@@"] {
        not_an_email(&world, address).await;
    }
    email(&world, "alice@example.com").await.unwrap();
}

#[tokio::test]
pub(super) async fn verified_is_true_in_three_spellings_and_nothing_else() {
    let world = World::new();
    let verified = async |value: Value| {
        named(&world, &json!({ "email_verified": value }), "alice@example.com").await
    };
    for value in [json!("TRUE"), json!("yes"), json!("1"), json!(1), json!([true]), json!("")] {
        let error = verified(value.clone()).await.unwrap_err();
        assert!(
            matches!(error, IssueError::Identity(IdentityError::Claim(_))),
            "{value}: {error:?}"
        );
    }
    for value in [json!(false), json!("False"), json!(null)] {
        let error = verified(value.clone()).await.unwrap_err();
        let expected = matches!(error, IssueError::Identity(IdentityError::EmailNotVerified));
        assert!(expected, "{value}: {error:?}");
    }
    for value in [json!(true), json!("true"), json!("True")] {
        verified(value).await.unwrap();
    }
}

/// A world whose one issuer is of this type, with this subject domain.
fn world_of(issuer_type: &str, domain: &str) -> World {
    let issuer = json!({
        "IssuerURL": ISSUER, "ClientID": "sigstore", "Type": issuer_type, "SubjectDomain": domain,
    });
    World::with(config(&json!({ ISSUER: issuer })), PlayedIssuer::usual())
}

async fn subject(world: &World, subject: &str) -> Result<GeneralName, IssueError> {
    named(world, &json!({ "sub": subject }), subject).await
}

#[tokio::test]
pub(super) async fn a_user_name_cannot_bring_a_domain_of_its_own() {
    let world = world_of("username", "issuer.example");
    for (name, expected) in [
        ("alice!evil.example", IdentityError::SubjectHasBang),
        ("!", IdentityError::SubjectHasBang),
        ("alice@evil.example", IdentityError::SubjectIsEmail),
    ] {
        let error = subject(&world, name).await.unwrap_err();
        assert!(
            matches!(&error, IssueError::Identity(found) if *found == expected),
            "{name}: {error:?}"
        );
    }
    let name = subject(&world, "alice").await.unwrap();
    assert_eq!(name, GeneralName::FulcioOther("alice!issuer.example".to_owned()));
}

fn uri_world() -> World {
    world_of("uri", "https://issuer.example")
}

async fn is_uri(world: &World, text: &str, expected: &str) {
    let name = subject(world, text).await.unwrap();
    assert_eq!(name, GeneralName::Uri(expected.to_owned()));
}

#[tokio::test]
pub(super) async fn an_encoded_nul_stays_encoded_and_a_real_one_is_refused() {
    let world = uri_world();
    let error = subject(&world, "https://issuer.example/a\0b").await.unwrap_err();
    assert!(matches!(error, IssueError::Identity(IdentityError::SubjectNotAUrl)), "{error:?}");
    is_uri(&world, "https://issuer.example/a%00b", "https://issuer.example/a%00b").await;
}

#[tokio::test]
pub(super) async fn a_blank_is_encoded_in_a_path_and_refused_in_a_host() {
    let world = uri_world();
    for text in
        ["https://issuer.example /a", " https://issuer.example/a", "https://issuer.example\t/a"]
    {
        let error = subject(&world, text).await.unwrap_err();
        assert!(matches!(error, IssueError::Identity(IdentityError::SubjectNotAUrl)), "{error:?}");
    }
    is_uri(&world, "https://issuer.example/a b", "https://issuer.example/a%20b").await;
}

#[tokio::test]
pub(super) async fn a_fragment_does_not_hide_the_host() {
    let world = uri_world();
    for text in [
        "https://evil.example#https://issuer.example",
        "https://evil.example#@issuer.example",
        "https://issuer.example@evil.example/",
        "https://issuer.example.evil.example/",
        "https://evil.example?https://issuer.example",
    ] {
        let error = subject(&world, text).await.unwrap_err();
        let expected =
            matches!(&error, IssueError::Identity(IdentityError::SubjectElsewhere { .. }));
        assert!(expected, "{text}: {error:?}");
    }
    is_uri(&world, "https://issuer.example/a#b", "https://issuer.example/a#b").await;
}

#[tokio::test]
pub(super) async fn a_name_outside_ascii_is_encoded_or_refused() {
    let world = uri_world();
    let error = subject(&world, "https://issuer.example/?\u{e9}").await.unwrap_err();
    assert!(matches!(error, IssueError::Contents(ContentsError::NotIa5 { .. })), "{error:?}");
    is_uri(&world, "https://issuer.example/\u{e9}", "https://issuer.example/%C3%A9").await;
}

/// A CI provider as in the shipped configuration, with a default that claims can override.
fn ci_world() -> World {
    let text = format!(
        "oidc-issuers:\n  {ISSUER}:\n    client-id: sigstore\n    type: ci-provider\n    ci-provider: ci\n\
         ci-issuer-metadata:\n  ci:\n    default-template-values:\n      url: https://ci.example\n    \
         subject-alternative-name-template: '{{{{ .url }}}}/{{{{ .job }}}}'\n"
    );
    World::with(Config::read(text.as_bytes()).unwrap(), PlayedIssuer::usual())
}

async fn job(claims: Value) -> Result<GeneralName, IssueError> {
    named(&ci_world(), &claims, "u1").await
}

#[tokio::test]
pub(super) async fn a_template_in_a_claim_is_text() {
    let name = job(json!({ "job": "{{.url}}{{.secret}}", "secret": "s" })).await.unwrap();
    let expected = "https://ci.example/%7B%7B.url%7D%7D%7B%7B.secret%7D%7D";
    assert_eq!(name, GeneralName::Uri(expected.to_owned()));
    let error = job(json!({})).await.unwrap_err();
    assert!(matches!(error, IssueError::Contents(ContentsError::Template(_))), "{error:?}");
}

#[tokio::test]
pub(super) async fn claims_win_over_defaults() {
    let name = job(json!({ "job": "x" })).await.unwrap();
    assert_eq!(name, GeneralName::Uri("https://ci.example/x".to_owned()));
    let name = job(json!({ "job": "x", "url": "https://own.example" })).await.unwrap();
    assert_eq!(name, GeneralName::Uri("https://own.example/x".to_owned()));
}
