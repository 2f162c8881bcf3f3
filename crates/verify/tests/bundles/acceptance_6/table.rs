//! The advisories, and what answers each.

use super::{certificate, entry, form, log, payload, policy, signer, time};
use crate::own;

/// What answers a row.
pub(super) enum Answer {
    /// Tests of this program.
    Tests(&'static [fn()]),
    /// Tests in other crates: a file from the project's root, and the test's name.
    Elsewhere(&'static [(&'static str, &'static str)]),
}
use Answer::{Elsewhere, Tests};

const LIARS: &str = "crates/oci/tests/registry/liars.rs";
const CREDENTIALS: &str = "crates/oci/src/credentials/config.rs";
/// Signatures of git objects, each test with a twin that is good.
const GIT: &str = "crates/client/tests/git/hostile.rs";

/// Every row of the table of client advisories in our notes, by its first column.
const ROWS: &[(&str, Answer)] = &[
    (
        "GHSA-ccxc-vr6p-4858 / CVE-2022-23649",
        Tests(&[
            entry::the_entry_of_another_signature_of_the_same_artifact_is_refused,
            entry::the_entry_of_another_artifact_by_the_same_signer_is_refused,
            log::the_promise_for_another_entry_is_refused,
        ]),
    ),
    (
        "GHSA-vjxv-45g9-9296 / CVE-2022-35929",
        Tests(&[payload::a_statement_of_another_type_is_refused]),
    ),
    (
        "GHSA-8gw7-4j42-w388 / CVE-2022-36056",
        Tests(&[
            entry::the_entry_of_another_signer_is_refused,
            signer::another_name_is_refused,
            signer::another_issuer_is_refused,
            signer::an_extension_with_another_value_is_refused,
            form::whatever_stands_in_a_member_is_refused_or_means_nothing,
            log::a_time_that_the_log_did_not_promise_is_refused,
        ]),
    ),
    (
        "GHSA-vfp6-jrw2-99g9 / CVE-2023-46737",
        Elsewhere(&[
            (LIARS, "a_list_of_a_hundred_thousand_referrers_is_cut_off"),
            (LIARS, "a_body_without_end_is_read_up_to_what_was_announced"),
        ]),
    ),
    (
        "GHSA-88jx-383q-w4qc / CVE-2024-29902",
        Elsewhere(&[
            (LIARS, "a_blob_of_a_hundred_gigabytes_is_not_asked_for"),
            (LIARS, "a_body_without_end_is_read_up_to_what_was_announced"),
        ]),
    ),
    (
        "GHSA-95pr-fxf5-86gv / CVE-2024-29903",
        Elsewhere(&[(
            LIARS,
            "a_document_with_as_many_entries_as_fit_is_read_and_one_with_more_is_not",
        )]),
    ),
    (
        "GHSA-whqx-f9j3-ch6m / CVE-2026-22703",
        Tests(&[
            entry::the_entry_of_another_signer_is_refused,
            entry::the_entry_of_another_artifact_by_the_same_signer_is_refused,
        ]),
    ),
    (
        "GHSA-wfqv-66vq-46rm / CVE-2026-24122 (GO-2026-4529)",
        Tests(&[
            certificate::an_intermediate_that_has_expired_is_refused,
            own::an_intermediate_must_be_valid_as_long_as_the_leaf,
        ]),
    ),
    (
        "GHSA-w6c6-c85g-mmv6 / CVE-2026-39395 (golang/vulndb#5694)",
        Tests(&[
            payload::a_statement_of_another_type_is_refused,
            payload::a_payload_that_is_no_statement_is_refused,
        ]),
    ),
    (
        "GHSA-fx35-mq7g-6g98 (High)",
        Tests(&[
            form::a_legacy_bundle_is_not_read_as_one,
            signer::a_key_from_the_bundle_never_takes_the_place_of_what_was_asked_for,
        ]),
    ),
    (
        "cosign panics (no GHSA)",
        Tests(&[
            form::whatever_stands_in_a_member_is_refused_or_means_nothing,
            form::text_that_readers_would_read_differently_is_refused,
            entry::a_body_that_cannot_be_read_is_refused,
            payload::a_payload_that_is_no_statement_is_refused,
        ]),
    ),
    (
        "GHSA-cq38-jh5f-37mq / CVE-2024-45395",
        Tests(&[
            form::more_entries_or_timestamps_than_a_bundle_may_have_are_refused,
            payload::a_statement_with_a_million_subjects_is_refused,
        ]),
    ),
    (
        "GHSA-9vcr-p3rj-q5q6 / CVE-2026-49834",
        Tests(&[
            entry::one_entry_given_twice_is_refused,
            log::two_entries_of_one_log_count_once,
            time::two_timestamps_by_one_authority_count_once,
            certificate::one_certificate_log_is_not_two,
        ]),
    ),
    (
        "GHSA-wqqc-jjcq-vfxm / CVE-2026-54787",
        Tests(&[
            log::an_entry_outside_the_validity_of_the_log_s_key_is_refused,
            certificate::a_certificate_log_outside_of_the_times_for_which_it_is_trusted_is_refused,
        ]),
    ),
    (
        "sigstore-go hardening",
        Tests(&[
            payload::an_artifact_of_which_nothing_is_known_is_refused,
            payload::a_digest_in_the_bundle_is_no_more_than_a_hint,
            policy::a_threshold_of_zero_is_refused,
            entry::a_body_that_cannot_be_read_is_refused,
            entry::a_body_of_version_2_that_is_not_canonical_is_refused,
        ]),
    ),
    (
        "GHSA-fcv2-xgw5-pqxf / CVE-2026-24137",
        Elsewhere(&[("crates/tuf/src/name.rs", "a_name_that_leaves_the_directory_is_refused")]),
    ),
    (
        "GHSA-hhfg-fwrw-87w7 / CVE-2024-55655",
        Tests(&[
            log::a_time_without_the_log_s_promise_is_no_time,
            time::a_signature_without_any_time_is_refused,
        ]),
    ),
    (
        "GHSA-hm8f-75xx-w2vr (CVE-2026-24408 [m])",
        Elsewhere(&[
            ("crates/net/tests/loopback.rs", "strangers_are_sent_away_and_change_nothing"),
            ("crates/net/tests/loopback.rs", "a_second_hit_finds_nobody"),
        ]),
    ),
    ("python 4.5", Tests(&[log::a_checkpoint_that_is_none_is_refused])),
    (
        "GHSA-q4xm-6fjc-5f6w / CVE-2024-53267",
        Tests(&[
            entry::the_entry_of_another_signer_is_refused,
            entry::the_entry_of_an_artifact_beside_an_envelope_is_refused,
        ]),
    ),
    (
        "GHSA-jp26-88mw-89qr / CVE-2024-54140",
        Tests(&[log::a_checkpoint_that_the_log_did_not_sign_is_refused]),
    ),
    (
        "java 2.0.0 regress. → 2.1.0 (#1185)",
        Tests(&[certificate::a_signature_outside_the_certificate_s_validity_is_refused]),
    ),
    (
        "GHSA-52v5-jr5w-gjxr / CVE-2026-48815",
        Tests(&[signer::an_extension_with_another_value_is_refused]),
    ),
    (
        "GHSA-xgjw-pm74-86q4 / CVE-2026-48816",
        Tests(&[log::a_time_without_the_log_s_promise_is_no_time]),
    ),
    (
        "GHSA-jfc7-64v2-mr8c / CVE-2026-48758",
        Tests(&[
            payload::a_type_that_only_looks_like_a_statement_s_is_refused,
            payload::what_is_signed_are_bytes_and_their_number_not_characters,
        ]),
    ),
    (
        "GHSA-pf56-329r-95rw / CVE-2026-59891",
        Elsewhere(&[(CREDENTIALS, "credentials_are_for_the_whole_host_and_no_other")]),
    ),
    (
        "sigstore-js hardening",
        Tests(&[
            entry::one_entry_given_twice_is_refused,
            log::a_checkpoint_under_a_name_that_only_looks_like_the_log_s_is_refused,
            certificate::a_certificate_that_is_not_der_is_refused,
        ]),
    ),
    (
        "GHSA-mhg6-2q2v-9h2c / CVE-2026-31830",
        Tests(&[payload::a_statement_about_another_artifact_is_refused]),
    ),
    (
        "ruby 0.3.0",
        Tests(&[
            time::a_timestamp_for_another_signature_is_refused,
            time::a_signature_without_any_time_is_refused,
            time::one_authority_s_validity_is_not_lent_to_another,
            signer::an_entry_with_another_key_than_the_one_given_is_refused,
        ]),
    ),
    (
        "sigstore-rs",
        Tests(&[
            log::a_time_that_the_log_did_not_promise_is_refused,
            log::an_entry_that_was_never_logged_is_refused,
            log::a_path_to_another_tree_is_refused,
        ]),
    ),
    (
        "GHSA-xvrc-2wvh-49vc / CVE-2023-47122",
        Tests(&[log::a_log_that_the_trusted_root_does_not_name_does_not_count]),
    ),
    (
        "GHSA-8pmp-678w-c8xx / CVE-2024-51746",
        Tests(&[entry::a_second_entry_by_the_same_key_for_another_artifact_is_refused]),
    ),
    (
        "GHSA-7rmh-48mx-2vwc / CVE-2026-44309",
        Elsewhere(&[
            (GIT, "a_commit_with_a_header_doubled_after_signing_is_refused"),
            (GIT, "a_commit_with_a_second_signature_header_is_refused"),
            (GIT, "a_commit_is_not_verified_in_the_form_that_a_reader_would_give_it"),
        ]),
    ),
    (
        "gitsign #810/#799",
        Elsewhere(&[
            (GIT, "a_decoy_in_the_bag_is_not_taken_for_the_signer"),
            (GIT, "a_bag_without_the_signer_s_certificate_is_refused"),
        ]),
    ),
    (
        "GHSA-739f-hw6h-7wq8 / CVE-2022-35930",
        Tests(&[payload::a_statement_of_another_type_is_refused]),
    ),
    (
        "Kyverno CVE-2022-47633",
        Elsewhere(&[(LIARS, "a_tag_that_moves_between_two_questions_moves_nothing")]),
    ),
    (
        "GHSA-6qhv-4h7r-2g9m / CVE-2025-52556",
        Tests(&[time::a_timestamp_by_another_key_under_the_authority_s_certificate_is_refused]),
    ),
    (
        "GHSA-3xxc-pwj6-jgrj / CVE-2026-33753",
        Tests(&[
            time::a_decoy_in_the_bag_of_certificates_changes_nothing,
            time::the_real_certificate_in_the_bag_does_not_vouch_for_another_signer,
        ]),
    ),
];

impl Answer {
    /// There is something that answers `row`, and it is where it is said to be.
    pub(super) fn check(&self, row: &str) {
        match self {
            Tests(tests) => assert!(!tests.is_empty(), "{row}"),
            Elsewhere(tests) => {
                assert!(!tests.is_empty(), "{row}");
                for (file, test) in *tests {
                    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
                    let text = std::fs::read_to_string(format!("{root}/{file}"))
                        .unwrap_or_else(|error| panic!("{row}: {file}: {error}"));
                    assert!(text.contains(&format!("fn {test}(")), "{row}: no {test} in {file}");
                }
            }
        }
    }
}

#[test]
fn every_row_is_answered() {
    for (id, answer) in ROWS {
        answer.check(id);
    }
}

#[test]
fn the_rows_are_those_of_the_notes() {
    let Some(notes) = testdata::spec("client.md") else { return };
    let notes = std::fs::read_to_string(notes).expect("the notes can be read");
    let from = notes.find("## 7.1").expect("the notes have the table");
    let to = notes.find("## 7.2").expect("the notes go on");
    let rows = notes[from..to].lines().filter_map(|line| line.strip_prefix("| "));
    let ids: Vec<_> = rows
        .filter_map(|row| row.split(" | ").next())
        .map(|id| id.replace("**", "").trim().to_owned())
        .filter(|id| id != "Id")
        .collect();
    let ours: Vec<_> = ROWS.iter().map(|(id, _)| (*id).to_owned()).collect();
    testdata::report(&format!("client advisories: {} rows", ours.len()));
    assert_eq!(ours, ids);
}
