//! Writing trusted roots, member for member in the order of the reference tools.

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use super::{Authority, LogInstance, TimeRange, TrustedRoot};
use crate::json;

impl TrustedRoot {
    /// The trusted root's JSON, indented, as it is published.
    ///
    /// # Panics
    ///
    /// Never: a trusted root has no member that JSON could not hold.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a trusted root has only strings and lists")
    }
}

impl Serialize for TrustedRoot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("TrustedRoot", 5)?;
        object.serialize_field("mediaType", self.version.media_type())?;
        if !self.tlogs.is_empty() {
            object.serialize_field("tlogs", &self.tlogs)?;
        }
        if !self.certificate_authorities.is_empty() {
            object.serialize_field("certificateAuthorities", &self.certificate_authorities)?;
        }
        if !self.ctlogs.is_empty() {
            object.serialize_field("ctlogs", &self.ctlogs)?;
        }
        if !self.timestamp_authorities.is_empty() {
            object.serialize_field("timestampAuthorities", &self.timestamp_authorities)?;
        }
        object.end()
    }
}

/// `PublicKey`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PublicKey<'a> {
    #[serde(serialize_with = "json::base64")]
    raw_bytes: &'a [u8],
    key_details: &'static str,
    #[serde(serialize_with = "write_time_range")]
    valid_for: &'a TimeRange,
}

/// `LogId`.
#[derive(Serialize)]
struct LogId<'a> {
    #[serde(rename = "keyId", serialize_with = "json::base64")]
    key_id: &'a [u8],
}

/// `DistinguishedName`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Subject<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    organization: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    common_name: &'a str,
}

/// `X509Certificate`.
#[derive(Serialize)]
struct Certificate<'a> {
    #[serde(rename = "rawBytes", serialize_with = "json::base64")]
    raw_bytes: &'a [u8],
}

/// `X509CertificateChain`.
#[derive(Serialize)]
struct Chain<'a> {
    certificates: Vec<Certificate<'a>>,
}

impl Serialize for LogInstance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let key = PublicKey {
            raw_bytes: &self.public_key,
            key_details: self.key_details.proto().0,
            valid_for: &self.valid_for,
        };
        let mut object = serializer.serialize_struct("TransparencyLogInstance", 6)?;
        object.serialize_field("baseUrl", &self.base_url)?;
        object.serialize_field("hashAlgorithm", self.hash_algorithm.proto_name())?;
        object.serialize_field("publicKey", &key)?;
        object.serialize_field("logId", &LogId { key_id: &self.log_id })?;
        if !self.checkpoint_key_id.is_empty() {
            let id = LogId { key_id: &self.checkpoint_key_id };
            object.serialize_field("checkpointKeyId", &id)?;
        }
        if !self.operator.is_empty() {
            object.serialize_field("operator", &self.operator)?;
        }
        object.end()
    }
}

impl Serialize for Authority {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Range<'a>(#[serde(serialize_with = "write_time_range")] &'a TimeRange);

        let subject = Subject { organization: &self.organization, common_name: &self.common_name };
        let certificates = self.chain.iter().map(|raw_bytes| Certificate { raw_bytes });
        let mut object = serializer.serialize_struct("CertificateAuthority", 5)?;
        object.serialize_field("subject", &subject)?;
        object.serialize_field("uri", &self.uri)?;
        object.serialize_field("certChain", &Chain { certificates: certificates.collect() })?;
        object.serialize_field("validFor", &Range(&self.valid_for))?;
        if !self.operator.is_empty() {
            object.serialize_field("operator", &self.operator)?;
        }
        object.end()
    }
}

/// Writes a `TimeRange`: RFC 3339 times in UTC.
///
/// # Errors
///
/// Those of the serializer.
pub fn write_time_range<S: Serializer>(
    range: &TimeRange,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut object = serializer.serialize_struct("TimeRange", 2)?;
    object.serialize_field("start", &range.start.to_string())?;
    if let Some(end) = range.end {
        object.serialize_field("end", &end.to_string())?;
    }
    object.end()
}
