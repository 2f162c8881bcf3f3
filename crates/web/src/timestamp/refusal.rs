//! How this API refuses, in one place.

use axum::Json;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use pki::tsp::{FailInfo, RequestError, rejection};
use services::tsa::RefuseError;
use wire::tsa::{self, JsonRequestError};

use super::{NOT_CACHED, REPLY};
use crate::cause::chain;

/// What the existing server says when it says nothing.
const GENERIC: &str = "Error generating timestamp response";
const WEAK_HASH: &str = "Weak hash algorithm in timestamp request";
const DIGEST_LENGTH: &str = "Message digest has incorrect length for specified algorithm";
const POLICY_TEXT: &str = "OID should be comprised of at most 128 components";
const TOO_LARGE: &str = "timestamp request is too large";
/// The number that the existing server's router has for a missing body.
const NO_BODY: u16 = 602;

/// In what form a request came, and is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// `application/timestamp-query`.
    Der,
    /// `application/json`.
    Json,
}

/// Why a request that was read, or should have been, is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Reason {
    #[error(transparent)]
    Der(#[from] RequestError),
    #[error(transparent)]
    Json(#[from] JsonRequestError),
    #[error(transparent)]
    Refused(#[from] RefuseError),
    #[error("the body is longer than any that is read")]
    TooLarge,
}

/// An answer that is no token.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Der(FailInfo, String),
    Json(tsa::Refusal),
}

impl Refusal {
    pub(super) fn new(form: Form, reason: &Reason) -> Self {
        let (fail_info, message) = reason.terms();
        let status = match fail_info {
            FailInfo::TimeNotAvailable => StatusCode::SERVICE_UNAVAILABLE,
            FailInfo::SystemFailure => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        if status.is_server_error() {
            tracing::error!(error = chain(reason), "no timestamp was given");
        }
        match form {
            // The generic words say nothing; who reads the RFC's refusals can do with the reason.
            Form::Der if message == GENERIC => {
                Self { status, body: Body::Der(fail_info, reason.to_string()) }
            }
            Form::Der => Self { status, body: Body::Der(fail_info, message) },
            Form::Json => Self::json(status, status.as_u16(), message),
        }
    }

    /// 422, and nothing was said that could be refused in DER.
    pub(super) fn no_body() -> Self {
        let message = "request in body is required".to_owned();
        Self::json(StatusCode::UNPROCESSABLE_ENTITY, NO_BODY, message)
    }

    pub(super) fn media_type(found: &str) -> Self {
        // What a request without a type is, RFC 9110 §8.3.
        let found = if found.is_empty() { "application/octet-stream" } else { found };
        let message = format!(
            "unsupported media type {found:?}, only [{} application/json] are allowed",
            tsa::QUERY
        );
        Self::json(StatusCode::UNSUPPORTED_MEDIA_TYPE, 415, message)
    }

    pub(super) fn wrong_method(method: &Method, allowed: &str) -> Self {
        let message = format!("method {method} is not allowed, but [{allowed}] are");
        Self::json(StatusCode::METHOD_NOT_ALLOWED, 405, message)
    }

    const fn json(status: StatusCode, code: u16, message: String) -> Self {
        Self { status, body: Body::Json(tsa::Refusal { code, message }) }
    }
}

impl Reason {
    /// What RFC 3161 calls it, and what the existing server says.
    fn terms(&self) -> (FailInfo, String) {
        let (fail_info, message) = match self {
            Self::Der(RequestError::WeakHash) | Self::Json(JsonRequestError::WeakHash(_)) => {
                (FailInfo::BadAlg, WEAK_HASH)
            }
            Self::Der(RequestError::UnknownHash) | Self::Json(JsonRequestError::UnknownHash(_)) => {
                (FailInfo::BadAlg, GENERIC)
            }
            Self::Der(RequestError::DigestLength { found: 0 }) => {
                (FailInfo::BadDataFormat, GENERIC)
            }
            Self::Der(RequestError::DigestLength { .. })
            | Self::Json(JsonRequestError::DigestLength { .. }) => {
                (FailInfo::BadDataFormat, DIGEST_LENGTH)
            }
            Self::Der(RequestError::Malformed)
            | Self::Json(JsonRequestError::Malformed(_))
            | Self::TooLarge => (FailInfo::BadDataFormat, GENERIC),
            Self::Json(JsonRequestError::TooLarge { .. }) => (FailInfo::BadDataFormat, TOO_LARGE),
            Self::Json(JsonRequestError::Policy) => (FailInfo::UnacceptedPolicy, POLICY_TEXT),
            Self::Refused(error) => return (error.fail_info(), error.to_string()),
        };
        (fail_info, message.to_owned())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let caching = [(header::CACHE_CONTROL, NOT_CACHED)];
        let mut response = match self.body {
            Body::Der(fail_info, text) => {
                let der = Bytes::from(rejection(fail_info, &text));
                (self.status, [(header::CONTENT_TYPE, REPLY)], caching, der).into_response()
            }
            Body::Json(refusal) => (self.status, caching, Json(refusal)).into_response(),
        };
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
