//! Asking a timestamp authority, and checking what it answers.

use std::time::Duration;

use crypto::{HashAlgorithm, random_array};
use net::{Client, RequestError, Retry, StatusCode, Url};
use pki::tsp::{Integer, Request, Token, TokenError, TokenFormatError};
use wire::tsa::QUERY;

use crate::answer::{Refusal, place};

/// The longest answer, as in sigstore-go. A token with its chain has a few kilobytes.
const MAX_ANSWER: usize = 1 << 20;
/// How long one attempt may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Why there is no timestamp.
#[derive(Debug, thiserror::Error)]
pub enum TimestampError {
    /// There was no answer. Try again, or tell the operator.
    #[error("the timestamp authority cannot be asked")]
    Request(#[from] RequestError),
    /// It said no.
    #[error("the timestamp authority gives no timestamp")]
    Refused(#[source] Refusal),
    /// What it sent is no timestamp. The operator's to fix.
    #[error("the answer of {place} is not a timestamp")]
    Malformed {
        /// Where.
        place: String,
        /// What is wrong with it.
        #[source]
        source: TokenFormatError,
    },
    /// What it sent is a timestamp for another request.
    #[error("the answer of {place} does not answer the request")]
    OtherRequest {
        /// Where.
        place: String,
        /// What differs.
        #[source]
        source: TokenError,
    },
}

/// Has `signature` timestamped by the authority at `url` (the whole URL): the DER of a `TimeStampResp` that grants.
///
/// The answer is checked against the request, RFC 3161 §2.4.2. Whether the authority is trusted is checked with the
/// finished bundle.
///
/// # Errors
///
/// See [`TimestampError`].
pub async fn timestamp(
    http: &Client,
    url: &Url,
    signature: &[u8],
) -> Result<Vec<u8>, TimestampError> {
    let imprint = HashAlgorithm::Sha256.digest(signature);
    let request = Request::new(imprint, Integer::from_random(random_array()));
    let response = http
        .post(url.clone())
        .body(QUERY, request.to_der())
        .max_body(MAX_ANSWER)
        .timeout(TIMEOUT)
        .retry(Retry::SOME)
        .send()
        .await?;
    // The existing server can be told to answer 201.
    if response.status != StatusCode::OK && response.status != StatusCode::CREATED {
        return Err(TimestampError::Refused(Refusal::of(&response)));
    }
    let token = Token::from_der(&response.body)
        .map_err(|source| TimestampError::Malformed { place: place(url), source })?;
    token
        .answers(&request)
        .map_err(|source| TimestampError::OtherRequest { place: place(url), source })?;
    Ok(response.body.to_vec())
}
