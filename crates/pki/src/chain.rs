//! Certification paths, RFC 5280 §6.

use jiff::Timestamp;

use crate::{Certificate, Oid, oid};

/// What a leaf certificate must be for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// Signing code: Fulcio's certificates.
    CodeSigning,
    /// Signing timestamps: the extension must be critical and name nothing else (RFC 3161 §2.3).
    TimeStamping,
}

impl Purpose {
    /// The `KeyPurposeId`.
    #[must_use]
    pub const fn oid(self) -> Oid {
        match self {
            Self::CodeSigning => oid::CODE_SIGNING,
            Self::TimeStamping => oid::TIME_STAMPING,
        }
    }
}

/// A path that was validated: proof that an anchor vouches for the leaf, at one time, for one purpose.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VerifiedPath {
    /// The certificate in question.
    pub leaf: Certificate,
    /// Who issued it, who issued that one, and so on; the last is the anchor.
    pub issuers: Vec<Certificate>,
    /// The instant for which the path holds.
    pub time: Timestamp,
}

impl VerifiedPath {
    /// The certificate whose key signed the leaf.
    #[must_use]
    pub fn issuer(&self) -> &Certificate {
        self.issuers.first().unwrap_or(&self.leaf)
    }
}

/// Why there is no path from a leaf to an anchor.
///
/// When several paths were tried, it is the reason of the one that came closest to an anchor.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PathError {
    /// No candidate has the name of the issuer.
    #[error("no trusted certificate authority issued the certificate of {subject}")]
    UnknownIssuer {
        /// The subject whose issuer is missing.
        subject: String,
    },
    /// The issuer's key did not make the signature, or its algorithm is not accepted.
    #[error("the signature on the certificate of {subject} does not verify")]
    Signature {
        /// The subject whose signature it is.
        subject: String,
    },
    /// A certificate of the path is not valid yet, or no longer.
    #[error(
        "the certificate of {subject} is valid from {not_before} to {not_after}, not at {time}"
    )]
    Validity {
        /// Whose certificate.
        subject: String,
        /// Its first instant.
        not_before: Timestamp,
        /// Its last instant.
        not_after: Timestamp,
        /// The instant in question.
        time: Timestamp,
    },
    /// The leaf is a certificate authority.
    #[error("the leaf certificate is a certificate authority")]
    LeafIsCa,
    /// The leaf's key usage does not allow signatures.
    #[error("the leaf certificate's key usage does not allow signatures")]
    LeafKeyUsage,
    /// The leaf, or one of its issuers that restricts itself, is not for this purpose.
    #[error("the certificate of {subject} is not for {purpose:?}")]
    Purpose {
        /// Whose certificate.
        subject: String,
        /// What it had to be for.
        purpose: Purpose,
    },
    /// An issuer is not a certificate authority, or may not sign certificates.
    #[error("{subject} may not issue certificates")]
    NotAnAuthority {
        /// Which issuer.
        subject: String,
    },
    /// An issuer allows fewer intermediate certificates than there are.
    #[error("{subject} allows no more than {limit} intermediate certificates after it")]
    PathLength {
        /// Which issuer.
        subject: String,
        /// How many it allows.
        limit: u32,
    },
    /// A name is outside the constraints of an issuer, or they are of a form that is not understood.
    #[error("a name in the certificate of {subject} is outside its issuer's name constraints")]
    NameConstraints {
        /// Whose name.
        subject: String,
    },
    /// A certificate has a critical extension that is not known here; a precertificate is one.
    #[error("the certificate of {subject} has the unknown critical extension {oid}")]
    CriticalExtension {
        /// Whose certificate.
        subject: String,
        /// Which extension.
        oid: Oid,
    },
    /// So many candidates were given that the search was ended.
    #[error("the search for a path was ended after {limit} signatures")]
    TooMuchWork {
        /// How many were checked.
        limit: usize,
    },
}

/// Finds and validates a path from `leaf` to one of `anchors` that holds at `time` for `purpose`.
///
/// All candidates are tried: certificates of the same name and different keys are common. An anchor may
/// be an intermediate certificate. Both ends of every validity are included, the anchor's too.
///
/// # Errors
///
/// See [`PathError`].
pub fn verify_path(
    leaf: &Certificate,
    intermediates: &[Certificate],
    anchors: &[Certificate],
    time: Timestamp,
    purpose: Purpose,
) -> Result<VerifiedPath, PathError> {
    todo!("{leaf:?}{intermediates:?}{anchors:?}{time}{purpose:?}")
}
