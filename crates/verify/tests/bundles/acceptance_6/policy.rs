//! Policies that would let anybody through.

use verify::{Expected, PolicyError};

use super::policy;

#[test]
pub(super) fn a_threshold_of_zero_is_refused() {
    policy().with_logs(1).expect("one is enough");
    assert_eq!(policy().with_logs(0).err(), Some(PolicyError::ZeroThreshold));
    assert_eq!(policy().with_times(0).err(), Some(PolicyError::ZeroThreshold));
    assert_eq!(policy().with_certificate_logs(0).err(), Some(PolicyError::ZeroThreshold));
}

#[test]
pub(super) fn an_empty_expectation_is_a_mistake_and_never_a_match() {
    Expected::exactly("x").expect("it is not empty");
    assert_eq!(Expected::exactly("").err(), Some(PolicyError::EmptyExpectation));
    assert_eq!(Expected::pattern("").err(), Some(PolicyError::EmptyExpectation));
}
