//! The certificate authority: an ID token and a proof of possession in, a ten-minute certificate out.
//!
//! [`CertificateAuthority::issue`] is the whole of it. What it asks of others goes through two traits:
//! [`KeySource`] for the keys of token issuers and [`PrecertificateLog`] for the CT log.

mod key_source;
mod log;

use std::sync::Arc;

use crypto::{PublicKey, SigningKey};

use crate::clock::{Clock, ClockError};

pub use key_source::{FetchKeysError, FetchedKeys, IssuerAddress, KeySource, KnownBy};
pub use log::{PrecertificateChain, PrecertificateLog, SubmitPrecertificateError};

/// Issues code-signing certificates to whoever presents a token of a known issuer.
pub struct CertificateAuthority {
    parts: Parts,
}

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

/// Fulcio's configuration file, read and checked.
#[derive(Clone, Debug, Default)]
pub struct Config {}

/// Why a configuration file cannot be used. The operator's to fix.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {}

impl Config {
    /// Reads Fulcio's configuration file: JSON or YAML, whichever the text is.
    ///
    /// # Errors
    ///
    /// See [`ConfigError`].
    pub fn read(_text: &[u8]) -> Result<Self, ConfigError> {
        todo!()
    }
}

/// Why a certificate authority cannot start. The operator's to fix.
#[derive(Debug, thiserror::Error)]
pub enum StartError {}

/// What a client asks for.
pub struct CertificateRequest<'a> {
    /// The ID token, a JWT.
    pub token: &'a str,
    /// How the client shows that it has the private key.
    pub proof: ProofOfPossession<'a>,
}

/// How a client shows that it has the private key.
pub enum ProofOfPossession<'a> {
    /// A PEM certificate signing request (RFC 2986). Only its key and its signature count.
    SigningRequest(&'a [u8]),
    /// A public key and a signature over the token's subject.
    Challenge {
        /// The key: PEM or DER, `SubjectPublicKeyInfo` or PKCS#1.
        public_key: &'a [u8],
        /// The signature over the UTF-8 text of the subject.
        signature: &'a [u8],
    },
}

/// A certificate, with the chain above it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IssuedCertificate {
    /// The PEM certificates: the new one first, the root last, each with a final newline.
    pub chain: Vec<String>,
}

/// Why no certificate was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The operator's to fix.
    #[error("the time is not known")]
    Clock(#[from] ClockError),
}

impl CertificateAuthority {
    /// Checks that key and chain belong together and makes an authority of them.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub fn new(parts: Parts) -> Result<Self, StartError> {
        Ok(Self { parts })
    }

    /// Issues a certificate: checks the token, the proof of possession, logs a precertificate, checks the
    /// log's answer, and signs the final certificate.
    ///
    /// # Errors
    ///
    /// See [`IssueError`].
    pub async fn issue(
        &self,
        _request: CertificateRequest<'_>,
    ) -> Result<IssuedCertificate, IssueError> {
        let _ = (&self.parts.config, &self.parts.keys, &self.parts.signing_key, &self.parts.chain);
        let _ = (&self.parts.log, &self.parts.log_key, self.parts.clock.now()?);
        todo!()
    }

    /// The chains under which certificates are issued: for each the issuing certificate first and the root
    /// last, PEM, each with a final newline.
    #[must_use]
    pub fn trust_bundle(&self) -> Vec<Vec<String>> {
        todo!()
    }
}
