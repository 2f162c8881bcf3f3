//! New certificates: authorities, timestamp and TLS certificates, and Fulcio's leaves.

mod leaf;
pub(crate) mod profile;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crypto::{PublicKey, SigningKey, SigningKeyError};
use jiff::{SignedDuration, Timestamp};

use crate::chain::Purpose;
use crate::fulcio::SanError;
use crate::{Certificate, CertificateError, DistinguishedName, KeyUsage};
use profile::{KEY_USAGE_AUTHORITY, KEY_USAGE_SIGNATURE, Template};

pub use leaf::{LeafRequest, Precertificate};

/// A serial number: positive, 159 bits in 20 octets (RFC 5280 §4.1.2.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Serial([u8; 20]);

impl Serial {
    /// Makes a serial number of random bytes. Two bits are fixed, so that it is positive and always as
    /// long; 158 random bits remain.
    #[must_use]
    pub const fn from_random(mut bytes: [u8; 20]) -> Self {
        bytes[0] = (bytes[0] & 0x7f) | 0x40;
        Self(bytes)
    }
}

impl fmt::Display for Serial {
    /// In hexadecimal digits, as programs that show certificates do.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

/// From when until when a certificate is valid, both ends included; in whole seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Validity {
    not_before: Timestamp,
    not_after: Timestamp,
}

impl Validity {
    /// `lifetime` from `not_before`, each cut to whole seconds; at most to the year 9999.
    #[must_use]
    pub fn starting(not_before: Timestamp, lifetime: SignedDuration) -> Self {
        let seconds = not_before.as_second();
        let whole = |seconds| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
        let not_after = seconds.saturating_add(lifetime.as_secs());
        Self { not_before: whole(seconds), not_after: whole(not_after) }
    }

    /// The first second.
    #[must_use]
    pub const fn not_before(self) -> Timestamp {
        self.not_before
    }

    /// The last second.
    #[must_use]
    pub const fn not_after(self) -> Timestamp {
        self.not_after
    }
}

/// Why a certificate was not made.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The key of the issuer is not the one in its certificate. The operator's to fix.
    #[error("the issuer's key is not the one in its certificate")]
    KeyMismatch,
    /// The issuer's certificate may not issue such certificates. The operator's to fix.
    #[error("the issuer's certificate may not issue such certificates")]
    NotAnAuthority,
    /// The new certificate would be valid beyond its issuer. The operator's to fix.
    #[error(
        "the certificate would be valid from {} to {}, its issuer is from {issuer_not_before} to {issuer_not_after}",
        .validity.not_before,
        .validity.not_after
    )]
    OutlivesIssuer {
        /// The validity that was asked for.
        validity: Validity,
        /// The start of the issuer's.
        issuer_not_before: Timestamp,
        /// The end of the issuer's.
        issuer_not_after: Timestamp,
    },
    /// The identity cannot be written into a certificate. The asker's to fix.
    #[error(transparent)]
    San(#[from] SanError),
    /// A TLS certificate needs at least one name, and names are ASCII.
    #[error("a server certificate needs at least one name, in ASCII")]
    ServerName,
    /// The SCT is not for this precertificate, or the final certificate would not be.
    #[error("the final certificate would differ from its precertificate")]
    NotThePrecertificate,
    /// What was made cannot be read back, because what it was made of is too long or repeats itself.
    #[error("the certificate would not be well-formed")]
    Contents(#[source] CertificateError),
    /// The key cannot sign. The operator's to fix.
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

/// Makes the self-signed certificate of a root authority: certificate and CRL signing, no extended key
/// usage.
///
/// # Errors
///
/// [`IssueError::Sign`].
pub fn root(
    key: &SigningKey,
    subject: &DistinguishedName,
    validity: Validity,
    serial: Serial,
) -> Result<Certificate, IssueError> {
    let key_id = profile::key_id(key.public_key());
    let template = Template {
        serial,
        issuer: subject.der(),
        validity,
        subject: subject.der(),
        spki: key.public_key().spki_der(),
    };
    let extensions = [
        profile::key_usage(KEY_USAGE_AUTHORITY),
        profile::authority(None),
        profile::subject_key_id(&key_id),
    ];
    template.sign(&extensions, key)
}

impl Issuer {
    /// Brings a certificate and its key together.
    ///
    /// # Errors
    ///
    /// [`IssueError::KeyMismatch`], [`IssueError::NotAnAuthority`].
    pub fn new(certificate: Certificate, key: Arc<SigningKey>) -> Result<Self, IssueError> {
        if certificate.public_key() != key.public_key() {
            return Err(IssueError::KeyMismatch);
        }
        let may_sign = certificate.key_usage().is_none_or(KeyUsage::key_cert_sign);
        if !certificate.is_ca() || !may_sign {
            return Err(IssueError::NotAnAuthority);
        }
        Ok(Self { certificate, key })
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
    /// [`IssueError::OutlivesIssuer`], [`IssueError::NotAnAuthority`], [`IssueError::Sign`].
    pub fn intermediate(
        &self,
        key: &PublicKey,
        subject: &DistinguishedName,
        purpose: Purpose,
        validity: Validity,
        serial: Serial,
    ) -> Result<Certificate, IssueError> {
        if self.certificate.path_len() == Some(0) {
            return Err(IssueError::NotAnAuthority);
        }
        let extensions = [
            profile::key_usage(KEY_USAGE_AUTHORITY),
            profile::purpose(purpose.oid(), false),
            profile::authority(Some(0)),
            profile::subject_key_id(&profile::key_id(key)),
            self.authority_key_id(),
        ];
        self.sign(key, subject, validity, serial, &extensions)
    }

    /// Makes the certificate of a timestamp authority: its only purpose, critical (RFC 3161 §2.3).
    ///
    /// # Errors
    ///
    /// [`IssueError::OutlivesIssuer`], [`IssueError::Sign`].
    pub fn timestamp_signer(
        &self,
        key: &PublicKey,
        subject: &DistinguishedName,
        validity: Validity,
        serial: Serial,
    ) -> Result<Certificate, IssueError> {
        let extensions = [
            profile::key_usage(KEY_USAGE_SIGNATURE),
            profile::purpose(Purpose::TimeStamping.oid(), true),
            profile::subject_key_id(&profile::key_id(key)),
            self.authority_key_id(),
        ];
        self.sign(key, subject, validity, serial, &extensions)
    }

    /// Makes the certificate of a TLS server with an empty subject (RFC 6125: names are alternative names).
    ///
    /// # Errors
    ///
    /// [`IssueError::ServerName`], [`IssueError::OutlivesIssuer`], [`IssueError::Sign`].
    pub fn tls_server(
        &self,
        key: &PublicKey,
        names: &[ServerName],
        validity: Validity,
        serial: Serial,
    ) -> Result<Certificate, IssueError> {
        let extensions = [
            profile::key_usage(KEY_USAGE_SIGNATURE),
            profile::purpose(crate::oid::SERVER_AUTH, false),
            self.authority_key_id(),
            profile::server_names(names).ok_or(IssueError::ServerName)?,
        ];
        self.sign(key, &DistinguishedName::empty(), validity, serial, &extensions)
    }

    /// The key identifier extension that certificates of this issuer have.
    fn authority_key_id(&self) -> Vec<u8> {
        match self.certificate.subject_key_id() {
            Some(id) => profile::authority_key_id(id),
            None => profile::authority_key_id(&profile::key_id(self.key.public_key())),
        }
    }

    /// Checks that `validity` is within that of the issuer, and signs.
    fn sign(
        &self,
        key: &PublicKey,
        subject: &DistinguishedName,
        validity: Validity,
        serial: Serial,
        extensions: &[Vec<u8>],
    ) -> Result<Certificate, IssueError> {
        let issuer = &self.certificate;
        if !issuer.is_valid_at(validity.not_before) || !issuer.is_valid_at(validity.not_after) {
            return Err(IssueError::OutlivesIssuer {
                validity,
                issuer_not_before: issuer.not_before(),
                issuer_not_after: issuer.not_after(),
            });
        }
        let template = Template {
            serial,
            issuer: issuer.subject_der(),
            validity,
            subject: subject.der(),
            spki: key.spki_der(),
        };
        template.sign(extensions, &self.key)
    }
}

#[cfg(test)]
mod tests;
