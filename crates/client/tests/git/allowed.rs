//! Lists of allowed signers, held against signatures.

use client::git::allowed::{AllowedSigners, NotAllowed};
use client::git::object::ObjectKind;

use super::*;

fn judge(list: &str, object: &str, kind: ObjectKind) -> Result<Verified, NotAllowed> {
    let sigstore = Sigstore::new();
    let signature = sign(&sigstore, &sigstore.signer(), Api::V1, object.as_bytes());
    let bound = bind(&signature, object.as_bytes());
    let allowed = AllowedSigners::parse(list.as_bytes()).unwrap();
    allowed.judge(&bound, kind, &|policy| policy, &sigstore.trust)
}

fn entry(name: &str, more: &str) -> String {
    format!("[[signer]]\nidentity = '{name}'\nissuer = '{ISSUER}'\n{more}\n")
}

#[test]
fn a_signer_who_is_in_the_list_is_allowed() {
    judge(&entry(NAME, ""), COMMIT, ObjectKind::Commit).unwrap();
    let second = entry("somebody@example.com", "") + &entry(NAME, "");
    judge(&second, COMMIT, ObjectKind::Commit).unwrap();
}

#[test]
fn a_signer_who_is_not_in_the_list_is_a_stranger_who_is_named() {
    let stranger = NotAllowed::Stranger { identity: NAME.into(), issuer: ISSUER.into() };
    let lists = [
        String::new(),
        entry("somebody@example.com", ""),
        format!("[[signer]]\nidentity = '{NAME}'\nissuer = 'https://other.example'\n"),
        // A pattern is for the whole name.
        format!("[[signer]]\nidentity-regexp = 'signer'\nissuer = '{ISSUER}'\n"),
    ];
    for list in lists {
        let refused = judge(&list, COMMIT, ObjectKind::Commit).unwrap_err();
        assert_eq!(refused, stranger, "{list}");
    }
}

#[test]
fn a_signer_may_be_limited_to_kinds_of_objects() {
    let tags = entry(NAME, "objects = ['tag']");
    judge(&tags, TAG, ObjectKind::Tag).unwrap();
    let refused = judge(&tags, COMMIT, ObjectKind::Commit).unwrap_err();
    assert_eq!(refused, NotAllowed::Kind { identity: NAME.into() });
    // Another entry may allow what this one does not.
    let both = tags + &entry(NAME, "objects = ['commit']");
    judge(&both, COMMIT, ObjectKind::Commit).unwrap();
}

#[test]
fn a_signer_may_be_limited_to_a_time_by_what_others_say_of_the_time() {
    let at = signed();
    for (limit, good) in [("valid-until", true), ("valid-from", true)] {
        let list = entry(NAME, &format!("{limit} = '{at}'"));
        assert_eq!(judge(&list, COMMIT, ObjectKind::Commit).is_ok(), good, "both are inclusive");
    }
    let before = at - jiff::SignedDuration::from_secs(1);
    let after = at + jiff::SignedDuration::from_secs(1);
    for limit in [format!("valid-until = '{before}'"), format!("valid-from = '{after}'")] {
        let refused = judge(&entry(NAME, &limit), COMMIT, ObjectKind::Commit).unwrap_err();
        assert_eq!(refused, NotAllowed::Time { identity: NAME.into(), time: at });
    }
}

#[test]
fn a_signature_that_does_not_hold_is_refused_whoever_is_allowed() {
    let sigstore = Sigstore::new();
    let signature = sign(&Sigstore::new(), &sigstore.signer(), Api::V1, COMMIT.as_bytes());
    let bound = bind(&signature, COMMIT.as_bytes());
    for list in [entry(NAME, ""), String::new()] {
        let allowed = AllowedSigners::parse(list.as_bytes()).unwrap();
        let refused = allowed
            .judge(&bound, ObjectKind::Commit, &|policy| policy, &sigstore.trust)
            .unwrap_err();
        assert!(matches!(refused, NotAllowed::Refused(VerifyError::Log(_))), "{refused:?}");
    }
}
