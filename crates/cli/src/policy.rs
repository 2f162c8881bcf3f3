//! The verifier's policy, by what was said about the signer.

use jiff::Timestamp;
use pki::fulcio::{KNOWN, Known};
use verify::{Expected, Holder, OwnPolicy, OwnRoots, Policy, PolicyError};

use crate::failure::{Failure, OrFail};
use crate::signer::{Claim, Pattern, Signer};

/// What is demanded of `signer`'s signatures.
pub(crate) fn of(signer: &Signer) -> Result<Policy, Failure> {
    let policy = match signer {
        Signer::Key(key) => return Ok(Policy::key(key.public()?)),
        Signer::Certificate { identity, issuer, claims } => {
            identity_policy(identity, issuer).and_then(|policy| with_claims(policy, claims))
        }
        Signer::Own { roots, identity, issuer, claims } => {
            own_policy(roots.read()?, identity.as_ref(), issuer.as_ref())
                .and_then(|policy| with_claims(policy, claims))
        }
    };
    policy.or_usage("the expected signer cannot be understood")
}

fn identity_policy(identity: &Pattern, issuer: &Pattern) -> Result<Policy, PolicyError> {
    Ok(Policy::identity(expected(identity)?, expected(issuer)?))
}

fn own_policy(
    roots: OwnRoots,
    identity: Option<&Pattern>,
    issuer: Option<&Pattern>,
) -> Result<Policy, PolicyError> {
    Ok(Policy::own(OwnPolicy {
        roots,
        holder: identity.map(expected).transpose()?.map_or(Holder::Anyone, Holder::Named),
        issuer: issuer.map(expected).transpose()?,
        extensions: Vec::new(),
        present: Timestamp::now(),
    }))
}

fn with_claims(mut policy: Policy, claims: &[(Claim, String)]) -> Result<Policy, PolicyError> {
    for (claim, value) in claims {
        if let Some(known) = extension(*claim) {
            policy = policy.with_extension(*known, Expected::exactly(value)?);
        }
    }
    Ok(policy)
}

fn expected(pattern: &Pattern) -> Result<Expected, PolicyError> {
    match pattern {
        Pattern::Exact(text) => Expected::exactly(text),
        Pattern::Regex(text) => Expected::pattern(text),
    }
}

/// Fulcio's extension for a claim: 1.3.6.1.4.1.57264.1.2 to .6.
fn extension(claim: Claim) -> Option<&'static Known> {
    let arc = match claim {
        Claim::Trigger => 2,
        Claim::Sha => 3,
        Claim::Name => 4,
        Claim::Repository => 5,
        Claim::Ref => 6,
    };
    let oid = format!("1.3.6.1.4.1.57264.1.{arc}");
    KNOWN.iter().find(|known| known.oid.to_string() == oid)
}
