//! Certification paths, RFC 5280 §6.
//!
//! The path is built and validated here rather than by rustls-webpki, because its rules are those of TLS:
//! it does not look at `keyUsage`, takes an anchor's validity and path length as given, refuses
//! constraints on e-mail and URI names (the only names that Fulcio issues), and knows no fractions of a
//! second.

mod constraints;

use jiff::Timestamp;

use crate::{Certificate, KeyUsage, Oid, oid};
use constraints::NameConstraints;

/// The longest path, leaf and anchor included: real ones have three or four certificates.
const MAX_PATH: usize = 8;
/// How many signatures are checked in one search, so that crossed certificates cannot make it long.
const MAX_SIGNATURES: usize = 64;

/// What a leaf certificate must be for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// Signing code: Fulcio's certificates, which say so twice.
    CodeSigning,
    /// Signing code, by a certificate of anybody's authority: it need not say all of it, but what it says must allow it
    /// (RFC 5280 §4.2.1.3 and §4.2.1.12), and it must say something.
    Signing,
    /// Signing timestamps: the extension must be critical and name nothing else (RFC 3161 §2.3).
    TimeStamping,
}

impl Purpose {
    /// The `KeyPurposeId`.
    #[must_use]
    pub const fn oid(self) -> Oid {
        match self {
            Self::CodeSigning | Self::Signing => oid::CODE_SIGNING,
            Self::TimeStamping => oid::TIME_STAMPING,
        }
    }
}

impl std::fmt::Display for Purpose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::CodeSigning | Self::Signing => "code signing",
            Self::TimeStamping => "time stamping",
        })
    }
}

/// A path that was validated: proof that an anchor vouches for the leaf, at one time, for one purpose.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VerifiedPath {
    /// The certificate in question.
    pub leaf: Certificate,
    /// Who issued it, who issued that one, and so on; the last is the anchor. Never empty.
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
    /// The leaf's key usage does not allow signatures, or it has none that says so.
    #[error("the leaf certificate's key usage does not allow signatures")]
    LeafKeyUsage,
    /// The leaf, or one of its issuers that restricts itself, is not for this purpose.
    #[error("the certificate of {subject} is not for {purpose}")]
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
        limit: u64,
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
    #[error("the search for a path was ended after {MAX_SIGNATURES} signatures")]
    TooMuchWork,
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
    check_leaf(leaf, purpose)?;
    check_critical(leaf)?;
    check_validity(leaf, time)?;
    let mut path = vec![leaf];
    let mut search = Search { intermediates, anchors, time, purpose, signatures: 0, nearest: None };
    if search.extend(&mut path) {
        let issuers = path.into_iter().skip(1).cloned().collect();
        return Ok(VerifiedPath { leaf: leaf.clone(), issuers, time });
    }
    Err(search.reason(leaf))
}

/// Checks that each certificate of `chain` may have been issued by the next, for `purpose`: all of RFC 5280
/// §6.1 but time, signatures, and critical extensions of the first.
///
/// A CT log keeps what was issued, whenever that was, and takes chains in their order only.
///
/// # Errors
///
/// See [`PathError`]; [`PathError::UnknownIssuer`] where the next one has another name.
pub fn check_order(chain: &[Certificate], purpose: Purpose) -> Result<(), PathError> {
    let mut path: Vec<&Certificate> = Vec::with_capacity(chain.len());
    for certificate in chain {
        if let Some(subject) = path.last() {
            if subject.issuer_der() != certificate.subject_der() {
                return Err(PathError::UnknownIssuer { subject: subject.subject() });
            }
            check_issuer(&path, certificate, purpose)?;
        }
        path.push(certificate);
    }
    Ok(())
}

/// A depth-first search for a path.
struct Search<'a> {
    intermediates: &'a [Certificate],
    anchors: &'a [Certificate],
    time: Timestamp,
    purpose: Purpose,
    signatures: usize,
    /// The failure nearest to an anchor, and the length of the path there.
    nearest: Option<(usize, PathError)>,
}

impl<'a> Search<'a> {
    /// Goes on from the last certificate of `path` up to an anchor.
    fn extend(&mut self, path: &mut Vec<&'a Certificate>) -> bool {
        let (anchors, intermediates) = (self.anchors, self.intermediates);
        for anchor in anchors {
            if self.step(path, anchor) {
                return true;
            }
        }
        // One place is kept for the anchor.
        if path.len() + 2 > MAX_PATH {
            return false;
        }
        for intermediate in intermediates.iter().filter(|known| !anchors.contains(known)) {
            let is_loop = path.iter().any(|passed| passed.spki_der() == intermediate.spki_der());
            if !is_loop && self.step(path, intermediate) {
                if self.extend(path) {
                    return true;
                }
                path.pop();
            }
        }
        if let Some(last) = path.last() {
            self.remember(path.len(), PathError::UnknownIssuer { subject: last.subject() });
        }
        false
    }

    /// Puts `issuer` at the end of `path` if it issued the one that is there.
    fn step(&mut self, path: &mut Vec<&'a Certificate>, issuer: &'a Certificate) -> bool {
        let Some(subject) = path.last().filter(|last| last.issuer_der() == issuer.subject_der())
        else {
            return false;
        };
        let checked = check_issuer(path, issuer, self.purpose)
            .and_then(|()| check_validity(issuer, self.time))
            .and_then(|()| self.check_signature(subject, issuer));
        match checked {
            Ok(()) => path.push(issuer),
            Err(error) => self.remember(path.len(), error),
        }
        path.last().is_some_and(|last| std::ptr::eq(*last, issuer))
    }

    fn check_signature(
        &mut self,
        subject: &Certificate,
        issuer: &Certificate,
    ) -> Result<(), PathError> {
        if self.signatures == MAX_SIGNATURES {
            return Err(PathError::TooMuchWork);
        }
        self.signatures += 1;
        subject
            .verify_signature(issuer.public_key())
            .map_err(|_| PathError::Signature { subject: subject.subject() })
    }

    fn remember(&mut self, length: usize, error: PathError) {
        let is_nearer = self.nearest.as_ref().is_none_or(|(nearest, _)| length > *nearest);
        if is_nearer || error == PathError::TooMuchWork {
            self.nearest = Some((length, error));
        }
    }

    fn reason(self, leaf: &Certificate) -> PathError {
        let unknown = || PathError::UnknownIssuer { subject: leaf.subject() };
        self.nearest.map_or_else(unknown, |(_, error)| error)
    }
}

/// What is asked of the leaf alone.
fn check_leaf(leaf: &Certificate, purpose: Purpose) -> Result<(), PathError> {
    if leaf.is_ca() {
        return Err(PathError::LeafIsCa);
    }
    let purposes = leaf.extended_key_usage();
    let may_sign = match (purpose, leaf.key_usage()) {
        (Purpose::CodeSigning, usage) => usage.is_some_and(KeyUsage::digital_signature),
        (Purpose::Signing, usage) => usage.map_or(purposes.is_some(), KeyUsage::digital_signature),
        // ETSI EN 319 422 §6.3: a timestamp authority's key may have either bit.
        (Purpose::TimeStamping, usage) => {
            usage.is_none_or(|usage| usage.digital_signature() || usage.content_commitment())
        }
    };
    if !may_sign {
        return Err(PathError::LeafKeyUsage);
    }
    let is_critical =
        || leaf.extension(oid::EXTENDED_KEY_USAGE).is_some_and(|extension| extension.critical);
    let is_fit = match purpose {
        Purpose::CodeSigning => purposes.is_some_and(|named| named.contains(&purpose.oid())),
        Purpose::Signing => purposes.is_none_or(|named| named.contains(&purpose.oid())),
        Purpose::TimeStamping => purposes == Some(&[purpose.oid()]) && is_critical(),
    };
    if is_fit { Ok(()) } else { Err(PathError::Purpose { subject: leaf.subject(), purpose }) }
}

/// A critical extension that is not known refuses a certificate (RFC 5280 §6.1.5 f).
fn check_critical(certificate: &Certificate) -> Result<(), PathError> {
    const KNOWN: [Oid; 5] = [
        oid::BASIC_CONSTRAINTS,
        oid::KEY_USAGE,
        oid::EXTENDED_KEY_USAGE,
        oid::SUBJECT_ALT_NAME,
        oid::NAME_CONSTRAINTS,
    ];
    let unknown =
        |extension: &crate::Extension<'_>| extension.critical && !KNOWN.contains(&extension.oid);
    match certificate.extensions().find(unknown) {
        None => Ok(()),
        Some(extension) => {
            let subject = certificate.subject();
            Err(PathError::CriticalExtension { subject, oid: extension.oid })
        }
    }
}

/// RFC 5280 §6.1.3 a.2.
fn check_validity(certificate: &Certificate, time: Timestamp) -> Result<(), PathError> {
    if certificate.is_valid_at(time) {
        return Ok(());
    }
    Err(PathError::Validity {
        subject: certificate.subject(),
        not_before: certificate.not_before(),
        not_after: certificate.not_after(),
        time,
    })
}

/// What is asked of an issuer whose turn comes after the certificates of `path` (RFC 5280 §6.1.4).
fn check_issuer(
    path: &[&Certificate],
    issuer: &Certificate,
    purpose: Purpose,
) -> Result<(), PathError> {
    let subject = || issuer.subject();
    check_critical(issuer)?;
    // (k), (n)
    if !issuer.is_ca() || issuer.key_usage().is_some_and(|usage| !usage.key_cert_sign()) {
        return Err(PathError::NotAnAuthority { subject: subject() });
    }
    // (l), (m): self-issued certificates do not count.
    let between = path.iter().skip(1).filter(|passed| !passed.is_self_issued()).count() as u64;
    if let Some(limit) = issuer.path_len().filter(|limit| *limit < between) {
        return Err(PathError::PathLength { subject: subject(), limit });
    }
    // Not in the RFC, but what everyone does: an authority that names purposes passes on no others.
    if issuer.extended_key_usage().is_some_and(|allowed| !allowed.contains(&purpose.oid())) {
        return Err(PathError::Purpose { subject: subject(), purpose });
    }
    // (g)
    let Some(extension) = issuer.extension(oid::NAME_CONSTRAINTS) else { return Ok(()) };
    let constraints = NameConstraints::read(extension.value)
        .map_err(|_| PathError::NameConstraints { subject: subject() })?;
    for (place, certificate) in path.iter().enumerate() {
        // §6.1.3 (b), (c): self-issued certificates are free, except at the end.
        if (place == 0 || !certificate.is_self_issued()) && !constraints.allow(certificate) {
            return Err(PathError::NameConstraints { subject: certificate.subject() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
