//! Certification paths held against rustls-webpki, an independent implementation of RFC 5280 §6: whatever bit of a
//! chain is changed, what is accepted here is accepted there.
//!
//! The other direction does not hold, and need not: webpki does not look at key usage, for instance.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pki::Certificate;
use pki::chain::{Purpose, verify_path};
use rustls_pki_types::{CertificateDer, UnixTime};

/// The contents of the DER of `id-kp-codeSigning`.
const CODE_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 3];

/// A chain, leaf first and root last.
type Chain = Vec<Vec<u8>>;

fn ours(chain: &Chain, time: Timestamp) -> bool {
    let read: Result<Vec<Certificate>, _> =
        chain.iter().map(|der| Certificate::from_der(der)).collect();
    let Ok(read) = read else { return false };
    let [leaf, intermediates @ .., root] = read.as_slice() else { return false };
    let anchors = std::slice::from_ref(root);
    verify_path(leaf, intermediates, anchors, time, Purpose::CodeSigning).is_ok()
}

fn theirs(chain: &Chain, time: Timestamp) -> bool {
    let ders: Vec<CertificateDer<'_>> =
        chain.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
    let [leaf, intermediates @ .., root] = ders.as_slice() else { return false };
    let Ok(leaf) = webpki::EndEntityCert::try_from(leaf) else { return false };
    let Ok(anchor) = webpki::anchor_from_trusted_cert(root) else { return false };
    let anchors = [anchor];
    let seconds = u64::try_from(time.as_second()).unwrap();
    let verdict = leaf.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &anchors,
        intermediates,
        UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
        webpki::KeyUsage::required_if_present(CODE_SIGNING),
        None,
        None,
    );
    verdict.map(drop).is_ok()
}

/// Final certificates of an existing Fulcio, with their issuers.
fn chains() -> Option<Vec<(Chain, Timestamp)>> {
    let cases = testdata::path("ct/entries")?;
    let mut chains = Vec::new();
    for case in fs::read_dir(cases).unwrap() {
        let path = case.unwrap().path();
        let Ok(leaf) = fs::read(path.join("final.pem")) else { continue };
        let leaf = Certificate::from_pem(&leaf).unwrap();
        let issuers = fs::read(path.join("chain.pem")).unwrap();
        let issuers = Certificate::chain_from_pem(&issuers, 5).unwrap().split_off(1);
        let time = leaf.not_before();
        let chain = std::iter::once(leaf).chain(issuers).map(|c| c.der().to_vec()).collect();
        chains.push((chain, time));
    }
    Some(chains)
}

#[test]
fn both_accept_what_an_existing_authority_issued_exactly_while_it_is_valid() {
    let Some(chains) = chains() else { return };
    for (chain, start) in &chains {
        for (offset, expected) in [(-1, false), (0, true), (600, true), (601, false)] {
            let time = *start + SignedDuration::from_secs(offset);
            assert_eq!(ours(chain, time), expected, "{offset}");
            assert_eq!(theirs(chain, time), expected, "{offset}");
        }
    }
    testdata::report(&format!("paths: {} chains judged alike by webpki", chains.len()));
}

#[test]
fn no_changed_bit_is_accepted_here_and_refused_there() {
    let Some(chains) = chains() else { return };
    let (chain, time) = chains.first().unwrap();
    let (mut changed, mut accepted) = (0, 0);
    for position in 0..chain.len() {
        for at in 0..chain[position].len() {
            for bit in [0x01, 0x20, 0x80] {
                let mut bad = chain.clone();
                bad[position][at] ^= bit;
                changed += 1;
                if ours(&bad, *time) {
                    accepted += 1;
                    assert!(theirs(&bad, *time), "certificate {position}, byte {at}, bit {bit}");
                    // The root is trusted as it was given: its signature on itself is not looked at.
                    assert_eq!(position, chain.len() - 1, "byte {at}, bit {bit}");
                }
            }
        }
    }
    testdata::report(&format!(
        "paths: {changed} changed bits, {accepted} of them (in the root) accepted, by both"
    ));
}
