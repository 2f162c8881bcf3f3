//! How this API refuses: `{code, message}`, in one place.

use axum::Json;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use entries::AdmitError;
use entries::json::JsonError;
use http::{HeaderValue, Method, StatusCode, header};
use services::transparency::{ReadError, SubmitError};
use wire::rekor_v1::{EntryId, Error};

use super::MAX_BODY;
use super::query::{PATTERN, REQUIRED};
use crate::cause::chain;

/// How long a client should wait before it asks again when the log is busy.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// A refusal.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    /// Mostly the status.
    code: u32,
    message: String,
    location: Option<HeaderValue>,
    allow: Option<&'static str>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, message: String) -> Self {
        Self { status, code: status.as_u16().into(), message, location: None, allow: None }
    }

    pub(super) fn bad_request(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// A value is not of its form: 422 with a code of go-openapi.
    pub(super) fn invalid(code: u32, message: String) -> Self {
        Self { code, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, message) }
    }

    /// The existing server says 500, as if it were its fault.
    pub(super) fn not_json(error: &JsonError) -> Self {
        Self::bad_request(error.to_string())
    }

    pub(super) fn too_many(limit: usize) -> Self {
        let message = format!("more than max allowed {limit} entries in request");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    pub(super) fn method(method: &Method, allowed: &'static str) -> Self {
        let message = format!("method {method} is not allowed, but [{allowed}] are");
        let problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, message);
        Self { allow: Some(allowed), ..problem }
    }

    /// The client takes no answer in the form that answers to this have.
    pub(super) fn not_acceptable(ours: &'static str) -> Self {
        let message = format!("unsupported media type requested, only [{ours}] are available");
        Self::new(StatusCode::NOT_ACCEPTABLE, message)
    }

    /// The log has the entry. Clients follow the location.
    pub(super) fn duplicate(id: &EntryId, location: HeaderValue) -> Self {
        let message =
            format!("an equivalent entry already exists in the transparency log with UUID {id}");
        Self { location: Some(location), ..Self::new(StatusCode::CONFLICT, message) }
    }

    pub(super) fn internal() -> Self {
        let message = "unexpected result from transparency log";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message.to_owned())
    }

    fn unavailable(message: String) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let message = format!("Request Entity Too Large. Limit set to {MAX_BODY}");
            return Self::new(StatusCode::PAYLOAD_TOO_LARGE, message);
        }
        Self::bad_request("the body of the request could not be read".to_owned())
    }
}

impl From<AdmitError> for Problem {
    fn from(error: AdmitError) -> Self {
        let message = error.to_string();
        match &error {
            AdmitError::Required(_) => Self::invalid(REQUIRED, message),
            AdmitError::NotAVersion => Self::invalid(PATTERN, message),
            AdmitError::UnknownKind { .. } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, message),
            _ => Self::bad_request(format!("error processing entry: {}", chain(&error))),
        }
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::NotAdmitted(error) => error.into(),
            SubmitError::NotAllowed(error) => Self::new(StatusCode::FORBIDDEN, error.to_string()),
            SubmitError::Log(error) => error.into(),
            SubmitError::Clock(_) => {
                tracing::error!(error = chain(&error), "the log has no time");
                Self::unavailable(error.to_string())
            }
            SubmitError::Request(error) => Self::bad_request(error.to_string()),
            SubmitError::Answer(error) => error.into(),
        }
    }
}

impl From<tlog::SubmitError> for Problem {
    fn from(error: tlog::SubmitError) -> Self {
        use tlog::SubmitError::{
            Busy, Frozen, Indexing, NotKnown, NotSealed, Read, Stopped, TooLong,
        };
        match &error {
            Busy | Indexing { .. } => Self::unavailable(error.to_string()),
            // Not a state that passes: what a read-only log of the API v2 answers, too.
            Frozen => Self {
                allow: Some("GET"),
                ..Self::new(StatusCode::METHOD_NOT_ALLOWED, error.to_string())
            },
            TooLong { .. } => Self::bad_request(format!("error processing entry: {error}")),
            NotSealed(_) | NotKnown | Stopped | Read(_) => {
                tracing::error!(error = chain(&error), "an entry was not added");
                Self::internal()
            }
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        if let ReadError::Log(tlog::ReadError::Indexing) = error {
            return Self::unavailable(error.to_string());
        }
        tracing::error!(error = chain(&error), "an entry was not read");
        Self::internal()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response =
            (self.status, Json(Error { code: self.code, message: self.message })).into_response();
        let headers = response.headers_mut();
        if let Some(location) = self.location {
            headers.insert(header::LOCATION, location);
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        response
    }
}
