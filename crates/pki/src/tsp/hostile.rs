//! Tokens that differ from a good one in one thing (client specification §7.5, "TSA"), signed by an authority that
//! is trusted.

use crypto::{KeyKind, SigningKey};
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::asn1::{self, tag};
use crate::cms::{self, CONTENT_TYPE, MESSAGE_DIGEST, SIGNED_DATA};
use crate::issue::{self, Issuer, Serial, Validity};
use crate::{Certificate, DistinguishedName};

const SHA256: &str = "2.16.840.1.101.3.4.2.1";

fn start() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

/// A token in the making. Every field is that of a good one until a test changes it.
struct Forgery {
    key: SigningKey,
    chain: Vec<Certificate>,
    status: u64,
    imprint_algorithm: &'static str,
    imprint: Vec<u8>,
    time: &'static str,
    /// What comes after the time: accuracy, nonce, extensions.
    after_time: Vec<u8>,
    content_type: Oid,
    has_signing_certificate: bool,
    signers: usize,
    attribute_repeats: usize,
    /// What is signed is in the unsigned attributes instead.
    only_unsigned: bool,
}

impl Forgery {
    fn new() -> Self {
        let name = |common| DistinguishedName::new("tsa.example", common).unwrap();
        let validity = Validity::starting(start(), SignedDuration::from_hours(24));
        let serial = Serial::from_random([5; 20]);
        let [root_key, key] = [(); 2].map(|()| SigningKey::generate(KeyKind::EcdsaP256).unwrap());
        let root = issue::root(&root_key, &name("root"), validity, serial).unwrap();
        let issuer = Issuer::new(root.clone(), root_key.into()).unwrap();
        let leaf =
            issuer.timestamp_signer(key.public_key(), &name("tsa"), validity, serial).unwrap();
        Self {
            key,
            chain: vec![leaf, root],
            status: 0,
            imprint_algorithm: SHA256,
            imprint: crypto::sha256(b"x").to_vec(),
            time: "20261124100000Z",
            after_time: Vec::new(),
            content_type: TST_INFO,
            has_signing_certificate: true,
            signers: 1,
            attribute_repeats: 1,
            only_unsigned: false,
        }
    }

    fn tst_info(&self) -> Vec<u8> {
        let algorithm = asn1::sequence(&[&asn1::oid(Oid::new_unwrap(self.imprint_algorithm))]);
        asn1::sequence(&[
            &asn1::integer(1),
            &asn1::oid(Oid::new_unwrap("1.2.3")),
            &asn1::sequence(&[&algorithm, &asn1::octet_string(&self.imprint)]),
            &asn1::integer(7),
            &asn1::tlv(tag::GENERALIZED_TIME, &[self.time.as_bytes()]),
            &self.after_time,
        ])
    }

    fn attributes(&self, tst_info: &[u8]) -> Vec<u8> {
        let certificate_hash = asn1::octet_string(&crypto::sha256(self.chain[0].der()));
        let id = asn1::sequence(&[&certificate_hash]);
        let signing_certificate = asn1::sequence(&[&asn1::sequence(&[&id])]);
        let digest = asn1::octet_string(&crypto::sha256(tst_info));
        let content_type = cms::attribute(CONTENT_TYPE, &asn1::oid(TST_INFO));
        let mut attributes = vec![content_type; self.attribute_repeats];
        attributes.push(cms::attribute(MESSAGE_DIGEST, &digest));
        if self.has_signing_certificate {
            attributes.push(cms::attribute(SIGNING_CERTIFICATE_V2, &signing_certificate));
        }
        attributes.concat()
    }

    fn response(&self) -> Vec<u8> {
        let tst_info = self.tst_info();
        let attributes = self.attributes(&tst_info);
        let signature = self.key.sign(&asn1::set(&[&attributes])).unwrap();
        let hash = asn1::sequence(&[&asn1::oid(Oid::new_unwrap(SHA256))]);
        let ecdsa = asn1::sequence(&[&asn1::oid(Oid::new_unwrap("1.2.840.10045.4.3.2"))]);
        let serial = asn1::tlv(tag::INTEGER, &[self.chain[0].serial()]);
        let place = u8::from(self.only_unsigned);
        let attributes = asn1::tlv(tag::constructed(place), &[&attributes]);
        let (before, after): (&[u8], &[u8]) =
            if self.only_unsigned { (&[], &attributes) } else { (&attributes, &[]) };
        let signer = asn1::sequence(&[
            &asn1::integer(1),
            &asn1::sequence(&[self.chain[0].issuer_der(), &serial]),
            &hash,
            before,
            &ecdsa,
            &asn1::octet_string(&signature),
            after,
        ]);
        let content = asn1::explicit(0, &asn1::octet_string(&tst_info));
        let data = asn1::sequence(&[
            &asn1::integer(3),
            &asn1::set(&[&hash]),
            &asn1::sequence(&[&asn1::oid(self.content_type), &content]),
            &asn1::set(&[&vec![signer; self.signers].concat()]),
        ]);
        let token = asn1::sequence(&[&asn1::oid(SIGNED_DATA), &asn1::explicit(0, &data)]);
        let status = asn1::sequence(&[&asn1::integer(self.status)]);
        asn1::sequence(&[&status, &token])
    }

    fn read(&self) -> Result<Token, TokenFormatError> {
        Token::from_der(&self.response())
    }

    fn verify(&self) -> Result<Timestamp, TokenError> {
        let authority = Authority::from_chain(&self.chain).unwrap();
        self.read().unwrap().verify(b"x", &authority).map(|timestamp| timestamp.time)
    }
}

#[test]
fn the_unchanged_token_is_believed() {
    assert_eq!(Forgery::new().verify(), Ok(start()));
}

#[test]
fn only_a_granted_response_is_read() {
    let with = |status| Forgery { status, ..Forgery::new() }.read().map(drop);
    assert_eq!(with(1), Ok(()), "granted with modifications");
    for status in 2..6 {
        assert_eq!(with(status), Err(TokenFormatError::NotGranted { status }));
    }
}

#[test]
fn there_is_exactly_one_signer() {
    for found in [0, 2] {
        let refused = Forgery { signers: found, ..Forgery::new() }.read().map(drop);
        assert_eq!(refused, Err(TokenFormatError::Signers { found }));
    }
}

#[test]
fn the_signing_certificate_must_be_named() {
    let refused = Forgery { has_signing_certificate: false, ..Forgery::new() }.verify();
    assert_eq!(refused, Err(TokenError::Attribute { attribute: "signingCertificate" }));
}

#[test]
fn an_attribute_is_there_once() {
    for attribute_repeats in [0, 2] {
        let refused = Forgery { attribute_repeats, ..Forgery::new() }.verify();
        assert_eq!(refused, Err(TokenError::Attribute { attribute: "contentType" }));
    }
}

#[test]
fn unsigned_attributes_say_nothing() {
    let refused = Forgery { only_unsigned: true, ..Forgery::new() }.read().map(drop);
    assert_eq!(refused, Err(TokenFormatError::Malformed { part: "SignedData" }));
}

#[test]
fn sha_1_is_no_imprint() {
    let sha1 =
        Forgery { imprint_algorithm: "1.3.14.3.2.26", imprint: vec![0; 20], ..Forgery::new() };
    assert_eq!(sha1.read().map(drop), Err(TokenFormatError::Hash));
    let short = Forgery { imprint: vec![0; 31], ..Forgery::new() };
    assert_eq!(short.read().map(drop), Err(TokenFormatError::Hash));
}

#[test]
fn the_imprint_is_that_of_the_message() {
    let refused = Forgery { imprint: crypto::sha256(b"artifact").to_vec(), ..Forgery::new() };
    assert_eq!(refused.verify(), Err(TokenError::Imprint));
}

#[test]
fn what_is_signed_is_a_timestamp() {
    let data = Oid::new_unwrap("1.2.840.113549.1.7.1");
    let refused = Forgery { content_type: data, ..Forgery::new() }.read().map(drop);
    assert_eq!(refused, Err(TokenFormatError::ContentType));
}

#[test]
fn a_time_may_have_a_fraction_and_no_offset() {
    let with = |time| Forgery { time, ..Forgery::new() };
    let fraction = with("20261124100000.5Z").verify().unwrap();
    assert_eq!(fraction, start() + SignedDuration::from_millis(500));
    let malformed = Err(TokenFormatError::Malformed { part: "TSTInfo" });
    for time in ["20261124110000+0100", "20261124100000.50Z", "20261124100060Z"] {
        assert_eq!(with(time).read().map(drop), malformed, "{time}");
    }
    let refused = with("99991231235959Z").verify();
    assert!(matches!(refused, Err(TokenError::Path(_))));
}

#[test]
fn a_huge_accuracy_does_no_harm_and_a_critical_extension_is_refused() {
    let accuracy = asn1::sequence(&[&asn1::unsigned(&[0x7f; 8])]);
    let huge = Forgery { after_time: accuracy, ..Forgery::new() };
    assert_eq!(huge.read().unwrap().accuracy_seconds(), Some(0x7f7f_7f7f_7f7f_7f7f));
    huge.verify().unwrap();

    let extension = |critical: &[u8]| {
        let oid = asn1::oid(Oid::new_unwrap("1.2.3.4"));
        let extension = asn1::sequence(&[&oid, critical, &asn1::octet_string(&[])]);
        let after_time = asn1::tlv(tag::constructed(1), &[&extension]);
        Forgery { after_time, ..Forgery::new() }.verify()
    };
    extension(&[]).unwrap();
    assert_eq!(extension(&asn1::boolean_true()), Err(TokenError::CriticalExtension));
}
