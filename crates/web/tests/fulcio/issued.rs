//! The requests for which an existing Fulcio was seen to issue a certificate (`data/fulcio/issued`): ours is
//! equal field for field.

use std::path::Path;

use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto::{PublicKey, decode_pem};
use pki::csr::CertificationRequest;
use pki::sct::{Entry, Sct, embedded};
use pki::{Certificate, oid};
use serde_json::{Value, json};
use testdata::Exception;

use crate::authority::Submission;
use crate::golden::{
    Answer, cases, compare_headers, equal, json_of, judge, name, recorded_world, replay, router,
    without_base64,
};

const WITHOUT_LOG: &str = "there is no certificate authority without a CT log: every certificate has an SCT, and all else is equal";
const CHECKED: &str =
    "cosign, sigstore-python, sigstore-js and sigstore-go demand an SCT when they verify";

const EXCEPTIONS: &[Exception] = &[
    Exception { case: "csr-p256-without-log", reason: WITHOUT_LOG, clients: CHECKED },
    Exception { case: "public-key-p256-without-log", reason: WITHOUT_LOG, clients: CHECKED },
    Exception { case: "v1-csr-without-log", reason: WITHOUT_LOG, clients: CHECKED },
    Exception { case: "v1-public-key-pem-without-log", reason: WITHOUT_LOG, clients: CHECKED },
];

/// The PEM texts of an answer of either version; none where the timestamp is beside the certificate, as it is
/// for certificates that have none.
fn certificates_of(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let Ok(json) = serde_json::from_str::<Value>(&text) else {
        let blocks = text.split_inclusive("-----END CERTIFICATE-----");
        return blocks.map(|block| block.trim().to_owned()).collect();
    };
    let chain = &json["signedCertificateEmbeddedSct"]["chain"]["certificates"];
    let chain = chain.as_array().into_iter().flatten();
    chain.map(|pem| pem.as_str().unwrap().to_owned()).collect()
}

/// The key for which the request asks.
fn requested_key(request: &Value) -> PublicKey {
    let body: Value = serde_json::from_str(request["body"].as_str().unwrap()).unwrap();
    let decode = |value: &Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
    if body["certificateSigningRequest"].is_string() {
        let pem = decode(&body["certificateSigningRequest"]);
        return CertificationRequest::from_pem(&pem).unwrap().public_key().unwrap().clone();
    }
    let pem = match body["publicKey"]["content"].as_str() {
        Some(_) => decode(&body["publicKey"]["content"]),
        None => {
            let request = [&body["publicKeyRequest"], &body["public_key_request"]];
            let request = request.into_iter().find(|request| !request.is_null()).unwrap();
            let key = [&request["publicKey"], &request["public_key"]];
            let key = key.into_iter().find(|key| !key.is_null()).unwrap();
            key["content"].as_str().unwrap().as_bytes().to_vec()
        }
    };
    PublicKey::from_spki_der(&decode_pem(&pem).unwrap().0.contents).unwrap()
}

/// Properties of a leaf, as the recording has them.
fn properties(leaf: &Certificate, key: &PublicKey) -> Value {
    let extensions: Vec<Value> = leaf
        .extensions()
        .map(|extension| {
            let mut recorded = json!({
                "oid": extension.oid.to_string(),
                "critical": extension.critical,
                "der": hex::encode(extension.value),
            });
            // What is fresh each time is recorded by its form only.
            if extension.oid == oid::AUTHORITY_KEY_IDENTIFIER {
                recorded["der"] = json!("");
                recorded["text"] = json!(format!("{} bytes", extension.value.len()));
            } else if extension.oid == oid::SCT_LIST {
                recorded["der"] = json!("");
                recorded["text"] = json!("SCT list");
            }
            recorded
        })
        .collect();
    let tbs = hex::encode(leaf.tbs_der());
    let ecdsa_with_sha384 = "06082a8648ce3d040303";
    let utc_times = tbs.find("301e170d").is_some_and(|at| tbs[at + 34..].starts_with("170d"));
    json!({
        "serialBytes": leaf.serial().len(),
        "signatureAlgorithm": if tbs.contains(ecdsa_with_sha384) { "ECDSA-SHA384" } else { "other" },
        "subjectDer": hex::encode(leaf.subject_der()),
        "validitySeconds": leaf.not_after().duration_since(leaf.not_before()).as_secs(),
        "validityEncoding": if utc_times { ["UTCTime"; 2] } else { ["other"; 2] },
        "extensions": extensions,
        "spkiIsTheRequestedOne": leaf.spki_der() == key.spki_der(),
    })
}

/// The forms of recorded extensions in which DER is left out have no empty text.
fn normalised(mut recorded: Value) -> Value {
    // The number of bits of a random number is no property.
    recorded.as_object_mut().unwrap().remove("serialBits");
    recorded
}

fn compare_certificate(leaf: &Certificate, case: &Path) -> Result<(), String> {
    let request = json_of(&case.join("request.json"));
    let expected = normalised(json_of(&case.join("certificate.json")));
    let found = properties(leaf, &requested_key(&request));
    equal("certificate", &found, &expected)
}

/// What was submitted to the log: the precertificate that belongs to the leaf, and the whole chain above it.
fn compare_submission(
    submission: &Submission,
    chain: &[Certificate],
    case: &Path,
) -> Result<(), String> {
    let recorded = json_of(&case.join("log-submission.json"));
    let length = recorded["chain"].as_array().unwrap().len();
    equal("length of the chain", &json!(1 + submission.issuers.len()), &json!(length))?;
    let issuers: Vec<&[u8]> = submission.issuers.iter().map(Vec::as_slice).collect();
    let above: Vec<&[u8]> = chain[1..].iter().map(Certificate::der).collect();
    if issuers != above {
        return Err("the submitted issuers are not those of the answer".to_owned());
    }
    let precertificate = Certificate::from_der(&submission.precertificate).unwrap();
    let submitted = Entry::of_precertificate(&precertificate, &chain[1]).unwrap();
    if Ok(submitted) != Entry::of_final(&chain[0], &chain[1]) {
        return Err("the precertificate is of another certificate".to_owned());
    }
    let recorded = STANDARD.decode(recorded["chain"][0].as_str().unwrap()).unwrap();
    let recorded = Certificate::from_der(&recorded).unwrap();
    let form = |certificate: &Certificate| -> Vec<Value> {
        certificate.extensions().map(|e| json!([e.oid.to_string(), e.critical])).collect()
    };
    equal(
        "extensions of the precertificate",
        &json!(form(&precertificate)),
        &json!(form(&recorded)),
    )?;
    match embedded(&chain[0]).unwrap().as_slice() {
        [sct] if sct.encode() == submission.answer => Ok(()),
        _ => Err("the certificate has not exactly the log's timestamp".to_owned()),
    }
}

fn compare(answer: &Answer, submission: Option<&Submission>, case: &Path) -> Result<(), String> {
    let recorded = json_of(&case.join("response.json"));
    equal("status", &json!(answer.status.as_u16()), &recorded["status"])?;
    compare_headers(answer, &recorded["headers"])?;
    let found = String::from_utf8_lossy(&answer.body);
    let body = recorded["body"].as_str().unwrap();
    if !body.starts_with('{') {
        equal("form", &json!(without_base64(&found)), &json!(without_base64(body)))?;
    }
    let (found, expected) = (certificates_of(&answer.body), certificates_of(body.as_bytes()));
    let frames =
        |pems: &[String]| -> Vec<String> { pems.iter().map(|pem| without_base64(pem)).collect() };
    equal("chain", &json!(frames(&found)), &json!(frames(&expected)))?;
    let chain: Vec<Certificate> =
        found.iter().map(|pem| Certificate::from_pem(pem.as_bytes()).unwrap()).collect();
    compare_certificate(&chain[0], case)?;
    match submission {
        Some(submission) if case.join("log-submission.json").exists() => {
            compare_submission(submission, &chain, case)
        }
        _ => Err("nothing was to be submitted".to_owned()),
    }
}

async fn outcome(
    router: &Router,
    log: &crate::authority::PlayedLog,
    case: &Path,
) -> Result<(), String> {
    let answer = replay(router, case).await;
    let submission = log.submissions.lock().unwrap().pop();
    compare(&answer, submission.as_ref(), case)
}

#[tokio::test]
async fn golden_fulcio_issued() {
    let mut outcomes = Vec::new();
    for case in cases("issued") {
        let without_log = name(&case).ends_with("-without-log");
        let server = if without_log { "trust-without-log" } else { "trust-with-log" };
        let Some(world) = recorded_world(server) else { return };
        outcomes.push((name(&case), outcome(&router(&world), &world.log, &case).await));
    }
    judge("issued", &outcomes, EXCEPTIONS);
}

/// Without a log, only the list of timestamps was missing.
#[tokio::test]
async fn golden_fulcio_issued_without_log_differs_in_the_timestamp_only() {
    let Some(world) = recorded_world("trust-without-log") else { return };
    let router = router(&world);
    for exception in EXCEPTIONS {
        let case = testdata::path(&format!("fulcio/issued/{}", exception.case)).unwrap();
        let answer = replay(&router, &case).await;
        let pem = &certificates_of(&answer.body)[0];
        let leaf = Certificate::from_pem(pem.as_bytes()).unwrap();
        let mut found = properties(&leaf, &requested_key(&json_of(&case.join("request.json"))));
        let last = found["extensions"].as_array_mut().unwrap().pop().unwrap();
        assert_eq!(last["text"], "SCT list");
        assert_eq!(
            found,
            normalised(json_of(&case.join("certificate.json"))),
            "{}",
            exception.case
        );
    }
}

/// The recorded timestamps verify as the ones of our own log do, so that both were held to one measure.
#[test]
fn golden_fulcio_recorded_timestamps_verify() {
    let Some(key) = testdata::path("fulcio/issued/trust-with-log/ct-log.pub.pem") else { return };
    let key = PublicKey::from_pem(&std::fs::read(key).unwrap()).unwrap();
    let mut count = 0;
    for case in cases("issued").iter().filter(|case| case.join("log-submission.json").exists()) {
        let recorded = json_of(&case.join("log-submission.json"));
        let decode = |value: &Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
        let certificate =
            |at: usize| Certificate::from_der(&decode(&recorded["chain"][at])).unwrap();
        let entry = Entry::of_precertificate(&certificate(0), &certificate(1)).unwrap();
        Sct::decode(&decode(&recorded["sct"])).unwrap().verify(&entry, &key).unwrap();
        count += 1;
    }
    testdata::report(&format!(
        "golden fulcio/log-submission: {count} cases, {count} equal, 0 exceptions"
    ));
}
