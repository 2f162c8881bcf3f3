//! Rekor v1: `POST /api/v1/log/entries` with a `hashedrekord` 0.0.1 or a `dsse` 0.0.1.

use net::{Client, Response, StatusCode, Url};
use serde::Deserialize;
use wire::bundle::{Content, InclusionProof, KindVersion, TransparencyLogEntry};
use wire::rekor_v1::{
    ENTRIES_PATH, LogEntries, LogEntry, Verification, propose_dsse, propose_hashedrekord,
};

use super::{AnswerError, LogError, MAX_ANSWER, RETRY, Submission, TIMEOUT};
use crate::answer::{Refusal, endpoint, expect, place};

pub(super) async fn record(
    http: &Client,
    base: &Url,
    submission: Submission<'_>,
) -> Result<TransparencyLogEntry, LogError> {
    let url = endpoint(base, ENTRIES_PATH);
    let response = http
        .post(url.clone())
        .body("application/json", proposal(submission))
        .max_body(MAX_ANSWER)
        .timeout(TIMEOUT)
        .retry(RETRY)
        .send()
        .await?;
    let response = match response.status {
        StatusCode::CREATED => response,
        StatusCode::CONFLICT => existing(http, &url, &response).await?,
        _ => return Err(LogError::Refused(Refusal::of(&response))),
    };
    read(&response.body).map_err(|source| LogError::Malformed { place: place(&url), source })
}

fn proposal(submission: Submission<'_>) -> Vec<u8> {
    let pem = submission.verifier.to_pem();
    let proposal = match submission.content {
        Content::Message(message) => {
            propose_hashedrekord(submission.digest, &message.signature, &pem)
        }
        Content::Dsse(envelope) => propose_dsse(&envelope.to_json(), &[&pem]),
    };
    proposal.to_string().into_bytes()
}

/// Fetches the entry that the log has already. It is asked for at the log itself, wherever it points.
async fn existing(http: &Client, url: &Url, response: &Response) -> Result<Response, LogError> {
    let location = response.headers.get("location").and_then(|value| value.to_str().ok());
    let entry = location
        .and_then(|location| url.join(location).ok())
        .filter(|entry| entry.origin() == url.origin())
        .ok_or_else(|| LogError::Exists { place: place(url), index: None })?;
    let response = http.get(entry).max_body(MAX_ANSWER).timeout(TIMEOUT).send().await?;
    expect(response, StatusCode::OK).map_err(LogError::Refused)
}

/// The two members of every body that say what it is.
#[derive(Deserialize)]
struct Kind {
    kind: String,
    #[serde(rename = "apiVersion")]
    version: String,
}

pub(super) fn read(body: &[u8]) -> Result<TransparencyLogEntry, AnswerError> {
    let entries: LogEntries =
        serde_json::from_slice(body).map_err(|error| AnswerError::Json(error.to_string()))?;
    let count = entries.len();
    let mut entries = entries.into_values();
    match (entries.next(), entries.next()) {
        (Some(entry), None) => bundled(entry),
        _ => Err(AnswerError::Count(count)),
    }
}

/// The entry in the form that bundles have for it.
fn bundled(entry: LogEntry) -> Result<TransparencyLogEntry, AnswerError> {
    let kind: Kind =
        serde_json::from_slice(&entry.body).map_err(|_| AnswerError::Member("body"))?;
    let Verification { inclusion_proof, signed_entry_timestamp } =
        entry.verification.ok_or(AnswerError::Member("verification"))?;
    let proof = inclusion_proof.ok_or(AnswerError::Member("inclusionProof"))?;
    Ok(TransparencyLogEntry {
        log_index: entry.log_index,
        log_id: hex::decode(&entry.log_id).map_err(|_| AnswerError::Member("logID"))?,
        kind_version: KindVersion::new(&kind.kind, &kind.version),
        integrated_time: entry.integrated_time,
        inclusion_promise: Some(signed_entry_timestamp).filter(|promise| !promise.is_empty()),
        inclusion_proof: Some(InclusionProof {
            log_index: proof.log_index,
            root_hash: Some(hash(&proof.root_hash)?),
            tree_size: proof.tree_size,
            hashes: proof.hashes.iter().map(|text| hash(text)).collect::<Result<_, _>>()?,
            checkpoint: proof.checkpoint,
        }),
        canonicalized_body: entry.body,
    })
}

fn hash(text: &str) -> Result<[u8; 32], AnswerError> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).map_err(|_| AnswerError::Member("inclusionProof"))?;
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn answer() -> Value {
        json!({ "uuid": {
            // {"apiVersion":"0.0.1","kind":"hashedrekord"}
            "body": "eyJhcGlWZXJzaW9uIjoiMC4wLjEiLCJraW5kIjoiaGFzaGVkcmVrb3JkIn0=",
            "integratedTime": 7,
            "logID": "0102",
            "logIndex": 9,
            "verification": {
                "inclusionProof": {
                    "checkpoint": "note", "hashes": ["00".repeat(32)], "logIndex": 1,
                    "rootHash": "01".repeat(32), "treeSize": 2,
                },
                "signedEntryTimestamp": "AQI=",
            },
        }})
    }

    fn read_json(answer: &Value) -> Result<TransparencyLogEntry, AnswerError> {
        read(answer.to_string().as_bytes())
    }

    #[test]
    fn an_answer_becomes_the_entry_of_a_bundle() {
        let entry = read_json(&answer()).unwrap();
        assert_eq!(entry.log_index, 9);
        assert_eq!(entry.log_id, [1, 2]);
        assert_eq!(entry.kind_version, KindVersion::new("hashedrekord", "0.0.1"));
        assert_eq!(entry.inclusion_promise.as_deref(), Some([1, 2].as_slice()));
        let proof = entry.inclusion_proof.unwrap();
        assert_eq!((proof.log_index, proof.tree_size), (1, 2));
        assert_eq!(proof.root_hash, Some([1; 32]));
    }

    #[test]
    fn an_answer_that_is_not_one_whole_entry_is_refused() {
        assert!(matches!(read(b"{}"), Err(AnswerError::Count(0))));
        assert!(matches!(read(b"[]"), Err(AnswerError::Json(_))));
        let mut two = answer();
        two["other"] = two["uuid"].clone();
        assert!(matches!(read_json(&two), Err(AnswerError::Count(2))));
        let mut unproven = answer();
        unproven["uuid"]["verification"]["inclusionProof"] = Value::Null;
        assert!(matches!(read_json(&unproven), Err(AnswerError::Member("inclusionProof"))));
    }
}
