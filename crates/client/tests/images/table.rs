//! The rows of our notes about attachments and the older form, and what answers each.

/// The tests of this crate by their names, which `hostile.rs` must have.
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
    // Section 7.5, "registry".
    (
        "registry:",
        &[
            "what_a_list_calls_a_referrer_decides_nothing",
            "a_referrer_of_another_image_is_refused",
            "one_good_signature_among_garbage_is_found",
        ],
    ),
];

#[test]
fn every_row_is_in_the_notes_and_has_its_tests() {
    let tests = include_str!("hostile.rs");
    for (id, names) in ROWS {
        for name in *names {
            assert!(tests.contains(&format!("async fn {name}(")), "{id}: {name}");
        }
    }
    let Some(notes) = testdata::spec("client.md") else { return };
    let notes = std::fs::read_to_string(notes).unwrap();
    for (id, _) in ROWS {
        assert!(notes.lines().any(|line| line.trim_start_matches("| ").starts_with(id)), "{id}");
    }
    testdata::report(&format!("attachments and the older form: {} rows", ROWS.len()));
}
