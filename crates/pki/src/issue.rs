//! New certificates: authorities, timestamp and TLS certificates, and Fulcio's leaves.

use std::net::IpAddr;
use std::sync::Arc;

use crypto::{PublicKey, SigningKey, SigningKeyError};
use jiff::{SignedDuration, Timestamp};

use crate::chain::Purpose;
use crate::fulcio::{LeafContents, SanError};
use crate::sct::{Entry, Sct, VerifiedSct};
use crate::{Certificate, DistinguishedName};

/// A serial number: positive, 159 bits in 20 octets (RFC 5280 §4.1.2.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Serial([u8; 20]);

impl Serial {
    /// Makes a serial number of random bytes. Two bits are fixed, so that it is positive and always as
    /// long.
    #[must_use]
    pub const fn from_random(mut bytes: [u8; 20]) -> Self {
        bytes[0] = (bytes[0] & 0x7f) | 0x40;
        Self(bytes)
    }
}

/// From when until when a certificate is valid, both ends included; in whole seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Validity {
    /// The first second.
    pub not_before: Timestamp,
    /// The last second.
    pub not_after: Timestamp,
}

impl Validity {
    /// `lifetime` from `not_before`, cut to whole seconds.
    #[must_use]
    pub fn starting(not_before: Timestamp, lifetime: SignedDuration) -> Self {
        todo!("{not_before}{lifetime}")
    }
}

/// Why a certificate was not made.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The key of the issuer is not the one in its certificate.
    #[error("the issuer's key is not the one in its certificate")]
    KeyMismatch,
    /// The issuer's certificate may not issue such certificates.
    #[error("the issuer's certificate may not issue certificates")]
    NotAnAuthority,
    /// The new certificate would be valid longer than its issuer, or before it.
    #[error(
        "the certificate would be valid until {not_after}, its issuer only until {issuer_not_after}"
    )]
    OutlivesIssuer {
        /// The end of the certificate.
        not_after: Timestamp,
        /// The end of its issuer.
        issuer_not_after: Timestamp,
    },
    /// The identity cannot be written into a certificate.
    #[error(transparent)]
    San(#[from] SanError),
    /// The extensions of the final certificate would not be those of the precertificate. A mistake of ours.
    #[error("the final certificate would differ from its precertificate")]
    NotThePrecertificate,
    /// The key cannot sign.
    #[error("the certificate cannot be signed")]
    Sign(#[source] SigningKeyError),
}

/// A certificate authority: a certificate and its key.
#[derive(Clone)]
pub struct Issuer {
    certificate: Certificate,
    key: Arc<SigningKey>,
}

/// A name of a TLS server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ServerName {
    /// A host name.
    Dns(String),
    /// An address.
    Ip(IpAddr),
}

/// What a leaf certificate is asked for.
#[derive(Clone, Copy, Debug)]
pub struct LeafRequest<'a> {
    /// The holder's key.
    pub key: &'a PublicKey,
    /// Who the holder is.
    pub contents: &'a LeafContents,
    /// Its serial number.
    pub serial: Serial,
    /// Its validity.
    pub validity: Validity,
}

/// A precertificate: signed, poisoned, and bound to the issuer that will sign the final certificate.
///
/// It is consumed by [`Precertificate::finish`], which asks for proof that a log has it.
pub struct Precertificate {
    certificate: Certificate,
    issuer: Issuer,
    entry: Entry,
}

/// Makes the certificate of a root authority: CA, certificate and CRL signing, no extended key usage.
///
/// # Errors
///
/// See [`IssueError`].
pub fn root(
    key: &SigningKey,
    subject: &DistinguishedName,
    validity: Validity,
    serial: Serial,
) -> Result<Certificate, IssueError> {
    todo!("{:?}{subject:?}{validity:?}{serial:?}", key.public_key())
}

impl Issuer {
    /// Brings a certificate and its key together.
    ///
    /// # Errors
    ///
    /// [`IssueError::KeyMismatch`], [`IssueError::NotAnAuthority`].
    pub fn new(certificate: Certificate, key: Arc<SigningKey>) -> Result<Self, IssueError> {
        todo!("{certificate:?}{:?}", key.public_key())
    }

    /// The certificate.
    #[must_use]
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Makes the certificate of an intermediate authority for one purpose, with a path length of 0.
    ///
    /// # Errors
    ///
    /// See [`IssueError`].
    pub fn intermediate(
        &self,
        key: &PublicKey,
        subject: &DistinguishedName,
        purpose: Purpose,
        validity: Validity,
        serial: Serial,
    ) -> Result<Certificate, IssueError> {
        todo!("{key:?}{subject:?}{purpose:?}{validity:?}{serial:?}{:?}", self.key.public_key())
    }

    /// Makes the certificate of a timestamp authority: its only purpose, critical.
    ///
    /// # Errors
    ///
    /// See [`IssueError`].
    pub fn timestamp_signer(
        &self,
        key: &PublicKey,
        subject: &DistinguishedName,
        validity: Validity,
        serial: Serial,
    ) -> Result<Certificate, IssueError> {
        todo!("{key:?}{subject:?}{validity:?}{serial:?}")
    }

    /// Makes the certificate of a TLS server. The names must not be empty.
    ///
    /// # Errors
    ///
    /// See [`IssueError`].
    pub fn tls_server(
        &self,
        key: &PublicKey,
        names: &[ServerName],
        validity: Validity,
        serial: Serial,
    ) -> Result<Certificate, IssueError> {
        todo!("{key:?}{names:?}{validity:?}{serial:?}")
    }

    /// Makes and signs a precertificate.
    ///
    /// # Errors
    ///
    /// See [`IssueError`].
    pub fn precertificate(&self, request: &LeafRequest<'_>) -> Result<Precertificate, IssueError> {
        todo!("{request:?}")
    }

    /// Makes a leaf certificate that no log knows: only for an authority that is configured without one.
    ///
    /// # Errors
    ///
    /// See [`IssueError`].
    pub fn unlogged_certificate(
        &self,
        request: &LeafRequest<'_>,
    ) -> Result<Certificate, IssueError> {
        todo!("{request:?}")
    }
}

impl Precertificate {
    /// The precertificate itself, to be submitted with its chain.
    #[must_use]
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Who issued it, and will issue the final certificate.
    #[must_use]
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// What a log signs. [`Sct::verify`] over it gives what [`Self::finish`] asks for.
    #[must_use]
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Makes the final certificate: the same without the poison, with one SCT at the end.
    ///
    /// # Errors
    ///
    /// See [`IssueError`]; [`IssueError::NotThePrecertificate`] if what the SCT covers is not what the
    /// final certificate says.
    pub fn finish(self, sct: &VerifiedSct) -> Result<Certificate, IssueError> {
        let _: &Sct = &sct.sct;
        todo!()
    }
}
