//! Certificates that are not valid, not vouched for, or not in public.

use std::sync::Arc;

use crypto::{KeyKind, SigningKey, random_array};
use jiff::SignedDuration;
use pki::chain::{PathError, Purpose};
use pki::fulcio::San;
use pki::issue::{Issuer, Serial, Validity};
use pki::sct::SctError;
use pki::{Certificate, DistinguishedName};
use verify::{CertifyError, MaterialError, VerifyError, danger};
use wire::bundle::{MediaType, SignerMaterial};
use wire::trusted_root::TimeRange;

use super::{accepted, ask, assert_refused, policy, refusal};
use crate::sigstore::{
    Api, ISSUER, NAME, Signer, Sigstore, authority, began, contents, issued, signed,
};

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

#[test]
pub(super) fn a_signature_outside_the_certificate_s_validity_is_refused() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    let last = signer.certificate.not_after();
    // By a log's promise.
    let mut bundle = sigstore.sign(&signer, Api::V1);
    accepted(&bundle, &sigstore.trust);
    for (time, valid) in [(last, true), (last + seconds(1), false), (issued() - seconds(1), false)]
    {
        let entry = &mut bundle.material.entries[0];
        entry.integrated_time = time.as_second();
        let promise = sigstore.promise(&bundle.material.entries[0]);
        bundle.material.entries[0].inclusion_promise = Some(promise);
        check_validity(&sigstore, &bundle, valid);
    }
    // By a timestamp authority, even beside another one that saw it in time.
    let mut bundle = sigstore.sign(&signer, Api::V2);
    for (time, valid) in [(last, true), (last + seconds(1), false), (issued() - seconds(1), false)]
    {
        let late = sigstore.timestamp(bundle.content.signature(), time);
        bundle.material.timestamps.truncate(1);
        bundle.material.timestamps.push(late);
        check_validity(&sigstore, &bundle, valid);
    }
}

fn check_validity(sigstore: &Sigstore, bundle: &wire::bundle::Bundle, valid: bool) {
    if valid {
        accepted(bundle, &sigstore.trust);
    } else {
        assert_refused!(
            refusal(bundle, &sigstore.trust),
            VerifyError::Certificate(CertifyError::Validity { .. })
        );
    }
}

/// A second certificate of the intermediate authority: same name, same key, valid only until `end`.
fn intermediate_until(sigstore: &Sigstore, end: jiff::Timestamp) -> (Issuer, Certificate) {
    let key = Arc::new(SigningKey::generate(KeyKind::EcdsaP256).expect("a key"));
    let name = DistinguishedName::new("example", "another intermediate").expect("a name");
    let make = |validity| {
        let serial = Serial::from_random(random_array());
        let purpose = Purpose::CodeSigning;
        sigstore.root.intermediate(key.public_key(), &name, purpose, validity, serial)
    };
    let long = make(Validity::starting(began(), seconds(3600 * 24 * 300))).expect("it is good");
    let short = make(Validity::starting(began(), end.duration_since(began()))).expect("it is good");
    (Issuer::new(long, key).expect("the key is the certificate's"), short)
}

#[test]
pub(super) fn an_intermediate_that_has_expired_is_refused() {
    let sigstore = Sigstore::new();
    for (end, valid) in [(signed() + seconds(60), true), (signed() - seconds(60), false)] {
        let (issuer, listed) = intermediate_until(&sigstore, end);
        let key = SigningKey::generate(KeyKind::EcdsaP256).expect("a key");
        let says = contents(&San::Email(NAME.into()), ISSUER);
        let certificate = sigstore.certify(&issuer, &key, &says, issued());
        let mut trust = sigstore.trust.clone();
        let chain = [&listed, sigstore.root.certificate()].map(|c| c.der().to_vec());
        trust.certificate_authorities = vec![authority("ca.example", chain.to_vec())];
        let bundle = sigstore.sign(&Signer { key, certificate }, Api::V2);
        if valid {
            accepted(&bundle, &trust);
            continue;
        }
        let without_logs = danger::ignore_transparency_logs(policy());
        for policy in [policy(), without_logs] {
            assert_refused!(
                ask(&bundle, &policy, &trust).expect_err("the intermediate has expired"),
                VerifyError::Certificate(CertifyError::Path(PathError::Validity { .. }))
            );
        }
    }
}

#[test]
pub(super) fn an_authority_outside_of_the_times_for_which_it_is_trusted_is_refused() {
    let sigstore = Sigstore::new();
    let bundle = sigstore.sign(&sigstore.signer(), Api::V2);
    let mut trust = sigstore.trust.clone();
    trust.certificate_authorities[0].valid_for.end = Some(signed());
    accepted(&bundle, &trust);
    let before = TimeRange { start: began(), end: Some(signed() - seconds(1)) };
    for range in [before, TimeRange::since(signed() + seconds(1))] {
        trust.certificate_authorities[0].valid_for = range;
        assert_refused!(
            refusal(&bundle, &trust),
            VerifyError::Certificate(CertifyError::AuthorityValidity { .. })
        );
    }
}

#[test]
pub(super) fn an_authority_that_the_trusted_root_does_not_name_is_refused() {
    let (ours, theirs) = (Sigstore::new(), Sigstore::new());
    let bundle = ours.sign(&ours.signer(), Api::V2);
    accepted(&bundle, &ours.trust);
    let mut trust = ours.trust.clone();
    trust.certificate_authorities = theirs.trust.certificate_authorities.clone();
    // Same names, other keys.
    assert_refused!(
        refusal(&bundle, &trust),
        VerifyError::Certificate(CertifyError::Path(
            PathError::Signature { .. } | PathError::UnknownIssuer { .. }
        ))
    );
    // Both, in either order: the one that vouches is found.
    trust.certificate_authorities.extend(ours.trust.certificate_authorities.clone());
    accepted(&bundle, &trust);
    trust.certificate_authorities.reverse();
    accepted(&bundle, &trust);
}

#[test]
pub(super) fn a_certificate_log_outside_of_the_times_for_which_it_is_trusted_is_refused() {
    let sigstore = Sigstore::new();
    let bundle = sigstore.sign(&sigstore.signer(), Api::V2);
    let mut trust = sigstore.trust.clone();
    trust.ctlogs[0].valid_for.end = Some(issued());
    accepted(&bundle, &trust);
    trust.ctlogs[0].valid_for.end = Some(issued() - seconds(1));
    assert_refused!(
        refusal(&bundle, &trust),
        VerifyError::Certificate(CertifyError::Sct(SctError::Validity { .. }))
    );
}

#[test]
pub(super) fn a_certificate_that_no_log_knows_is_refused_unless_that_was_asked_for() {
    let (ours, theirs) = (Sigstore::new(), Sigstore::new());
    let bundle = ours.sign(&ours.signer(), Api::V2);
    accepted(&bundle, &ours.trust);
    let mut trust = ours.trust.clone();
    let loose = danger::ignore_certificate_logs(policy());
    trust.ctlogs = theirs.trust.ctlogs.clone();
    assert_refused!(
        refusal(&bundle, &trust),
        VerifyError::Certificate(CertifyError::Sct(SctError::UnknownLog))
    );
    ask(&bundle, &loose, &trust).expect("certificate logs are not asked");
    trust.ctlogs.clear();
    assert_refused!(refusal(&bundle, &trust), VerifyError::Certificate(CertifyError::NoCtLog));
    ask(&bundle, &loose, &trust).expect("certificate logs are not asked");
}

#[test]
pub(super) fn one_certificate_log_is_not_two() {
    let sigstore = Sigstore::new();
    let bundle = sigstore.sign(&sigstore.signer(), Api::V2);
    accepted(&bundle, &sigstore.trust);
    let two = policy().with_certificate_logs(2).expect("two are at least one");
    assert_refused!(
        ask(&bundle, &two, &sigstore.trust).expect_err("one log knows the certificate"),
        VerifyError::Certificate(CertifyError::TooFewCtLogs { found: 1, needed: 2 })
    );
    // Naming the log twice does not make two of it.
    let mut trust = sigstore.trust.clone();
    trust.ctlogs.push(trust.ctlogs[0].clone());
    assert_refused!(
        ask(&bundle, &two, &trust).expect_err("one log knows the certificate"),
        VerifyError::Certificate(CertifyError::TooFewCtLogs { found: 1, needed: 2 })
    );
}

#[test]
pub(super) fn a_root_in_the_bundle_is_refused_and_an_intermediate_is_not_trusted() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    let mut bundle = sigstore.sign(&signer, Api::V2);
    bundle.media_type = MediaType::V0_2;
    let chain = |certificates: &[&Certificate]| {
        SignerMaterial::Chain(certificates.iter().map(|c| c.der().to_vec()).collect())
    };
    bundle.material.signer = chain(&[&signer.certificate]);
    accepted(&bundle, &sigstore.trust);
    let (intermediate, root) = (sigstore.intermediate.certificate(), sigstore.root.certificate());
    bundle.material.signer = chain(&[&signer.certificate, intermediate, root]);
    assert_refused!(
        refusal(&bundle, &sigstore.trust),
        VerifyError::Material(MaterialError::RootInBundle { position: 2 })
    );
    // Intermediates come from the trusted root: one that only the bundle has does not count.
    bundle.material.signer = chain(&[&signer.certificate, intermediate]);
    accepted(&bundle, &sigstore.trust);
    let mut trust = sigstore.trust.clone();
    trust.certificate_authorities = vec![authority("ca.example", vec![root.der().to_vec()])];
    assert_refused!(
        refusal(&bundle, &trust),
        VerifyError::Certificate(CertifyError::Path(PathError::UnknownIssuer { .. }))
    );
}

#[test]
pub(super) fn a_certificate_that_is_not_der_is_refused() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    let mut bundle = sigstore.sign(&signer, Api::V2);
    accepted(&bundle, &sigstore.trust);
    let good = signer.certificate.der();
    let trailing = [good, &[0]].concat();
    // A length in the long form where the short one fits, and the indefinite length of BER.
    let padded = [&[0x30, 0x83, 0x00], &good[2..]].concat();
    let indefinite = [&[0x30, 0x80], &good[4..], &[0, 0]].concat();
    for der in [trailing, padded, indefinite, Vec::new(), good[..good.len() - 1].to_vec()] {
        bundle.material.signer = SignerMaterial::Certificate(der);
        assert_refused!(
            refusal(&bundle, &sigstore.trust),
            VerifyError::Material(MaterialError::Certificate { position: 0, .. })
        );
    }
}
