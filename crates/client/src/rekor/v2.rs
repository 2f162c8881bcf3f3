//! Rekor v2: `POST /api/v2/log/entries` with a `hashedrekord` 0.0.2, for files and attestations alike.

use net::{Client, StatusCode, Url};
use wire::bundle::TransparencyLogEntry;
use wire::rekor_v2::{
    CreateEntryRequest, ENTRIES_PATH, HashedRekordRequest, Signature, VerifierMaterial,
};

use super::{AnswerError, LogError, MAX_ANSWER, RETRY, Submission, TIMEOUT, Verifier};
use crate::answer::{Refusal, endpoint, place};

pub(super) async fn record(
    http: &Client,
    base: &Url,
    submission: Submission<'_>,
) -> Result<TransparencyLogEntry, LogError> {
    let url = endpoint(base, ENTRIES_PATH);
    let malformed = |source| LogError::Malformed { place: place(&url), source };
    let request = request(submission)
        .to_json()
        .map_err(|error| malformed(AnswerError::Json(error.to_string())))?;
    let response = http
        .post(url.clone())
        .body("application/json", request)
        .max_body(MAX_ANSWER)
        .timeout(TIMEOUT)
        .retry(RETRY)
        .send()
        .await?;
    // On a repeat, some logs answer the entry they have, and others only where it is.
    match response.status {
        StatusCode::OK | StatusCode::CREATED => {}
        StatusCode::CONFLICT => {
            let index = response.headers.get("x-log-index").and_then(|index| index.to_str().ok());
            return Err(LogError::Exists {
                place: place(&url),
                index: index.and_then(|index| index.parse().ok()),
            });
        }
        _ => return Err(LogError::Refused(Refusal::of(&response))),
    }
    TransparencyLogEntry::parse(&response.body).map_err(|error| malformed(error.into()))
}

/// For an attestation, the digest is that of the envelope's PAE: rekor-tiles has no kind of its own for it.
fn request(submission: Submission<'_>) -> CreateEntryRequest {
    let material = match submission.verifier {
        Verifier::Certificate(certificate) => {
            VerifierMaterial::Certificate(certificate.der().to_vec())
        }
        Verifier::Key(key) => VerifierMaterial::PublicKey(key.spki_der().to_vec()),
    };
    CreateEntryRequest::hashed_rekord(HashedRekordRequest {
        digest: submission.digest.as_bytes().to_vec(),
        signature: Some(Signature {
            content: submission.content.signature().to_vec(),
            verifier: Some(wire::rekor_v2::Verifier {
                material: Some(material),
                key_details: Some(submission.details),
            }),
        }),
    })
}
