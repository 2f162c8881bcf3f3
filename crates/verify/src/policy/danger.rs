//! Weaker policies. Each takes away something that protects; the name says what.
//!
//! Evidence that is there and names somebody trusted must hold under these policies too, and a log entry
//! must still be about the signature: less is demanded, nothing is overlooked.

use super::{Policy, Threshold};

/// Takes signatures that no transparency log holds, if the trusted root names no log, as that of a private
/// instance may (GitHub's has only a timestamp authority). `--private-infrastructure`.
///
/// A stolen or wrongly issued certificate then leaves no public trace.
#[must_use]
pub const fn private_infrastructure(mut policy: Policy) -> Policy {
    policy.logs = Threshold::WhereTrusted;
    policy
}

/// Takes signatures that no transparency log holds. `--insecure-ignore-tlog`.
///
/// A stolen or wrongly issued certificate then leaves no public trace.
#[must_use]
pub const fn ignore_transparency_logs(mut policy: Policy) -> Policy {
    policy.logs = Threshold::None;
    policy
}

/// Takes certificates that no certificate log holds. `--insecure-ignore-sct`.
///
/// An authority can then issue certificates for any name without being found out.
#[must_use]
pub const fn ignore_certificate_logs(mut policy: Policy) -> Policy {
    policy.ct_logs = Threshold::None;
    policy
}
