//! Steps E and F: an authority vouched for the key, at every trusted time, and in public.

mod own;

use std::collections::BTreeSet;

use crypto::{PublicKey, PublicKeyError, sha256};
use jiff::Timestamp;
use pki::chain::{self, PathError, Purpose, VerifiedPath};
use pki::sct::{self, SctError, TrustedLog, VerifiedSct};
use pki::{Certificate, CertificateError};
use wire::trusted_root::{Authority, LogInstance, TimeRange, TrustedRoot};

use crate::material::OwnChain;
use crate::policy::{Policy, Threshold};
use crate::time::{TimeSource, TrustedTime, TrustedTimes};

/// Proof that an authority vouched for a key at every trusted time, and that certificate logs know.
#[derive(Debug)]
#[non_exhaustive]
pub struct Certified {
    /// The path from the signer's certificate to the authority's root.
    pub path: VerifiedPath,
    /// The timestamps by certificate logs, one for each log.
    pub scts: Vec<VerifiedSct>,
}

/// Why a certificate is not trusted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CertifyError {
    /// The signature was seen at a time at which the certificate is not valid.
    #[error(
        "{seen_by} saw the signature at {time}, but the certificate is valid from {not_before} to {not_after}"
    )]
    Validity {
        /// Who saw it.
        seen_by: TimeSource,
        /// When.
        time: Timestamp,
        /// The certificate's first instant.
        not_before: Timestamp,
        /// The certificate's last instant.
        not_after: Timestamp,
    },
    /// Nobody says when the signature was made, and the certificate is not valid at the present.
    #[error(
        "the certificate is valid from {not_before} to {not_after}, not at {present}, and nobody says when the signature was made"
    )]
    NotValidAtPresent {
        /// The verifier's time.
        present: Timestamp,
        /// The certificate's first instant.
        not_before: Timestamp,
        /// The certificate's last instant.
        not_after: Timestamp,
    },
    /// The authority that issued the certificate is trusted, but not for the time of the signature.
    #[error("the trusted root trusts {authority} for {range}, not at {time}")]
    AuthorityValidity {
        /// Which authority.
        authority: String,
        /// When it is trusted.
        range: TimeRange,
        /// When the signature was seen.
        time: Timestamp,
    },
    /// The certificate does not lead to an authority that is trusted.
    #[error("the certificate does not lead to a trusted authority")]
    Path(#[source] PathError),
    /// The certificate does not lead to a root of the verifier's own.
    #[error("the certificate does not lead to one of the given roots")]
    OwnPath(#[source] PathError),
    /// The trusted root names no certificate authority that counts at the time of the signature.
    #[error("the trusted root names no certificate authority for {time}")]
    NoAuthority {
        /// When the signature was seen.
        time: Timestamp,
    },
    /// A certificate of an authority in the trusted root cannot be read.
    #[error("a certificate of {authority} in the trusted root cannot be read")]
    Authority {
        /// Which authority.
        authority: String,
        /// Why.
        #[source]
        source: CertificateError,
    },
    /// The key of a certificate log in the trusted root cannot be used.
    #[error("the key of the certificate log {log} in the trusted root cannot be used")]
    CtLogKey {
        /// Which log.
        log: String,
        /// Why.
        #[source]
        source: PublicKeyError,
    },
    /// The trusted root names no certificate log at all.
    #[error("the trusted root names no certificate log (see --insecure-ignore-sct)")]
    NoCtLog,
    /// No timestamp by a certificate log holds.
    #[error("the certificate is not shown to be in a certificate log")]
    Sct(#[source] SctError),
    /// Fewer certificate logs than the policy asks for, each counted once.
    #[error("{found} certificate logs hold the certificate, {needed} are needed")]
    TooFewCtLogs {
        /// How many there are.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
}

/// Checks that roots of the verifier's own vouch for the certificate at every one of `times`, and in public if it is
/// Fulcio's. What a log of the trusted root is said to have promised must hold in any case.
pub(crate) fn certify_own(
    chain: &OwnChain<'_>,
    times: &TrustedTimes,
    policy: &Policy,
    trust: &TrustedRoot,
) -> Result<Certified, CertifyError> {
    let path = own::path(chain, times)?;
    let scts = verify_scts(&path, own::certificate_logs(&path, policy.ct_logs), &trust.ctlogs)?;
    Ok(Certified { path, scts })
}

/// Checks what [`Policy::own`] asks of certificate logs, for a path to a root of one's own: a certificate of Fulcio must be in
/// one that `trust` names, whoever runs that Fulcio.
///
/// # Errors
///
/// [`CertifyError`]: what verifiers would refuse it for.
pub fn check_certificate_logs(
    path: &VerifiedPath,
    trust: &TrustedRoot,
) -> Result<(), CertifyError> {
    verify_scts(path, own::certificate_logs(path, Threshold::OfFulcio), &trust.ctlogs).map(drop)
}

/// Checks that `leaf` is trusted at every one of `times`, and in public.
pub(crate) fn certify(
    leaf: &Certificate,
    times: &TrustedTimes,
    policy: &Policy,
    trust: &TrustedRoot,
) -> Result<Certified, CertifyError> {
    times.times.iter().try_for_each(|time| check_validity(leaf, time))?;
    let mut authorities = Authorities::new(leaf, &trust.certificate_authorities);
    for time in &times.times {
        authorities.verify_at(time.time)?;
    }
    // There is a path whenever there is a time, and the policy for certificates asks for a time.
    let path =
        authorities.into_path().ok_or(CertifyError::NoAuthority { time: leaf.not_before() })?;
    let scts = verify_scts(&path, policy.ct_logs, &trust.ctlogs)?;
    Ok(Certified { path, scts })
}

fn check_validity(leaf: &Certificate, seen: &TrustedTime) -> Result<(), CertifyError> {
    if leaf.is_valid_at(seen.time) {
        return Ok(());
    }
    Err(CertifyError::Validity {
        seen_by: seen.source.clone(),
        time: seen.time,
        not_before: leaf.not_before(),
        not_after: leaf.not_after(),
    })
}

/// The search for paths from one certificate to the authorities of a trusted root.
struct Authorities<'a> {
    leaf: &'a Certificate,
    trusted: &'a [Authority],
    /// The path that was found, with the validity of its authority. Most bundles need one only.
    found: Option<(VerifiedPath, TimeRange)>,
}

impl<'a> Authorities<'a> {
    const fn new(leaf: &'a Certificate, trusted: &'a [Authority]) -> Self {
        Self { leaf, trusted, found: None }
    }

    fn into_path(self) -> Option<VerifiedPath> {
        self.found.map(|(path, _)| path)
    }

    /// Checks that there is a path at `time`.
    ///
    /// Of all that makes a path only validity depends on the time, so one that was verified for another
    /// time holds for this one too if all of it is valid.
    fn verify_at(&mut self, time: Timestamp) -> Result<(), CertifyError> {
        if let Some((path, range)) = &self.found
            && range.contains(time)
            && path.leaf.is_valid_at(time)
            && path.issuers.iter().all(|issuer| issuer.is_valid_at(time))
        {
            return Ok(());
        }
        let found = self.search(time)?;
        self.found.get_or_insert(found);
        Ok(())
    }

    fn search(&self, time: Timestamp) -> Result<(VerifiedPath, TimeRange), CertifyError> {
        let mut refusal = CertifyError::NoAuthority { time };
        for authority in self.trusted.iter().filter(|a| a.valid_for.contains(time)) {
            match self.path(authority, time)? {
                Ok(path) => return Ok((path, authority.valid_for)),
                Err(error) => refusal = nearer(refusal, error),
            }
        }
        // Who issued the certificate may be trusted for other times: that is worth telling.
        for authority in self.trusted.iter().filter(|a| !a.valid_for.contains(time)) {
            if self.path(authority, time)?.is_ok() {
                let (range, authority) = (authority.valid_for, authority.uri.clone());
                return Err(CertifyError::AuthorityValidity { authority, range, time });
            }
        }
        Err(refusal)
    }

    fn path(
        &self,
        authority: &Authority,
        time: Timestamp,
    ) -> Result<Result<VerifiedPath, PathError>, CertifyError> {
        let chain: Result<Vec<_>, _> =
            authority.chain.iter().map(|der| Certificate::from_der(der)).collect();
        let chain = chain.map_err(|source| CertifyError::Authority {
            authority: authority.uri.clone(),
            source,
        })?;
        let (intermediates, anchor) = chain.split_at(chain.len().saturating_sub(1));
        Ok(chain::verify_path(self.leaf, intermediates, anchor, time, Purpose::CodeSigning))
    }
}

/// An authority that is not the issuer says less than one that is.
fn nearer(refusal: CertifyError, error: PathError) -> CertifyError {
    match (&refusal, &error) {
        (CertifyError::Path(_), PathError::UnknownIssuer { .. }) => refusal,
        _ => CertifyError::Path(error),
    }
}

/// Step F. The timestamps are checked against the key of the issuer that was verified.
fn verify_scts(
    path: &VerifiedPath,
    threshold: Threshold,
    trusted: &[LogInstance],
) -> Result<Vec<VerifiedSct>, CertifyError> {
    let needed = threshold.needed(trusted.len());
    if needed > 0 && trusted.is_empty() {
        return Err(CertifyError::NoCtLog);
    }
    let ids: BTreeSet<_> = match sct::embedded(&path.leaf) {
        Ok(scts) => scts.into_iter().map(|sct| sct.log_id).collect(),
        Err(error) => return Err(CertifyError::Sct(SctError::Format(error))),
    };
    let named: Vec<_> =
        trusted.iter().filter(|log| ids.contains(&sha256(&log.public_key))).collect();
    let keys: Vec<PublicKey> = named.iter().map(|log| read_key(log)).collect::<Result<_, _>>()?;
    let logs: Vec<_> = named
        .iter()
        .zip(&keys)
        .map(|(log, key)| TrustedLog {
            key,
            start: Some(log.valid_for.start),
            end: log.valid_for.end,
        })
        .collect();
    match sct::verify_embedded(path, &logs) {
        Ok(scts) if scts.len() >= needed => Ok(scts),
        Ok(scts) => Err(CertifyError::TooFewCtLogs { found: scts.len(), needed }),
        Err(SctError::Missing | SctError::UnknownLog) if needed == 0 => Ok(Vec::new()),
        Err(error) => Err(CertifyError::Sct(error)),
    }
}

fn read_key(log: &LogInstance) -> Result<PublicKey, CertifyError> {
    PublicKey::from_spki_der(&log.public_key)
        .map_err(|source| CertifyError::CtLogKey { log: log.base_url.clone(), source })
}
