//! A CT log elsewhere: RFC 6962 §4.2 over HTTP.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use net::{Client, Retry, Settings, StatusCode, Url};
use pki::sct::Sct;
use serde::{Deserialize, Serialize};

use super::log::{PrecertificateChain, PrecertificateLog, SubmitPrecertificateError};

/// The longest answer: an SCT has some hundred bytes.
const MAX_ANSWER: usize = 16 * 1024;

/// A CT log that is reached over HTTP. What it answers is judged by the certificate authority, like any other's.
pub struct RemoteLog {
    client: Client,
    submit_at: Url,
}

/// The log's URL cannot have a path added.
#[derive(Debug, thiserror::Error)]
#[error("{url} cannot be the URL of a CT log")]
pub struct RemoteLogError {
    /// The URL.
    pub url: Url,
}

#[derive(Serialize)]
struct AddPreChain {
    chain: Vec<String>,
}

#[derive(Deserialize)]
struct Answer {
    sct_version: u8,
    id: String,
    timestamp: u64,
    extensions: String,
    signature: String,
}

impl RemoteLog {
    /// The log with this submission prefix, such as `https://ct.example.com/2026`.
    ///
    /// # Errors
    ///
    /// [`RemoteLogError`] for an URL such as `data:`.
    pub fn new(prefix: &Url) -> Result<Self, RemoteLogError> {
        let mut submit_at = prefix.clone();
        submit_at
            .path_segments_mut()
            .map_err(|()| RemoteLogError { url: prefix.clone() })?
            .pop_if_empty()
            .extend(["ct", "v1", "add-pre-chain"]);
        Ok(Self { client: Client::new(Settings::default()), submit_at })
    }
}

#[async_trait::async_trait]
impl PrecertificateLog for RemoteLog {
    async fn submit(
        &self,
        chain: PrecertificateChain<'_>,
    ) -> Result<Vec<u8>, SubmitPrecertificateError> {
        let unavailable = |error: Box<dyn std::error::Error + Send + Sync>| {
            SubmitPrecertificateError::Unavailable(error)
        };
        let certificates = std::iter::once(chain.precertificate)
            .chain(chain.issuers.iter().map(Vec::as_slice))
            .map(|der| STANDARD.encode(der))
            .collect();
        let body = serde_json::to_vec(&AddPreChain { chain: certificates })
            .map_err(|error| unavailable(Box::new(error)))?;
        // A repeat of a precertificate gets the same SCT, so trying again is harmless.
        let answer = self
            .client
            .post(self.submit_at.clone())
            .body("application/json", body)
            .max_body(MAX_ANSWER)
            .retry(Retry::SOME)
            .send()
            .await
            .map_err(|error| unavailable(Box::new(error)))?;
        match answer.status {
            StatusCode::OK => read(&answer.body).ok_or_else(|| {
                SubmitPrecertificateError::Refused("its answer is no timestamp".into())
            }),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                Err(SubmitPrecertificateError::Busy { retry_after: None })
            }
            status if status.is_server_error() => {
                Err(unavailable(format!("it answers {status}").into()))
            }
            status => {
                Err(SubmitPrecertificateError::Refused(format!("it answers {status}").into()))
            }
        }
    }
}

/// The SCT of an answer, in its TLS encoding.
fn read(body: &[u8]) -> Option<Vec<u8>> {
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let sct = Sct {
        log_id: STANDARD.decode(answer.id).ok()?.try_into().ok()?,
        timestamp_ms: answer.timestamp,
        extensions: STANDARD.decode(answer.extensions).ok()?,
        digitally_signed: STANDARD.decode(answer.signature).ok()?,
    };
    (answer.sct_version == 0).then(|| sct.encode())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_back_as_it_was_written() {
        let sct = Sct {
            log_id: [7; 32],
            timestamp_ms: 1_700_000_000_000,
            extensions: vec![0, 0, 5, 0, 0, 0, 0, 9],
            digitally_signed: vec![4, 3, 0, 2, 1, 1],
        };
        let json = sct.to_add_chain_json();
        assert_eq!(read(json.as_bytes()), Some(sct.encode()));
        assert_eq!(read(json.replace("\"sct_version\":0", "\"sct_version\":1").as_bytes()), None);
        assert_eq!(read(b"OK"), None);
    }

    #[test]
    fn the_prefix_keeps_its_path() {
        for prefix in ["https://ct.example.com/2026", "https://ct.example.com/2026/"] {
            let log = RemoteLog::new(&prefix.parse().unwrap()).unwrap();
            assert_eq!(log.submit_at.as_str(), "https://ct.example.com/2026/ct/v1/add-pre-chain");
        }
    }
}
