//! Signatures that are another form of a good one.

use crypto::{HashAlgorithm, KeyKind, Scheme, SigningKey};
use entries::EntryError;
use serde_json::Value;

use crate::proposal::{admit, base64, refusal};

/// The order of Ed25519's base point, little-endian (RFC 8032 §5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn ed25519ph(signature: impl Fn(Vec<u8>) -> Vec<u8>) -> Value {
    let key = SigningKey::generate(KeyKind::Ed25519).unwrap();
    let digest = HashAlgorithm::Sha512.digest(b"artifact");
    let signature = signature(key.sign_with(Scheme::Ed25519ph, b"artifact").unwrap());
    wire::rekor_v1::propose_hashedrekord(&digest, &signature, &key.public_key().to_pem())
}

/// Adds the order to the second half, which names the same number modulo the order.
fn not_reduced(mut signature: Vec<u8>) -> Vec<u8> {
    let mut carry = 0;
    for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    signature
}

#[test]
fn an_ed25519_signature_whose_number_is_not_reduced_is_refused() {
    assert!(admit(&ed25519ph(|signature| signature)).is_ok());
    assert!(matches!(refusal(&ed25519ph(not_reduced)), EntryError::Signature));
}

#[test]
fn an_ecdsa_signature_with_bytes_after_it_is_refused() {
    let key = crate::proposal::key();
    let mut proposed = crate::proposal::hashedrekord(&key);
    assert!(admit(&proposed).is_ok());
    let signature = key.sign(b"artifact").unwrap();
    let place = &mut proposed["spec"]["signature"]["content"];
    *place = base64([&signature[..], &[0]].concat()).into();
    assert!(matches!(refusal(&proposed), EntryError::Signature));
}

#[test]
fn a_signature_of_zeros_is_refused() {
    let mut proposed = crate::proposal::hashedrekord(&crate::proposal::key());
    for zeros in [vec![0; 64], vec![0x30, 6, 2, 1, 0, 2, 1, 0], vec![0; 2]] {
        proposed["spec"]["signature"]["content"] = base64(zeros).into();
        assert!(matches!(refusal(&proposed), EntryError::Signature));
    }
}
