//! An authority with rules and clocks of every kind.

use std::sync::Arc;

use crypto::{HashAlgorithm, KeyKind, SigningKey};
use jiff::{SignedDuration, Timestamp};
use pki::DistinguishedName;
use pki::issue::{self, Issuer, Serial, Validity};
use pki::tsp::{Integer, Token};

use super::*;
use crate::clock::Source;

fn start() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

/// A clock that was set back.
struct SetBack;

impl Source for SetBack {
    fn now(&self) -> Result<Timestamp, ClockError> {
        Err(ClockError::SetBack { behind_ms: 5000 })
    }
}

fn authority(rules: Rules, clock: Clock) -> TimestampAuthority {
    let name = |common| DistinguishedName::new("tsa.example", common).unwrap();
    let validity = Validity::starting(start(), SignedDuration::from_hours(24));
    let serial = Serial::from_random([1; 20]);
    let [root_key, key] =
        [(); 2].map(|()| Arc::new(SigningKey::generate(KeyKind::EcdsaP256).unwrap()));
    let root = issue::root(&root_key, &name("root"), validity, serial).unwrap();
    let issuer = Issuer::new(root.clone(), root_key).unwrap();
    let leaf = issuer.timestamp_signer(key.public_key(), &name("tsa"), validity, serial).unwrap();
    let signer = TokenSigner::new(key, vec![leaf, root], None, false, start()).unwrap();
    TimestampAuthority::new(signer, rules, clock)
}

fn rules() -> Rules {
    Rules {
        default_policy: Policy::from_dotted(DEFAULT_POLICY).unwrap(),
        accepted_policies: vec![Policy::from_dotted("1.2.3").unwrap()],
        allow_extensions: false,
    }
}

fn request() -> Request {
    Request::new(HashAlgorithm::Sha256.digest(b"x"), Integer::from_random([7; 16]))
}

#[test]
fn a_policy_is_the_default_or_an_accepted_one() {
    let authority = authority(rules(), Clock::fixed(start()));
    let with = |policy: Option<&str>| {
        let policy = policy.map(|text| Policy::from_dotted(text).unwrap());
        let response = authority.grant(&Request { policy, ..request() })?;
        Ok::<_, RefuseError>(Token::from_der(&response).unwrap().policy().to_string())
    };
    assert_eq!(with(None).unwrap(), DEFAULT_POLICY);
    assert_eq!(with(Some("1.2.3")).unwrap(), "1.2.3");
    assert!(matches!(with(Some("1.2.4")), Err(RefuseError::Policy)));
}

#[test]
fn extensions_are_copied_only_where_that_is_allowed() {
    let extension = hex::decode("300b06042a0304050403040107").unwrap();
    let request = Request { extensions: Some(extension.clone()), ..request() };
    let strict = authority(rules(), Clock::fixed(start()));
    assert!(matches!(strict.grant(&request), Err(RefuseError::Extension)));
    let lax = Rules { allow_extensions: true, ..rules() };
    let response = authority(lax, Clock::fixed(start())).grant(&request).unwrap();
    assert_eq!(Token::from_der(&response).unwrap().extensions(), extension);
}

#[test]
fn without_a_time_that_can_be_trusted_nothing_is_granted() {
    let authority = authority(rules(), Clock::from_source(Arc::new(SetBack)));
    let refused = authority.grant(&request()).unwrap_err();
    assert_eq!(refused.fail_info(), FailInfo::TimeNotAvailable);
    authority.check_clock().unwrap_err();
}

#[test]
fn a_certificate_that_has_ended_signs_no_more() {
    let late = Clock::fixed(start() + SignedDuration::from_hours(25));
    let refused = authority(rules(), late).grant(&request()).unwrap_err();
    assert!(matches!(refused, RefuseError::Certificate));
}
