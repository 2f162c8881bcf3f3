//! The tests, by what is damaged.

mod certificate;
mod entry;
mod form;
mod log;
mod paragraphs;
mod payload;
mod policy;
mod signer;
mod table;
mod time;

use verify::{Artifact, Expected, Policy, Verified, VerifyError};
use wire::bundle::Bundle;
use wire::trusted_root::TrustedRoot;

use crate::sigstore::{ARTIFACT, ISSUER, NAME};
pub(crate) use payload::statement;

/// The policy that names the signer.
fn policy() -> Policy {
    identity(NAME, ISSUER)
}

fn identity(name: &str, issuer: &str) -> Policy {
    Policy::identity(exactly(name), exactly(issuer))
}

pub(crate) fn exactly(text: &str) -> Expected {
    Expected::exactly(text).expect("the text is not empty")
}

/// The only place that calls the verifier.
fn ask(bundle: &Bundle, policy: &Policy, trust: &TrustedRoot) -> Result<Verified, VerifyError> {
    verify::verify(&Artifact::from_bytes(ARTIFACT), bundle, policy, trust)
}

/// The twin: what differs in nothing from a good bundle is accepted.
fn accepted(bundle: &Bundle, trust: &TrustedRoot) -> Verified {
    ask(bundle, &policy(), trust).expect("the twin is good")
}

/// Why a damaged bundle is refused.
fn refusal(bundle: &Bundle, trust: &TrustedRoot) -> VerifyError {
    ask(bundle, &policy(), trust).expect_err("the damage must be found")
}

/// Checks that a refusal is of this variant.
macro_rules! assert_refused {
    ($refusal:expr, $variant:pat) => {
        let refusal = $refusal;
        assert!(matches!(refusal, $variant), "{refusal:?} is not {}", stringify!($variant));
    };
}
pub(crate) use assert_refused;
