//! Predicates of every type: a good one, and what is refused for each member that it lacks.

use crypto::HashAlgorithm;
use wire::statement::Subject;

use super::kind::{Form, KINDS};
use super::*;

fn check(kind: &str, predicate: &str) -> Result<String, PredicateError> {
    let kind = kind.parse().unwrap();
    let subject = Subject::new("a.txt", &HashAlgorithm::Sha256.digest(b""));
    statement(vec![subject], &kind, predicate.as_bytes(), Timestamp::UNIX_EPOCH)
        .map(|statement| String::from_utf8(statement.to_json()).unwrap())
}

/// A predicate of each name that has all its type requires, and no more.
const GOOD: &[(&str, &str)] = &[
    ("slsaprovenance", r#"{"builder":{"id":"b"},"buildType":"t"}"#),
    ("slsaprovenance02", r#"{"builder":{"id":"b"},"buildType":"t"}"#),
    (
        "slsaprovenance1",
        r#"{"buildDefinition":{"buildType":"t","externalParameters":{}},"runDetails":{"builder":{"id":"b"}}}"#,
    ),
    (
        "spdxjson",
        r#"{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","name":"n","dataLicense":"CC0-1.0","documentNamespace":"https://n.example","creationInfo":{"created":"2026-01-01T00:00:00Z","creators":["Tool: t"]}}"#,
    ),
    ("spdxjson", r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}"#),
    ("cyclonedx", r#"{"bomFormat":"CycloneDX","specVersion":"1.6"}"#),
    (
        "vuln",
        r#"{"scanner":{"result":{}},"metadata":{"scanStartedOn":"2026-01-01T00:00:00Z","scanFinishedOn":"2026-01-01T00:00:00Z"}}"#,
    ),
    (
        "openvex",
        r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"i","author":"a","timestamp":"2026-01-01T00:00:00Z","version":1,"statements":[]}"#,
    ),
    (
        "link",
        r#"{"_type":"link","name":"n","materials":{},"products":{},"byproducts":{},"command":[],"environment":{}}"#,
    ),
];

#[test]
fn a_predicate_with_all_that_its_type_requires_is_kept_as_it_was_written() {
    for (name, predicate) in GOOD {
        let statement = check(name, predicate).unwrap();
        assert!(statement.ends_with(&format!(r#""predicate":{predicate}}}"#)), "{name}");
    }
}

#[test]
fn each_required_member_is_named_when_it_is_missing_null_or_something_else() {
    let mut checked = 0;
    for (name, good) in GOOD {
        for member in required(name, good) {
            for (value, expected) in
                [(None, "has no"), (Some("null"), "has no"), (Some("0"), "is not")]
            {
                let predicate = with_member(good, member.path, value);
                let result = check(name, &predicate);
                if value == Some("0") && member.shape == Shape::Anything {
                    result.unwrap();
                    continue;
                }
                let text = result.expect_err(&predicate).to_string();
                assert!(text.contains(expected), "{text}");
                assert!(text.contains(&member.path.join(".")), "{text}");
                checked += 1;
            }
        }
    }
    assert!(checked > 60, "{checked}");
}

fn required(name: &str, good: &str) -> &'static [kind::Member] {
    let kind = KINDS.iter().find(|kind| kind.names.contains(&name)).unwrap();
    let fits = |form: &&Form| matches!(form, Form::Json { told_by, .. } if told_by.is_none_or(|sign| good.contains(sign)));
    match kind.forms.iter().find(fits) {
        // Without the member that tells the form, it is another form.
        Some(Form::Json { members, told_by: Some(_) }) => &members[..1],
        Some(Form::Json { members, .. }) => members,
        _ => panic!("{name} has no form in JSON"),
    }
}

fn with_member(document: &str, path: &[&str], value: Option<&str>) -> String {
    let mut document: serde_json::Value = serde_json::from_str(document).unwrap();
    let (last, parents) = path.split_last().unwrap();
    let mut place = &mut document;
    for name in parents {
        place = &mut place[*name];
    }
    let members = place.as_object_mut().unwrap();
    members.remove(*last);
    if let Some(value) = value {
        members.insert((*last).into(), serde_json::from_str(value).unwrap());
    }
    document.to_string()
}

#[test]
fn a_statement_is_of_version_1_and_names_its_subjects() {
    let statement = check("slsaprovenance1", GOOD[2].1).unwrap();
    assert!(statement.starts_with(
        r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a.txt","digest":{"sha256":"e3b0"#
    ));
    assert!(statement.contains(r#""predicateType":"https://slsa.dev/provenance/v1","#));
}

#[test]
fn numbers_and_spaces_are_those_of_the_writer() {
    let predicate = r#"{"b": 1.0, "a": 1e2, "c": 12345678901234567890}"#;
    assert!(check("https://example.com/p", predicate).unwrap().contains(predicate));
}

#[test]
fn spdx_and_xml_travel_as_one_string_unparsed() {
    let tag_value = "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\n";
    let statement = check("spdx", tag_value).unwrap();
    assert!(statement.contains(r#""predicate":"SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\n"}"#));
    // As cosign does with JSON under this name.
    let json = r#"{"spdxVersion":"SPDX-2.3"}"#;
    assert!(check("spdx", json).unwrap().contains(r#""predicate":"{\"spdxVersion\""#));
    let xml = r#"<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>"#;
    assert!(check("cyclonedx", xml).unwrap().contains(r#""predicate":"<?xml version=\"1.0\"?>"#));
}

#[test]
fn a_custom_predicate_is_wrapped_with_the_time_in_whole_seconds() {
    let statement = check("custom", r#"{"a":1}"#).unwrap();
    let wrapped = r#""predicate":{"Data":"{\"a\":1}","Timestamp":"1970-01-01T00:00:00Z"}}"#;
    assert!(statement.ends_with(wrapped), "{statement}");
    let late = wrapped_at("1970-01-01T00:00:00.999Z");
    assert!(late.contains(r#""Timestamp":"1970-01-01T00:00:00Z""#), "{late}");
}

fn wrapped_at(time: &str) -> String {
    wrapped("", time.parse().unwrap()).get().to_owned()
}

#[test]
fn what_is_not_of_its_type_is_refused() {
    for (name, predicate) in [
        ("vuln", "x"),
        ("vuln", "[]"),
        ("spdxjson", "SPDXVersion: SPDX-2.3"),
        ("https://spdx.dev/Document", "SPDXVersion: SPDX-2.3"),
        ("https://example.com/p", "{} x"),
        ("https://example.com/p", "\"text\""),
        ("cyclonedx", "<xml/>"),
    ] {
        let error = check(name, predicate).expect_err(predicate);
        assert!(matches!(error, PredicateError::Json { .. }), "{name} {predicate}: {error}");
    }
    assert!(matches!(check("spdx", "hello"), Err(PredicateError::Form { .. })));
    let not_text = statement(vec![], &"custom".parse().unwrap(), b"\xff", Timestamp::UNIX_EPOCH);
    assert!(matches!(not_text, Err(PredicateError::Text)));
}

#[test]
fn a_type_by_its_uri_is_checked_as_by_its_name() {
    let error = check("https://slsa.dev/provenance/v1", "{}").unwrap_err();
    assert!(error.to_string().contains("buildDefinition.buildType"), "{error}");
}

#[test]
fn a_whole_statement_is_checked_as_its_predicate_would_be() {
    let whole = |predicate_type: &str, predicate: &str| {
        let predicate = RawValue::from_string(predicate.to_owned()).unwrap();
        check_statement(&Statement::new(Vec::new(), predicate_type, predicate))
    };
    for (name, good) in GOOD {
        let uri = name.parse::<PredicateType>().unwrap();
        whole(uri.uri(), good).unwrap();
        assert!(matches!(whole(uri.uri(), "{}"), Err(PredicateError::Missing { .. })), "{name}");
        assert!(matches!(whole(uri.uri(), "null"), Err(PredicateError::Json { .. })), "{name}");
        assert!(matches!(whole(uri.uri(), "\"x\""), Err(PredicateError::String { .. })), "{name}");
    }
    whole("https://spdx.dev/Document", r#""SPDXVersion: SPDX-2.3""#).unwrap();
    whole("https://cyclonedx.org/bom", r#""<bom xmlns='http://cyclonedx.org/schema/bom/1.6'/>""#)
        .unwrap();
    let custom = "https://cosign.sigstore.dev/attestation/v1";
    whole(custom, r#"{"Data":{"a":1},"Timestamp":"1970-01-01T00:00:00Z"}"#).unwrap();
    assert!(matches!(whole(custom, r#"{"Data":1}"#), Err(PredicateError::Missing { .. })));
    whole("https://example.com/p", "{}").unwrap();
    assert!(matches!(whole("https://example.com/p", "[]"), Err(PredicateError::Json { .. })));
}

#[test]
fn a_type_is_a_known_name_or_a_uri() {
    let uri = |text: &str| text.parse::<PredicateType>().map(|known| known.uri().to_owned());
    for name in ["spdx", "spdxjson"] {
        assert_eq!(uri(name).as_deref(), Ok("https://spdx.dev/Document"));
    }
    assert_eq!(uri("urn:x").as_deref(), Ok("urn:x"));
    for text in ["provenance", "", ":", "x:", ":x"] {
        uri(text).unwrap_err();
    }
}

#[test]
fn a_signature_says_nothing_but_whom_it_is_about() {
    let subject = Subject::new("a", &HashAlgorithm::Sha256.digest(b""));
    let text = String::from_utf8(signature(vec![subject]).to_json()).unwrap();
    assert!(
        text.ends_with(r#""predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}"#)
    );
}
