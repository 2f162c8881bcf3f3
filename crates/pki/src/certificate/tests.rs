//! Certificates that differ from a good one in one thing (client specification §7.5, "cert").

use crypto::{KeyKind, SigningKey};
use jiff::SignedDuration;

use super::*;
use crate::DistinguishedName;
use crate::asn1::tag;
use crate::fulcio::{self, San};
use crate::issue::profile::{self, KEY_USAGE_SIGNATURE, Template};
use crate::issue::{IssueError, Serial, Validity};
use crate::oid;

fn email() -> Vec<u8> {
    profile::critical_san(&San::Email("a@example.com".to_owned()).extension_value().unwrap())
}

/// A self-signed certificate with these extensions.
fn with(extensions: &[Vec<u8>]) -> Result<Certificate, CertificateError> {
    let key = SigningKey::generate(KeyKind::EcdsaP256).unwrap();
    let name = DistinguishedName::new("test", "x").unwrap();
    let start = "2026-11-24T10:00:00Z".parse().unwrap();
    let template = Template {
        serial: Serial::from_random([7; 20]),
        issuer: name.der(),
        validity: Validity::starting(start, SignedDuration::from_hours(1)),
        subject: name.der(),
        spki: key.public_key().spki_der(),
    };
    template.sign(extensions, &key).map_err(|error| match error {
        IssueError::Contents(error) => error,
        other => panic!("{other}"),
    })
}

fn good() -> Certificate {
    with(&[profile::key_usage(KEY_USAGE_SIGNATURE), email()]).unwrap()
}

fn san(names: &[u8]) -> Vec<u8> {
    profile::critical_san(&asn1::sequence(&[names]))
}

#[test]
fn a_good_certificate_is_read_and_signed_with_its_own_key() {
    let certificate = good();
    assert!(certificate.is_self_signed());
    assert_eq!(certificate.subject(), "O=test, CN=x");
    assert_eq!(Certificate::from_pem(certificate.to_pem().as_bytes()), Ok(certificate));
}

#[test]
fn nothing_shorter_or_longer_is_a_certificate() {
    let der = good().der().to_vec();
    for length in 0..der.len() {
        Certificate::from_der(&der[..length]).unwrap_err();
    }
    let longer = [der.as_slice(), &[0]].concat();
    let refused = Certificate::from_der(&longer);
    assert_eq!(refused, Err(CertificateError::Malformed { part: "certificate" }));
}

#[test]
fn lengths_that_are_not_those_of_der_are_refused() {
    let der = good().der().to_vec();
    let contents = &der[4..];
    let indefinite = [&[0x30, 0x80], contents, &[0, 0]].concat();
    let not_minimal = [&[0x30, 0x83, 0], &der[2..4], contents].concat();
    for bytes in [indefinite, not_minimal] {
        let refused = Certificate::from_der(&bytes);
        assert_eq!(refused, Err(CertificateError::Malformed { part: "certificate" }));
    }
}

#[test]
fn a_negative_serial_number_is_refused() {
    let good = good();
    let mut der = good.der().to_vec();
    let at = good.0.serial.start;
    assert_eq!(der[at], 0x47);
    der[at] |= 0x80;
    let refused = Certificate::from_der(&der);
    assert_eq!(refused, Err(CertificateError::Malformed { part: "serialNumber" }));
}

#[test]
fn the_algorithm_outside_must_be_the_one_that_was_signed() {
    let good = good();
    let mut der = good.der().to_vec();
    // The last octet of the identifier: ecdsa-with-SHA256 becomes ecdsa-with-SHA384.
    der[good.0.signature_algorithm.end - 1] += 1;
    let refused = Certificate::from_der(&der);
    assert_eq!(refused, Err(CertificateError::Malformed { part: "signature" }));
}

#[test]
fn an_extension_is_there_once() {
    let poison = profile::extension(oid::POISON, true, &[tag::NULL, 0]);
    with(&[email(), poison.clone()]).unwrap();
    let twice = with(&[email(), poison.clone(), poison]);
    assert_eq!(twice, Err(CertificateError::Extension { oid: oid::POISON }));
}

#[test]
fn malformed_names_are_refused() {
    let refused = Err(CertificateError::Extension { oid: oid::SUBJECT_ALT_NAME });
    assert_eq!(with(&[san(&[])]), refused, "no name");
    let bmp_string = asn1::tlv(0x1e, &[&[0, b'a']]);
    let value = asn1::explicit(0, &bmp_string);
    let other = asn1::tlv(tag::constructed(0), &[&asn1::oid(fulcio::OTHER_NAME), &value]);
    assert_eq!(with(&[san(&other)]), refused, "a user name that is not UTF-8");
    assert_eq!(with(&[san(&asn1::tlv(tag::context(6), &["ä".as_bytes()]))]), refused, "not ASCII");
}

#[test]
fn every_name_is_kept_as_it_is() {
    let uri = |text: &str| asn1::tlv(tag::context(6), &[text.as_bytes()]);
    let email = asn1::tlv(tag::context(1), &[b"a@example.com\0.evil.example"]);
    let names = [uri("https://evil.example/"), uri(" https://good.example/"), email].concat();
    let identities = fulcio::identities(&with(&[san(&names)]).unwrap());
    assert_eq!(
        identities,
        [
            San::Uri("https://evil.example/".to_owned()),
            San::Uri(" https://good.example/".to_owned()),
            San::Email("a@example.com\0.evil.example".to_owned()),
        ]
    );
}

#[test]
fn limits_are_kept() {
    let huge = san(&asn1::tlv(tag::context(6), &[&vec![b'a'; 1 << 20]]));
    assert_eq!(with(&[huge]), Err(CertificateError::TooLong { limit: MAX_CERTIFICATE }));
    let long_oid = [&[0x2a][..], &[0x81; 60], &[1]].concat();
    let long_oid = asn1::sequence(&[&asn1::tlv(tag::OID, &[&long_oid]), &asn1::octet_string(&[])]);
    let malformed = Err(CertificateError::Malformed { part: "extensions" });
    assert_eq!(with(&[long_oid]), malformed);
    let many: Vec<Vec<u8>> = (0..101)
        .map(|number| {
            profile::extension(oid::POISON.parent().unwrap().push_arc(number).unwrap(), false, &[])
        })
        .collect();
    assert_eq!(with(&many), malformed);
    with(&many[..100]).unwrap();
}

#[test]
fn the_issuer_is_read_from_the_newer_extension_without_anything_after_it() {
    let extension =
        |known: fulcio::Known, value: &[u8]| profile::extension(known.oid, false, value);
    let old = extension(fulcio::ISSUER, b"https://old.example");
    let new = fulcio::ISSUER_V2.encode("https://new.example");
    let issuer = |extensions: &[Vec<u8>]| fulcio::issuer(&with(extensions).unwrap());
    let text = |text: &str| Ok(Some(text.to_owned()));
    assert_eq!(issuer(std::slice::from_ref(&old)), text("https://old.example"));
    let both = [old.clone(), extension(fulcio::ISSUER_V2, &new)];
    assert_eq!(issuer(&both), text("https://new.example"));
    let longer = extension(fulcio::ISSUER_V2, &[new.as_slice(), &[0]].concat());
    let refused = Err(fulcio::ExtensionError { oid: fulcio::ISSUER_V2.oid });
    assert_eq!(issuer(&[old, longer]), refused);
    let raw = extension(fulcio::ISSUER_V2, b"https://raw.example");
    assert_eq!(issuer(&[raw]), refused);
}

#[test]
fn a_certificate_without_one_extension_is_otherwise_the_same() {
    let key_usage = profile::key_usage(KEY_USAGE_SIGNATURE);
    let certificate = with(&[key_usage.clone(), email()]).unwrap();
    assert_eq!(certificate.tbs_without(oid::POISON), certificate.tbs_der());
    let replaced = certificate.tbs_replacing(oid::KEY_USAGE, &key_usage);
    assert_ne!(replaced, certificate.tbs_der(), "the order is another");
    assert_eq!(replaced.len(), certificate.tbs_der().len());
}

#[test]
fn a_chain_has_a_limit_and_nothing_but_certificates() {
    let pem = good().to_pem();
    let three = format!("a comment\n{}", pem.repeat(3));
    assert_eq!(Certificate::chain_from_pem(three.as_bytes(), 3).map(|chain| chain.len()), Ok(3));
    let too_many = Err(ChainError::TooMany { limit: 2 });
    assert_eq!(Certificate::chain_from_pem(three.as_bytes(), 2), too_many);
    assert_eq!(Certificate::chain_from_pem(b"", 2), Err(ChainError::NotPem));
    let key = format!("{pem}{}", encode_pem("PRIVATE KEY", &[]));
    assert_eq!(Certificate::chain_from_pem(key.as_bytes(), 2), Err(ChainError::NotPem));
}

#[test]
fn the_subject_is_a_name_where_there_are_no_alternative_ones() {
    assert_eq!(good().names(), ["a@example.com"]);
    let usage = profile::key_usage(KEY_USAGE_SIGNATURE);
    assert_eq!(with(&[usage]).unwrap().names(), ["O=test, CN=x"]);
    let directory = san(&asn1::tlv(tag::constructed(4), &[&[tag::SEQUENCE, 0]]));
    assert_eq!(with(&[directory]).unwrap().names(), [""; 0]);
}
