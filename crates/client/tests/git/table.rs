//! The advisories about gitsign, what answers each, and the twin that is good.

use super::hostile;

/// What refuses the hostile input, and what takes its twin.
struct Row {
    id: &'static str,
    hostile: &'static [fn()],
    twin: fn(),
}

const ROWS: &[Row] = &[
    Row {
        id: "GHSA-xvrc-2wvh-49vc / CVE-2023-47122",
        hostile: &[hostile::an_entry_of_a_log_that_is_not_trusted_does_not_count],
        twin: hostile::a_signature_that_was_only_put_together_again_verifies,
    },
    Row {
        id: "GHSA-8pmp-678w-c8xx / CVE-2024-51746",
        hostile: &[
            hostile::the_entry_of_another_commit_by_the_same_key_is_refused,
            hostile::a_body_that_comes_with_the_entry_is_not_looked_at,
        ],
        twin: hostile::a_signature_that_was_only_put_together_again_verifies,
    },
    Row {
        id: "GHSA-7rmh-48mx-2vwc / CVE-2026-44309",
        hostile: &[
            hostile::a_commit_with_a_header_doubled_after_signing_is_refused,
            hostile::a_commit_with_a_second_signature_header_is_refused,
            hostile::a_commit_is_not_verified_in_the_form_that_a_reader_would_give_it,
        ],
        twin: hostile::a_commit_as_it_was_signed_verifies,
    },
    Row {
        id: "gitsign #810/#799",
        hostile: &[
            hostile::a_decoy_in_the_bag_is_not_taken_for_the_signer,
            hostile::a_bag_without_the_signer_s_certificate_is_refused,
        ],
        twin: hostile::a_signature_that_was_only_put_together_again_verifies,
    },
];

#[test]
fn every_row_holds_and_its_twin_is_good() {
    for Row { hostile, twin, .. } in ROWS {
        assert!(!hostile.is_empty());
        hostile.iter().for_each(|test| test());
        twin();
    }
}

#[test]
fn the_rows_are_those_of_the_notes() {
    let Some(notes) = testdata::spec("client.md") else { return };
    let notes = std::fs::read_to_string(notes).unwrap();
    let from = notes.find("## 7.1").unwrap();
    let to = notes.find("## 7.2").unwrap();
    let rows = notes[from..to].lines().filter_map(|line| line.strip_prefix("| "));
    let about_git = rows.filter_map(|row| {
        let mut columns = row.split(" | ");
        let (id, component) = (columns.next()?, columns.next()?);
        (id.contains("gitsign") || component.contains("gitsign")).then(|| id.trim().to_owned())
    });
    let ours: Vec<_> = ROWS.iter().map(|row| row.id.to_owned()).collect();
    testdata::report(&format!("advisories about git signatures: {} rows", ours.len()));
    assert_eq!(ours, about_git.collect::<Vec<_>>());
}
