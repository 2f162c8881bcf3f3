//! Keys and certificates that are meant to cost much, or with which anyone can sign.

use std::sync::Arc;

use crypto::{KeyKind, SigningKey, encode_pem};
use entries::EntryError;
use foreign::x509::KeyError;
use jiff::{SignedDuration, Timestamp};
use pki::asn1;
use pki::chain::Purpose;
use pki::issue::{Issuer, Serial, ServerName, Validity, root};
use pki::{Certificate, DistinguishedName};
use serde_json::Value;

use crate::proposal::{admit, base64, hashedrekord, key, refusal};

/// A good proposal, with another text in the place of its key.
fn with_key(good: &Value, pem: &str) -> Value {
    let mut changed = good.clone();
    changed["spec"]["signature"]["publicKey"]["content"] = base64(pem).into();
    changed
}

/// The reason for which a text is refused as a key.
fn key_refusal(proposed: &Value) -> KeyError {
    match refusal(proposed) {
        EntryError::Key(error) => error.downcast_ref::<KeyError>().unwrap().clone(),
        other => panic!("{other:?}"),
    }
}

fn validity() -> Validity {
    Validity::starting(
        Timestamp::from_second(1_700_000_000).unwrap(),
        SignedDuration::from_hours(1),
    )
}

fn serial() -> Serial {
    Serial::from_random(crypto::random_array())
}

fn name(common_name: &str) -> DistinguishedName {
    DistinguishedName::new("test", common_name).unwrap()
}

/// An authority and its self-signed certificate.
fn authority(common_name: &str) -> (Issuer, Arc<SigningKey>, Certificate) {
    let key = Arc::new(key());
    let certificate = root(&key, &name(common_name), validity(), serial()).unwrap();
    (Issuer::new(certificate.clone(), key.clone()).unwrap(), key, certificate)
}

fn leaf(issuer: &Issuer, key: &SigningKey, hosts: usize) -> Certificate {
    let hosts: Vec<ServerName> =
        (0..hosts).map(|number| ServerName::Dns(format!("h{number}"))).collect();
    issuer.tls_server(key.public_key(), &hosts, validity(), serial()).unwrap()
}

fn chain(certificates: &[&Certificate]) -> String {
    certificates.iter().map(|certificate| certificate.to_pem()).collect()
}

#[test]
fn ten_thousand_certificates_are_refused_after_ten() {
    let (issuer, _, root) = authority("a");
    let key = key();
    let leaf = leaf(&issuer, &key, 1);
    let good = hashedrekord(&key);
    let mut certificates = vec![&leaf];
    certificates.extend([&root; 9]);
    assert!(admit(&with_key(&good, &chain(&certificates))).is_ok());
    certificates.push(&root);
    let error = key_refusal(&with_key(&good, &chain(&certificates)));
    assert_eq!(error, KeyError::TooManyCertificates);
    certificates.extend(vec![&root; 10_000]);
    key_refusal(&with_key(&good, &chain(&certificates)));
}

#[test]
fn authorities_that_signed_each_other_make_no_endless_search() {
    let ((a, a_key, _), (b, b_key, b_root), (_, _, stranger)) =
        (authority("a"), authority("b"), authority("c"));
    let (purpose, serial) = (Purpose::CodeSigning, serial);
    let a_by_b =
        b.intermediate(a_key.public_key(), &name("a"), purpose, validity(), serial()).unwrap();
    let b_by_a =
        a.intermediate(b_key.public_key(), &name("b"), purpose, validity(), serial()).unwrap();
    let key = key();
    let leaf = leaf(&a, &key, 1);
    let good = hashedrekord(&key);
    let between = [&leaf, &a_by_b, &b_by_a, &a_by_b, &b_by_a, &a_by_b, &b_by_a, &a_by_b, &b_by_a];
    let to = |root| [&between[..], &[root]].concat();
    assert!(admit(&with_key(&good, &chain(&to(&b_root)))).is_ok());
    let error = key_refusal(&with_key(&good, &chain(&to(&stranger))));
    assert_eq!(error, KeyError::BrokenChain);
}

#[test]
fn a_certificate_with_thousands_of_names_cannot_fill_the_index() {
    let (issuer, _, _) = authority("a");
    let key = key();
    let good = hashedrekord(&key);
    let keys = |hosts| {
        let certificate = leaf(&issuer, &key, hosts).to_pem();
        admit(&with_key(&good, &certificate)).map(|entry| entry.index_keys.len())
    };
    assert_eq!(keys(3).unwrap(), 5);
    // There are no more than some seven thousand in the 64 KiB that a certificate may have.
    assert_eq!(keys(5_000).unwrap(), 4_096);
}

/// An RSA key with a modulus of `bits`, which nobody can sign with, and this exponent.
fn rsa(bits: usize, exponent: &[u8]) -> String {
    let mut modulus = vec![0xff; bits / 8];
    modulus[0] = 0x80;
    let key = asn1::sequence(&[&asn1::unsigned(&modulus), &asn1::unsigned(exponent)]);
    let rsa_encryption = pki::Oid::new_unwrap("1.2.840.113549.1.1.1");
    let algorithm = asn1::sequence(&[&asn1::oid(rsa_encryption), &[5, 0]]);
    encode_pem("PUBLIC KEY", &asn1::sequence(&[&algorithm, &asn1::bit_string(&key)]))
}

#[test]
fn rsa_keys_that_take_long_to_verify_are_not_tried() {
    let good = hashedrekord(&key());
    let refused = |pem: &str| refusal(&with_key(&good, pem));
    // This one is tried, and the signature is not its.
    assert!(matches!(refused(&rsa(2048, &[1, 0, 1])), EntryError::Signature));
    for pem in [
        rsa(16_384, &[1, 0, 1]),
        rsa(512, &[1, 0, 1]),
        rsa(2048, &[0xff; 256]),
        rsa(2048, &[4]),
        rsa(2048, &[1]),
    ] {
        assert!(matches!(refused(&pem), EntryError::Key(_)), "{pem}");
    }
}

#[test]
fn an_ed25519_key_with_which_anyone_can_sign_is_refused() {
    let honest = SigningKey::generate(KeyKind::Ed25519).unwrap().public_key().clone();
    let good = hashedrekord(&key());
    let (algorithm, _) = honest.spki_der().split_at(12);
    let neutral = [algorithm, &[1], &[0; 31]].concat();
    assert!(matches!(refusal(&with_key(&good, &honest.to_pem())), EntryError::Signature));
    let error = key_refusal(&with_key(&good, &encode_pem("PUBLIC KEY", &neutral)));
    assert_eq!(error, KeyError::PublicKey(crypto::PublicKeyError::SmallOrder));
}
