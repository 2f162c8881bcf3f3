//! Keys that are weak or odd, and proofs of possession that prove nothing.

use crypto::{HashAlgorithm, KeyKind, PublicKeyError, Scheme, SigningKey, encode_pem};
use pki::asn1::{self, tag};
use pki::csr::CsrError;
use pki::{Certificate, GeneralName, Oid};
use serde_json::json;
use services::ca::{ClientKeyError, IssueError, ProofError, ProofOfPossession};

use crate::authority::{CLIENT_KEY, TOKEN_KEY, World, alice, alice_but, token};

const ALICE: &str = "alice@example.com";

/// Asks with a key and a signature.
async fn challenge(key: &[u8], signature: &[u8]) -> Result<Certificate, ProofError> {
    ask(ProofOfPossession::Challenge { public_key: key, signature }).await
}

async fn ask(proof: ProofOfPossession<'_>) -> Result<Certificate, ProofError> {
    match World::new().ask(&token(&alice()), proof).await {
        Ok(issued) => Ok(Certificate::from_pem(issued.chain[0].as_bytes()).unwrap()),
        Err(IssueError::Proof(error)) => Err(error),
        Err(other) => panic!("{other:?}"),
    }
}

fn client_pem() -> Vec<u8> {
    CLIENT_KEY.public_key().to_pem().into_bytes()
}

async fn unsigned(signature: &[u8]) {
    assert_eq!(challenge(&client_pem(), signature).await.unwrap_err(), ProofError::Signature);
}

#[tokio::test]
pub(super) async fn a_signature_of_another_curve_is_refused() {
    let other = SigningKey::generate(KeyKind::EcdsaP384).unwrap();
    unsigned(&other.sign(ALICE.as_bytes()).unwrap()).await;
    unsigned(&CLIENT_KEY.sign(b"").unwrap()).await;
    challenge(&client_pem(), &CLIENT_KEY.sign(ALICE.as_bytes()).unwrap()).await.unwrap();
}

/// The two numbers of a P-256 signature, each of 32 bytes.
fn numbers(der: &[u8]) -> ([u8; 32], [u8; 32]) {
    let mut reader = asn1::Reader::only(der, tag::SEQUENCE).unwrap();
    let mut number = || {
        let content = reader.integer().unwrap().content();
        let digits: Vec<u8> = content.iter().copied().skip_while(|byte| *byte == 0).collect();
        let mut number = [0; 32];
        number[32 - digits.len()..].copy_from_slice(&digits);
        number
    };
    (number(), number())
}

fn signature_of(r: &[u8], s: &[u8]) -> Vec<u8> {
    asn1::sequence(&[&asn1::unsigned(r), &asn1::unsigned(s)])
}

#[tokio::test]
pub(super) async fn a_signature_that_is_not_canonical_der_is_refused() {
    let good = CLIENT_KEY.sign(ALICE.as_bytes()).unwrap();
    let (r, s) = numbers(&good);
    let padded = asn1::tlv(tag::INTEGER, &[&[0, 0], &r]);
    unsigned(&asn1::sequence(&[&padded, &asn1::unsigned(&s)])).await;
    // A length in the long form, and bytes after the end.
    let long = [&[0x30, 0x81, good[1]], &good[2..]].concat();
    unsigned(&long).await;
    unsigned(&[good.as_slice(), &[0, 0]].concat()).await;
    challenge(&client_pem(), &good).await.unwrap();
}

/// The order of P-256, less a number below it.
fn negated(s: &[u8; 32]) -> [u8; 32] {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
        0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let mut difference = [0; 32];
    let mut borrow = 0;
    for at in (0..32).rev() {
        let digit = i16::from(ORDER[at]) - i16::from(s[at]) - borrow;
        borrow = i16::from(digit < 0);
        difference[at] = u8::try_from(digit.rem_euclid(256)).unwrap();
    }
    difference
}

#[tokio::test]
pub(super) async fn either_of_the_two_s_proves_possession() {
    let (r, s) = numbers(&CLIENT_KEY.sign(ALICE.as_bytes()).unwrap());
    challenge(&client_pem(), &signature_of(&r, &s)).await.unwrap();
    challenge(&client_pem(), &signature_of(&r, &negated(&s))).await.unwrap();
    unsigned(&signature_of(&negated(&r), &s)).await;
}

#[tokio::test]
pub(super) async fn a_signature_with_a_zero_is_refused() {
    let (r, s) = numbers(&CLIENT_KEY.sign(ALICE.as_bytes()).unwrap());
    for (r, s) in [(&[0][..], &s[..]), (&r, &[0]), (&[0], &[0])] {
        unsigned(&signature_of(r, s)).await;
    }
    unsigned(&[0; 64]).await;
    unsigned(&[]).await;
    challenge(&client_pem(), &signature_of(&r, &s)).await.unwrap();
}

/// `AlgorithmIdentifier`, then the key: a `SubjectPublicKeyInfo`.
fn spki(algorithm: &[&[u8]], key: &[u8]) -> Vec<u8> {
    asn1::sequence(&[&asn1::sequence(algorithm), &asn1::bit_string(key)])
}

fn oid(text: &str) -> Vec<u8> {
    asn1::oid(Oid::new_unwrap(text))
}

const EC: &str = "1.2.840.10045.2.1";
const P256: &str = "1.2.840.10045.3.1.7";

async fn refused_key(spki: &[u8]) -> ProofError {
    let signature = CLIENT_KEY.sign(ALICE.as_bytes()).unwrap();
    challenge(encode_pem("PUBLIC KEY", spki).as_bytes(), &signature).await.unwrap_err()
}

async fn accepted_point(algorithm: &[&[u8]]) {
    let signature = CLIENT_KEY.sign(ALICE.as_bytes()).unwrap();
    let good = spki(algorithm, CLIENT_KEY.public_key().raw());
    challenge(encode_pem("PUBLIC KEY", &good).as_bytes(), &signature).await.unwrap();
}

#[tokio::test]
pub(super) async fn the_point_at_infinity_is_no_key() {
    let (ec, curve) = (oid(EC), oid(P256));
    let infinity = refused_key(&spki(&[&ec, &curve], &[0])).await;
    assert_eq!(infinity, ProofError::PublicKey(PublicKeyError::Malformed));
    let origin = refused_key(&spki(&[&ec, &curve], &[&[4][..], &[0; 64]].concat())).await;
    assert_eq!(origin, ProofError::PublicKey(PublicKeyError::NotOnCurve));
    accepted_point(&[&ec, &curve]).await;
}

#[tokio::test]
pub(super) async fn a_compressed_point_is_refused() {
    let (ec, curve) = (oid(EC), oid(P256));
    let point = CLIENT_KEY.public_key().raw();
    let compressed = [&[2 | (point[64] & 1)], &point[1..33]].concat();
    let error = refused_key(&spki(&[&ec, &curve], &compressed)).await;
    assert_eq!(error, ProofError::PublicKey(PublicKeyError::Malformed));
    accepted_point(&[&ec, &curve]).await;
}

#[tokio::test]
pub(super) async fn a_curve_that_is_spelt_out_is_refused() {
    let (ec, curve) = (oid(EC), oid(P256));
    let explicit = asn1::sequence(&[&asn1::integer(1), &asn1::sequence(&[])]);
    let error = refused_key(&spki(&[&ec, &explicit], CLIENT_KEY.public_key().raw())).await;
    assert_eq!(error, ProofError::PublicKey(PublicKeyError::Malformed));
    let error = refused_key(&spki(&[&ec], CLIENT_KEY.public_key().raw())).await;
    assert_eq!(error, ProofError::PublicKey(PublicKeyError::Malformed));
    accepted_point(&[&ec, &curve]).await;
}

/// An RSA key as PKCS#1 PEM.
fn rsa(modulus: &[u8], exponent: u64) -> Vec<u8> {
    let key = asn1::sequence(&[&asn1::unsigned(modulus), &asn1::integer(exponent)]);
    encode_pem("RSA PUBLIC KEY", &key).into_bytes()
}

async fn insecure(key: &[u8]) -> ClientKeyError {
    match challenge(key, &[1; 256]).await.unwrap_err() {
        ProofError::Insecure(error) => error,
        other => panic!("{other:?}"),
    }
}

/// The key of the issuer serves as a client's, because it is there.
async fn accepted_rsa() {
    let modulus = TOKEN_KEY.public_key().rsa_modulus().unwrap();
    let scheme = Scheme::RsaPkcs1(HashAlgorithm::Sha256);
    let signature = TOKEN_KEY.sign_with(scheme, ALICE.as_bytes()).unwrap();
    challenge(&rsa(modulus, 65_537), &signature).await.unwrap();
}

#[tokio::test]
pub(super) async fn an_rsa_key_with_another_exponent_is_insecure() {
    let modulus = TOKEN_KEY.public_key().rsa_modulus().unwrap();
    for exponent in [1, 2, 3, 17, 65_536, 65_539] {
        assert_eq!(insecure(&rsa(modulus, exponent)).await, ClientKeyError::Exponent, "{exponent}");
    }
    accepted_rsa().await;
}

#[tokio::test]
pub(super) async fn an_rsa_key_of_another_size_is_insecure() {
    for bits in [512, 1024, 2047, 2049, 8192, 16_384] {
        let mut modulus = vec![0xff; usize::div_ceil(bits, 8)];
        modulus[0] = u8::try_from(0xff_usize >> (modulus.len() * 8 - bits)).unwrap();
        let found = insecure_or_unreadable(&rsa(&modulus, 65_537)).await;
        assert_eq!(found, ClientKeyError::Size, "{bits}");
    }
    accepted_rsa().await;
}

async fn insecure_or_unreadable(key: &[u8]) -> ClientKeyError {
    insecure(key).await
}

#[tokio::test]
pub(super) async fn other_curves_are_refused() {
    let p224 = refused_key(&spki(&[&oid(EC), &oid("1.3.132.0.33")], &[4; 57])).await;
    assert_eq!(p224, ProofError::Insecure(ClientKeyError::Size));
    let secp256k1 = refused_key(&spki(&[&oid(EC), &oid("1.3.132.0.10")], &[4; 65])).await;
    assert!(matches!(secp256k1, ProofError::PublicKey(PublicKeyError::Unsupported(_))));
    accepted_point(&[&oid(EC), &oid(P256)]).await;
}

#[tokio::test]
pub(super) async fn a_key_for_pss_only_is_refused() {
    let key = asn1::sequence(&[
        &asn1::unsigned(TOKEN_KEY.public_key().rsa_modulus().unwrap()),
        &asn1::integer(65_537),
    ]);
    let error = refused_key(&spki(&[&oid("1.2.840.113549.1.1.10")], &key)).await;
    assert!(matches!(error, ProofError::PublicKey(PublicKeyError::Unsupported(_))));
    accepted_rsa().await;
}

/// A signing request by [`CLIENT_KEY`] that asks for a certificate authority in the name of Mallory.
fn greedy_request() -> Vec<u8> {
    let authority = asn1::sequence(&[&asn1::boolean_true()]);
    let mallory = asn1::sequence(&[&asn1::tlv(0x81, &[b"mallory@example.com"])]);
    let extension = |name: &str, value: &[u8]| {
        asn1::sequence(&[&oid(name), &asn1::boolean_true(), &asn1::octet_string(value)])
    };
    let extensions =
        asn1::sequence(&[&extension("2.5.29.19", &authority), &extension("2.5.29.17", &mallory)]);
    let attribute = asn1::sequence(&[&oid("1.2.840.113549.1.9.14"), &asn1::set(&[&extensions])]);
    let common_name =
        asn1::sequence(&[&oid("2.5.4.3"), &asn1::tlv(tag::UTF8_STRING, &[b"mallory@example.com"])]);
    let subject = asn1::sequence(&[&asn1::set(&[&common_name])]);
    let info = asn1::sequence(&[
        &asn1::integer(0),
        &subject,
        CLIENT_KEY.public_key().spki_der(),
        &asn1::tlv(tag::constructed(0), &[&attribute]),
    ]);
    let algorithm = asn1::sequence(&[&oid("1.2.840.10045.4.3.2")]);
    let signature = CLIENT_KEY.sign(&info).unwrap();
    asn1::sequence(&[&info, &algorithm, &asn1::bit_string(&signature)])
}

fn request_pem(der: &[u8]) -> Vec<u8> {
    encode_pem("CERTIFICATE REQUEST", der).into_bytes()
}

#[tokio::test]
pub(super) async fn what_a_signing_request_asks_for_is_ignored() {
    let request = greedy_request();
    let trailing = request_pem(&[request.as_slice(), &[0]].concat());
    let error = ask(ProofOfPossession::SigningRequest(&trailing)).await.unwrap_err();
    assert_eq!(error, ProofError::SigningRequest(CsrError::Malformed));
    let certificate = ask(ProofOfPossession::SigningRequest(&request_pem(&request))).await.unwrap();
    assert!(!certificate.is_ca());
    assert_eq!(certificate.sans(), [GeneralName::Email(ALICE.to_owned())]);
    assert_eq!(certificate.subject_der(), [0x30, 0]);
}

#[tokio::test]
pub(super) async fn a_signature_over_somebody_elses_name_is_refused() {
    for name in ["mallory@example.com", "u1", "Alice@example.com", "alice@example.com "] {
        unsigned(&CLIENT_KEY.sign(name.as_bytes()).unwrap()).await;
    }
    challenge(&client_pem(), &CLIENT_KEY.sign(ALICE.as_bytes()).unwrap()).await.unwrap();
}

/// A signing request binds no token: whoever sends somebody else's gets a certificate in his own name, for a
/// key that he does not have.
#[tokio::test]
pub(super) async fn a_replayed_signing_request_names_the_holder_of_the_token() {
    let world = World::new();
    let request = request_pem(&greedy_request());
    for name in [ALICE, "bob@example.com"] {
        let token = token(&alice_but(&json!({ "email": name })));
        let issued = world.ask(&token, ProofOfPossession::SigningRequest(&request)).await.unwrap();
        let certificate = Certificate::from_pem(issued.chain[0].as_bytes()).unwrap();
        assert_eq!(certificate.sans(), [GeneralName::Email(name.to_owned())]);
        assert_eq!(certificate.spki_der(), CLIENT_KEY.public_key().spki_der());
    }
}
