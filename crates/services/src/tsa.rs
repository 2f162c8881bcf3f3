//! The timestamp authority: says when it saw a digest, RFC 3161.
//!
//! It keeps nothing. Everything about the form of a token is `pki::tsp`'s; what is decided here is whether one is
//! given: policy, extensions, and above all whether the time can be trusted.

use crypto::random_array;
use pki::tsp::{FailInfo, Policy, Request, SignerError, TokenSigner};

use crate::clock::{Clock, ClockError};

#[cfg(test)]
mod tests;

/// The policy of the existing server: 1.3.6.1.4.1.57264.2.
pub const DEFAULT_POLICY: &str = "1.3.6.1.4.1.57264.2";

/// A timestamp authority.
pub struct TimestampAuthority {
    signer: TokenSigner,
    rules: Rules,
    clock: Clock,
}

/// Which requests are granted: the options of the existing server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rules {
    /// The policy of a request that names none.
    pub default_policy: Policy,
    /// The policies that a request may name, besides the default.
    pub accepted_policies: Vec<Policy>,
    /// Whether extensions of requests are taken, and copied into the token unseen.
    pub allow_extensions: bool,
}

/// Why a request was not granted.
#[derive(Debug, thiserror::Error)]
pub enum RefuseError {
    /// The asker's to fix. The words are the existing server's.
    #[error("unaccepted policy: requested TSA policy is not supported by the TSA")]
    Policy,
    /// The asker's to fix. The words are the existing server's.
    #[error("unaccepted extension: requested extensions are not supported by the TSA")]
    Extension,
    /// The operator's to fix.
    #[error("the time source of the TSA is not available")]
    Clock(#[from] ClockError),
    /// The operator's to fix: a certificate of the authority's chain has ended.
    #[error("the certificate of the TSA is not valid")]
    Certificate,
    /// The operator's to fix.
    #[error("the timestamp cannot be signed")]
    Sign(#[source] SignerError),
}

impl RefuseError {
    /// What RFC 3161 §2.4.2 calls it.
    #[must_use]
    pub const fn fail_info(&self) -> FailInfo {
        match self {
            Self::Policy => FailInfo::UnacceptedPolicy,
            Self::Extension => FailInfo::UnacceptedExtension,
            Self::Clock(_) => FailInfo::TimeNotAvailable,
            Self::Certificate | Self::Sign(_) => FailInfo::SystemFailure,
        }
    }
}

impl TimestampAuthority {
    /// An authority with this key and chain, these rules and this clock.
    #[must_use]
    pub const fn new(signer: TokenSigner, rules: Rules, clock: Clock) -> Self {
        Self { signer, rules, clock }
    }

    /// Grants a request: the DER of a `TimeStampResp`.
    ///
    /// # Errors
    ///
    /// See [`RefuseError`].
    pub fn grant(&self, request: &Request) -> Result<Vec<u8>, RefuseError> {
        let policy = self.policy(request)?;
        if request.extensions.is_some() && !self.rules.allow_extensions {
            return Err(RefuseError::Extension);
        }
        let now = self.clock.now()?;
        // Nobody believes a token from outside the validity of the chain.
        if !self.signer.chain().iter().all(|certificate| certificate.is_valid_at(now)) {
            return Err(RefuseError::Certificate);
        }
        self.signer.grant(request, policy, now, random_array()).map_err(RefuseError::Sign)
    }

    /// The policy under which the request is granted.
    fn policy<'a>(&'a self, request: &'a Request) -> Result<&'a Policy, RefuseError> {
        let default = &self.rules.default_policy;
        match &request.policy {
            None => Ok(default),
            Some(asked) if asked == default || self.rules.accepted_policies.contains(asked) => {
                Ok(asked)
            }
            Some(_) => Err(RefuseError::Policy),
        }
    }

    /// The chain in PEM, leaf first and root last.
    #[must_use]
    pub fn chain_pem(&self) -> String {
        self.signer.chain().iter().map(pki::Certificate::to_pem).collect()
    }

    /// Whether the time can be trusted now.
    ///
    /// # Errors
    ///
    /// [`ClockError`].
    pub fn check_clock(&self) -> Result<(), ClockError> {
        self.clock.now().map(drop)
    }
}
