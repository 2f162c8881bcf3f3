//! Envelopes that are meant to cost much, or to be read in two ways.

use crypto::SigningKey;
use entries::EntryError;
use serde_json::{Value, json};

use crate::proposal::{PAYLOAD, admit, base64, dsse, dsse_of, envelope, intoto, key, refusal};

fn keys(count: usize) -> Vec<SigningKey> {
    (0..count).map(|_| key()).collect()
}

#[test]
fn more_signatures_or_keys_than_are_looked_at_are_refused() {
    for propose in [dsse, intoto] {
        assert!(admit(&propose(&keys(16))).is_ok());
        let error = refusal(&propose(&keys(17)));
        assert!(matches!(error, EntryError::TooMany { limit: 16, .. }), "{error:?}");
    }
}

#[test]
fn ten_thousand_signatures_or_keys_are_refused_before_any_is_verified() {
    let keys = keys(1);
    let mut many = envelope(PAYLOAD, &keys);
    many["signatures"] = Value::Array(vec![json!({"sig": "AA=="}); 10_000]);
    let error = refusal(&dsse_of(&many.to_string(), &keys));
    assert!(matches!(error, EntryError::TooMany { of: "signatures", .. }), "{error:?}");

    let mut many = dsse(&keys);
    many["spec"]["proposedContent"]["verifiers"] = Value::Array(vec!["AA==".into(); 10_000]);
    let error = refusal(&many);
    assert!(matches!(error, EntryError::TooMany { of: "keys", .. }), "{error:?}");
}

#[test]
fn an_envelope_that_says_something_twice_is_refused() {
    let keys = keys(1);
    let good = envelope(PAYLOAD, &keys).to_string();
    assert!(admit(&dsse_of(&good, &keys)).is_ok());
    let payload = base64(PAYLOAD);
    for twice in [
        format!(r#""payload":"{payload}""#),
        format!(r#""Payload":"{payload}""#),
        r#""PAYLOADTYPE":"text/plain""#.to_owned(),
        r#""signatures":[]"#.to_owned(),
        r#""ſignatures":[]"#.to_owned(),
    ] {
        let changed = good.replacen('{', &format!("{{{twice},"), 1);
        let error = refusal(&dsse_of(&changed, &keys));
        assert!(matches!(error, EntryError::Envelope(_)), "{twice}: {error:?}");
    }
}

#[test]
fn a_payload_need_be_neither_text_nor_short_but_what_is_signed() {
    let keys = keys(1);
    for payload in [&[0xff, 0xfe][..], &[0; 1 << 20]] {
        let mut envelope = envelope(payload, &keys);
        assert!(admit(&dsse_of(&envelope.to_string(), &keys)).is_ok());
        envelope["payload"] = base64([payload, b"x"].concat()).into();
        let error = refusal(&dsse_of(&envelope.to_string(), &keys));
        assert!(matches!(error, EntryError::UnusedKey { index: 0 }), "{error:?}");
    }
}

#[test]
fn a_statement_cannot_fill_the_index() {
    let keys = keys(1);
    let digests: serde_json::Map<String, Value> =
        (0..10_000).map(|number| (number.to_string(), "aa".into())).collect();
    let payload = json!({"subject": [{"digest": digests}]}).to_string();
    let entry = admit(&dsse_of(&envelope(payload.as_bytes(), &keys).to_string(), &keys)).unwrap();
    assert_eq!(entry.index_keys.len(), 4096);
    assert!(admit(&dsse(&keys)).unwrap().index_keys.contains(&"sha256:aa".to_owned()));
}

#[test]
fn an_attestation_that_is_too_long_is_not_stored_and_its_entry_is_logged() {
    let attestation = |length: usize| {
        let keys = keys(1);
        let payload = vec![b'x'; length];
        let mut envelope = envelope(&payload, &keys);
        let mut proposed = intoto(&keys);
        envelope["payload"] = base64(envelope["payload"].as_str().unwrap()).into();
        let signature = base64(envelope["signatures"][0]["sig"].as_str().unwrap());
        let content = &mut proposed["spec"]["content"]["envelope"];
        content["payload"] = envelope["payload"].clone();
        content["signatures"][0]["sig"] = signature.into();
        admit(&proposed).unwrap().attestation
    };
    assert_eq!(attestation(102_399).unwrap().data.len(), 102_399);
    assert_eq!(attestation(102_400), None);
}

#[test]
fn what_only_the_log_may_say_is_refused_beside_a_proposal() {
    let good = dsse(&keys(1));
    assert!(admit(&good).is_ok());
    for (name, value) in [
        ("payloadHash", json!({"algorithm": "sha256", "value": "00".repeat(32)})),
        ("envelopeHash", json!({})),
        ("signatures", json!([{}])),
    ] {
        let mut changed = good.clone();
        changed["spec"][name] = value;
        assert!(matches!(refusal(&changed), EntryError::Mixed), "{name}");
    }
}
