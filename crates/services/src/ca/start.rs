//! What a certificate authority is made of, and whether it fits together.

use std::sync::Arc;

use crypto::{KeyKind, PublicKey, SignatureError, SigningKey};
use pki::chain::Purpose;
use pki::issue::Issuer;
use pki::{Certificate, ChainError};

use super::CertificateAuthority;
use super::config::Config;
use super::key_cache::KeyCache;
use super::key_source::KeySource;
use super::log::PrecertificateLog;
use crate::clock::Clock;

/// The most certificates that a chain may have.
const MAX_CHAIN: usize = 8;

/// What a certificate authority is made of.
pub struct Parts {
    /// The issuers whose tokens are taken: Fulcio's configuration file, read and checked.
    pub config: Config,
    /// Where the issuers' keys come from.
    pub keys: Arc<dyn KeySource>,
    /// The key of the issuing (intermediate) certificate.
    pub signing_key: SigningKey,
    /// The PEM certificates of the authority: the issuing one first, the root last.
    pub chain: String,
    /// The CT log that every certificate goes into.
    pub log: Arc<dyn PrecertificateLog>,
    /// The CT log's key, with which its answers are checked.
    pub log_key: PublicKey,
    /// The time.
    pub clock: Clock,
}

/// Why a certificate authority cannot start. The operator's to fix.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The chain cannot be read.
    #[error("the chain of the certificate authority cannot be read")]
    Chain(#[source] ChainError),
    /// There is no intermediate certificate, or no root. sigstore-python demands both.
    #[error("the chain must have an issuing certificate and a root, and has {length} certificates")]
    ChainLength {
        /// How many there are.
        length: usize,
    },
    /// A certificate is not issued by the one after it, or the last one not by itself.
    #[error("the certificate of {subject} is not issued by the one after it")]
    NotAChain {
        /// Whose certificate.
        subject: String,
        /// What does not verify, if the names fit.
        #[source]
        source: Option<SignatureError>,
    },
    /// The issuing certificate may not issue, or has another key.
    #[error("the issuing certificate cannot be used")]
    Issuer(#[source] pki::issue::IssueError),
    /// The issuing certificate is not for code signing, so nothing under it would be.
    #[error("the issuing certificate is not for code signing")]
    Purpose,
    /// sigstore-python reads timestamps under ECDSA and RSA keys only.
    #[error("the issuing key must be ECDSA or RSA, and is {kind}")]
    IssuingKey {
        /// What it is.
        kind: KeyKind,
    },
    /// Clients read timestamps of ECDSA P-256 keys everywhere, others not.
    #[error("the key of the CT log must be ECDSA P-256, and is {kind}")]
    LogKey {
        /// What it is.
        kind: KeyKind,
    },
}

impl CertificateAuthority {
    /// Checks that key and chain belong together and makes an authority of them.
    ///
    /// Whether the chain is in force now is not asked: it is when a certificate is issued.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub fn new(parts: Parts) -> Result<Self, StartError> {
        for concern in parts.config.concerns() {
            tracing::warn!(concern = %concern, "the configuration of issuers");
        }
        let chain = Certificate::chain_from_pem(parts.chain.as_bytes(), MAX_CHAIN)
            .map_err(StartError::Chain)?;
        check_chain(&chain)?;
        let issuing = chain[0].clone();
        check_keys(issuing.public_key().kind(), parts.log_key.kind())?;
        let issuer =
            Issuer::new(issuing, Arc::new(parts.signing_key)).map_err(StartError::Issuer)?;
        Ok(Self {
            config: parts.config,
            keys: KeyCache::new(parts.keys),
            issuer,
            issuers: chain.iter().map(|certificate| certificate.der().to_vec()).collect(),
            chain: chain.iter().map(Certificate::to_pem).collect(),
            log: parts.log,
            log_key: parts.log_key,
            clock: parts.clock,
        })
    }
}

fn check_chain(chain: &[Certificate]) -> Result<(), StartError> {
    if chain.len() < 2 {
        return Err(StartError::ChainLength { length: chain.len() });
    }
    let purposes = chain[0].extended_key_usage();
    if !purposes.is_some_and(|purposes| purposes.contains(&Purpose::CodeSigning.oid())) {
        return Err(StartError::Purpose);
    }
    for (position, certificate) in chain.iter().enumerate() {
        let issuer = chain.get(position + 1).unwrap_or(certificate);
        check_link(certificate, issuer)?;
    }
    Ok(())
}

fn check_link(certificate: &Certificate, issuer: &Certificate) -> Result<(), StartError> {
    let broken = |source| StartError::NotAChain { subject: certificate.subject(), source };
    if certificate.issuer_der() != issuer.subject_der() {
        return Err(broken(None));
    }
    certificate.verify_signature(issuer.public_key()).map_err(|error| broken(Some(error)))
}

fn check_keys(issuing: KeyKind, log: KeyKind) -> Result<(), StartError> {
    if issuing == KeyKind::Ed25519 {
        return Err(StartError::IssuingKey { kind: issuing });
    }
    if log != KeyKind::EcdsaP256 {
        return Err(StartError::LogKey { kind: log });
    }
    Ok(())
}
