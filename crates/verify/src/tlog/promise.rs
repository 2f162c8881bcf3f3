//! The signed entry timestamp (SET) of Rekor v1.

use crypto::Scheme;
use jiff::Timestamp;
use wire::bundle::TransparencyLogEntry;
use wire::json::base64_text;

use super::LogError;
use crate::entry::BoundEntry;

/// Checks the log's promise, if there is one. The time is the log's word: it counts only with the promise.
pub(super) fn verify(bound: &BoundEntry<'_>) -> Result<Option<Timestamp>, LogError> {
    let Some(promise) = &bound.entry.inclusion_promise else {
        return Ok(None);
    };
    let scheme = Scheme::default_for(bound.log.key.kind());
    let signed = signed_bytes(bound.entry);
    bound.log.key.verify(scheme, signed.as_bytes(), promise).map_err(|_| LogError::Promise)?;
    let time = bound.entry.integrated_time;
    let promised = Timestamp::from_second(time).map_err(|_| LogError::PromisedTime(time))?;
    Ok(Some(promised))
}

/// What the log signs: RFC 8785 JSON with these four members.
fn signed_bytes(entry: &TransparencyLogEntry) -> String {
    format!(
        r#"{{"body":"{}","integratedTime":{},"logID":"{}","logIndex":{}}}"#,
        base64_text(&entry.canonicalized_body),
        entry.integrated_time,
        hex::encode(&entry.log_id),
        entry.log_index,
    )
}
