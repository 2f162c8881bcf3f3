//! Envelopes whose payload, type or signature is not what it should be.

use crypto::HashAlgorithm;
use verify::{Artifact, SignatureError, VerifyError};
use wire::dsse::{self, IN_TOTO};
use wire::statement::StatementError;

use super::{accepted, ask, assert_refused, exactly, policy, refusal};
use crate::sigstore::{ARTIFACT, Api, Sigstore};

const SPDX: &str = "https://spdx.dev/Document";
const VULN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";

/// A statement about some artifact.
pub(crate) fn statement(artifact: &[u8]) -> Vec<u8> {
    statement_with(artifact, &format!(r#","predicateType":"{SPDX}","predicate":{{}}"#))
}

fn statement_with(artifact: &[u8], rest: &str) -> Vec<u8> {
    let digest = HashAlgorithm::Sha256.digest(artifact).to_hex();
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"a","digest":{{"sha256":"{digest}"}}}}]{rest}}}"#
    )
    .into_bytes()
}

const APIS: [Api; 2] = [Api::V1, Api::V2];

#[test]
pub(super) fn a_statement_about_another_artifact_is_refused() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    for api in APIS {
        accepted(&sigstore.attest(&signer, api, &statement(ARTIFACT)), &sigstore.trust);
        let bundle = sigstore.attest(&signer, api, &statement(b"another artifact"));
        assert_refused!(
            refusal(&bundle, &sigstore.trust),
            VerifyError::Signature(SignatureError::OtherSubject)
        );
    }
}

#[test]
pub(super) fn a_statement_of_another_type_is_refused() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    let spdx = policy().with_predicate_type(exactly(SPDX));
    for api in APIS {
        let bundle = sigstore.attest(&signer, api, &statement(ARTIFACT));
        ask(&bundle, &spdx, &sigstore.trust).expect("the twin is good");
        let other = format!(r#","predicateType":"{VULN}","predicate":{{}}"#);
        for rest in [other.as_str(), "", r#","predicateType":null"#, r#","predicateType":"""#] {
            let bundle = sigstore.attest(&signer, api, &statement_with(ARTIFACT, rest));
            assert_refused!(
                ask(&bundle, &spdx, &sigstore.trust).expect_err("another type, or none"),
                VerifyError::Signature(SignatureError::PredicateType { .. })
            );
        }
        let bundle = sigstore.sign(&signer, api);
        assert_refused!(
            ask(&bundle, &spdx, &sigstore.trust).expect_err("no statement at all"),
            VerifyError::Signature(SignatureError::NoStatement { .. })
        );
    }
}

#[test]
pub(super) fn a_payload_that_is_no_statement_is_refused() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    let spdx = policy().with_predicate_type(exactly(SPDX));
    let good = statement(ARTIFACT);
    let text = String::from_utf8(good.clone()).expect("a statement is text");
    ask(&sigstore.attest(&signer, Api::V2, &good), &spdx, &sigstore.trust).expect("it is good");
    let no_statements = [
        String::new(),
        "not JSON".into(),
        "null".into(),
        "[]".into(),
        format!("[{text}]"),
        format!("{text}{text}"),
        format!("\u{feff}{text}"),
        text.replacen('{', r#"{"predicateType":"x","#, 1),
        text.replace("Statement/v1", "Statement/v2"),
        text.replace(r#""subject":[{"#, r#""subject":[null,{"#),
        text.replace(r#""predicateType":""#, r#""predicateType":1,"x":""#),
    ];
    for payload in no_statements {
        let bundle = sigstore.attest(&signer, Api::V2, payload.as_bytes());
        for policy in [&policy(), &spdx] {
            assert_refused!(
                ask(&bundle, policy, &sigstore.trust).expect_err("it is no statement"),
                VerifyError::Signature(SignatureError::Statement(_))
            );
        }
    }
}

#[test]
pub(super) fn a_statement_with_a_million_subjects_is_refused() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    let text = String::from_utf8(statement(ARTIFACT)).expect("a statement is text");
    let many = format!(r#""subject":[{}"#, r#"{"digest":{}},"#.repeat(1_000_000));
    let payload = text.replacen(r#""subject":["#, &many, 1);
    let bundle = sigstore.attest(&signer, Api::V2, payload.as_bytes());
    assert_refused!(
        refusal(&bundle, &sigstore.trust),
        VerifyError::Signature(SignatureError::Statement(StatementError::Json(_)))
    );
    let some = format!(r#""subject":[{}"#, r#"{"digest":{}},"#.repeat(1000));
    let payload = text.replacen(r#""subject":["#, &some, 1);
    accepted(&sigstore.attest(&signer, Api::V2, payload.as_bytes()), &sigstore.trust);
}

#[test]
pub(super) fn a_type_that_only_looks_like_a_statement_s_is_refused() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    let payload = statement(ARTIFACT);
    accepted(&sigstore.attest(&signer, Api::V2, &payload), &sigstore.trust);
    // U+0174 has the low byte of "t": who cuts characters to bytes hashes the same text.
    let homograph = IN_TOTO.replace("-toto", "-\u{174}oto");
    for other in [homograph.as_str(), "application/json", "", "application/vnd.in-toto+json "] {
        for signed_type in [other, IN_TOTO] {
            let signature = signer.sign(&dsse::pae(signed_type, &payload));
            let bundle = sigstore.attest_with(&signer, Api::V2, other, &payload, signature);
            assert_refused!(
                refusal(&bundle, &sigstore.trust),
                VerifyError::Signature(SignatureError::PayloadType(_))
            );
        }
    }
}

#[test]
pub(super) fn what_is_signed_are_bytes_and_their_number_not_characters() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    let payload = statement_with(ARTIFACT, r#","predicateType":"é\u0174Ŵ""#);
    for api in APIS {
        accepted(&sigstore.attest(&signer, api, &payload), &sigstore.trust);
        // Counted in characters, and cut to their low bytes.
        let text = String::from_utf8(payload.clone()).expect("a statement is text");
        let cut: Vec<u8> = text.chars().map(|c| (u32::from(c) & 0xff) as u8).collect();
        let header = format!("DSSEv1 {} {IN_TOTO} {} ", IN_TOTO.len(), cut.len());
        let signature = signer.sign(&[header.as_bytes(), &cut].concat());
        let bundle = sigstore.attest_with(&signer, api, IN_TOTO, &payload, signature);
        assert_refused!(
            refusal(&bundle, &sigstore.trust),
            VerifyError::Signature(SignatureError::Invalid)
        );
    }
}

#[test]
pub(super) fn an_artifact_of_which_nothing_is_known_is_refused() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    let nothing = || Artifact::from_iter([]);
    let message = sigstore.sign(&signer, Api::V2);
    let envelope = sigstore.attest(&signer, Api::V2, &statement(ARTIFACT));
    accepted(&message, &sigstore.trust);
    accepted(&envelope, &sigstore.trust);
    assert_refused!(
        verify::verify(&nothing(), &message, &policy(), &sigstore.trust).expect_err("no digest"),
        VerifyError::Signature(SignatureError::DigestNeeded(HashAlgorithm::Sha256))
    );
    assert_refused!(
        verify::verify(&nothing(), &envelope, &policy(), &sigstore.trust).expect_err("no digest"),
        VerifyError::Signature(SignatureError::OtherSubject)
    );
}

#[test]
pub(super) fn a_digest_in_the_bundle_is_no_more_than_a_hint() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    let mut bundle = sigstore.sign(&signer, Api::V2);
    accepted(&bundle, &sigstore.trust);
    let other = HashAlgorithm::Sha256.digest(b"another artifact");
    let wire::bundle::Content::Message(message) = &mut bundle.content else {
        panic!("an artifact was signed")
    };
    message.digest = Some(other);
    assert_refused!(
        refusal(&bundle, &sigstore.trust),
        VerifyError::Signature(SignatureError::OtherArtifact { .. })
    );
    // Nor does it help to ask for the artifact that it names.
    assert_refused!(
        verify::verify(&Artifact::from_digest(other), &bundle, &policy(), &sigstore.trust)
            .expect_err("nobody signed that"),
        VerifyError::Signature(SignatureError::Invalid)
    );
}
