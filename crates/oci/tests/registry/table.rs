//! What a hostile registry would try, and what answers each (acceptance 7 of images): every row of our notes about
//! registries, and every item of the acceptance line.

use crate::{authorization, between, copies, deadlines, liars, mirrors};

/// A test, as the runner knows it.
type Test = fn();

/// Tests of this program, and tests in other files: a file from the project's root, and the test's name.
struct Answer(&'static [Test], &'static [(&'static str, &'static str)]);

const HOST: &str = "crates/oci/src/host.rs";
const CONFIG: &str = "crates/oci/src/credentials/config.rs";
const LAYOUT: &str = "crates/oci/tests/layout.rs";
const DOCUMENT: &str = "crates/oci/src/document.rs";

/// Rows of the tables of advisories, by their first column.
const ADVISORIES: &[(&str, Answer)] = &[
    (
        "GHSA-vfp6-jrw2-99g9 / CVE-2023-46737",
        Answer(
            &[
                liars::a_body_without_end_is_read_up_to_what_was_announced,
                liars::a_list_of_a_hundred_thousand_referrers_is_cut_off,
                liars::a_list_of_empty_pages_comes_to_an_end,
            ],
            &[],
        ),
    ),
    (
        "GHSA-88jx-383q-w4qc / CVE-2024-29902",
        Answer(
            &[
                liars::a_blob_of_a_hundred_gigabytes_is_not_asked_for,
                liars::a_body_without_end_is_read_up_to_what_was_announced,
            ],
            &[(
                "crates/net/tests/client.rs",
                "a_compressed_body_counts_as_what_it_decompresses_to",
            )],
        ),
    ),
    (
        "GHSA-95pr-fxf5-86gv / CVE-2024-29903",
        Answer(
            &[liars::a_document_with_as_many_entries_as_fit_is_read_and_one_with_more_is_not],
            &[],
        ),
    ),
    (
        "GHSA-pf56-329r-95rw / CVE-2026-59891",
        Answer(
            &[
                authorization::credentials_for_another_registry_are_not_shown,
                authorization::whoever_a_registry_sends_us_to_gets_no_credentials,
            ],
            &[(CONFIG, "credentials_are_for_the_whole_host_and_no_other")],
        ),
    ),
    (
        "Kyverno CVE-2022-47633",
        Answer(&[liars::a_tag_that_moves_between_two_questions_moves_nothing], &[]),
    ),
    (
        "GHSA-jxpm-75mh-9fp7 / CVE-2026-50151, GHSA-vh4v-2xq2-g5cg, GHSA-8xwf-rjm4-xvhv / CVE-2026-50162, \
         GHSA-fxhp-mv3v-67qp / CVE-2026-50163",
        Answer(
            &[
                authorization::where_a_registry_lets_us_upload_to_gets_no_credentials,
                authorization::whoever_a_registry_sends_us_to_gets_no_credentials,
                authorization::a_token_server_on_another_host_gets_nothing_without_tls,
                authorization::what_is_to_be_written_is_not_redirected,
            ],
            &[
                (LAYOUT, "links_in_a_directory_are_refused"),
                (LAYOUT, "nothing_is_written_through_a_link"),
                (LAYOUT, "links_in_an_archive_and_names_that_lead_out_of_it_are_refused"),
            ],
        ),
    ),
];

/// The items of the paragraph of further hostile inputs, in their order.
const FURTHER: &[(&str, Answer)] = &[
    (
        "referrers paging loop (`Link` to itself)",
        Answer(&[liars::a_list_that_goes_round_in_a_circle_is_left], &[]),
    ),
    (
        "artifactType lies",
        Answer(&[liars::a_list_says_nothing_of_a_referrer_that_is_believed], &[]),
    ),
    (
        "subject mismatch in manifest",
        Answer(&[liars::a_list_says_nothing_of_a_referrer_that_is_believed], &[]),
    ),
    (
        "manifest digest ≠ requested",
        Answer(&[liars::another_document_than_the_one_that_was_asked_for_is_refused], &[]),
    ),
    (
        "content-type confusion (index as manifest)",
        Answer(
            &[liars::an_index_is_not_taken_for_a_manifest_whatever_it_is_called],
            &[(DOCUMENT, "an_index_cannot_be_taken_for_a_manifest_nor_a_manifest_for_an_index")],
        ),
    ),
    ("429 + Retry-After: 10⁹", Answer(&[deadlines::a_wait_that_is_asked_for_is_cut_short], &[])),
    ("slow-loris", Answer(&[deadlines::a_registry_that_sends_nothing_is_not_waited_for], &[])),
    (
        "redirect to file:// or metadata IP",
        Answer(
            &[liars::a_redirect_leads_to_no_file_and_not_round_in_a_circle],
            &[(HOST, "a_registry_on_the_internet_leads_to_no_private_address")],
        ),
    ),
    (
        "tag `sha256-…` pointing to a non-index",
        Answer(&[liars::a_fallback_tag_that_is_no_index_is_reported], &[]),
    ),
    (
        "referrer list with 10⁵ entries (one good last)",
        Answer(&[liars::a_list_of_a_hundred_thousand_referrers_is_cut_off], &[]),
    ),
    (
        "1 good + 9999 garbage",
        Answer(&[liars::a_list_of_ten_thousand_with_one_good_one_is_read], &[]),
    ),
];

/// The items of the acceptance line.
const LINE: &[(&str, Answer)] = &[
    (
        "other digest",
        Answer(&[liars::another_document_than_the_one_that_was_asked_for_is_refused], &[]),
    ),
    ("endless body", Answer(&[liars::a_body_without_end_is_read_up_to_what_was_announced], &[])),
    (
        "10⁵ referrers",
        Answer(
            &[
                liars::a_list_of_a_hundred_thousand_referrers_is_cut_off,
                liars::a_list_with_long_entries_is_cut_off,
            ],
            &[],
        ),
    ),
    (
        "deep index nesting",
        Answer(
            &[
                liars::indexes_in_indexes_are_followed_to_a_depth_that_is_reasonable,
                liars::an_index_that_announces_more_than_is_read_is_left,
            ],
            &[],
        ),
    ),
    (
        "redirect to a private address",
        Answer(&[], &[(HOST, "a_registry_on_the_internet_leads_to_no_private_address")]),
    ),
    (
        "credentials asked by another host",
        Answer(
            &[
                authorization::whoever_a_registry_sends_us_to_gets_no_credentials,
                authorization::where_a_registry_lets_us_upload_to_gets_no_credentials,
                authorization::a_token_server_on_another_host_gets_nothing_without_tls,
                authorization::a_token_server_that_redirects_is_not_followed,
                authorization::a_list_does_not_go_on_elsewhere,
            ],
            &[],
        ),
    ),
    (
        "never gets credentials meant for another",
        Answer(
            &[
                authorization::credentials_for_another_registry_are_not_shown,
                between::a_copy_shows_each_registry_what_is_meant_for_it,
                between::a_copy_to_a_registry_without_credentials_shows_it_none,
                between::a_token_for_one_registry_is_not_shown_to_another,
                between::a_token_server_at_another_registry_gets_what_is_for_the_one_that_names_it,
                between::a_blob_of_a_neighbour_is_taken_over_with_one_token_for_both,
                mirrors::a_mirror_is_read_first_and_gets_no_credentials_of_the_original,
            ],
            &[],
        ),
    ),
    (
        "a named byte limit",
        Answer(
            &[
                liars::a_list_with_long_entries_is_cut_off,
                liars::a_document_with_as_many_entries_as_fit_is_read_and_one_with_more_is_not,
                copies::a_layer_that_is_longer_than_any_is_not_begun,
            ],
            &[],
        ),
    ),
    (
        "a deadline",
        Answer(
            &[
                deadlines::a_registry_that_sends_nothing_is_not_waited_for,
                deadlines::a_list_has_a_deadline_as_a_whole,
                deadlines::an_index_has_a_deadline_with_all_that_it_lists,
                deadlines::a_blob_that_never_ends_is_not_waited_for,
                deadlines::a_token_server_that_says_nothing_is_not_waited_for,
                deadlines::a_registry_that_takes_nothing_is_not_waited_for,
            ],
            &[],
        ),
    ),
];

#[test]
fn every_row_is_answered() {
    for (row, Answer(tests, elsewhere)) in [ADVISORIES, FURTHER, LINE].into_iter().flatten() {
        assert!(!tests.is_empty() || !elsewhere.is_empty(), "{row}");
        for (file, test) in *elsewhere {
            let path = format!("{}/../../{file}", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(path)
                .unwrap_or_else(|error| panic!("{row}: {file}: {error}"));
            assert!(text.contains(&format!("fn {test}(")), "{row}: no {test} in {file}");
        }
    }
}

#[test]
fn the_rows_are_those_of_the_notes() {
    let Some(notes) = testdata::spec("client.md") else { return };
    let notes = std::fs::read_to_string(notes).unwrap();
    for (id, _) in ADVISORIES {
        assert!(notes.contains(&format!("| {id} |")), "there is no row {id}");
    }
    let start = notes.find("\nregistry: ").expect("the notes have a line about registries")
        + "\nregistry: ".len();
    let line = notes[start..].lines().next().unwrap_or_default().trim_end_matches('.');
    let ours: Vec<_> = FURTHER.iter().map(|(item, _)| *item).collect();
    assert_eq!(ours.join(", "), line);
    let rows = ADVISORIES.len() + FURTHER.len() + LINE.len();
    testdata::report(&format!("hostile registries: {rows} rows"));
}
