//! Steps E and F for roots of the verifier's own.

use pki::chain::VerifiedPath;
use pki::fulcio;

use super::{CertifyError, check_validity};
use crate::material::OwnChain;
use crate::policy::Threshold;
use crate::time::TrustedTimes;

/// Checks that one of the roots vouches for the leaf, at every one of `times`, or at the present where there is none.
pub(super) fn path(
    chain: &OwnChain<'_>,
    times: &TrustedTimes,
) -> Result<VerifiedPath, CertifyError> {
    times.times.iter().try_for_each(|seen| check_validity(&chain.leaf, seen))?;
    let mut seen = times.times.iter().map(|seen| seen.time);
    let Some(first) = seen.next() else { return path_at_present(chain) };
    let path = path_at(chain, first)?;
    seen.try_for_each(|time| path_at(chain, time).map(drop))?;
    Ok(path)
}

fn path_at_present(chain: &OwnChain<'_>) -> Result<VerifiedPath, CertifyError> {
    let (leaf, present) = (&chain.leaf, chain.policy.present);
    if !leaf.is_valid_at(present) {
        let (not_before, not_after) = (leaf.not_before(), leaf.not_after());
        return Err(CertifyError::NotValidAtPresent { present, not_before, not_after });
    }
    path_at(chain, present)
}

fn path_at(chain: &OwnChain<'_>, time: jiff::Timestamp) -> Result<VerifiedPath, CertifyError> {
    let roots = &chain.policy.roots;
    roots.path(&chain.leaf, &chain.intermediates, time).map_err(CertifyError::OwnPath)
}

/// How many certificate logs must have the certificate. A leaf without Fulcio's extensions names no issuer of tokens, so that
/// where the policy asks for an issuer, such a leaf is refused for that.
pub(super) fn certificate_logs(path: &VerifiedPath, asked_for: Threshold) -> Threshold {
    match asked_for {
        Threshold::OfFulcio if !fulcio::has_extension(&path.leaf) => Threshold::None,
        asked_for => asked_for,
    }
}
