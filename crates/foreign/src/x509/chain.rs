//! Whether certificates belong together.

use jiff::Timestamp;
use pki::{Certificate, KeyUsage};

use super::Chain;

impl Chain {
    /// Whether the last certificate issued the first, directly or through those between, at the time when the
    /// first became valid.
    ///
    /// Every certificate is reached at most once and held at most once against each other one, so that loops of
    /// cross-signed certificates cost no more than ten times ten signatures.
    pub(super) fn holds_together(&self) -> bool {
        let Some(root) = self.issuers.last() else { return true };
        if root.der() == self.leaf.der() {
            return true;
        }
        let time = self.leaf.not_before();
        let mut reached = vec![&self.leaf];
        let mut missing: Vec<&Certificate> = self.issuers.iter().collect();
        let mut next = 0;
        while let Some(subject) = reached.get(next).copied() {
            let (issuers, others) =
                missing.into_iter().partition(|issuer| issued(issuer, subject, time));
            reached.extend::<Vec<_>>(issuers);
            missing = others;
            next += 1;
        }
        reached.iter().any(|certificate| certificate.der() == root.der())
    }
}

fn issued(issuer: &Certificate, subject: &Certificate, time: Timestamp) -> bool {
    issuer.subject_der() == subject.issuer_der()
        && issuer.is_ca()
        && issuer.key_usage().is_none_or(KeyUsage::key_cert_sign)
        && issuer.is_valid_at(time)
        && subject.verify_signature(issuer.public_key()).is_ok()
}
