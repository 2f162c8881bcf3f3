//! What is published under a name that clients know must be what they look for there: one wrong file, and nobody who
//! trusts the repository verifies anything any more.

use pki::{Certificate, ChainError};
use wire::signing_config::{SigningConfig, SigningConfigError};
use wire::trusted_root::{TrustedRoot, TrustedRootError};

use super::{SIGNING_CONFIG, SIGNING_CONFIG_REKOR_V1, TLS_CA, TRUSTED_ROOT};

/// The most certificates among which clients look for the authority of the server's TLS certificates.
const MAX_TLS_CA: usize = 16;

/// Why a target would break the clients that read it.
#[derive(Debug, thiserror::Error)]
pub enum KnownTargetError {
    /// It is no trusted root, or one without anybody to trust.
    #[error("{TRUSTED_ROOT} would hold no trusted root")]
    TrustedRoot(#[source] Option<TrustedRootError>),
    /// It is no signing config.
    #[error("{name} would hold no signing config")]
    SigningConfig {
        /// The target.
        name: String,
        /// What is wrong.
        #[source]
        source: SigningConfigError,
    },
    /// It holds no certificates.
    #[error("{TLS_CA} would hold no certificate")]
    TlsAuthority(#[source] ChainError),
    /// Without it there is nothing to trust.
    #[error("{TRUSTED_ROOT} cannot be taken away: without it nobody can verify anything")]
    Needed,
    /// There is no such target, so that it cannot be taken away.
    #[error("there is no target {name}")]
    Unknown {
        /// The name that was given.
        name: String,
    },
}

/// Checks that clients can read what is to be published as `name`. Under other names anything may be.
pub(super) fn check(name: &str, contents: &[u8]) -> Result<(), KnownTargetError> {
    match name {
        TRUSTED_ROOT => {
            let root = TrustedRoot::parse(contents)
                .map_err(|error| KnownTargetError::TrustedRoot(Some(error)))?;
            let empty = root.tlogs.is_empty() && root.certificate_authorities.is_empty();
            if empty { Err(KnownTargetError::TrustedRoot(None)) } else { Ok(()) }
        }
        SIGNING_CONFIG | SIGNING_CONFIG_REKOR_V1 => SigningConfig::parse(contents)
            .map(drop)
            .map_err(|source| KnownTargetError::SigningConfig { name: name.to_owned(), source }),
        TLS_CA => Certificate::chain_from_pem(contents, MAX_TLS_CA)
            .map(drop)
            .map_err(KnownTargetError::TlsAuthority),
        _ => Ok(()),
    }
}

/// Checks that the target `name`, which is there or not, may be taken away.
pub(super) fn may_go(name: &str, is_there: bool) -> Result<(), KnownTargetError> {
    match (name, is_there) {
        (_, false) => Err(KnownTargetError::Unknown { name: name.to_owned() }),
        (TRUSTED_ROOT, true) => Err(KnownTargetError::Needed),
        _ => Ok(()),
    }
}
