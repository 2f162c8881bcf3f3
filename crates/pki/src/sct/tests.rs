//! What certificate-transparency-go and tessera made of Fulcio-like certificates, made again.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::*;

fn read(path: &Path, name: &str) -> Option<Vec<u8>> {
    fs::read(path.join(name)).ok()
}

fn hex_of(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap_or_default()).unwrap()
}

/// The entry of the first certificate of a submission.
fn entry(chain: &[Certificate]) -> Result<Entry, EntryError> {
    if is_precertificate(&chain[0])? {
        Entry::of_precertificate(&chain[0], &chain[1])
    } else {
        Ok(Entry::X509(chain[0].der().to_vec()))
    }
}

#[test]
fn golden_ct_signed_bytes_and_leaves_are_those_of_the_existing_log() {
    let Some(cases) = testdata::path("ct/entries") else { return };
    let mut equal = 0;
    for case in fs::read_dir(cases).unwrap() {
        let path = case.unwrap().path();
        // Its issuer is replaced in the entry; logs may refuse such certificates, and ours does.
        if path.ends_with("precert-signing-certificate") {
            continue;
        }
        let name = path.display();
        let chain = Certificate::chain_from_pem(&read(&path, "chain.pem").unwrap(), 10).unwrap();
        let expect: Value = serde_json::from_slice(&read(&path, "expect.json").unwrap()).unwrap();
        let time = expect["timestamp"].as_u64().unwrap();
        let entry = entry(&chain).unwrap();
        for form in ["rfc6962", "staticCt"] {
            let form = &expect[form];
            let extensions = form["leafIndex"].as_u64().map(leaf_index_extension);
            let extensions = extensions.unwrap_or_default();
            assert_eq!(extensions, hex_of(&form["extensions"]), "{name}");
            assert_eq!(entry.signed_bytes(time, &extensions), hex_of(&form["sctSignedBytes"]));
            assert_eq!(entry.merkle_tree_leaf(time, &extensions), hex_of(&form["merkleTreeLeaf"]));
        }
        equal += 1;
    }
    testdata::report(&format!(
        "golden ct entries signed: {equal} cases, {equal} equal, 0 exceptions"
    ));
}

#[test]
fn golden_ct_timestamps_of_the_existing_log_verify() {
    let Some(cases) = testdata::path("ct/entries") else { return };
    let mut verified = 0;
    for case in fs::read_dir(cases).unwrap() {
        let path = case.unwrap().path();
        let Some(text) = read(&path, "sct.der.hex") else { continue };
        let bytes = hex::decode(text.trim_ascii()).unwrap();
        let sct = Sct::decode(&bytes).unwrap();
        assert_eq!(sct.encode(), bytes);
        let key = PublicKey::from_pem(&read(&path, "log.pub.pem").unwrap()).unwrap();
        let chain = Certificate::chain_from_pem(&read(&path, "chain.pem").unwrap(), 10).unwrap();
        let precertificate = entry(&chain).unwrap();
        sct.verify(&precertificate, &key).unwrap();

        let finished = Certificate::from_pem(&read(&path, "final.pem").unwrap()).unwrap();
        assert_eq!(embedded(&finished).unwrap(), std::slice::from_ref(&sct));
        assert_eq!(Entry::of_final(&finished, &chain[1]), Ok(precertificate.clone()));
        let extension = finished.extension(crate::oid::SCT_LIST).unwrap();
        assert_eq!(extension.value, list_extension_value(std::slice::from_ref(&sct)));

        let wrong_issuer = Entry::of_final(&finished, &chain[2]).unwrap();
        sct.verify(&wrong_issuer, &key).unwrap_err();
        verified += 1;
    }
    testdata::report(&format!(
        "golden ct timestamps: {verified} cases, {verified} equal, 0 exceptions"
    ));
}

#[test]
fn a_log_promises_the_position_it_gives() {
    assert_eq!(hex::encode(leaf_index_extension(14)), "000005000000000e");
    let key = SigningKey::generate(KeyKind::EcdsaP256).unwrap();
    let entry = Entry::X509(b"certificate".to_vec());
    let sct = Sct::sign(&key, &entry, 1_795_356_577_133, leaf_index_extension(14)).unwrap();
    assert_eq!(sct.leaf_index(), Some(14));
    assert_eq!(Sct::decode(&sct.encode()), Ok(sct.clone()));
    sct.verify(&entry, key.public_key()).unwrap();
    let other = Entry::X509(b"another".to_vec());
    sct.verify(&other, key.public_key()).unwrap_err();
    let later = Sct { timestamp_ms: sct.timestamp_ms + 1, ..sct };
    later.verify(&entry, key.public_key()).unwrap_err();
}

#[test]
fn only_version_1_with_sha_256_and_nothing_after_it_is_a_timestamp() {
    let key = SigningKey::generate(KeyKind::EcdsaP256).unwrap();
    let entry = Entry::X509(Vec::new());
    let good = Sct::sign(&key, &entry, 7, Vec::new()).unwrap().encode();
    let changed = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        Sct::decode(&bytes)
    };
    changed(0, 0).unwrap();
    changed(0, 1).unwrap_err();
    // version, log id, time and the length of the extensions
    let algorithm = 1 + 32 + 8 + 2;
    changed(algorithm, 2).unwrap_err();
    changed(algorithm + 1, 2).unwrap_err();
    Sct::decode(&[good.as_slice(), &[0]].concat()).unwrap_err();
    Sct::decode(&good[..good.len() - 1]).unwrap_err();
}

#[test]
fn keys_that_clients_do_not_take_are_refused() {
    for kind in [KeyKind::Ed25519, KeyKind::EcdsaP384] {
        let key = SigningKey::generate(kind).unwrap();
        let refused = Sct::sign(&key, &Entry::X509(Vec::new()), 7, Vec::new());
        assert_eq!(refused, Err(SigningKeyError::Scheme));
    }
}

#[test]
fn a_precertificate_has_a_critical_null_poison_and_no_timestamps() {
    use crate::asn1::tag;
    use crate::issue::profile::{self, Template};
    use crate::issue::{Serial, Validity};
    use crate::{DistinguishedName, oid};

    let key = SigningKey::generate(KeyKind::EcdsaP256).unwrap();
    let name = DistinguishedName::new("test", "x").unwrap();
    let start = "2026-11-24T10:00:00Z".parse().unwrap();
    let with = |extensions: &[Vec<u8>]| {
        let template = Template {
            serial: Serial::from_random([7; 20]),
            issuer: name.der(),
            validity: Validity::starting(start, jiff::SignedDuration::from_hours(1)),
            subject: name.der(),
            spki: key.public_key().spki_der(),
        };
        template.sign(extensions, &key).unwrap()
    };
    let poison = |critical, value: &[u8]| profile::extension(oid::POISON, critical, value);
    let good = poison(true, &[tag::NULL, 0]);
    let list = profile::extension(oid::SCT_LIST, false, &list_extension_value(&[]));
    let of = |extensions: &[Vec<u8>]| {
        let certificate = with(extensions);
        Entry::of_precertificate(&certificate, &certificate).map(drop)
    };
    assert_eq!(of(std::slice::from_ref(&good)), Ok(()));
    assert_eq!(of(&[poison(false, &[tag::NULL, 0])]), Err(EntryError::Poison));
    assert_eq!(of(&[poison(true, &[1, 1, 0xff])]), Err(EntryError::Poison));
    assert_eq!(of(&[poison(true, &[tag::NULL, 0, 0])]), Err(EntryError::Poison));
    assert_eq!(of(&[good.clone(), list.clone()]), Err(EntryError::NotPrecertificate));
    let final_certificate = with(std::slice::from_ref(&list));
    assert!(Entry::of_final(&final_certificate, &final_certificate).is_ok());
    embedded(&final_certificate).unwrap_err();
    let both = with(&[good, list]);
    assert_eq!(Entry::of_final(&both, &both).map(drop), Err(EntryError::NotFinal));
}
