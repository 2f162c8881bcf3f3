//! Hierarchies made for the purpose, each bad one differing from a good one in one thing.

use crypto::{KeyKind, SigningKey};
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::asn1::{self, tag};
use crate::fulcio::San;
use crate::issue::profile::{self, KEY_USAGE_AUTHORITY, KEY_USAGE_SIGNATURE, Template};
use crate::issue::{Serial, Validity};
use crate::{DistinguishedName, GeneralName};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn start() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

/// A certificate and its key.
struct Holder {
    certificate: Certificate,
    key: SigningKey,
}

/// A certificate in the making.
struct Recipe<'a> {
    name: &'a str,
    kind: KeyKind,
    issuer: Option<&'a Holder>,
    extensions: Vec<Vec<u8>>,
    lifetime: SignedDuration,
}

impl<'a> Recipe<'a> {
    fn authority(name: &'a str) -> Self {
        let extensions = vec![profile::key_usage(KEY_USAGE_AUTHORITY), profile::authority(None)];
        Self { name, kind: KeyKind::EcdsaP256, issuer: None, extensions, lifetime: HOUR }
    }

    fn leaf() -> Self {
        let san = San::Email("alice@example.com".to_owned()).extension_value().unwrap();
        let extensions = vec![
            profile::key_usage(KEY_USAGE_SIGNATURE),
            profile::purpose(oid::CODE_SIGNING, false),
            profile::critical_san(&san),
        ];
        Self { name: "", kind: KeyKind::EcdsaP256, issuer: None, extensions, lifetime: HOUR }
    }

    fn by(self, issuer: &'a Holder) -> Self {
        Self { issuer: Some(issuer), ..self }
    }

    fn kind(self, kind: KeyKind) -> Self {
        Self { kind, ..self }
    }

    fn lasting(self, lifetime: SignedDuration) -> Self {
        Self { lifetime, ..self }
    }

    /// With `extension` in place of the one at `place`, or behind the last.
    fn with(mut self, place: usize, extension: Vec<u8>) -> Self {
        let place = place.min(self.extensions.len());
        self.extensions.splice(place..self.extensions.len().min(place + 1), [extension]);
        self
    }

    fn without(mut self, place: usize) -> Self {
        self.extensions.remove(place);
        self
    }

    fn make(self) -> Holder {
        let key = SigningKey::generate(self.kind).unwrap();
        let subject = match self.name {
            "" => DistinguishedName::empty(),
            name => DistinguishedName::new("test", name).unwrap(),
        };
        let issuer = self.issuer.map_or(subject.der(), |issuer| issuer.certificate.subject_der());
        let template = Template {
            serial: Serial::from_random([7; 20]),
            issuer,
            validity: Validity::starting(start(), self.lifetime),
            subject: subject.der(),
            spki: key.public_key().spki_der(),
        };
        let signer = self.issuer.map_or(&key, |issuer| &issuer.key);
        let certificate = template.sign(&self.extensions, signer).unwrap();
        Holder { certificate, key }
    }
}

/// The only place that calls the function under test.
fn check(
    leaf: &Holder,
    intermediates: &[&Holder],
    anchors: &[&Holder],
) -> Result<usize, PathError> {
    check_at(leaf, intermediates, anchors, start(), Purpose::CodeSigning)
}

fn check_at(
    leaf: &Holder,
    intermediates: &[&Holder],
    anchors: &[&Holder],
    time: Timestamp,
    purpose: Purpose,
) -> Result<usize, PathError> {
    let certificates =
        |holders: &[&Holder]| holders.iter().map(|h| h.certificate.clone()).collect::<Vec<_>>();
    let (intermediates, anchors) = (certificates(intermediates), certificates(anchors));
    verify_path(&leaf.certificate, &intermediates, &anchors, time, purpose)
        .map(|path| path.issuers.len())
}

#[test]
fn every_kind_of_key_may_issue() {
    let kinds = [
        KeyKind::EcdsaP256,
        KeyKind::EcdsaP384,
        KeyKind::EcdsaP521,
        KeyKind::Ed25519,
        KeyKind::Rsa { bits: 2048 },
    ];
    for kind in kinds {
        let root = Recipe::authority("root").kind(kind).make();
        let intermediate = Recipe::authority("intermediate").kind(kind).by(&root).make();
        let leaf = Recipe::leaf().by(&intermediate).make();
        assert_eq!(check(&leaf, &[&intermediate], &[&root]), Ok(2), "{kind}");
    }
}

#[test]
fn both_ends_of_the_validity_are_included_and_a_nanosecond_more_is_not() {
    let root = Recipe::authority("root").lasting(HOUR * 2).make();
    let leaf = Recipe::leaf().by(&root).make();
    let at = |time| check_at(&leaf, &[], &[&root], time, Purpose::CodeSigning);
    let nanosecond = SignedDuration::from_nanos(1);
    at(start()).unwrap();
    at(start() + HOUR).unwrap();
    assert!(matches!(at(start() - nanosecond), Err(PathError::Validity { .. })));
    assert!(matches!(at(start() + HOUR + nanosecond), Err(PathError::Validity { .. })));
}

#[test]
fn an_anchor_that_has_ended_is_no_anchor() {
    let root = Recipe::authority("root").lasting(HOUR / 2).make();
    let leaf = Recipe::leaf().by(&root).make();
    let late = check_at(&leaf, &[], &[&root], start() + HOUR, Purpose::CodeSigning);
    assert!(matches!(late, Err(PathError::Validity { subject, .. }) if subject.contains("root")));
}

#[test]
fn authorities_of_one_name_are_told_apart_by_their_keys() {
    let root = Recipe::authority("root").make();
    let twins = [(); 3].map(|()| Recipe::authority("twin").by(&root).make());
    let leaf = Recipe::leaf().by(&twins[2]).make();
    let candidates: Vec<&Holder> = twins.iter().collect();
    assert_eq!(check(&leaf, &candidates, &[&root]), Ok(2));
    let signature = Err(PathError::Signature { subject: "alice@example.com".to_owned() });
    assert_eq!(check(&leaf, &candidates[..2], &[&root]), signature);
}

#[test]
fn an_intermediate_may_be_the_anchor() {
    let root = Recipe::authority("root").make();
    let intermediate = Recipe::authority("intermediate").by(&root).make();
    let leaf = Recipe::leaf().by(&intermediate).make();
    assert_eq!(check(&leaf, &[], &[&intermediate]), Ok(1));
    assert_eq!(check(&leaf, &[&intermediate], &[&intermediate]), Ok(1));
}

#[test]
fn without_the_issuer_there_is_no_path() {
    let root = Recipe::authority("root").make();
    let other = Recipe::authority("other").make();
    let intermediate = Recipe::authority("intermediate").by(&root).make();
    let leaf = Recipe::leaf().by(&intermediate).make();
    let unknown = |subject: &str| Err(PathError::UnknownIssuer { subject: subject.to_owned() });
    assert_eq!(check(&leaf, &[], &[&root]), unknown("alice@example.com"));
    assert_eq!(check(&leaf, &[&intermediate], &[&other]), unknown("O=test, CN=intermediate"));
}

#[test]
fn a_validity_that_ends_before_it_begins_holds_at_no_time() {
    let root = Recipe::authority("root").lasting(HOUR * 3).make();
    let at = |leaf: &Holder, minutes| {
        let time = start() + SignedDuration::from_mins(minutes);
        check_at(leaf, &[], &[&root], time, Purpose::CodeSigning)
    };
    let leaf = Recipe::leaf().by(&root).lasting(-HOUR).make();
    for minutes in [-90, -60, -30, 0, 30] {
        let refused = at(&leaf, minutes);
        assert!(matches!(refused, Err(PathError::Validity { .. })), "{minutes}: {refused:?}");
    }
    at(&Recipe::leaf().by(&root).make(), 30).unwrap();
}

#[test]
fn the_purpose_must_be_named() {
    let root = Recipe::authority("root").make();
    let refused = |recipe: Recipe<'_>| {
        let result = check(&recipe.by(&root).make(), &[], &[&root]);
        matches!(result, Err(PathError::Purpose { .. }))
    };
    let any = Oid::new_unwrap("2.5.29.37.0");
    assert!(refused(Recipe::leaf().with(1, profile::purpose(any, false))));
    assert!(refused(Recipe::leaf().with(1, profile::purpose(oid::SERVER_AUTH, false))));
    assert!(refused(Recipe::leaf().without(1)));
    assert!(!refused(Recipe::leaf()));
}

#[test]
fn a_leaf_of_anybody_s_authority_says_something_that_allows_signing_and_nothing_that_does_not() {
    let root = Recipe::authority("root").make();
    let check = |recipe: Recipe<'_>| {
        check_at(&recipe.by(&root).make(), &[], &[&root], start(), Purpose::Signing)
    };
    check(Recipe::leaf()).unwrap();
    // One of the two is enough.
    check(Recipe::leaf().without(0)).unwrap();
    check(Recipe::leaf().without(1)).unwrap();
    assert_eq!(check(Recipe::leaf().without(1).without(0)), Err(PathError::LeafKeyUsage));
    let authority = profile::key_usage(KEY_USAGE_AUTHORITY);
    assert_eq!(check(Recipe::leaf().with(0, authority)), Err(PathError::LeafKeyUsage));
    for other in [oid::SERVER_AUTH, oid::TIME_STAMPING] {
        let refused = check(Recipe::leaf().with(1, profile::purpose(other, false)));
        assert!(matches!(refused, Err(PathError::Purpose { .. })), "{refused:?}");
    }
}

#[test]
fn an_issuer_for_another_purpose_passes_nothing_on() {
    let root = Recipe::authority("root").make();
    let with = |purpose| {
        let extension = profile::purpose(purpose, false);
        let issuer = Recipe::authority("intermediate").with(9, extension).by(&root).make();
        check(&Recipe::leaf().by(&issuer).make(), &[&issuer], &[&root])
    };
    with(oid::CODE_SIGNING).unwrap();
    assert!(matches!(with(oid::TIME_STAMPING), Err(PathError::Purpose { .. })));
}

#[test]
fn a_timestamp_certificate_has_one_critical_purpose() {
    let root = Recipe::authority("root").make();
    let time_stamping = |critical| profile::purpose(oid::TIME_STAMPING, critical);
    let both = asn1::sequence(&[&asn1::oid(oid::TIME_STAMPING), &asn1::oid(oid::CODE_SIGNING)]);
    let both = profile::extension(oid::EXTENDED_KEY_USAGE, true, &both);
    let with = |extension| {
        let leaf = Recipe::leaf().with(1, extension).by(&root).make();
        check_at(&leaf, &[], &[&root], start(), Purpose::TimeStamping)
    };
    with(time_stamping(true)).unwrap();
    assert!(matches!(with(time_stamping(false)), Err(PathError::Purpose { .. })));
    assert!(matches!(with(both), Err(PathError::Purpose { .. })));
}

#[test]
fn a_leaf_signs_and_does_not_issue() {
    let root = Recipe::authority("root").make();
    let leaf = |recipe: Recipe<'_>| check(&recipe.by(&root).make(), &[], &[&root]);
    assert_eq!(leaf(Recipe::leaf().with(9, profile::authority(None))), Err(PathError::LeafIsCa));
    let issues_only = profile::key_usage(KEY_USAGE_AUTHORITY);
    assert_eq!(leaf(Recipe::leaf().with(0, issues_only)), Err(PathError::LeafKeyUsage));
    assert_eq!(leaf(Recipe::leaf().without(0)), Err(PathError::LeafKeyUsage));
}

#[test]
fn an_issuer_must_be_an_authority_that_may_sign_certificates() {
    let root = Recipe::authority("root").make();
    let with = |recipe: Recipe<'_>| {
        let issuer = recipe.by(&root).make();
        check(&Recipe::leaf().by(&issuer).make(), &[&issuer], &[&root])
    };
    with(Recipe::authority("x")).unwrap();
    with(Recipe::authority("x").without(0)).unwrap();
    let refused = Err(PathError::NotAnAuthority { subject: "O=test, CN=x".to_owned() });
    assert_eq!(with(Recipe::authority("x").without(1)), refused);
    let no_cert_sign = profile::key_usage(KEY_USAGE_SIGNATURE);
    assert_eq!(with(Recipe::authority("x").with(0, no_cert_sign)), refused);
}

#[test]
fn a_path_length_is_kept_by_anchors_too() {
    let root = Recipe::authority("root").with(1, profile::authority(Some(0))).make();
    let intermediate = Recipe::authority("intermediate").by(&root).make();
    let below = Recipe::leaf().by(&intermediate).make();
    let direct = Recipe::leaf().by(&root).make();
    assert_eq!(check(&direct, &[], &[&root]), Ok(1));
    let too_long = PathError::PathLength { subject: "O=test, CN=root".to_owned(), limit: 0 };
    assert_eq!(check(&below, &[&intermediate], &[&root]), Err(too_long));
}

#[test]
fn an_unknown_critical_extension_refuses_and_the_poison_is_one() {
    let root = Recipe::authority("root").make();
    let with = |oid, critical| {
        let extension = profile::extension(oid, critical, &[tag::NULL, 0]);
        check(&Recipe::leaf().with(9, extension).by(&root).make(), &[], &[&root])
    };
    let unknown = Oid::new_unwrap("1.2.3.4");
    with(unknown, false).unwrap();
    for oid in [unknown, oid::POISON] {
        let subject = "alice@example.com".to_owned();
        assert_eq!(with(oid, true), Err(PathError::CriticalExtension { subject, oid }));
    }
}

#[test]
fn names_must_be_within_the_constraints_of_every_issuer() {
    let email = |host: &str| {
        let base = asn1::tlv(tag::context(1), &[host.as_bytes()]);
        asn1::sequence(&[&asn1::sequence(&[&base])])
    };
    // The list is an IMPLICIT sequence: its own tag is replaced.
    let constraints = |number, host: &str| {
        let list = asn1::tlv(tag::constructed(number), &[&email(host)[2..]]);
        profile::extension(oid::NAME_CONSTRAINTS, true, &asn1::sequence(&[&list]))
    };
    let with = |extension| {
        let root = Recipe::authority("root").with(9, extension).make();
        let intermediate = Recipe::authority("intermediate").by(&root).make();
        check(&Recipe::leaf().by(&intermediate).make(), &[&intermediate], &[&root])
    };
    with(constraints(0, "example.com")).unwrap();
    with(constraints(1, "example.org")).unwrap();
    let subject = "alice@example.com".to_owned();
    let refused = Err(PathError::NameConstraints { subject });
    assert_eq!(with(constraints(0, "example.org")), refused);
    assert_eq!(with(constraints(1, "example.com")), refused);
}

#[test]
fn crossed_certificates_end_the_search_and_not_the_program() {
    let root = Recipe::authority("root").make();
    let stranger = Recipe::authority("twin").make();
    let twins: Vec<Holder> = (0..100).map(|_| Recipe::authority("twin").by(&root).make()).collect();
    let leaf = Recipe::leaf().by(&stranger).make();
    let candidates: Vec<&Holder> = twins.iter().collect();
    assert_eq!(check(&leaf, &candidates, &[&root]), Err(PathError::TooMuchWork));

    let loops = [Recipe::authority("a").by(&stranger).make(), Recipe::authority("twin").make()];
    check(&leaf, &[&loops[0], &loops[1]], &[&root]).unwrap_err();
}

#[test]
fn a_path_is_no_longer_than_eight_certificates() {
    let mut holders = vec![Recipe::authority("root").make()];
    for length in 3..=9 {
        let issuer = holders.last().unwrap();
        let next = Recipe::authority(&format!("ca {length}")).by(issuer).make();
        holders.push(next);
        let leaf = Recipe::leaf().by(holders.last().unwrap()).make();
        let intermediates: Vec<&Holder> = holders[1..].iter().collect();
        let result = check(&leaf, &intermediates, &[&holders[0]]);
        assert_eq!(result.is_ok(), length <= 8, "{length}: {result:?}");
    }
}

#[test]
fn a_certificate_signed_by_another_key_under_the_same_name_is_refused() {
    let [good, evil] = [(); 2].map(|()| Recipe::authority("root").make());
    let leaf = Recipe::leaf().by(&evil).make();
    assert!(matches!(check(&leaf, &[], &[&good]), Err(PathError::Signature { .. })));
    assert_eq!(leaf.certificate.sans(), [GeneralName::Email("alice@example.com".to_owned())]);
}
