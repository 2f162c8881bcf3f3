//! How this API refuses: `google.rpc.Status`, in one place.
//!
//! For every refusal of content the existing server says the same words and keeps the reason to itself. The words are
//! kept, and the reason is added where it disturbs no one: in `details`.

use std::error::Error;

use axum::Json;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use entries::AdmitError;
use http::{HeaderValue, StatusCode, header};
use services::transparency::SubmitError;
use wire::rekor_v2::{self, ErrorInfo};

use crate::cause::chain;

/// What a log that takes nothing more says, as plain text with 405.
const FROZEN: &str = "This log has been frozen, please switch to the latest log.";

/// How long a client should wait before it asks again when the log is busy.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// The codes of gRPC that are answered, with the statuses that grpc-gateway gives them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Code {
    InvalidArgument = 3,
    NotFound = 5,
    PermissionDenied = 7,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
}

/// A refusal.
#[derive(Debug)]
pub(super) enum Problem {
    Status { code: Code, message: &'static str, reason: Option<String> },
    Frozen,
}

impl Problem {
    const fn new(code: Code, message: &'static str) -> Self {
        Self::Status { code, message, reason: None }
    }

    /// A refusal with a reason for the client.
    fn because(code: Code, message: &'static str, error: &dyn Error) -> Self {
        Self::Status { code, message, reason: Some(chain(error)) }
    }

    pub(super) const fn not_found() -> Self {
        Self::new(Code::NotFound, "Not Found")
    }

    /// grpc-gateway answers a wrong method with 501.
    pub(super) const fn method() -> Self {
        Self::new(Code::Unimplemented, "Method Not Allowed")
    }

    /// The operator is told why, the client that it is not its fault.
    pub(super) fn internal(error: &dyn Error) -> Self {
        tracing::error!(error = chain(error), "the v2 log failed");
        Self::new(Code::Internal, "internal server error")
    }
}

impl Code {
    const fn status(self) -> StatusCode {
        match self {
            Self::InvalidArgument => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::PermissionDenied => StatusCode::FORBIDDEN,
            Self::Unimplemented => StatusCode::NOT_IMPLEMENTED,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        let message = if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            "http: request body too large"
        } else {
            "unexpected EOF"
        };
        Self::new(Code::InvalidArgument, message)
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Request(error) => {
                Self::because(Code::InvalidArgument, "proto: syntax error", &error)
            }
            SubmitError::NotAdmitted(AdmitError::NotHashedRekord) => {
                Self::new(Code::InvalidArgument, "invalid type, must be hashedrekord")
            }
            SubmitError::NotAdmitted(error) => {
                Self::because(Code::InvalidArgument, "invalid hashedrekord request", &error)
            }
            SubmitError::NotAllowed(error) => {
                Self::because(Code::PermissionDenied, "permission denied", &error)
            }
            SubmitError::Clock(error) => {
                Self::because(Code::Unavailable, "the log has no time that can be trusted", &error)
            }
            SubmitError::Log(error) => error.into(),
            SubmitError::Answer(error) => Self::internal(&error),
        }
    }
}

impl From<tlog::SubmitError> for Problem {
    fn from(error: tlog::SubmitError) -> Self {
        use tlog::SubmitError::{
            Busy, Frozen, Indexing, NotKnown, NotSealed, Read, Stopped, TooLong,
        };
        match &error {
            Busy => Self::new(Code::Unavailable, "reached max pushback; retry"),
            Indexing { .. } => Self::because(Code::Unavailable, "the log is starting", &error),
            Frozen => Self::Frozen,
            TooLong { .. } => {
                Self::because(Code::InvalidArgument, "invalid hashedrekord request", &error)
            }
            NotSealed(_) | NotKnown | Stopped | Read(_) => Self::internal(&error),
        }
    }
}

impl From<tlog::ReadError> for Problem {
    fn from(error: tlog::ReadError) -> Self {
        use tlog::ReadError::{Indexing, NoBundles, Outside, Storage};
        match &error {
            Outside { .. } | NoBundles => Self::not_found(),
            Indexing => Self::because(Code::Unavailable, "the log is starting", &error),
            Storage(_) => Self::internal(&error),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self::Status { code, message, reason } = self else {
            return (StatusCode::METHOD_NOT_ALLOWED, FROZEN).into_response();
        };
        let details = reason.into_iter().map(ErrorInfo::new).collect();
        let body = rekor_v2::Error { code: code as u32, message, details };
        let mut response = (code.status(), Json(body)).into_response();
        if code == Code::Unavailable {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        response
    }
}
