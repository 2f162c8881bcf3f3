//! Timestamps that are for something else, by somebody else, or not there.

use pki::tsp::TokenError;
use verify::{TimeError, VerifyError};

use super::{accepted, ask, assert_refused, policy, refusal};
use crate::bag::with_certificates;
use crate::sigstore::{Api, Sigstore, authority, signed, timestamp_authority, timestamp_by};

#[test]
pub(super) fn a_timestamp_for_another_signature_is_refused() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    let mut bundle = sigstore.sign(&signer, Api::V2);
    accepted(&bundle, &sigstore.trust);
    bundle.material.timestamps = vec![sigstore.timestamp(b"another signature", signed())];
    assert_refused!(
        refusal(&bundle, &sigstore.trust),
        VerifyError::Time(TimeError::OtherSignature { position: 0 })
    );
    // That of the artifact in the place of the signature is another one too.
    bundle.material.timestamps = vec![sigstore.timestamp(crate::sigstore::ARTIFACT, signed())];
    assert_refused!(
        refusal(&bundle, &sigstore.trust),
        VerifyError::Time(TimeError::OtherSignature { position: 0 })
    );
}

#[test]
pub(super) fn a_signature_without_any_time_is_refused() {
    let sigstore = Sigstore::new();
    let mut bundle = sigstore.sign(&sigstore.signer(), Api::V2);
    accepted(&bundle, &sigstore.trust);
    bundle.material.timestamps.clear();
    // What a log of version 2 says about time is nobody's signed word.
    bundle.material.entries[0].integrated_time = signed().as_second();
    assert_refused!(refusal(&bundle, &sigstore.trust), VerifyError::Time(TimeError::None));
}

#[test]
pub(super) fn a_timestamp_by_another_key_under_the_authority_s_certificate_is_refused() {
    let sigstore = Sigstore::new();
    let mut bundle = sigstore.sign(&sigstore.signer(), Api::V2);
    accepted(&bundle, &sigstore.trust);
    // The signature is the last thing in a response.
    let last = bundle.material.timestamps[0].last_mut().expect("a response is not empty");
    *last ^= 1;
    assert_refused!(
        refusal(&bundle, &sigstore.trust),
        VerifyError::Time(TimeError::Timestamp { source: TokenError::Signature, .. })
    );
}

#[test]
pub(super) fn a_timestamp_by_an_unknown_authority_does_not_count() {
    let (ours, theirs) = (Sigstore::new(), Sigstore::new());
    let mut bundle = ours.sign(&ours.signer(), Api::V2);
    let good = bundle.material.timestamps.clone();
    bundle.material.timestamps = vec![theirs.timestamp(bundle.content.signature(), signed())];
    assert_refused!(refusal(&bundle, &ours.trust), VerifyError::Time(TimeError::UnknownAuthority));
    // Beside a good one it is left out, and the result says so.
    bundle.material.timestamps.extend(good);
    let verified = accepted(&bundle, &ours.trust);
    assert_eq!(verified.left_out, [verify::LeftOut::Timestamp { position: 0 }]);
}

#[test]
pub(super) fn a_bad_timestamp_beside_a_good_one_is_refused() {
    let sigstore = Sigstore::new();
    let mut bundle = sigstore.sign(&sigstore.signer(), Api::V2);
    bundle.material.timestamps.push(sigstore.timestamp(b"another signature", signed()));
    assert_refused!(
        refusal(&bundle, &sigstore.trust),
        VerifyError::Time(TimeError::OtherSignature { position: 1 })
    );
    bundle.material.timestamps[1] = b"no timestamp".to_vec();
    assert_refused!(
        refusal(&bundle, &sigstore.trust),
        VerifyError::Time(TimeError::Format { position: 1, .. })
    );
}

#[test]
pub(super) fn one_authority_s_validity_is_not_lent_to_another() {
    let sigstore = Sigstore::new();
    let bundle = sigstore.sign(&sigstore.signer(), Api::V2);
    accepted(&bundle, &sigstore.trust);
    // Another authority, valid at the time, stands beside the one that made the timestamp and is not.
    let other = timestamp_authority(&sigstore.root);
    let chain = other.chain().iter().map(|certificate| certificate.der().to_vec()).collect();
    let mut trust = sigstore.trust.clone();
    trust.timestamp_authorities.push(authority("other-tsa.example", chain));
    accepted(&bundle, &trust);
    trust.timestamp_authorities[0].valid_for.end =
        Some(signed() - jiff::SignedDuration::from_secs(1));
    assert_refused!(
        refusal(&bundle, &trust),
        VerifyError::Time(TimeError::AuthorityValidity { .. })
    );
}

#[test]
pub(super) fn two_timestamps_by_one_authority_count_once() {
    let sigstore = Sigstore::new();
    let mut bundle = sigstore.sign(&sigstore.signer(), Api::V2);
    let signature = bundle.content.signature().to_vec();
    let two = policy().with_times(2).expect("two are at least one");
    bundle.material.timestamps.push(sigstore.timestamp(&signature, signed()));
    assert_refused!(
        ask(&bundle, &two, &sigstore.trust).expect_err("one authority says when"),
        VerifyError::Time(TimeError::TooFew { found: 1, needed: 2 })
    );
    let other = timestamp_authority(&sigstore.root);
    let chain = other.chain().iter().map(|certificate| certificate.der().to_vec()).collect();
    let mut trust = sigstore.trust.clone();
    trust.timestamp_authorities.push(authority("other-tsa.example", chain));
    bundle.material.timestamps[1] = timestamp_by(&other, &signature, signed());
    ask(&bundle, &two, &trust).expect("two authorities say when");
}

#[test]
pub(super) fn a_decoy_in_the_bag_of_certificates_changes_nothing() {
    let sigstore = Sigstore::new();
    let mut bundle = sigstore.sign(&sigstore.signer(), Api::V2);
    let response = bundle.material.timestamps[0].clone();
    // Only the root is trusted, so that the signer's certificate must come from the bag.
    let root = sigstore.root.certificate().der().to_vec();
    let mut trust = sigstore.trust.clone();
    trust.timestamp_authorities = vec![authority("tsa.example", vec![root])];
    accepted(&bundle, &trust);
    let real = sigstore.trust.timestamp_authorities[0].chain[0].clone();
    // As good as the real one: issued by the same root, for the same purpose.
    let decoy = timestamp_authority(&sigstore.root).chain()[0].der().to_vec();
    bundle.material.timestamps = vec![with_certificates(&response, &[&decoy, &real])];
    accepted(&bundle, &trust);
    bundle.material.timestamps = vec![with_certificates(&response, &[&decoy])];
    assert_refused!(refusal(&bundle, &trust), VerifyError::Time(TimeError::UnknownAuthority));
    bundle.material.timestamps = vec![with_certificates(&response, &[])];
    assert_refused!(refusal(&bundle, &trust), VerifyError::Time(TimeError::UnknownAuthority));
}

#[test]
pub(super) fn the_real_certificate_in_the_bag_does_not_vouch_for_another_signer() {
    let (ours, theirs) = (Sigstore::new(), Sigstore::new());
    let mut bundle = ours.sign(&ours.signer(), Api::V2);
    accepted(&bundle, &ours.trust);
    let real = ours.trust.timestamp_authorities[0].chain[0].clone();
    let attacker = theirs.trust.timestamp_authorities[0].chain[0].clone();
    let forged = theirs.timestamp(bundle.content.signature(), signed());
    for bag in [vec![&*real, &*attacker], vec![&*attacker, &*real], vec![&*real]] {
        bundle.material.timestamps = vec![with_certificates(&forged, &bag)];
        assert_refused!(
            refusal(&bundle, &ours.trust),
            VerifyError::Time(TimeError::UnknownAuthority)
        );
    }
}
