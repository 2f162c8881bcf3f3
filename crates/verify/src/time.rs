//! Step D: when the signature was made, by somebody's signed word.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use jiff::Timestamp;
use pki::chain::PathError;
use pki::tsp::{self, Token, TokenError, TokenFormatError};
use pki::{Certificate, CertificateError};
use wire::bundle::Bundle;
use wire::trusted_root::{Authority, TimeRange, TrustedRoot};

use crate::LeftOut;
use crate::policy::Policy;
use crate::tlog::Logged;

/// The times at which the signature was seen. As many, and of as many sources, as the policy asks for.
#[derive(Debug)]
pub(crate) struct TrustedTimes {
    pub(crate) times: Vec<TrustedTime>,
    pub(crate) left_out: Vec<LeftOut>,
}

/// A time at which the signature was seen.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TrustedTime {
    /// The time.
    pub time: Timestamp,
    /// Whose word it is.
    pub source: TimeSource,
}

/// Whose word a time is.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum TimeSource {
    /// A timestamp authority's, by its operator or URI.
    TimestampAuthority(String),
    /// That of a transparency log of Rekor v1, by its operator or URL.
    TransparencyLog(String),
}

impl std::fmt::Display for TimeSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TimestampAuthority(name) => write!(f, "the timestamp authority {name}"),
            Self::TransparencyLog(name) => write!(f, "the transparency log {name}"),
        }
    }
}

/// Why it is not known when a signature was made.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TimeError {
    /// Nobody says when the signature was made.
    #[error("the bundle has no trusted time: neither a timestamp nor a log's promise")]
    None,
    /// The bundle has timestamps, but none by an authority that the trusted root names.
    #[error("the bundle's timestamps are by authorities that the trusted root does not name")]
    UnknownAuthority,
    /// Fewer independent sources than the policy asks for.
    #[error("{found} independent sources say when the signature was made, {needed} are needed")]
    TooFew {
        /// How many there are.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// A timestamp cannot be read.
    #[error("timestamp {position} of the bundle cannot be read")]
    Format {
        /// Which of the bundle's timestamps, from zero.
        position: usize,
        /// Why.
        #[source]
        source: TokenFormatError,
    },
    /// A timestamp is for another signature.
    #[error("timestamp {position} of the bundle is for another signature")]
    OtherSignature {
        /// Which of the bundle's timestamps, from zero.
        position: usize,
    },
    /// A timestamp was made while its authority's certificates were not valid.
    #[error("timestamp {position} is from outside its authority's certificate validity")]
    CertificateValidity {
        /// Which of the bundle's timestamps, from zero.
        position: usize,
        /// Which certificate, and when it is valid.
        #[source]
        source: PathError,
    },
    /// A timestamp names an authority that is trusted, but does not hold.
    #[error("timestamp {position} of the bundle does not hold")]
    Timestamp {
        /// Which of the bundle's timestamps, from zero.
        position: usize,
        /// Why.
        #[source]
        source: TokenError,
    },
    /// A timestamp was made at a time at which the trusted root does not trust its authority.
    #[error("the trusted root trusts {authority} for {range}, not at {time}")]
    AuthorityValidity {
        /// Which authority.
        authority: String,
        /// When it is trusted.
        range: TimeRange,
        /// The time of the timestamp.
        time: Timestamp,
    },
    /// The certificate of a timestamp authority in the trusted root cannot be read.
    #[error("a certificate of {authority} in the trusted root cannot be read")]
    Authority {
        /// Which authority.
        authority: String,
        /// Why.
        #[source]
        source: CertificateError,
    },
    /// A log took the entry at a time at which the trusted root does not trust the log's key.
    #[error("the trusted root trusts the key of the log {log} for {range}, not at {time}")]
    LogValidity {
        /// Which log.
        log: String,
        /// When its key is trusted.
        range: TimeRange,
        /// When it took the entry.
        time: Timestamp,
    },
}

/// Gathers the times at which the signature was seen, and checks every one of them.
pub(crate) fn establish(
    bundle: &Bundle,
    logged: &Logged<'_>,
    policy: &Policy,
    trust: &TrustedRoot,
) -> Result<TrustedTimes, TimeError> {
    let mut found = TrustedTimes { times: Vec::new(), left_out: Vec::new() };
    let authorities = Authorities::new(trust);
    let signature = bundle.content.signature();
    for (position, response) in bundle.material.timestamps.iter().enumerate() {
        let token =
            Token::from_der(response).map_err(|source| TimeError::Format { position, source })?;
        match authorities.verify(&token, signature, position)? {
            Some(time) => found.times.push(time),
            None => found.left_out.push(LeftOut::Timestamp { position }),
        }
    }
    check_log_keys(logged, &found.times)?;
    found.times.extend(promised(logged));
    let sources = found.times.iter().map(|time| &time.source).collect::<BTreeSet<_>>().len();
    match sources {
        enough if enough >= policy.times => Ok(found),
        0 if found.left_out.is_empty() => Err(TimeError::None),
        0 => Err(TimeError::UnknownAuthority),
        found => Err(TimeError::TooFew { found, needed: policy.times }),
    }
}

/// A log's key must count when the log took the entry: by its own promise, or else, since nobody signed
/// that time, whenever the signature was seen.
fn check_log_keys(logged: &Logged<'_>, timestamps: &[TrustedTime]) -> Result<(), TimeError> {
    for (entry, log) in logged.entries.iter().zip(&logged.logs) {
        let seen = timestamps.iter().map(|timestamp| timestamp.time);
        let times: Vec<_> = entry.promised.map_or_else(|| seen.collect(), |time| vec![time]);
        for time in times {
            let log_name = || entry.log.clone();
            log.check_valid_at(time).map_err(|range| TimeError::LogValidity {
                log: log_name(),
                range,
                time,
            })?;
        }
    }
    Ok(())
}

fn promised(logged: &Logged<'_>) -> impl Iterator<Item = TrustedTime> {
    logged.entries.iter().filter_map(|entry| {
        let source = TimeSource::TransparencyLog(entry.log.clone());
        entry.promised.map(|time| TrustedTime { time, source })
    })
}

/// The timestamp authorities of a trusted root, whose certificates are read when they are first needed.
struct Authorities<'a> {
    trusted: &'a [Authority],
    read: Vec<OnceCell<tsp::Authority>>,
}

impl<'a> Authorities<'a> {
    fn new(trust: &'a TrustedRoot) -> Self {
        let trusted = trust.timestamp_authorities.as_slice();
        Self { trusted, read: trusted.iter().map(|_| OnceCell::new()).collect() }
    }

    /// Checks a timestamp against the authorities, each by itself: neither certificates nor times of
    /// validity of one are lent to another. `None` if no authority made it.
    fn verify(
        &self,
        token: &Token,
        signature: &[u8],
        position: usize,
    ) -> Result<Option<TrustedTime>, TimeError> {
        let mut refusal = None;
        for (authority, read) in self.trusted.iter().zip(&self.read) {
            let certificates = read_once(authority, read)?;
            let outcome = match token.verify(signature, certificates) {
                Ok(verified) => check_validity(authority, verified.time),
                Err(error) if is_of_another(&error) => continue,
                Err(error) => Err(refused(error, position)),
            };
            match outcome {
                Ok(time) => return Ok(Some(time)),
                Err(error) => refusal = Some(error),
            }
        }
        refusal.map_or(Ok(None), Err)
    }
}

fn read_once<'c>(
    authority: &Authority,
    read: &'c OnceCell<tsp::Authority>,
) -> Result<&'c tsp::Authority, TimeError> {
    if let Some(read) = read.get() {
        return Ok(read);
    }
    let chain: Result<Vec<_>, _> =
        authority.chain.iter().map(|der| Certificate::from_der(der)).collect();
    let chain =
        chain.map_err(|source| TimeError::Authority { authority: name(authority), source })?;
    // A trusted root has no empty chains: reading it refuses them.
    let parsed = tsp::Authority::from_chain(&chain).ok_or(TimeError::UnknownAuthority)?;
    Ok(read.get_or_init(|| parsed))
}

/// Whether a timestamp is by somebody else than the authority that it was held against.
const fn is_of_another(error: &TokenError) -> bool {
    matches!(
        error,
        TokenError::UnknownSigner
            | TokenError::Path(PathError::UnknownIssuer { .. } | PathError::Signature { .. })
    )
}

fn refused(error: TokenError, position: usize) -> TimeError {
    match error {
        TokenError::Imprint => TimeError::OtherSignature { position },
        TokenError::Path(source @ PathError::Validity { .. }) => {
            TimeError::CertificateValidity { position, source }
        }
        source => TimeError::Timestamp { position, source },
    }
}

fn check_validity(authority: &Authority, time: Timestamp) -> Result<TrustedTime, TimeError> {
    let range = authority.valid_for;
    if !range.contains(time) {
        return Err(TimeError::AuthorityValidity { authority: name(authority), range, time });
    }
    Ok(TrustedTime { time, source: TimeSource::TimestampAuthority(name(authority)) })
}

/// Who runs an authority, or where it is: what counts towards a threshold.
fn name(authority: &Authority) -> String {
    let name = if authority.operator.is_empty() { &authority.uri } else { &authority.operator };
    name.clone()
}
