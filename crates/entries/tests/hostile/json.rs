//! JSON that is meant to hurt: depth, repetition, nulls, numbers, texts that are no Unicode.

use entries::json::JsonError;
use entries::{AdmitError, V1, admit_v1};
use serde_json::Value;
use wire::body::Body;

use crate::proposal::{admit, each_kind, hashedrekord, intoto, key};

/// The text of a good proposal with `member` added at its end.
fn with_member(member: &[u8]) -> Vec<u8> {
    let mut text = hashedrekord(&key()).to_string().into_bytes();
    assert_eq!(text.pop(), Some(b'}'));
    [&text, &b","[..], member, b"}"].concat()
}

fn nested(depth: usize) -> Vec<u8> {
    [&b"\"x\":"[..], &vec![b'['; depth], &vec![b']'; depth]].concat()
}

#[test]
fn nesting_that_would_use_up_the_stack_is_refused() {
    assert!(admit_v1(V1, &with_member(&nested(9_999))).is_ok());
    for depth in [10_000, 100_000, 4_000_000] {
        let refusal = admit_v1(V1, &with_member(&nested(depth))).unwrap_err();
        assert!(matches!(refusal, AdmitError::Json(JsonError::TooDeep { .. })), "{depth}");
    }
}

#[test]
fn numbers_of_any_size_are_read_over_and_malformed_ones_refused() {
    assert!(admit_v1(V1, &with_member(b"\"x\":1e400")).is_ok());
    assert!(admit_v1(V1, &with_member(&[b"\"x\":", &[b'9'; 100_000][..]].concat())).is_ok());
    assert!(admit_v1(V1, &with_member(b"\"x\":1e")).is_err());
    assert!(admit_v1(V1, &with_member(b"\"x\":01")).is_err());
}

#[test]
fn text_that_is_no_unicode_is_read_and_no_control_character_gets_into_a_body_as_it_is() {
    assert!(admit_v1(V1, &with_member(b"\"\xff\xc3\":\"\\ud800\"")).is_ok());
    let mut proposed = intoto(&[key()]);
    let key_id = "\u{0}\u{7f}\u{2028}\"\\\u{1f}<script>";
    proposed["spec"]["content"]["envelope"]["signatures"][0]["keyid"] = key_id.into();
    let entry = admit(&proposed).unwrap();
    assert!(entry.body.iter().all(|byte| *byte >= 0x20));
    let Ok(Body::IntotoV2(read)) = Body::parse(&entry.body) else { panic!("it cannot be read") };
    assert_eq!(read.signatures[0].key_id, key_id);
}

/// Every place in `value`, as a JSON pointer.
fn places(value: &Value, at: &str, places: &mut Vec<String>) {
    places.push(at.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| {
                self::places(value, &format!("{at}/{name}"), places);
            });
        }
        Value::Array(items) => items.iter().enumerate().for_each(|(place, value)| {
            self::places(value, &format!("{at}/{place}"), places);
        }),
        _ => {}
    }
}

#[test]
fn null_in_any_place_is_refused() {
    for proposed in each_kind() {
        assert!(admit(&proposed).is_ok());
        let mut all = Vec::new();
        places(&proposed, "", &mut all);
        for place in all {
            let mut changed = proposed.clone();
            *changed.pointer_mut(&place).unwrap() = Value::Null;
            assert!(admit(&changed).is_err(), "{place} of {proposed}");
        }
    }
}

#[test]
fn a_value_of_another_type_in_any_place_is_refused() {
    let others = [Value::from(1), Value::from(true), Value::from(Vec::<u8>::new())];
    for proposed in each_kind() {
        let mut all = Vec::new();
        places(&proposed, "", &mut all);
        for place in all {
            for other in &others {
                let mut changed = proposed.clone();
                *changed.pointer_mut(&place).unwrap() = other.clone();
                assert!(admit(&changed).is_err(), "{other} in {place} of {proposed}");
            }
        }
    }
}

#[test]
fn a_proposal_cut_off_anywhere_is_refused() {
    for proposed in each_kind() {
        let text = proposed.to_string();
        assert!(admit_v1(V1, text.as_bytes()).is_ok());
        for length in 0..text.len() {
            assert!(admit_v1(V1, &text.as_bytes()[..length]).is_err(), "{length} of {text}");
        }
    }
}

#[test]
fn base64_of_another_alphabet_with_blanks_or_unpadded_is_refused_and_line_breaks_are_not() {
    let good = hashedrekord(&key());
    let place = "/spec/signature/publicKey/content";
    let text = good.pointer(place).unwrap().as_str().unwrap().to_owned();
    let with = |text: String| {
        let mut changed = good.clone();
        *changed.pointer_mut(place).unwrap() = text.into();
        admit(&changed)
    };
    let (head, tail) = text.split_at(8);
    let broken = with(format!("{head}\r\n{tail}")).unwrap();
    assert_eq!(broken.body, admit(&good).unwrap().body);
    for bad in [
        format!("{head} {tail}"),
        format!("{head}\t{tail}"),
        format!("{head}-{}", &tail[1..]),
        format!("{text}="),
        text.trim_end_matches('=').to_owned() + "A",
    ] {
        assert!(with(bad.clone()).is_err(), "{bad}");
    }
}
