//! Acceptance 6 for the certificate authority and its log: every item of what a hostile tester would try
//! (our notes, ca-ct-oidc §6.3), and what answers it.

use super::{infrastructure, log, possession, subject, token};

/// What answers an item.
enum Answer {
    /// Tests of this program.
    Tests(&'static [fn()]),
    /// Tests in other crates: a file from the project's root, and the test's name.
    Elsewhere(&'static [(&'static str, &'static str)]),
    /// Why there is nothing to answer.
    Reason(&'static str),
}
use Answer::{Elsewhere, Reason, Tests};

/// The paragraphs of the section, each with its items in their order.
const PARAGRAPHS: &[(&str, &[(&str, Answer)])] = &[
    ("CA/token", TOKEN),
    ("PoP", POSSESSION),
    ("Infrastructure", INFRASTRUCTURE),
    ("CT log", LOG),
];

const TOKEN: &[(&str, Answer)] = &[
    ("`alg:none`", Tests(&[token::a_token_without_a_signature_is_refused])),
    ("HS256 with RSA pub key", Tests(&[token::an_rsa_key_is_never_taken_for_a_shared_secret])),
    (
        "alg not in discovery",
        Tests(&[token::an_algorithm_that_the_issuer_does_not_list_is_refused]),
    ),
    ("`kid` path/URL", Tests(&[token::the_name_of_a_key_is_compared_and_never_followed])),
    (
        "`jku/x5u/jwk` headers (must be ignored)",
        Tests(&[token::a_key_in_the_header_is_not_looked_at]),
    ),
    ("crit header", Tests(&[token::a_critical_header_is_refused])),
    (
        "duplicate JSON keys (`iss` twice: unverified parse vs verified parse mismatch!)",
        Tests(&[token::of_an_issuer_named_twice_the_last_counts_for_keys_and_certificate_alike]),
    ),
    (
        "iss with userinfo/fragment/uppercase/trailing dot/percent-encoding",
        Tests(&[token::an_issuer_written_otherwise_is_another_issuer]),
    ),
    ("unicode confusables", Tests(&[token::letters_that_look_alike_are_others])),
    (
        "aud arrays w/ extra values",
        Tests(&[token::further_audiences_do_no_harm_and_ours_must_be_among_them]),
    ),
    ("exp as float/1e300/negative/string", Tests(&[token::an_expiry_is_a_time_that_has_not_come])),
    ("nbf future", Tests(&[token::a_token_that_is_not_in_force_yet_is_refused])),
    ("huge claims", Tests(&[token::a_token_longer_than_any_is_refused])),
    ("4 MiB body", Tests(&[infrastructure::a_body_of_more_than_four_mebibytes_is_refused])),
    ("deep JSON", Tests(&[token::a_token_with_deeply_nested_claims_is_refused])),
    ("millions of dots", Tests(&[token::a_token_of_dots_is_refused])),
    ("NUL/newline in email", Tests(&[subject::an_email_with_a_control_character_is_refused])),
    ("emails quoted-local/IDN/comments", Tests(&[subject::an_email_of_an_odd_form_is_refused])),
    ("two @", Tests(&[subject::an_email_with_two_at_signs_is_refused])),
    (
        "`email_verified:\"True\"`",
        Tests(&[subject::verified_is_true_in_three_spellings_and_nothing_else]),
    ),
    ("sub containing `!`", Tests(&[subject::a_user_name_cannot_bring_a_domain_of_its_own])),
    (
        "SAN URI with `%00`",
        Tests(&[subject::an_encoded_nul_stays_encoded_and_a_real_one_is_refused]),
    ),
    ("spaces", Tests(&[subject::a_blank_is_encoded_in_a_path_and_refused_in_a_host])),
    ("`#`", Tests(&[subject::a_fragment_does_not_hide_the_host])),
    ("non-ASCII (IA5String!)", Tests(&[subject::a_name_outside_ascii_is_encoded_or_refused])),
    (
        "SPIFFE with port/query/trailing slash/uppercase TD",
        Elsewhere(&[(IDENTITIES, "types_of_issuers_that_are_not_supported_make_no_certificate")]),
    ),
    (
        "k8s token without claim or with `/` in names",
        Elsewhere(&[(IDENTITIES, "types_of_issuers_that_are_not_supported_make_no_certificate")]),
    ),
    (
        "template injection through claim values (`{{`)",
        Tests(&[subject::a_template_in_a_claim_is_text]),
    ),
    (
        "claims overriding `url` default (claims win over defaults by design)",
        Tests(&[subject::claims_win_over_defaults]),
    ),
];

const IDENTITIES: &str = "crates/services/src/ca/golden/identities.rs";
const RSA: &str = "crates/services/src/ca/client_key/rsa.rs";

const POSSESSION: &[(&str, Answer)] = &[
    ("wrong curve", Tests(&[possession::a_signature_of_another_curve_is_refused])),
    ("non-canonical DER", Tests(&[possession::a_signature_that_is_not_canonical_der_is_refused])),
    ("high-S", Tests(&[possession::either_of_the_two_s_proves_possession])),
    ("r/s = 0", Tests(&[possession::a_signature_with_a_zero_is_refused])),
    ("point at infinity", Tests(&[possession::the_point_at_infinity_is_no_key])),
    ("compressed points", Tests(&[possession::a_compressed_point_is_refused])),
    ("explicit curve params", Tests(&[possession::a_curve_that_is_spelt_out_is_refused])),
    ("RSA e=1/3", Tests(&[possession::an_rsa_key_with_another_exponent_is_insecure])),
    ("1024/8192/2047 bit", Tests(&[possession::an_rsa_key_of_another_size_is_insecure])),
    ("ROCA", Elsewhere(&[(RSA, "a_key_of_the_broken_library_is_insecure")])),
    ("Fermat", Elsewhere(&[(RSA, "a_key_with_close_factors_is_insecure")])),
    ("P-224/secp256k1", Tests(&[possession::other_curves_are_refused])),
    ("PSS SPKI OID", Tests(&[possession::a_key_for_pss_only_is_refused])),
    (
        "CSR with trailing data/attributes/extension requests (CA:TRUE)",
        Tests(&[possession::what_a_signing_request_asks_for_is_ignored]),
    ),
    (
        "signature over other user's email",
        Tests(&[possession::a_signature_over_somebody_elses_name_is_refused]),
    ),
    ("CSR replay", Tests(&[possession::a_replayed_signing_request_names_the_holder_of_the_token])),
];

const KEY_CACHE: &str = "crates/services/src/ca/key_cache/tests.rs";
const DISCOVERY: &str = "crates/services/src/ca/discovery.rs";
const CLOCK: &str = "crates/services/src/clock.rs";
const ADDRESS: &str = "crates/net/tests/client.rs";
const POWER: &str = "crates/tlog/src/power.rs";

const INFRASTRUCTURE: &[(&str, Answer)] = &[
    ("slowloris", Tests(&[infrastructure::a_client_that_dawdles_over_its_headers_is_sent_away])),
    (
        "HTTP/2 rapid reset/continuation flood",
        Reason(
            "h2 bounds pending resets, header lists and continuation frames by itself (CVE-2023-44487, \
             RUSTSEC-2024-0332); web::server::listen leaves its limits on and sets that of streams",
        ),
    ),
    (
        "JWKS stampede with random kids",
        Elsewhere(&[
            (KEY_CACHE, "a_stampede_with_random_key_names_stays_within_the_budget"),
            (KEY_CACHE, "issuers_of_a_pattern_share_a_budget_and_memory_is_bounded"),
        ]),
    ),
    (
        "meta-issuer SSRF (169.254.169.254, DNS rebinding, redirects)",
        Elsewhere(&[
            (DISCOVERY, "an_issuer_of_a_pattern_at_a_private_address_is_not_reached"),
            (DISCOVERY, "keys_of_an_issuer_that_matches_a_pattern_must_be_on_its_own_origin"),
            (ADDRESS, "a_forbidden_address_is_refused_by_name_and_by_number"),
            (ADDRESS, "only_redirects_within_the_origin_are_followed_and_not_for_ever"),
        ]),
    ),
    (
        "KMS hang",
        Reason("keys are files that are read at the start; there is no key service to wait for"),
    ),
    (
        "CT 200 with garbage / SCT signed by other key / SCT timestamp far future / SCT from wrong TBS / 429 storm",
        Tests(&[
            infrastructure::an_answer_of_the_log_that_is_no_promise_for_this_certificate_is_refused,
            infrastructure::a_log_that_is_busy_or_broken_gives_no_certificate_and_heals,
            infrastructure::failures_of_the_servers_are_told_apart_from_mistakes_of_clients,
        ]),
    ),
    ("clock jumps (±)", Tests(&[infrastructure::without_a_trusted_time_nothing_is_issued])),
    (
        "disk full",
        Elsewhere(&[(POWER, "acceptance_5_every_operation_fails_before_and_after_its_effect")]),
    ),
    (
        "file descriptor exhaustion",
        Reason(
            "a connection that cannot be accepted is logged and the next one awaited (web::server::listen); no \
             request opens a file for longer than itself",
        ),
    ),
    (
        "config swap mid-request",
        Reason(
            "the configuration is read once, before the first request, and cannot be changed after that",
        ),
    ),
    (
        "CA cert expiring within 10 min (leaf must not outlive issuer)",
        Tests(&[infrastructure::nothing_is_issued_that_would_outlive_the_issuer]),
    ),
    (
        "rotation between precert and final",
        Elsewhere(&[(
            "crates/pki/src/issue/tests.rs",
            "a_timestamp_for_another_precertificate_does_not_finish_this_one",
        )]),
    ),
];

const CT: &str = "crates/services/src/ct/tests.rs";
const TILE_PATH: &str = "crates/merkle/src/tile_path.rs";

const LOG: &[(&str, Answer)] = &[
    (
        "kill -9 at every syscall",
        Elsewhere(&[(POWER, "acceptance_5_every_operation_fails_before_and_after_its_effect")]),
    ),
    (
        "power-cut with unsynced writes dropped or torn",
        Elsewhere(&[
            (POWER, "acceptance_5_power_is_lost_at_every_operation"),
            (POWER, "acceptance_5_two_thousand_seeded_losses_of_power"),
        ]),
    ),
    ("ENOSPC/EIO on fsync", Elsewhere(&[(POWER, "acceptance_5_a_failed_sync_stops_the_log")])),
    (
        "two processes on one directory",
        Elsewhere(&[(POWER, "acceptance_5_a_second_process_is_refused")]),
    ),
    (
        "restore of an old snapshot (rollback)",
        Elsewhere(&[(POWER, "acceptance_5_an_old_copy_of_the_directory_is_refused")]),
    ),
    (
        "copy of directory to second host (split view)",
        Elsewhere(&[(POWER, "acceptance_5_a_copy_that_was_written_to_is_refused")]),
    ),
    (
        "clock going back",
        Elsewhere(&[
            (POWER, "time_never_decreases_even_when_the_clock_is_set_back"),
            (CLOCK, "a_clock_set_back_is_noticed_and_one_set_forward_is_followed"),
        ]),
    ),
    (
        "duplicate submission concurrently ×1000 (same SCT)",
        Elsewhere(&[(CT, "a_thousand_submissions_of_one_certificate_are_one_leaf")]),
    ),
    (
        "precert & final of same cert",
        Elsewhere(&[(CT, "a_final_certificate_is_another_entry_than_its_precertificate")]),
    ),
    ("wrong endpoint", Tests(&[log::a_certificate_at_the_wrong_endpoint_is_refused])),
    (
        "chain permuted/with extra cert/without root/with 1000 certs",
        Elsewhere(&[(CT, "what_does_not_belong_into_the_log_is_refused")]),
    ),
    ("negative serial", Tests(&[log::a_serial_number_that_is_negative_or_too_long_is_refused])),
    ("huge OID", Tests(&[log::an_object_identifier_without_end_is_refused])),
    ("non-minimal DER", Tests(&[log::a_length_that_is_not_minimal_is_refused])),
    ("poison non-critical", Tests(&[log::a_poison_that_is_not_critical_is_refused])),
    ("poison twice", Tests(&[log::a_second_poison_is_refused])),
    ("SCT list in precert", Tests(&[log::a_precertificate_with_timestamps_is_refused])),
    ("issuer w/out EKU", Tests(&[log::an_issuer_for_another_purpose_is_refused])),
    ("get-entries with huge range/negative/overflow", Tests(&[log::a_range_of_entries_has_limits])),
    ("tile path traversal", Tests(&[log::no_tile_leads_out_of_the_log])),
    (
        "partial width 0/256/257",
        Tests(&[log::a_partial_tile_has_one_to_255_leaves_and_no_more_than_the_tree]),
    ),
    ("non-canonical `x000/000`", Tests(&[log::a_tile_has_one_name])),
    (
        "gzip bomb in monitors",
        Elsewhere(&[(ADDRESS, "a_compressed_body_counts_as_what_it_decompresses_to")]),
    ),
    (
        "checkpoint parse fuzz",
        Elsewhere(&[
            ("fuzz/src/targets.rs", "checkpoint"),
            ("crates/merkle/src/checkpoint.rs", "each_line_must_be_what_it_is"),
            (TILE_PATH, "other_ways_to_write_a_name_are_refused"),
        ]),
    ),
    (
        "HEAD/Range/conditional GET semantics",
        Tests(&[log::reads_are_whole_whatever_the_client_has]),
    ),
];

const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");

/// The items of a paragraph: what stands between commas and semicolons that are not in parentheses.
fn items(paragraph: &str) -> Vec<String> {
    let (mut items, mut item, mut depth) = (Vec::new(), String::new(), 0);
    for character in paragraph.chars() {
        depth += i32::from(character == '(') - i32::from(character == ')');
        if depth == 0 && ",;".contains(character) {
            items.push(std::mem::take(&mut item));
        } else {
            item.push(character);
        }
    }
    items.push(item);
    items.iter().map(|item| item.trim().trim_end_matches('.').to_owned()).collect()
}

#[test]
fn acceptance_6_the_items_are_those_of_the_notes() {
    let Some(notes) = testdata::spec("ca-ct-oidc.md") else { return };
    let notes = std::fs::read_to_string(notes).unwrap();
    let section = notes.split("## 6.3").nth(1).unwrap().split("\n## ").next().unwrap();
    let paragraphs: Vec<(&str, &str)> =
        section.lines().skip(1).filter_map(|line| line.trim().split_once(':')).collect();
    let names: Vec<&str> = paragraphs.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, PARAGRAPHS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for ((_, text), (_, rows)) in paragraphs.iter().zip(PARAGRAPHS) {
        assert_eq!(items(text), rows.iter().map(|(item, _)| *item).collect::<Vec<_>>());
    }
}

#[test]
fn acceptance_6_every_item_is_answered() {
    let (mut number, mut tests, mut reasons) = (0, 0, 0);
    for (item, answer) in PARAGRAPHS.iter().flat_map(|(_, rows)| *rows) {
        number += 1;
        match answer {
            Tests(found) => {
                assert!(!found.is_empty(), "{number}. {item}");
                tests += found.len();
            }
            Elsewhere(found) => {
                assert!(!found.is_empty(), "{number}. {item}");
                tests += found.len();
                for (file, test) in *found {
                    let text =
                        std::fs::read_to_string(format!("{PROJECT}{file}")).unwrap_or_default();
                    assert!(
                        text.contains(&format!("fn {test}(")),
                        "{number}. {item}: {test} in {file}"
                    );
                }
            }
            Reason(reason) => {
                assert!(reason.len() > 40, "{number}. {item}");
                reasons += 1;
            }
        }
    }
    testdata::report(&format!(
        "acceptance 6, ca-ct-oidc §6.3: {number} items, {tests} tests, {reasons} reasons"
    ));
}
