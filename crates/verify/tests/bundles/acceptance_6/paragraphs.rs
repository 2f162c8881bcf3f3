//! The paragraphs of further hostile inputs that are about what a bundle holds, item for item.

use super::table::Answer::{self, Elsewhere, Tests};
use super::{certificate, entry, form, log, signer, time};

const NOTE: &str = "crates/merkle/src/note.rs";
const CHECKPOINT: &str = "crates/merkle/src/checkpoint.rs";
const INCLUSION: &str = "crates/merkle/src/inclusion.rs";
const TOKEN: &str = "crates/pki/src/tsp/hostile.rs";
const EXCHANGE: &str = "crates/pki/src/tsp/tests.rs";
const CHAIN: &str = "crates/pki/src/chain/tests.rs";
const CERTIFICATE: &str = "crates/pki/src/certificate/tests.rs";
const TIME: &str = "crates/pki/src/asn1/time.rs";
const ALGORITHM: &str = "crates/pki/src/signature.rs";
const EXPECTED: &str = "crates/verify/src/policy/expected.rs";
const KEY: &str = "crates/crypto/src/public_key.rs";

/// An item, as the notes have it, and what answers it.
type Item = (&'static str, Answer);

const BUNDLE: &[Item] = &[
    ("BOM", Tests(&[form::text_that_readers_would_read_differently_is_refused])),
    ("UTF-16", Tests(&[form::text_that_readers_would_read_differently_is_refused])),
    (
        "duplicate keys (`\"signature\"` twice)",
        Tests(&[form::text_that_readers_would_read_differently_is_refused]),
    ),
    ("both messageSignature+dsseEnvelope", Tests(&[form::alternatives_exclude_each_other])),
    (
        "`certificate`+`x509CertificateChain` oneof dup",
        Tests(&[form::alternatives_exclude_each_other]),
    ),
    (
        "base64 with newlines / url-safe / non-canonical trailing bits",
        Tests(&[
            form::text_that_readers_would_read_differently_is_refused,
            form::the_forms_that_protojson_reads_mean_the_same,
        ]),
    ),
    ("logIndex \"1e3\"", Tests(&[form::text_that_readers_would_read_differently_is_refused])),
    ("2^63", Tests(&[form::text_that_readers_would_read_differently_is_refused])),
    ("integratedTime float", Tests(&[form::text_that_readers_would_read_differently_is_refused])),
    (
        "empty tlogEntries with threshold≥1",
        Tests(&[log::an_entry_that_was_never_logged_is_refused]),
    ),
    ("33 entries", Tests(&[form::more_entries_or_timestamps_than_a_bundle_may_have_are_refused])),
    (
        "kindVersion \"hashedrekord/0.0.3\"",
        Tests(&[
            entry::a_kind_that_is_not_the_body_s_is_refused,
            entry::a_body_that_cannot_be_read_is_refused,
        ]),
    ),
    (
        "body JSON with dup keys or trailing data",
        Tests(&[entry::a_body_that_cannot_be_read_is_refused]),
    ),
    ("body whose hash alg is sha1/sha224", Tests(&[entry::a_body_that_cannot_be_read_is_refused])),
    ("hex upper-case digest", Tests(&[entry::a_digest_in_a_body_is_its_bytes_and_not_their_case])),
    (
        "PEM with two certs or leading garbage in `publicKey.content`",
        Tests(&[entry::key_text_with_anything_beside_the_key_is_refused]),
    ),
];

const CERTIFICATES: &[Item] = &[
    (
        "SAN with 2 URIs (attacker first)",
        Elsewhere(&[(CERTIFICATE, "every_name_is_kept_as_it_is")]),
    ),
    ("URI+email", Elsewhere(&[(CERTIFICATE, "every_name_is_kept_as_it_is")])),
    ("otherName only", Tests(&[signer::every_kind_of_name_is_read])),
    ("NUL in SAN", Elsewhere(&[(CERTIFICATE, "every_name_is_kept_as_it_is")])),
    (
        "IDN/punycode",
        Elsewhere(&[
            (CERTIFICATE, "malformed_names_are_refused"),
            (EXPECTED, "an_exact_text_is_compared_byte_for_byte"),
        ]),
    ),
    (
        "whitespace",
        Elsewhere(&[
            (CERTIFICATE, "every_name_is_kept_as_it_is"),
            (EXPECTED, "an_exact_text_is_compared_byte_for_byte"),
        ]),
    ),
    ("BMPString", Elsewhere(&[(CERTIFICATE, "malformed_names_are_refused")])),
    ("empty SAN", Elsewhere(&[(CERTIFICATE, "malformed_names_are_refused")])),
    ("issuer ext .8 ≠ .1", Tests(&[signer::two_issuers_that_differ_are_refused])),
    ("EKU anyExtendedKeyUsage", Elsewhere(&[(CHAIN, "the_purpose_must_be_named")])),
    ("CA:true leaf", Elsewhere(&[(CHAIN, "a_leaf_signs_and_does_not_issue")])),
    (
        "keyCertSign absent",
        Elsewhere(&[(CHAIN, "an_issuer_must_be_an_authority_that_may_sign_certificates")]),
    ),
    ("pathLen violated", Elsewhere(&[(CHAIN, "a_path_length_is_kept_by_anchors_too")])),
    (
        "name constraints",
        Elsewhere(&[(CHAIN, "an_unknown_critical_extension_refuses_and_the_poison_is_one")]),
    ),
    ("negative serial", Elsewhere(&[(CERTIFICATE, "a_negative_serial_number_is_refused")])),
    ("1 MB SAN", Elsewhere(&[(CERTIFICATE, "limits_are_kept")])),
    ("SHA-1 sig", Elsewhere(&[(ALGORITHM, "sha_1_and_unknown_algorithms_are_refused")])),
    ("RSA e=1", Elsewhere(&[(KEY, "an_rsa_exponent_with_which_anyone_can_sign_is_refused")])),
    (
        "P-256 point not on curve / at infinity",
        Elsewhere(&[
            (KEY, "a_point_off_the_curve_is_refused"),
            (KEY, "the_point_at_infinity_is_no_key"),
        ]),
    ),
    ("ECDSA r/s = 0 or n", Elsewhere(&[(KEY, "a_signature_of_zeros_or_of_the_order_is_refused")])),
    ("BER indefinite lengths", Tests(&[certificate::a_certificate_that_is_not_der_is_refused])),
    ("validity UTCTime 1950/2050 edges", Elsewhere(&[(TIME, "two_digit_years_turn_at_fifty")])),
    (
        "notAfter<notBefore",
        Elsewhere(&[(CHAIN, "a_validity_that_ends_before_it_begins_holds_at_no_time")]),
    ),
    ("100-deep chain", Elsewhere(&[(CHAIN, "a_path_is_no_longer_than_eight_certificates")])),
    (
        "cross-signed loops",
        Elsewhere(&[(CHAIN, "crossed_certificates_end_the_search_and_not_the_program")]),
    ),
];

const CHECKPOINTS: &[Item] = &[
    ("CRLF", Tests(&[log::a_checkpoint_that_is_none_is_refused])),
    ("second blank line inside", Elsewhere(&[(CHECKPOINT, "each_line_must_be_what_it_is")])),
    ("10⁵ signature lines", Elsewhere(&[(NOTE, "what_is_no_note_is_refused")])),
    ("name with `+`/space", Elsewhere(&[(NOTE, "what_is_no_note_is_refused")])),
    (
        "hint collision (two known keys same hint)",
        Elsewhere(&[(NOTE, "a_hint_that_two_keys_have_lets_neither_sign_for_the_other")]),
    ),
    ("size with leading zero / > u64", Elsewhere(&[(CHECKPOINT, "each_line_must_be_what_it_is")])),
    ("root ≠ 32 bytes", Elsewhere(&[(CHECKPOINT, "each_line_must_be_what_it_is")])),
    ("em dash vs hyphen", Tests(&[log::a_checkpoint_that_is_none_is_refused])),
];

const PROOFS: &[Item] = &[
    ("size 0", Elsewhere(&[(INCLUSION, "a_leaf_outside_the_tree_is_refused")])),
    ("index ≥ size", Tests(&[log::a_path_to_another_tree_is_refused])),
    ("too many/few hashes", Tests(&[log::a_path_to_another_tree_is_refused])),
    ("size 1 with hashes", Elsewhere(&[(INCLUSION, "a_tree_of_one_leaf_has_no_path")])),
    ("65 hashes", Elsewhere(&[(INCLUSION, "the_largest_tree_does_not_overflow")])),
];

const TIMESTAMPS: &[Item] = &[
    ("PKIStatus 2", Elsewhere(&[(TOKEN, "only_a_granted_response_is_read")])),
    ("two SignerInfos", Elsewhere(&[(TOKEN, "there_is_exactly_one_signer")])),
    ("missing ESSCertID", Elsewhere(&[(TOKEN, "the_signing_certificate_must_be_named")])),
    ("SHA-1 imprint", Elsewhere(&[(TOKEN, "sha_1_is_no_imprint")])),
    (
        "imprint of artifact instead of signature",
        Tests(&[time::a_timestamp_for_another_signature_is_refused]),
    ),
    (
        "genTime with fractional seconds / timezone offset / year 9999",
        Elsewhere(&[(TOKEN, "a_time_may_have_a_fraction_and_no_offset")]),
    ),
    (
        "accuracy huge",
        Elsewhere(&[(TOKEN, "a_huge_accuracy_does_no_harm_and_a_critical_extension_is_refused")]),
    ),
    ("EKU non-critical", Elsewhere(&[(CHAIN, "a_timestamp_certificate_has_one_critical_purpose")])),
    ("unsigned attrs only", Elsewhere(&[(TOKEN, "unsigned_attributes_say_nothing")])),
    (
        "response trailing bytes",
        Elsewhere(&[(EXCHANGE, "refusals_and_trailing_bytes_are_no_tokens")]),
    ),
    (
        "policy OID unknown",
        Elsewhere(&[(EXCHANGE, "a_token_of_another_nonce_or_policy_is_not_the_answer")]),
    ),
];

/// Each paragraph by the word that it begins with.
const PARAGRAPHS: &[(&str, &[Item])] = &[
    ("bundle", BUNDLE),
    ("cert", CERTIFICATES),
    ("checkpoint", CHECKPOINTS),
    ("Merkle", PROOFS),
    ("TSA", TIMESTAMPS),
];

#[test]
fn every_item_is_answered() {
    for (name, answer) in PARAGRAPHS.iter().flat_map(|(_, items)| *items) {
        answer.check(name);
    }
}

#[test]
fn the_items_are_those_of_the_notes() {
    let Some(notes) = testdata::spec("client.md") else { return };
    let notes = std::fs::read_to_string(notes).expect("the notes can be read");
    for (name, items) in PARAGRAPHS {
        let begins = format!("{name}: ");
        let line = notes.lines().find_map(|line| line.strip_prefix(&begins));
        let ours: Vec<_> = items.iter().map(|(item, _)| *item).collect();
        assert_eq!(Some(&*format!("{}.", ours.join(", "))), line, "{name}");
    }
    let count: usize = PARAGRAPHS.iter().map(|(_, items)| items.len()).sum();
    testdata::report(&format!("further hostile inputs in bundles: {count} items"));
}
