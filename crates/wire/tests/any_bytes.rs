//! Whatever bytes come, the readers return; and what they read is written so that it reads the same.

use proptest::prelude::*;
use wire::body::Body;
use wire::bundle::{Bundle, TransparencyLogEntry};
use wire::client_trust_config::ClientTrustConfig;
use wire::dsse::Envelope;
use wire::json::{base64_text, decode_base64};
use wire::signing_config::SigningConfig;
use wire::statement::Statement;
use wire::trusted_root::TrustedRoot;

const BUNDLE: &str = r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"certificate":{"rawBytes":"MAA="},"tlogEntries":[{"logIndex":"7","logId":{"keyId":"AQI="},"kindVersion":{"kind":"hashedrekord","version":"0.0.2"},"integratedTime":"1","inclusionPromise":{"signedEntryTimestamp":"AQ=="},"inclusionProof":{"logIndex":"7","rootHash":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","treeSize":"8","hashes":["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="],"checkpoint":{"envelope":"a\n"}},"canonicalizedBody":"e30="}],"timestampVerificationData":{"rfc3161Timestamps":[{"signedTimestamp":"MAA="}]}},"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},"signature":"AQ=="}}"#;

/// Reads bytes as everything that this crate reads.
fn read_all(bytes: &[u8]) {
    if let Ok(bundle) = Bundle::parse(bytes) {
        assert_eq!(Bundle::parse(bundle.to_json().as_bytes()), Ok(bundle));
    }
    if let Ok(body) = Body::parse(bytes) {
        assert_eq!(Body::parse(&body.to_canonical()), Ok(body));
    }
    if let Ok(root) = TrustedRoot::parse(bytes) {
        let again = TrustedRoot::parse(root.to_json().as_bytes()).expect("it reads the same");
        assert_eq!(again.tlogs, root.tlogs);
    }
    if let Ok(config) = SigningConfig::parse(bytes) {
        assert_eq!(SigningConfig::parse(config.to_json().as_bytes()), Ok(config));
    }
    if let Ok(statement) = Statement::parse(bytes) {
        let again = Statement::parse(&statement.to_json()).expect("it reads the same");
        assert_eq!(again.subject, statement.subject);
    }
    let _ = ClientTrustConfig::parse(bytes);
    let _ = TransparencyLogEntry::parse(bytes);
    let _ = Envelope::parse(bytes);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_all(&bytes);
    }

    #[test]
    fn any_json_is_read_or_refused(text in r#"([{}\[\],:]|"[a-zA-Z]{0,8}"|null|true|-?[0-9]{1,20}(\.5|e3)?){0,40}"#) {
        read_all(text.as_bytes());
    }

    #[test]
    fn a_bundle_with_a_few_bytes_changed_is_read_or_refused(
        changes in proptest::collection::vec((0..BUNDLE.len(), any::<u8>()), 1..4),
    ) {
        let mut bytes = BUNDLE.as_bytes().to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        read_all(&bytes);
    }

    #[test]
    fn base64_is_read_as_it_was_written(bytes: Vec<u8>) {
        let text = base64_text(&bytes);
        prop_assert_eq!(decode_base64(&text), Some(bytes.clone()));
        prop_assert_eq!(decode_base64(text.trim_end_matches('=')), Some(bytes));
    }
}

#[test]
fn the_bundle_that_is_changed_is_good() {
    Bundle::parse(BUNDLE.as_bytes()).expect("it is good");
}

/// A refusal is kept for every candidate of an image, and printed. One that held all of a name of a hundred megabytes made
/// the memory of a verification twice what its limit says.
#[test]
fn a_refusal_quotes_no_more_than_a_line_or_two() {
    let long = "x".repeat(1 << 20);
    let texts: Vec<_> = BUNDLE.match_indices('"').map(|(at, _)| at).collect();
    let in_bundle =
        texts.chunks(2).map(|text| [&BUNDLE[..=text[0]], &long, &BUNDLE[text[1]..]].concat());
    let others = [
        r#"{"mediaType":"LONG"}"#,
        r#"{"_type":"LONG"}"#,
        r#"{"kind":"LONG","apiVersion":"LONG","spec":{}}"#,
        r#"{"LONG":1,"LONG":2}"#,
        r#"{"payload":"","payloadType":"","signatures":[{"LONG":1,"LONG":1}],"LONG":1}"#,
        r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"LONG":{"LONG":1}}}]}"#,
    ];
    let others = others.into_iter().map(|text| text.replace("LONG", &long));
    for document in in_bundle.chain(others) {
        for refusal in refusals(document.as_bytes()) {
            assert!(refusal.len() < 2000, "{}", &refusal[..200]);
        }
    }
}

/// What every reader says, as it is printed and as it is kept.
fn refusals(bytes: &[u8]) -> Vec<String> {
    fn texts<T, E: std::error::Error>(read: Result<T, E>) -> Vec<String> {
        read.err().map(|error| vec![error.to_string(), format!("{error:?}")]).unwrap_or_default()
    }
    [
        texts(Bundle::parse(bytes)),
        texts(Body::parse(bytes)),
        texts(TrustedRoot::parse(bytes)),
        texts(SigningConfig::parse(bytes)),
        texts(ClientTrustConfig::parse(bytes)),
        texts(Statement::parse(bytes)),
        texts(TransparencyLogEntry::parse(bytes)),
        texts(Envelope::parse(bytes)),
    ]
    .concat()
}
