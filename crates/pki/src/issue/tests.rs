//! New certificates held against the ones that an existing Fulcio made.

use std::fs;

use crypto::KeyKind;
use serde_json::Value;

use super::*;
use crate::chain::verify_path;
use crate::fulcio::{LeafContents, San};
use crate::sct::{Sct, TrustedLog, verify_embedded};
use crate::{GeneralName, fulcio, oid};

const MINUTES: SignedDuration = SignedDuration::from_mins(10);

fn now() -> Timestamp {
    "2026-11-24T10:00:00.75Z".parse().unwrap()
}

fn serial(seed: u8) -> Serial {
    Serial::from_random([seed; 20])
}

struct House {
    root: Certificate,
    issuer: Issuer,
}

fn house() -> House {
    let key = |kind| Arc::new(SigningKey::generate(kind).unwrap());
    let name = |common| DistinguishedName::new("sigstore.example", common).unwrap();
    let (root_key, issuer_key) = (key(KeyKind::EcdsaP384), key(KeyKind::EcdsaP256));
    let years = Validity::starting(now(), SignedDuration::from_hours(24 * 3650));
    let root = root(&root_key, &name("root"), years, serial(1)).unwrap();
    let root_issuer = Issuer::new(root.clone(), root_key).unwrap();
    let year = Validity::starting(now(), SignedDuration::from_hours(24 * 365));
    let public = issuer_key.public_key();
    let certificate = root_issuer
        .intermediate(public, &name("intermediate"), Purpose::CodeSigning, year, serial(2))
        .unwrap();
    House { root, issuer: Issuer::new(certificate, issuer_key).unwrap() }
}

fn contents() -> LeafContents {
    let issuer = "https://issuer.example";
    let extensions = [(fulcio::ISSUER, issuer), (fulcio::ISSUER_V2, issuer)]
        .map(|(known, text)| (known.oid, known.encode(text)));
    LeafContents {
        san: San::Email("alice@example.com".to_owned()),
        extensions: extensions.to_vec(),
    }
}

/// A certificate with the SCT of `log`, issued in `house`.
fn issue(house: &House, log: &SigningKey, key: &SigningKey) -> Certificate {
    let request = LeafRequest {
        key: key.public_key(),
        contents: &contents(),
        serial: serial(3),
        validity: Validity::starting(now(), MINUTES),
    };
    let precertificate = house.issuer.precertificate(&request).unwrap();
    let sct = Sct::sign(log, precertificate.entry(), 7, Vec::new()).unwrap();
    let sct = sct.verify(precertificate.entry(), log.public_key()).unwrap();
    precertificate.finish(&sct).unwrap()
}

fn p256() -> SigningKey {
    SigningKey::generate(KeyKind::EcdsaP256).unwrap()
}

#[test]
fn an_issued_certificate_verifies_with_its_timestamp() {
    let (house, log, key) = (house(), p256(), p256());
    let certificate = issue(&house, &log, &key);
    let intermediates = [house.issuer.certificate().clone()];
    let anchors = std::slice::from_ref(&house.root);
    let path =
        verify_path(&certificate, &intermediates, anchors, now(), Purpose::CodeSigning).unwrap();
    let logs = [TrustedLog { key: log.public_key(), start: None, end: None }];
    assert_eq!(verify_embedded(&path, &logs).unwrap().len(), 1);
    assert_eq!(fulcio::issuer(&certificate), Ok(Some("https://issuer.example".to_owned())));
    assert_eq!(fulcio::identities(&certificate), [contents().san]);
    assert_eq!(certificate.spki_der(), key.public_key().spki_der());
    let lifetime = certificate.not_after().duration_since(certificate.not_before());
    assert_eq!(lifetime, MINUTES);
}

#[test]
fn golden_fulcio_extensions_come_in_the_recorded_order() {
    let Some(cases) = testdata::path("fulcio/issued") else { return };
    let (house, log) = (house(), p256());
    let ours = issue(&house, &log, &p256());
    let shape = |certificate: &Value| -> Vec<(String, bool)> {
        let extensions = certificate["extensions"].as_array().unwrap().iter();
        let fields = extensions.map(|e| (e["oid"].as_str().unwrap(), e["critical"] == true));
        // What comes from the token is its own affair.
        let fields = fields.filter(|(oid, _)| !oid.starts_with("1.3.6.1.4.1.57264."));
        fields.map(|(oid, critical)| (oid.to_owned(), critical)).collect()
    };
    let fixed = ours.extensions().filter(|e| !e.oid.to_string().starts_with("1.3.6.1.4.1.57264."));
    let fixed: Vec<_> = fixed.map(|e| (e.oid.to_string(), e.critical)).collect();
    let mut equal = 0;
    for case in fs::read_dir(cases).unwrap() {
        let Ok(text) = fs::read(case.unwrap().path().join("certificate.json")) else { continue };
        let recorded: Value = serde_json::from_slice(&text).unwrap();
        let mut recorded = shape(&recorded);
        if recorded.last().is_none_or(|(oid, _)| *oid != oid::SCT_LIST.to_string()) {
            recorded.push((oid::SCT_LIST.to_string(), false));
        }
        assert_eq!(fixed, recorded);
        equal += 1;
    }
    assert_eq!(ours.subject_der(), [0x30, 0]);
    assert_eq!(ours.serial().len(), 20);
    assert_eq!(ours.extension(oid::KEY_USAGE).unwrap().value, [3, 2, 7, 0x80]);
    testdata::report(&format!("golden fulcio profile: {equal} cases, {equal} equal, 0 exceptions"));
}

#[test]
fn a_serial_number_is_written_as_it_is_in_the_certificate() {
    for random in [[0; 20], [0xff; 20]] {
        let serial = Serial::from_random(random);
        let key = Arc::new(p256());
        let name = DistinguishedName::new("sigstore.example", "root").unwrap();
        let certificate = root(&key, &name, Validity::starting(now(), MINUTES), serial).unwrap();
        assert_eq!(hex::encode(certificate.serial()), serial.to_string());
    }
}

#[test]
fn a_timestamp_for_another_precertificate_does_not_finish_this_one() {
    let (house, log) = (house(), p256());
    let precertificate = |seed| {
        let request = LeafRequest {
            key: log.public_key(),
            contents: &contents(),
            serial: serial(seed),
            validity: Validity::starting(now(), MINUTES),
        };
        house.issuer.precertificate(&request).unwrap()
    };
    let (one, other) = (precertificate(3), precertificate(4));
    let sct = Sct::sign(&log, other.entry(), 7, Vec::new()).unwrap();
    let sct = sct.verify(other.entry(), log.public_key()).unwrap();
    assert!(matches!(one.finish(&sct), Err(IssueError::NotThePrecertificate)));
    other.finish(&sct).unwrap();
}

#[test]
fn nothing_outlives_its_issuer() {
    let House { issuer, .. } = house();
    let end = issuer.certificate().not_after();
    let contents = contents();
    let request = |not_before| LeafRequest {
        key: issuer.key.public_key(),
        contents: &contents,
        serial: serial(3),
        validity: Validity::starting(not_before, MINUTES),
    };
    let leaf_ends_with_it = end - MINUTES;
    issuer.precertificate(&request(leaf_ends_with_it)).map(drop).unwrap();
    for not_before in [leaf_ends_with_it + SignedDuration::from_secs(1), now() - MINUTES] {
        let refused = issuer.precertificate(&request(not_before)).map(drop);
        assert!(matches!(refused, Err(IssueError::OutlivesIssuer { .. })));
    }
}

#[test]
fn an_issuer_is_a_certificate_with_its_own_key() {
    let House { issuer, .. } = house();
    let other = Arc::new(p256());
    let refused = Issuer::new(issuer.certificate().clone(), other).map(drop);
    assert!(matches!(refused, Err(IssueError::KeyMismatch)));

    let key = Arc::new(p256());
    let name = [ServerName::Dns("localhost".to_owned())];
    let validity = Validity::starting(now(), MINUTES);
    let leaf = issuer.tls_server(key.public_key(), &name, validity, serial(5)).unwrap();
    assert!(matches!(Issuer::new(leaf, key).map(drop), Err(IssueError::NotAnAuthority)));
}

#[test]
fn a_server_certificate_has_its_names() {
    let House { issuer, .. } = house();
    let names = [
        ServerName::Dns("localhost".to_owned()),
        ServerName::Ip([127, 0, 0, 1].into()),
        ServerName::Ip(std::net::Ipv6Addr::LOCALHOST.into()),
    ];
    let key = p256();
    let certificate = |names: &[ServerName]| {
        issuer.tls_server(key.public_key(), names, Validity::starting(now(), MINUTES), serial(5))
    };
    let made = certificate(&names).unwrap();
    assert_eq!(
        made.sans(),
        [
            GeneralName::Dns("localhost".to_owned()),
            GeneralName::Ip([127, 0, 0, 1].into()),
            GeneralName::Ip(std::net::Ipv6Addr::LOCALHOST.into()),
        ]
    );
    assert!(matches!(certificate(&[]), Err(IssueError::ServerName)));
    let umlaut = ServerName::Dns("bücher.example".to_owned());
    assert!(matches!(certificate(&[umlaut]), Err(IssueError::ServerName)));
}

#[test]
fn an_intermediate_issues_no_intermediate() {
    let House { issuer, .. } = house();
    let name = DistinguishedName::new("x", "y").unwrap();
    let validity = Validity::starting(now(), MINUTES);
    let refused =
        issuer.intermediate(p256().public_key(), &name, Purpose::CodeSigning, validity, serial(6));
    assert!(matches!(refused, Err(IssueError::NotAnAuthority)));
}
