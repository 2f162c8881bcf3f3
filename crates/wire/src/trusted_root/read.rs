//! Reading trusted roots.

use crypto::{HashAlgorithm, KeyDetails};

use super::{Authority, LogInstance, SkippedLog, TimeRange, TrustedRoot, TrustedRootVersion};
use crate::json::{self, Json, JsonError, Unknown, excerpt};

/// The longest trusted root: the public one has ten kilobytes.
const MAX_TRUSTED_ROOT: usize = 4 << 20;
/// The most logs or authorities of one kind. Keys stay listed for ever, but change once a year at most.
const MAX_INSTANCES: usize = 256;
/// The most certificates of one authority.
const MAX_CERTIFICATES: usize = 16;

/// Why bytes are not a trusted root.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TrustedRootError {
    /// They are not the JSON form of a trusted root's message.
    #[error("the trusted root cannot be read: {0}")]
    Json(JsonError),
    /// The media type is not that of a version that is known; empty if there is none.
    #[error("the trusted root's media type {0:?} is not known")]
    MediaType(String),
    /// A key or authority has a period of validity without a start, or none.
    #[error("{instance} has no start of validity")]
    NoValidityStart {
        /// Which one, such as `tlogs[1]`.
        instance: String,
    },
    /// A period of validity ends before it starts.
    #[error("{instance} is valid from {start} to {end}, which is never", start = range.start, end = range.end.unwrap_or_default())]
    EmptyValidity {
        /// Which one, such as `tlogs[1]`.
        instance: String,
        /// The period.
        range: TimeRange,
    },
    /// An authority has no certificate.
    #[error("{instance} has no certificate")]
    NoCertificate {
        /// Which one, such as `timestampAuthorities[0]`.
        instance: String,
    },
}

impl From<JsonError> for TrustedRootError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl TrustedRoot {
    /// Reads the JSON of a trusted root.
    ///
    /// # Errors
    ///
    /// See [`TrustedRootError`].
    pub fn parse(document: &[u8]) -> Result<Self, TrustedRootError> {
        Self::read(json::parse(document, MAX_TRUSTED_ROOT)?)
    }

    /// Reads a trusted root from a document around it.
    ///
    /// # Errors
    ///
    /// As [`Self::parse`].
    pub fn read(value: Json<'_>) -> Result<Self, TrustedRootError> {
        let mut object = value.into_object()?;
        let mut root = Self {
            version: read_version(&object.or_default("mediaType", Json::into_string)?)?,
            ..Self::default()
        };
        let authority = |value: Json<'_>| Ok(read_authority(value));
        let log = |value: Json<'_>| Ok(read_log(value));
        let tlogs = object.list("tlogs", MAX_INSTANCES, log)?;
        let ctlogs = object.list("ctlogs", MAX_INSTANCES, log)?;
        let authorities = object.list("certificateAuthorities", MAX_INSTANCES, authority)?;
        let tsas = object.list("timestampAuthorities", MAX_INSTANCES, authority)?;
        object.finish(Unknown::Tolerated)?;
        root.certificate_authorities = named("certificateAuthorities", authorities)?;
        root.timestamp_authorities = named("timestampAuthorities", tsas)?;
        root.tlogs = root.keep_known(named("tlogs", tlogs)?);
        root.ctlogs = root.keep_known(named("ctlogs", ctlogs)?);
        Ok(root)
    }

    fn keep_known(&mut self, logs: Vec<Result<LogInstance, SkippedLog>>) -> Vec<LogInstance> {
        let known = |log: Result<_, _>| log.map_err(|skipped| self.skipped.push(skipped)).ok();
        logs.into_iter().filter_map(known).collect()
    }
}

fn read_version(media_type: &str) -> Result<TrustedRootVersion, TrustedRootError> {
    [TrustedRootVersion::V0_1, TrustedRootVersion::V0_2]
        .into_iter()
        .find(|version| version.media_type() == media_type)
        .ok_or_else(|| TrustedRootError::MediaType(excerpt(media_type)))
}

/// What is wrong with one log or authority; its place is known to whoever reads the list.
enum InstanceError {
    Json(JsonError),
    NoValidityStart,
    EmptyValidity(TimeRange),
    NoCertificate,
}

impl From<JsonError> for InstanceError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

/// Says of every error which instance it is about.
fn named<T>(
    list: &'static str,
    instances: Vec<Result<T, InstanceError>>,
) -> Result<Vec<T>, TrustedRootError> {
    let name = |(index, result): (usize, Result<T, InstanceError>)| {
        let instance = format!("{list}[{index}]");
        result.map_err(|error| match error {
            InstanceError::Json(error) => TrustedRootError::Json(error.within(&instance)),
            InstanceError::NoValidityStart => TrustedRootError::NoValidityStart { instance },
            InstanceError::EmptyValidity(range) => {
                TrustedRootError::EmptyValidity { instance, range }
            }
            InstanceError::NoCertificate => TrustedRootError::NoCertificate { instance },
        })
    };
    instances.into_iter().enumerate().map(name).collect()
}

/// Reads a log. The inner error is a log that is well-formed but has a key of an unknown kind.
fn read_log(value: Json<'_>) -> Result<Result<LogInstance, SkippedLog>, InstanceError> {
    let mut object = value.into_object()?;
    let base_url = object.or_default("baseUrl", Json::into_string)?;
    let hash = object
        .required("hashAlgorithm", |value| value.into_enumeration(hash_by_name, hash_by_number))?;
    let mut key = object.required("publicKey", Json::into_object)?;
    let public_key = key.required("rawBytes", Json::into_bytes)?;
    let details = key.required("keyDetails", |value| {
        value.into_enumeration(KeyDetails::by_name, KeyDetails::by_number)
    })?;
    let valid_for = read_validity(key.optional("validFor", read_time_range)?.flatten())?;
    let log_id = object.or_default("logId", read_key_id)?;
    let checkpoint_key_id = object.or_default("checkpointKeyId", read_key_id)?;
    let operator = object.or_default("operator", Json::into_string)?;
    Ok(match (hash, details) {
        (Ok(hash_algorithm), Ok(key_details)) => Ok(LogInstance {
            base_url,
            hash_algorithm,
            public_key,
            key_details,
            valid_for,
            log_id,
            checkpoint_key_id,
            operator,
        }),
        (Err(unknown), _) | (_, Err(unknown)) => Err(SkippedLog { base_url, unknown }),
    })
}

fn read_key_id(value: Json<'_>) -> Result<Vec<u8>, JsonError> {
    value.into_object()?.or_default("keyId", Json::into_bytes)
}

fn hash_by_name(name: &str) -> Option<HashAlgorithm> {
    Some(HashAlgorithm::Sha256).filter(|algorithm| algorithm.proto_name() == name)
}

/// Only trees of SHA-256 are known (RFC 9162, C2SP tlog-tiles).
fn hash_by_number(number: i64) -> Option<HashAlgorithm> {
    Some(HashAlgorithm::Sha256).filter(|algorithm| algorithm.proto_number() == number)
}

fn read_authority(value: Json<'_>) -> Result<Authority, InstanceError> {
    let mut object = value.into_object()?;
    let (organization, common_name) = object.or_default("subject", |value| {
        let mut subject = value.into_object()?;
        let organization = subject.or_default("organization", Json::into_string)?;
        Ok((organization, subject.or_default("commonName", Json::into_string)?))
    })?;
    let chain = object.or_default("certChain", |value| {
        value.into_object()?.list("certificates", MAX_CERTIFICATES, |value| {
            value.into_object()?.required("rawBytes", Json::into_bytes)
        })
    })?;
    if chain.is_empty() {
        return Err(InstanceError::NoCertificate);
    }
    Ok(Authority {
        organization,
        common_name,
        uri: object.or_default("uri", Json::into_string)?,
        chain,
        valid_for: read_validity(object.optional("validFor", read_time_range)?.flatten())?,
        operator: object.or_default("operator", Json::into_string)?,
    })
}

fn read_validity(range: Option<TimeRange>) -> Result<TimeRange, InstanceError> {
    let range = range.ok_or(InstanceError::NoValidityStart)?;
    if range.end.is_some_and(|end| end < range.start) {
        return Err(InstanceError::EmptyValidity(range));
    }
    Ok(range)
}

/// Reads a `TimeRange`; `None` if it has no start.
///
/// # Errors
///
/// [`Problem::Time`](crate::json::Problem::Time) and the like.
pub fn read_time_range(value: Json<'_>) -> Result<Option<TimeRange>, JsonError> {
    let mut object = value.into_object()?;
    let start = object.optional("start", Json::into_time)?;
    let end = object.optional("end", Json::into_time)?;
    Ok(start.map(|start| TimeRange { start, end }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const V0_1: &str = r#""mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1""#;

    fn read(members: &str) -> Result<TrustedRoot, TrustedRootError> {
        TrustedRoot::parse(format!("{{{V0_1}{members}}}").as_bytes())
    }

    fn log(validity: &str) -> String {
        format!(
            r#","tlogs":[{{"baseUrl":"https://log.example","hashAlgorithm":"SHA2_256","publicKey":{{"rawBytes":"MAA=","keyDetails":"PKIX_ED25519"{validity}}}}}]"#
        )
    }

    #[test]
    fn a_validity_has_a_start_and_is_not_empty() {
        let good = r#","validFor":{"start":"2026-01-01T00:00:00Z"}"#;
        assert_eq!(read(&log(good)).expect("it is good").tlogs.len(), 1);
        let instance = || "tlogs[0]".to_owned();
        for none in ["", r#","validFor":{}"#, r#","validFor":{"end":"2026-01-01T00:00:00Z"}"#] {
            let refused = Err(TrustedRootError::NoValidityStart { instance: instance() });
            assert_eq!(read(&log(none)), refused, "{none}");
        }
        let never = r#","validFor":{"start":"2026-01-02T00:00:00Z","end":"2026-01-01T00:00:00Z"}"#;
        assert!(matches!(read(&log(never)), Err(TrustedRootError::EmptyValidity { .. })));
        let malformed = r#","validFor":{"start":"yesterday"}"#;
        assert!(matches!(read(&log(malformed)), Err(TrustedRootError::Json(_))));
        let authority =
            r#","certificateAuthorities":[{"certChain":{"certificates":[{"rawBytes":"MAA="}]}}]"#;
        assert!(matches!(read(authority), Err(TrustedRootError::NoValidityStart { .. })));
    }

    #[test]
    fn an_authority_has_a_certificate() {
        let instance = "timestampAuthorities[0]".to_owned();
        let none = r#","timestampAuthorities":[{"validFor":{"start":"2026-01-01T00:00:00Z"}}]"#;
        assert_eq!(read(none), Err(TrustedRootError::NoCertificate { instance }));
    }

    #[test]
    fn what_is_new_is_tolerated_but_not_a_new_version() {
        read(r#","new":{"x":1}"#).expect("new members are tolerated");
        for other in ["{}", r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot.v0.3+json"}"#]
        {
            let refused = TrustedRoot::parse(other.as_bytes());
            assert!(matches!(refused, Err(TrustedRootError::MediaType(_))), "{other}");
        }
    }
}
