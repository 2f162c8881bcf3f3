//! The rows of our notes about attachments and the older form, and what answers each.

/// What is damaged, what is late, and what moves.
const TESTS: &[&str] =
    &[include_str!("hostile.rs"), include_str!("deadlines.rs"), include_str!("moving.rs")];

/// The tests of this crate by their names, which one of the files must have.
const ROWS: &[(&str, &[&str])] = &[
    ("GHSA-ccxc-vr6p-4858 / CVE-2022-23649", &["the_promise_of_another_signature_is_refused"]),
    (
        "GHSA-vjxv-45g9-9296 / CVE-2022-35929",
        &["a_statement_of_another_type_is_not_what_is_asked_for", "a_statement_is_no_signature"],
    ),
    (
        "GHSA-vfp6-jrw2-99g9 / CVE-2023-46737",
        &[
            "more_candidates_than_are_looked_at_end_the_search",
            "one_good_signature_among_garbage_is_found",
        ],
    ),
    ("GHSA-88jx-383q-w4qc / CVE-2024-29902", &["an_attachment_that_is_too_long_is_not_fetched"]),
    (
        "GHSA-95pr-fxf5-86gv / CVE-2024-29903",
        &["more_layers_than_anybody_writes_are_not_looked_at"],
    ),
    (
        "GHSA-w6c6-c85g-mmv6 / CVE-2026-39395 (golang/vulndb#5694)",
        &[
            "a_statement_of_another_type_is_not_what_is_asked_for",
            "a_changed_payload_is_refused_whatever_it_says",
        ],
    ),
    (
        "**GHSA-fx35-mq7g-6g98** (High)",
        &[
            "a_public_key_in_place_of_a_certificate_is_refused",
            "without_a_certificate_no_identity_signed",
        ],
    ),
    (
        "cosign panics (no GHSA)",
        &[
            "whatever_stands_in_an_annotation_is_refused_or_means_nothing",
            "a_log_entry_with_null_or_another_type_in_any_member_is_refused",
        ],
    ),
    (
        "GHSA-739f-hw6h-7wq8 / CVE-2022-35930",
        &["a_statement_of_another_type_is_not_what_is_asked_for"],
    ),
    ("GHSA-mhg6-2q2v-9h2c / CVE-2026-31830", &["the_signature_of_another_image_is_refused"]),
    (
        "Kyverno CVE-2022-47633",
        &[
            "verification_asks_for_the_tag_once",
            "a_tag_that_moves_while_it_is_signed_leaves_nothing_attached",
            "a_digest_is_signed_whatever_its_tag_says_later",
        ],
    ),
    // Section 7.5, "registry".
    (
        "registry:",
        &[
            "a_list_of_referrers_that_does_not_come_is_not_waited_for",
            "a_tag_of_the_older_form_that_does_not_come_is_not_waited_for",
            "a_referrer_or_a_bundle_that_does_not_come_is_not_waited_for",
            "all_that_is_attached_has_one_deadline",
            "looking_at_what_is_attached_has_a_deadline",
            "a_long_bundle_has_the_deadline_of_all",
            "what_a_name_leads_to_is_not_waited_for",
            "the_images_of_an_index_are_not_waited_for",
            "what_a_list_calls_a_referrer_decides_nothing",
            "a_referrer_of_another_image_is_refused",
            "one_good_signature_among_garbage_is_found",
        ],
    ),
];

#[test]
fn every_row_is_in_the_notes_and_has_its_tests() {
    for (id, names) in ROWS {
        for name in *names {
            let test = format!("async fn {name}(");
            assert!(TESTS.iter().any(|tests| tests.contains(&test)), "{id}: {name}");
        }
    }
    let Some(notes) = testdata::spec("client.md") else { return };
    let notes = std::fs::read_to_string(notes).unwrap();
    for (id, _) in ROWS {
        assert!(notes.lines().any(|line| line.trim_start_matches("| ").starts_with(id)), "{id}");
    }
    testdata::report(&format!("attachments and the older form: {} rows", ROWS.len()));
}
