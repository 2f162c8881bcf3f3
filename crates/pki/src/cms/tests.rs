//! Detached signatures as they are made, and as somebody would change them.

use std::sync::Arc;

use crypto::{HashAlgorithm, KeyKind, SigningKey};
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::DistinguishedName;
use crate::asn1::{explicit, integer, octet_string, sequence, set, tlv, x509_time};
use crate::issue::{self, Serial, Validity};

const CONTENT: &[u8] = b"tree 0123\n\nmessage\n";

fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

struct Author {
    key: Arc<SigningKey>,
    certificate: Certificate,
}

fn author(name: &str, serial: u8) -> Author {
    let key = Arc::new(SigningKey::generate(KeyKind::EcdsaP256).unwrap());
    let name = DistinguishedName::new("sigstore.example", name).unwrap();
    let validity = Validity::starting(now(), SignedDuration::from_mins(10));
    let certificate =
        issue::root(&key, &name, validity, Serial::from_random([serial; 20])).unwrap();
    Author { key, certificate }
}

fn sign(author: &Author, unsigned: &[Attribute]) -> Vec<u8> {
    let attributes = SignedAttributes::new(&HashAlgorithm::Sha256.digest(CONTENT), now());
    let signature = author.key.sign(&attributes.to_der()).unwrap();
    attributes.assemble(&author.certificate, &signature, unsigned)
}

/// A signature with another bag of certificates, content, or number of signers.
fn rebuild(signature: &[u8], bag: &[&[u8]], content: &[u8], signers: usize) -> Vec<u8> {
    let read = SignedData::read(signature).unwrap();
    let mut info = Reader::only(signature, tag::SEQUENCE).unwrap();
    info.oid().unwrap();
    let mut data = info.any().unwrap().reader().sequence().unwrap();
    let version = data.any().unwrap().der();
    let algorithms = data.any().unwrap().der();
    data.any().unwrap();
    data.any().unwrap();
    let signer = data.expect(tag::SET).unwrap().content().to_vec();
    assert_eq!(read.signers.len(), 1);
    let data = sequence(&[
        version,
        algorithms,
        &sequence(&[&asn1::oid(DATA), content]),
        &tlv(tag::constructed(0), bag),
        &set(&vec![signer.as_slice(); signers]),
    ]);
    sequence(&[&asn1::oid(SIGNED_DATA), &explicit(0, &data)])
}

#[test]
fn what_was_signed_is_read_back_byte_for_byte() {
    let alice = author("alice", 1);
    let oid = Oid::new_unwrap("1.3.6.1.4.1.57264.3.1");
    let attribute = Attribute { oid, values: vec![octet_string(b"an entry")] };
    let der = sign(&alice, std::slice::from_ref(&attribute));
    let read = DetachedSignature::from_der(&der).unwrap();
    assert_eq!(read.message_digest(), &HashAlgorithm::Sha256.digest(CONTENT));
    assert_eq!(read.signing_time(), Some(now()));
    assert_eq!(read.certificate().der(), alice.certificate.der());
    assert_eq!(read.unsigned(oid).collect::<Vec<_>>(), [octet_string(b"an entry")]);
    assert_eq!(read.unsigned(CONTENT_TYPE).count(), 0);
    let key = alice.key.public_key();
    let scheme = Scheme::Ecdsa(HashAlgorithm::Sha256);
    key.verify(scheme, read.signed_attributes(), read.signature()).unwrap();
}

#[test]
fn the_members_of_the_signed_set_ascend() {
    let der = SignedAttributes::new(&HashAlgorithm::Sha256.digest(CONTENT), now()).to_der();
    let mut reader = Reader::only(&der, tag::SET).unwrap();
    let mut members = Vec::new();
    while !reader.is_empty() {
        members.push(reader.any().unwrap().der());
    }
    assert_eq!(members.len(), 3);
    assert!(members.is_sorted());
}

#[test]
fn a_decoy_before_or_after_the_signer_s_certificate_is_passed_over() {
    let (alice, decoy) = (author("alice", 1), author("decoy", 2));
    let der = sign(&alice, &[]);
    let (own, other) = (alice.certificate.der(), decoy.certificate.der());
    for bag in [[other, own], [own, other]] {
        let read = DetachedSignature::from_der(&rebuild(&der, &bag, &[], 1)).unwrap();
        assert_eq!(read.certificate().der(), own);
    }
    let refused = DetachedSignature::from_der(&rebuild(&der, &[other], &[], 1));
    assert_eq!(refused.unwrap_err(), DetachedError::NoCertificate { found: 1 });
}

#[test]
fn a_decoy_with_the_signer_s_issuer_and_serial_number_leaves_no_signer() {
    let (alice, twin) = (author("alice", 1), author("alice", 1));
    let bag = [alice.certificate.der(), twin.certificate.der()];
    let der = rebuild(&sign(&alice, &[]), &bag, &[], 1);
    let refused = DetachedSignature::from_der(&der).unwrap_err();
    assert_eq!(refused, DetachedError::TwoCertificates);
}

#[test]
fn an_empty_bag_is_refused() {
    let der = rebuild(&sign(&author("alice", 1), &[]), &[], &[], 1);
    let refused = DetachedSignature::from_der(&der).unwrap_err();
    assert_eq!(refused, DetachedError::NoCertificate { found: 0 });
}

#[test]
fn a_signature_with_a_content_of_its_own_is_refused() {
    let alice = author("alice", 1);
    let content = explicit(0, &octet_string(CONTENT));
    let der = rebuild(&sign(&alice, &[]), &[alice.certificate.der()], &content, 1);
    assert_eq!(DetachedSignature::from_der(&der).unwrap_err(), DetachedError::Attached);
}

#[test]
fn no_signer_and_two_signers_are_refused() {
    let alice = author("alice", 1);
    for found in [0, 2] {
        let der = rebuild(&sign(&alice, &[]), &[alice.certificate.der()], &[], found);
        let refused = DetachedSignature::from_der(&der).unwrap_err();
        assert_eq!(refused, DetachedError::Signers { found });
    }
}

#[test]
fn a_signature_with_something_after_it_or_longer_than_any_is_refused() {
    let mut der = sign(&author("alice", 1), &[]);
    der.push(0);
    let refused = DetachedSignature::from_der(&der).unwrap_err();
    assert_eq!(refused, DetachedError::Malformed { part: "SignedData" });
    let long = tlv(tag::SEQUENCE, &[&integer(1), &vec![0; MAX_SIGNATURE]]);
    assert_eq!(DetachedSignature::from_der(&long).unwrap_err(), DetachedError::TooLong);
}

#[test]
fn a_file_that_is_what_a_signature_of_a_commit_is_made_over_is_known() {
    let der = SignedAttributes::new(&HashAlgorithm::Sha256.digest(CONTENT), now()).to_der();
    assert!(is_signed_attributes(&der));
    assert!(!is_signed_attributes(&der[1..]));
    assert!(!is_signed_attributes(&[der.as_slice(), b"\n"].concat()));
    assert!(!is_signed_attributes(CONTENT));
    assert!(!is_signed_attributes(&set(&[&attribute(SIGNING_TIME, &x509_time(now()))])));
}
