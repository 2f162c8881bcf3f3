//! Logs that did not hold the entry, did not sign, or were not asked.

use merkle::note::VerifyNoteError;
use merkle::{CheckpointError, InclusionError};
use verify::{LogError, TimeError, VerifyError, danger};
use wire::bundle::{Bundle, InclusionProof, TransparencyLogEntry};

use super::{accepted, ask, assert_refused, policy, refusal};
use crate::sigstore::{Api, Sigstore, signed};

fn entry(bundle: &mut Bundle) -> &mut TransparencyLogEntry {
    &mut bundle.material.entries[0]
}

fn proof(bundle: &mut Bundle) -> &mut InclusionProof {
    entry(bundle).inclusion_proof.as_mut().expect("the good bundle has a proof")
}

/// A good bundle, and what a damage leads to.
fn damaged(api: Api, damage: impl FnOnce(&Sigstore, &mut Bundle)) -> VerifyError {
    let sigstore = Sigstore::new();
    let mut bundle = sigstore.sign(&sigstore.signer(), api);
    accepted(&bundle, &sigstore.trust);
    damage(&sigstore, &mut bundle);
    refusal(&bundle, &sigstore.trust)
}

#[test]
pub(super) fn a_time_without_the_log_s_promise_is_no_time() {
    // Our own log of version 1 gives no other time, so the bundle has none at all.
    let refusal = damaged(Api::V1, |_, bundle| entry(bundle).inclusion_promise = None);
    assert_refused!(refusal, VerifyError::Time(TimeError::None));
}

#[test]
pub(super) fn a_time_that_the_log_did_not_promise_is_refused() {
    let refusal = damaged(Api::V1, |_, bundle| entry(bundle).integrated_time += 1);
    assert_refused!(refusal, VerifyError::Log(LogError::Promise));
}

#[test]
pub(super) fn the_promise_for_another_entry_is_refused() {
    let refusal = damaged(Api::V1, |sigstore, bundle| {
        let other = sigstore.sign(&sigstore.signer(), Api::V1);
        entry(bundle).inclusion_promise.clone_from(&other.material.entries[0].inclusion_promise);
    });
    assert_refused!(refusal, VerifyError::Log(LogError::Promise));
}

#[test]
pub(super) fn a_promise_for_another_index_is_refused() {
    let refusal = damaged(Api::V1, |_, bundle| entry(bundle).log_index += 1);
    assert_refused!(refusal, VerifyError::Log(LogError::Promise));
}

#[test]
pub(super) fn an_entry_that_was_never_logged_is_refused() {
    for api in [Api::V1, Api::V2] {
        let refusal = damaged(api, |_, bundle| entry(bundle).inclusion_proof = None);
        assert_refused!(refusal, VerifyError::Log(LogError::NoProof));
        let refusal = damaged(api, |_, bundle| bundle.material.entries.clear());
        assert_refused!(refusal, VerifyError::Log(LogError::NoEntry { needed: 1 }));
    }
}

#[test]
pub(super) fn a_path_to_another_tree_is_refused() {
    for api in [Api::V1, Api::V2] {
        let refusal = damaged(api, |_, bundle| proof(bundle).hashes[0][0] ^= 1);
        assert_refused!(
            refusal,
            VerifyError::Log(LogError::Inclusion(InclusionError::Root { .. }))
        );
        let refusal = damaged(api, |_, bundle| proof(bundle).hashes.push([0; 32]));
        assert_refused!(refusal, VerifyError::Log(LogError::Inclusion(InclusionError::PathLength)));
        let refusal = damaged(api, |_, bundle| proof(bundle).hashes.clear());
        assert_refused!(refusal, VerifyError::Log(LogError::Inclusion(InclusionError::PathLength)));
    }
    let refusal = damaged(Api::V1, |_, bundle| proof(bundle).log_index = 3);
    assert_refused!(refusal, VerifyError::Log(LogError::Inclusion(InclusionError::Outside { .. })));
}

#[test]
pub(super) fn a_checkpoint_that_the_log_did_not_sign_is_refused() {
    for api in [Api::V1, Api::V2] {
        // Another instance's log signs the same tree under the same name: its key has another hint.
        let refusal = damaged(api, |_, bundle| {
            let other = Sigstore::new();
            let text = proof(bundle).checkpoint.clone();
            let (text, _) = text.split_once("\n\n").expect("a note has a blank line");
            let name = text.split([' ', '\n']).next().expect("a first word");
            proof(bundle).checkpoint = other.sign_note(name, &format!("{text}\n"));
        });
        assert_refused!(refusal, VerifyError::Log(LogError::Unsigned(VerifyNoteError::Missing)));
        // The text is changed after it was signed, and the hint is the log's.
        let refusal = damaged(api, |_, bundle| {
            let checkpoint = &mut proof(bundle).checkpoint;
            *checkpoint = checkpoint.replacen("\n\n", "\nan extension\n\n", 1);
        });
        assert_refused!(refusal, VerifyError::Log(LogError::Unsigned(VerifyNoteError::Wrong(_))));
    }
}

#[test]
pub(super) fn a_checkpoint_that_is_none_is_refused() {
    let size = |text: &str, size: &str| text.replacen("\n3\n", &format!("\n{size}\n"), 1);
    for api in [Api::V1, Api::V2] {
        let refusal = damaged(api, |_, bundle| proof(bundle).checkpoint.clear());
        assert_refused!(refusal, VerifyError::Log(LogError::NoCheckpoint));
        let refusal = damaged(api, |_, bundle| {
            let checkpoint = &mut proof(bundle).checkpoint;
            *checkpoint = checkpoint.replace("\n\n", "\n");
        });
        assert_refused!(refusal, VerifyError::Log(LogError::Note(_)));
        let refusal = damaged(api, |_, bundle| {
            let checkpoint = &mut proof(bundle).checkpoint;
            *checkpoint = checkpoint.replace('\u{2014}', "-");
        });
        assert_refused!(refusal, VerifyError::Log(LogError::Note(_)));
        let refusal = damaged(api, |_, bundle| {
            let checkpoint = &mut proof(bundle).checkpoint;
            *checkpoint = checkpoint.replace('\n', "\r\n");
        });
        assert_refused!(refusal, VerifyError::Log(LogError::Note(_)));
        let digits = "1".repeat(10_000);
        for wrong in ["abc", "-3", "+3", "03", "", " 3", "3.0", &digits] {
            let refusal = damaged(api, |_, bundle| {
                let checkpoint = &mut proof(bundle).checkpoint;
                *checkpoint = size(checkpoint, wrong);
            });
            assert_refused!(refusal, VerifyError::Log(LogError::Checkpoint(CheckpointError::Size)));
        }
        let refusal = damaged(api, |_, bundle| {
            let checkpoint = &mut proof(bundle).checkpoint;
            let root = checkpoint.split('\n').nth(2).expect("a third line").to_owned();
            *checkpoint = checkpoint.replace(&root, "not base64");
        });
        assert_refused!(refusal, VerifyError::Log(LogError::Checkpoint(CheckpointError::Root)));
    }
}

#[test]
pub(super) fn what_the_proof_says_beside_the_checkpoint_must_be_equal() {
    let refusal = damaged(Api::V2, |_, bundle| proof(bundle).root_hash = Some([0; 32]));
    assert_refused!(refusal, VerifyError::Log(LogError::Root));
    let refusal = damaged(Api::V2, |_, bundle| proof(bundle).tree_size = 4);
    assert_refused!(refusal, VerifyError::Log(LogError::Size { checkpoint: 3, proof: 4 }));
    let refusal = damaged(Api::V2, |_, bundle| entry(bundle).log_index = 1);
    assert_refused!(refusal, VerifyError::Log(LogError::Index { entry: 1, proof: 2 }));
}

#[test]
pub(super) fn what_rekor_v2_may_leave_out_may_be_left_out() {
    let sigstore = Sigstore::new();
    let mut bundle = sigstore.sign(&sigstore.signer(), Api::V2);
    (proof(&mut bundle).root_hash, proof(&mut bundle).tree_size) = (None, 0);
    accepted(&bundle, &sigstore.trust);
}

#[test]
pub(super) fn a_checkpoint_under_a_name_that_only_looks_like_the_log_s_is_refused() {
    // As a regular expression, the log's name would match this one.
    let refusal = damaged(Api::V2, |sigstore, bundle| {
        let text = proof(bundle).checkpoint.clone();
        let (text, _) = text.split_once("\n\n").expect("a note has a blank line");
        let text = text.replace("log-v2.example", "log-v2xexample");
        proof(bundle).checkpoint = sigstore.sign_note("log-v2xexample", &format!("{text}\n"));
    });
    assert_refused!(refusal, VerifyError::Log(LogError::Origin { .. }));
    let refusal = damaged(Api::V2, |sigstore, bundle| {
        let text = proof(bundle).checkpoint.clone();
        let (text, _) = text.split_once("\n\n").expect("a note has a blank line");
        let text = text.replace("log-v2.example", ".*");
        proof(bundle).checkpoint = sigstore.sign_note(".*", &format!("{text}\n"));
    });
    assert_refused!(refusal, VerifyError::Log(LogError::Origin { .. }));
}

#[test]
pub(super) fn a_log_that_the_trusted_root_does_not_name_does_not_count() {
    let (ours, theirs) = (Sigstore::new(), Sigstore::new());
    let signer = ours.signer();
    for api in [Api::V1, Api::V2] {
        let bundle = ours.sign(&signer, api);
        accepted(&bundle, &ours.trust);
        // The attacker's log holds the entry, and signs with a key that it would gladly tell.
        let mut trust = ours.trust.clone();
        trust.tlogs = theirs.trust.tlogs.clone();
        assert_refused!(refusal(&bundle, &trust), VerifyError::Log(LogError::UnknownLog { .. }));
        trust.tlogs.clear();
        assert_refused!(refusal(&bundle, &trust), VerifyError::Log(LogError::NoTrustedLog));
    }
}

#[test]
pub(super) fn two_entries_of_one_log_count_once() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    let two = policy().with_logs(2).expect("two are at least one");
    let good = {
        let mut bundle = sigstore.sign(&signer, Api::V2);
        let wire::bundle::Content::Message(message) = &bundle.content else {
            panic!("an artifact was signed")
        };
        let body = wire::body::Body::HashedRekordV1(wire::body::HashedRekordV1 {
            hash: message.digest.expect("the good bundle has a digest").into(),
            signature: message.signature.clone(),
            public_key: signer.certificate.to_pem().into_bytes(),
        });
        bundle.material.entries.push(sigstore.log_v1(&body, signed()));
        bundle
    };
    ask(&good, &two, &sigstore.trust).expect("two logs hold it");
    let mut one_log = good.clone();
    one_log.material.entries.truncate(1);
    assert_refused!(
        ask(&one_log, &two, &sigstore.trust).expect_err("one log holds it"),
        VerifyError::Log(LogError::TooFewLogs { found: 1, needed: 2 })
    );
    // Two logs of one operator are one witness.
    let mut trust = sigstore.trust.clone();
    trust.tlogs.iter_mut().for_each(|log| log.operator = "example".into());
    assert_refused!(
        ask(&good, &two, &trust).expect_err("one operator holds it"),
        VerifyError::Log(LogError::TooFewLogs { found: 1, needed: 2 })
    );
}

#[test]
pub(super) fn an_entry_outside_the_validity_of_the_log_s_key_is_refused() {
    let sigstore = Sigstore::new();
    for (place, api) in [(0, Api::V1), (1, Api::V2)] {
        let bundle = sigstore.sign(&sigstore.signer(), api);
        accepted(&bundle, &sigstore.trust);
        let mut trust = sigstore.trust.clone();
        trust.tlogs[place].valid_for.end = Some(signed());
        accepted(&bundle, &trust);
        let before = signed() - jiff::SignedDuration::from_secs(1);
        trust.tlogs[place].valid_for.end = Some(before);
        assert_refused!(refusal(&bundle, &trust), VerifyError::Time(TimeError::LogValidity { .. }));
        trust.tlogs[place].valid_for =
            wire::trusted_root::TimeRange::since(signed() + jiff::SignedDuration::from_secs(1));
        assert_refused!(refusal(&bundle, &trust), VerifyError::Time(TimeError::LogValidity { .. }));
    }
}

#[test]
pub(super) fn less_evidence_is_only_taken_when_that_was_asked_for_and_bad_evidence_never() {
    let sigstore = Sigstore::new();
    let mut bundle = sigstore.sign(&sigstore.signer(), Api::V2);
    let mut trust = sigstore.trust.clone();
    let loose = danger::ignore_transparency_logs(policy());
    let private = danger::private_infrastructure(policy());
    let good = bundle.material.entries.clone();

    bundle.material.entries[0].inclusion_proof = None;
    assert_refused!(
        ask(&bundle, &loose, &trust).expect_err("an entry that is there must hold"),
        VerifyError::Log(LogError::NoProof)
    );
    bundle.material.entries.clear();
    ask(&bundle, &loose, &trust).expect("no entry is needed");
    assert_refused!(
        ask(&bundle, &private, &trust).expect_err("the trusted root names logs"),
        VerifyError::Log(LogError::NoEntry { needed: 1 })
    );
    trust.tlogs.clear();
    ask(&bundle, &private, &trust).expect("the trusted root names no log");

    // The time is checked as ever.
    bundle.material.entries = good;
    bundle.material.timestamps.clear();
    assert_refused!(
        ask(&bundle, &loose, &sigstore.trust).expect_err("nobody says when"),
        VerifyError::Time(TimeError::None)
    );
}
