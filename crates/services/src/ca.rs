//! The certificate authority: an ID token and a proof of possession in, a ten-minute certificate out.
//!
//! [`CertificateAuthority::issue`] is the whole of it. What it asks of others goes through two traits:
//! [`KeySource`] for the keys of token issuers and [`PrecertificateLog`] for the CT log. Whose tokens are
//! taken is said by Fulcio's [configuration file](Config), and what becomes of them by the types of issuers in
//! `issuer`.

mod claim_path;
mod client_key;
mod config;
mod discovery;
mod email_address;
mod go;
mod issuance;
mod issuer;
mod jwk;
mod key_cache;
mod key_source;
mod log;
mod proof;
mod refusal;
mod remote_log;
mod start;
mod template;
mod token;

use std::sync::Arc;

use crypto::PublicKey;
use pki::issue::Issuer;

use crate::clock::Clock;
use key_cache::KeyCache;

pub use claim_path::ClaimPathError;
pub use client_key::ClientKeyError;
pub use config::{Concern, Config, ConfigError, FileError, IssuerConfigError, SubjectDomainError};
pub use discovery::{Discovery, OwnIssuer};
pub use issuer::{CiProviderError, ContentsError, IdentityError};
pub use jwk::KeySetError;
pub use key_cache::KeysError;
pub use key_source::{FetchKeysError, FetchedKeys, IssuerAddress, KeySource, KnownBy};
pub use log::{PrecertificateChain, PrecertificateLog, SubmitPrecertificateError};
pub use proof::ProofError;
pub use refusal::{IssueError, SctRefusal};
pub use remote_log::{RemoteLog, RemoteLogError};
pub use start::{Parts, StartError};
pub use template::TemplateError;
pub use token::{Algorithm, ClaimError, MAX_TOKEN, TokenError, claimed_issuer};

/// Parses a template and writes it, for the fuzzer.
#[cfg(feature = "fuzzing")]
pub fn fuzz_template(text: &str) {
    if let Ok(template) = template::Template::parse(text) {
        let claims = [("sub", "repo:a/b"), ("ref", "refs/heads/main"), ("empty", "")];
        let claims = claims.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let _ = template.evaluate(&claims.into());
    }
}

/// Issues code-signing certificates to whoever presents a token of a known issuer.
///
/// A certificate leaves only after the CT log has answered with a timestamp that verifies, for exactly this
/// certificate; there is no way around the log.
pub struct CertificateAuthority {
    config: Config,
    keys: KeyCache,
    issuer: Issuer,
    /// The DER certificates above a leaf, the issuing one first, the root last: what goes to the log.
    issuers: Vec<Vec<u8>>,
    /// The same as PEM, each with a final newline.
    chain: Vec<String>,
    log: Arc<dyn PrecertificateLog>,
    log_key: PublicKey,
    clock: Clock,
}

/// What a client asks for.
#[derive(Clone, Copy)]
pub struct CertificateRequest<'a> {
    /// The ID token, a JWT. Empty if there is none.
    pub token: &'a str,
    /// How the client shows that it has the private key.
    pub proof: ProofOfPossession<'a>,
}

/// How a client shows that it has the private key.
#[derive(Clone, Copy)]
pub enum ProofOfPossession<'a> {
    /// Not at all. It is refused only after the token, as by the existing server.
    Missing,
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

impl CertificateAuthority {
    /// The chains under which certificates are issued: for each the issuing certificate first and the root
    /// last, PEM, each with a final newline.
    #[must_use]
    pub fn trust_bundle(&self) -> Vec<Vec<String>> {
        vec![self.chain.clone()]
    }

    /// Whose tokens are taken.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// From when on nothing can be issued any more: a certificate must not outlive its issuer.
    #[must_use]
    pub fn issues_until(&self) -> jiff::Timestamp {
        self.issuer.certificate().not_after() - issuance::LIFETIME
    }
}

#[cfg(test)]
mod golden;
