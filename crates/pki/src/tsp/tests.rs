//! Tokens of the existing timestamp authority, and our own, believed and refused.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use crypto::{HashAlgorithm, KeyKind, SigningKey};
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::chain::{PathError, Purpose};
use crate::issue::{self, Issuer, Serial, Validity};
use crate::{Certificate, DistinguishedName};

fn now() -> Timestamp {
    "2026-11-24T10:00:00.9Z".parse().unwrap()
}

struct House {
    signer: TokenSigner,
    chain: Vec<Certificate>,
}

fn house(kind: KeyKind, hash: Option<HashAlgorithm>) -> House {
    let name = |common| DistinguishedName::new("tsa.example", common).unwrap();
    let validity = Validity::starting(now(), SignedDuration::from_hours(24));
    let serial = Serial::from_random([5; 20]);
    let [root_key, key] =
        [KeyKind::EcdsaP384, kind].map(|k| Arc::new(SigningKey::generate(k).unwrap()));
    let root = issue::root(&root_key, &name("root"), validity, serial).unwrap();
    let issuer = Issuer::new(root.clone(), root_key).unwrap();
    let leaf = issuer.timestamp_signer(key.public_key(), &name("tsa"), validity, serial).unwrap();
    let chain = vec![leaf, root];
    let signer = TokenSigner::new(key, chain.clone(), hash, false, now()).unwrap();
    House { signer, chain }
}

fn request(message: &[u8]) -> Request {
    Request::new(HashAlgorithm::Sha256.digest(message), Integer::from_random([0xff; 16]))
}

fn policy() -> Policy {
    Policy::from_dotted("1.3.6.1.4.1.57264.2").unwrap()
}

fn grant(house: &House, request: &Request) -> Vec<u8> {
    house.signer.grant(request, &policy(), now(), [0xab; 20]).unwrap()
}

fn authority(chain: &[Certificate]) -> Authority {
    Authority::from_chain(chain).unwrap()
}

#[test]
fn a_token_of_every_kind_of_key_is_believed() {
    let kinds = [
        KeyKind::EcdsaP256,
        KeyKind::EcdsaP384,
        KeyKind::EcdsaP521,
        KeyKind::Ed25519,
        KeyKind::Rsa { bits: 2048 },
    ];
    for kind in kinds {
        let house = house(kind, None);
        let request = request(b"signature");
        let token = Token::from_der(&grant(&house, &request)).unwrap();
        let verified = token.verify(b"signature", &authority(&house.chain)).unwrap();
        assert_eq!(verified.time.to_string(), "2026-11-24T10:00:00Z", "{kind}: whole seconds");
        token.answers(&request).unwrap();
        assert_eq!(
            token.verify(b"other", &authority(&house.chain)).err(),
            Some(TokenError::Imprint)
        );
    }
}

#[test]
fn the_root_alone_is_enough_where_the_token_has_its_certificate() {
    let house = house(KeyKind::EcdsaP256, None);
    let token = Token::from_der(&grant(&house, &request(b"x"))).unwrap();
    token.verify(b"x", &authority(&house.chain[1..])).unwrap();

    let without = Request { certificates: false, ..request(b"x") };
    let token = Token::from_der(&grant(&house, &without)).unwrap();
    token.verify(b"x", &authority(&house.chain)).unwrap();
    let refused = token.verify(b"x", &authority(&house.chain[1..]));
    assert_eq!(refused.err(), Some(TokenError::UnknownSigner));
}

#[test]
fn another_authority_is_not_believed() {
    let [one, other] = [(); 2].map(|()| house(KeyKind::EcdsaP256, None));
    let token = Token::from_der(&grant(&one, &request(b"x"))).unwrap();
    // Same names and serial numbers: the certificate's hash tells them apart.
    let refused = token.verify(b"x", &authority(&other.chain));
    assert_eq!(refused.err(), Some(TokenError::Attribute { attribute: "signingCertificate" }));
    let refused = token.verify(b"x", &authority(&other.chain[1..]));
    assert!(matches!(refused, Err(TokenError::Path(PathError::Signature { .. }))));
}

#[test]
fn every_changed_byte_is_noticed() {
    let house = house(KeyKind::EcdsaP256, None);
    let good = grant(&house, &request(b"x"));
    let authority = authority(&house.chain);
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let Ok(token) = Token::from_der(&bad) else { continue };
        if let Ok(verified) = token.verify(b"x", &authority) {
            // What is not signed: status, versions, the set of digest algorithms, embedded certificates.
            assert_eq!(verified.path.leaf, house.chain[0], "byte {at}");
            assert_eq!(verified.time.to_string(), "2026-11-24T10:00:00Z", "byte {at}");
        }
    }
}

#[test]
fn a_token_of_another_nonce_or_policy_is_not_the_answer() {
    let house = house(KeyKind::EcdsaP256, None);
    let asked = request(b"x");
    let token = Token::from_der(&grant(&house, &asked)).unwrap();
    let other = |part| Err(TokenError::OtherRequest { part });
    let nonce = Request { nonce: Integer::from_content(&[7]), ..asked.clone() };
    assert_eq!(token.answers(&nonce), other("nonce"));
    let policy = Request { policy: Policy::from_dotted("1.2.3").ok(), ..asked.clone() };
    assert_eq!(token.answers(&policy), other("policy"));
    assert_eq!(token.answers(&request(b"y")), other("imprint"));
}

#[test]
fn refusals_and_trailing_bytes_are_no_tokens() {
    let refusal = rejection(FailInfo::TimeNotAvailable, "the clock is not to be trusted");
    let refused = Token::from_der(&refusal).err();
    assert_eq!(refused, Some(TokenFormatError::NotGranted { status: 2 }));
    let house = house(KeyKind::EcdsaP256, None);
    let longer = [grant(&house, &request(b"x")).as_slice(), &[0]].concat();
    assert!(Token::from_der(&longer).is_err());
    assert_eq!(Token::from_der(&vec![0; MAX_RESPONSE + 1]).err(), Some(TokenFormatError::TooLong));
}

#[test]
fn a_token_from_outside_its_certificates_validity_is_refused() {
    let house = house(KeyKind::EcdsaP256, None);
    let late = now() + SignedDuration::from_hours(25);
    let response = house.signer.grant(&request(b"x"), &policy(), late, [1; 20]).unwrap();
    let refused = Token::from_der(&response).unwrap().verify(b"x", &authority(&house.chain));
    assert!(matches!(refused, Err(TokenError::Path(PathError::Validity { .. }))));
}

#[test]
fn a_hash_that_the_key_does_not_sign_with_is_refused_at_the_start() {
    let House { chain, .. } = house(KeyKind::EcdsaP256, None);
    let key = Arc::new(SigningKey::generate(KeyKind::EcdsaP256).unwrap());
    let refused = TokenSigner::new(key, chain, None, false, now()).err();
    assert_eq!(refused, Some(SignerError::KeyMismatch));
    assert_eq!(Purpose::TimeStamping.to_string(), "time stamping");
}

#[test]
fn golden_tsa_tokens_of_the_existing_server_verify() {
    let Some(configurations) = testdata::path("tsa") else { return };
    let mut verified = 0;
    for configuration in ["p256", "p384-chain", "rsa"] {
        let directory = configurations.join(configuration);
        let chain = fs::read(directory.join("chain.pem")).unwrap();
        let chain = Certificate::chain_from_pem(&chain, 5).unwrap();
        for case in fs::read_dir(directory).unwrap() {
            let case: PathBuf = case.unwrap().path();
            let Ok(reply) = fs::read(case.join("reply.der")) else { continue };
            let token = Token::from_der(&reply).unwrap();
            token.verify_digest(token.imprint(), &authority(&chain)).unwrap();
            if let Ok(request) = fs::read(case.join("request.der")) {
                token.answers(&Request::from_der(&request).unwrap()).unwrap();
            }
            verified += 1;
        }
    }
    testdata::report(&format!(
        "golden tsa tokens read: {verified} cases, {verified} equal, 0 exceptions"
    ));
}
