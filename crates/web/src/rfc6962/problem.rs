//! How a CT log refuses: plain text, status and reason, as Go's logs do. Clients look at the status, and retry on
//! 503 after as long as it says.

use std::error::Error;

use axum::extract::rejection::QueryRejection;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use services::ct::{AddError, ReadError};

use crate::cause::chain;

/// A batch takes milliseconds: one second is enough even under load.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// A refusal.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    reason: String,
}

impl Problem {
    fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }

    pub(crate) fn json() -> Self {
        Self::new(StatusCode::BAD_REQUEST, r#"the body is not {"chain": [base64, …]}"#)
    }

    pub(crate) fn query() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "the parameters are missing or malformed")
    }

    pub(crate) fn too_large() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "the body is too large")
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "the log has nothing of this name")
    }

    fn busy(error: &dyn Error) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, chain(error))
    }

    /// The operator is told why, the client that it is not its fault.
    fn internal(error: &dyn Error) -> Self {
        tracing::error!(error = chain(error), "the CT log failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal server error")
    }
}

impl From<QueryRejection> for Problem {
    fn from(_: QueryRejection) -> Self {
        Self::query()
    }
}

impl From<AddError> for Problem {
    fn from(error: AddError) -> Self {
        use tlog::SubmitError::{Busy, Frozen, Indexing, TooLong};
        match &error {
            AddError::Refused(_) | AddError::Log(TooLong { .. }) => {
                Self::new(StatusCode::BAD_REQUEST, chain(&error))
            }
            AddError::Clock(_) | AddError::Log(Busy | Indexing { .. } | Frozen) => {
                Self::busy(&error)
            }
            AddError::Log(_) | AddError::Issuer(_) | AddError::Answer { .. } => {
                Self::internal(&error)
            }
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        use tlog::ReadError::{Indexing, NoBundles, Outside, Storage};
        match &error {
            ReadError::NotFound | ReadError::Log(NoBundles) => Self::not_found(),
            ReadError::Range | ReadError::Log(Outside { .. }) => {
                Self::new(StatusCode::BAD_REQUEST, error.to_string())
            }
            ReadError::Log(Indexing) => Self::busy(&error),
            ReadError::Log(Storage(_)) | ReadError::Metadata { .. } | ReadError::Checkpoint => {
                Self::internal(&error)
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or_default();
        let mut response = (self.status, format!("{title}\n{}\n", self.reason)).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        response
    }
}
