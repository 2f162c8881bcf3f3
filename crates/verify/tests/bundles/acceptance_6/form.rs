//! Bundles whose JSON is not what an honest writer makes.

use serde_json::{Value, json};
use wire::bundle::{Bundle, BundleError};
use wire::json::{JsonError, Problem};

use super::{ask, policy};
use crate::sigstore::{ARTIFACT, Api, Sigstore};

/// Why a text is no bundle.
fn error(text: &str) -> BundleError {
    Bundle::parse(text.as_bytes()).expect_err("it is no bundle")
}

fn problem(text: &str) -> Problem {
    match error(text) {
        BundleError::Json(JsonError { problem, .. }) => problem,
        other => panic!("{other:?} is about what the bundle says, not how it is written"),
    }
}

fn good() -> String {
    let sigstore = Sigstore::new();
    let text = sigstore.sign(&sigstore.signer(), Api::V2).to_json();
    Bundle::parse(text.as_bytes()).expect("the twin is good");
    text
}

/// The good bundle with one thing changed.
fn changed(pointer: &str, value: Value) -> String {
    let mut bundle: Value = serde_json::from_str(&good()).expect("a bundle is JSON");
    *bundle.pointer_mut(pointer).expect("the place is there") = value;
    bundle.to_string()
}

#[test]
pub(super) fn a_legacy_bundle_is_not_read_as_one() {
    let legacy = json!({
        "base64Signature": "MEQ=",
        "cert": "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n",
        "rekorBundle": {"SignedEntryTimestamp": "", "Payload": {}},
    });
    assert_eq!(error(&legacy.to_string()), BundleError::MediaType(String::new()));
    let disguised = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "base64Signature": "MEQ=",
        "cert": "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n",
    });
    assert_eq!(error(&disguised.to_string()), BundleError::NoSigner);
}

#[test]
pub(super) fn alternatives_exclude_each_other() {
    let envelope =
        r#""dsseEnvelope":{"payload":"e30=","payloadType":"x","signatures":[{"sig":"AA=="}]},"#;
    let both =
        good().replacen(r#""messageSignature""#, &format!(r#"{envelope}"messageSignature""#), 1);
    assert_eq!(problem(&both), Problem::TwoAlternatives("messageSignature", "dsseEnvelope"));
    for (other, name) in [
        (r#""publicKey":{"hint":"x"},"#, "publicKey"),
        (r#""x509CertificateChain":{"certificates":[]},"#, "x509CertificateChain"),
    ] {
        let both = good().replacen(r#""certificate""#, &format!(r#"{other}"certificate""#), 1);
        assert_eq!(problem(&both), Problem::TwoAlternatives("certificate", name));
    }
}

#[test]
pub(super) fn an_envelope_has_exactly_one_signature() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    let text = sigstore.attest(&signer, Api::V2, &super::payload::statement(ARTIFACT)).to_json();
    Bundle::parse(text.as_bytes()).expect("the twin is good");
    let mut bundle: Value = serde_json::from_str(&text).expect("a bundle is JSON");
    let signatures = bundle.pointer_mut("/dsseEnvelope/signatures").expect("it has signatures");
    let one = signatures[0].clone();
    for (list, count) in [(json!([]), 0), (json!([one, one]), 2)] {
        *bundle.pointer_mut("/dsseEnvelope/signatures").expect("it has signatures") = list;
        assert_eq!(error(&bundle.to_string()), BundleError::SignatureCount(count));
    }
}

#[test]
pub(super) fn more_entries_or_timestamps_than_a_bundle_may_have_are_refused() {
    for (list, limit) in [
        ("/verificationMaterial/tlogEntries", 32),
        ("/verificationMaterial/timestampVerificationData/rfc3161Timestamps", 32),
    ] {
        let good: Value = serde_json::from_str(&good()).expect("a bundle is JSON");
        let one = good.pointer(list).expect("the list is there")[0].clone();
        let many = |count: usize| changed(list, Value::Array(vec![one.clone(); count]));
        Bundle::parse(many(limit).as_bytes()).expect("so many may be there");
        assert_eq!(problem(&many(limit + 1)), Problem::TooManyItems { length: limit + 1, limit });
        let million = changed(list, Value::Array(vec![json!({}); 1_000_000]));
        assert!(matches!(problem(&million), Problem::TooManyValues(_)));
    }
}

#[test]
pub(super) fn text_that_readers_would_read_differently_is_refused() {
    let good = good();
    assert_eq!(problem(&format!("\u{feff}{good}")), Problem::ByteOrderMark);
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(Bundle::parse(&utf16).is_err());
    assert!(matches!(problem(&format!("{good}{good}")), Problem::Syntax(_)));
    let twice = good.replacen(r#""signature":"#, r#""signature":"AA==","signature":"#, 1);
    assert_eq!(problem(&twice), Problem::DuplicateMember("signature".into()));
    let two_names = good.replacen(r#""mediaType":"#, r#""media_type":"x","mediaType":"#, 1);
    assert_eq!(problem(&two_names), Problem::TwoNames("mediaType"));
    let unknown = good.replacen('{', r#"{"new":1,"#, 1);
    assert_eq!(problem(&unknown), Problem::UnknownMember("new".into()));
    let index = "/verificationMaterial/tlogEntries/0/logIndex";
    for wrong in [json!("1e3"), json!("9223372036854775808"), json!(1.5), json!("01")] {
        assert!(matches!(problem(&changed(index, wrong)), Problem::Integer(_)));
    }
    assert_eq!(problem(&changed(index, json!(-1))), Problem::Negative(-1));
    let time = |time: &str| {
        good.replacen(
            r#""tlogEntries":[{"#,
            &format!(r#""tlogEntries":[{{"integratedTime":{time},"#),
            1,
        )
    };
    Bundle::parse(time(r#""1""#).as_bytes()).expect("the twin is good");
    for wrong in ["1.5", r#""1.5""#, r#""1e3""#] {
        assert!(matches!(problem(&time(wrong)), Problem::Integer(_)), "{wrong}");
    }
    for wrong in ["AA=", "AB==", "A A=", "+_8="] {
        let place = "/messageSignature/signature";
        assert_eq!(problem(&changed(place, json!(wrong))), Problem::Base64, "{wrong}");
    }
    for media_type in ["", "application/json", "application/vnd.dev.sigstore.bundle.v0.4+json"] {
        let text = changed("/mediaType", json!(media_type));
        assert_eq!(error(&text), BundleError::MediaType(media_type.into()));
    }
}

#[test]
pub(super) fn the_forms_that_protojson_reads_mean_the_same() {
    let text = good();
    let bundle = Bundle::parse(text.as_bytes()).expect("the twin is good");
    let snake = text
        .replace("verificationMaterial", "verification_material")
        .replace("tlogEntries", "tlog_entries")
        .replace("rawBytes", "raw_bytes");
    let number = text
        .replacen(r#""treeSize":"3""#, r#""treeSize":3"#, 1)
        .replacen(r#""SHA2_256""#, "1", 1)
        .replacen('{', r#"{"dsseEnvelope":null,"#, 1);
    let mut signature: Value = serde_json::from_str(&text).expect("a bundle is JSON");
    let place = signature.pointer_mut("/messageSignature/signature").expect("it is there");
    *place = json!(
        place.as_str().expect("text").replace('+', "-").replace('/', "_").trim_end_matches('=')
    );
    let mut wrapped: Value = serde_json::from_str(&text).expect("a bundle is JSON");
    let place = wrapped.pointer_mut("/messageSignature/signature").expect("it is there");
    let (line, rest) = place.as_str().expect("text").split_at(64);
    *place = json!(format!("{line}\r\n{rest}\n"));
    for other in [snake, number, signature.to_string(), wrapped.to_string()] {
        assert_eq!(Bundle::parse(other.as_bytes()).as_ref(), Ok(&bundle));
    }
}

/// Every place in a document, as a JSON pointer.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| places(value, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, value)| places(value, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

#[test]
pub(super) fn whatever_stands_in_a_member_is_refused_or_means_nothing() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    let bundles = [
        sigstore.sign(&signer, Api::V1),
        sigstore.sign(&signer, Api::V2),
        sigstore.attest(&signer, Api::V1, &super::payload::statement(ARTIFACT)),
        sigstore.attest(&signer, Api::V2, &super::payload::statement(ARTIFACT)),
    ];
    let strange = [
        json!(null),
        json!(""),
        json!(" "),
        json!(0),
        json!(-1),
        json!(true),
        json!([]),
        json!({}),
    ];
    // Hints: their absence changes nothing that is proved.
    let hints = ["messageDigest", "rootHash", "treeSize", "integratedTime"];
    let mut tried = 0;
    for bundle in bundles {
        let good: Value = serde_json::from_str(&bundle.to_json()).expect("a bundle is JSON");
        let mut found = Vec::new();
        places(&good, "", &mut found);
        for place in found {
            for value in &strange {
                let mut damaged = good.clone();
                *damaged.pointer_mut(&place).expect("the place is there") = value.clone();
                tried += 1;
                let Ok(read) = Bundle::parse(damaged.to_string().as_bytes()) else { continue };
                if read == bundle {
                    continue;
                }
                let verdict = ask(&read, &policy(), &sigstore.trust);
                let is_hint = hints.iter().any(|hint| place.contains(hint));
                assert!(verdict.is_err() || is_hint, "{place} = {value}");
            }
        }
    }
    assert!(tried > 500, "only {tried} were tried");
}
