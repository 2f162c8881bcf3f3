//! How both versions of this API refuse: `google.rpc.Status`, in one place.
//!
//! The texts are those of the existing server: clients print them, and people search for them. About a
//! token no more is said than that it was not taken; the reason is in the server's log.

use axum::Json;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use crypto::{HashAlgorithm, KeyKind};
use http::{HeaderValue, StatusCode, header};
use services::ca::{ClientKeyError, IssueError, KeysError, ProofError, SubmitPrecertificateError};
use wire::fulcio::Status;
use wire::json::JsonError;

use crate::cause::chain;

/// How long a client should wait where nobody says how long.
const RETRY_AFTER_SECONDS: u64 = 2;

const TOKEN: &str = "There was an error processing the identity token";
const SIGNATURE: &str = "The signature supplied in the request could not be verified";
const PUBLIC_KEY: &str = "The public key supplied in the request could not be parsed";
const SIGNING_REQUEST: &str = "The certificate signing request could not be parsed";
const INSECURE: &str = "The public key supplied in the request is insecure";
const LOG: &str = "Error entering certificate in CTL";
const SIGNING: &str = "error communicating with CA backend";
const CLOCK: &str = "the certificate authority has no time that can be trusted";
const TOO_LARGE: &str = "http: request body too large";
const METHOD: &str = "Method Not Allowed";

/// The codes of gRPC that are answered, with the statuses that grpc-gateway gives them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Code {
    InvalidArgument = 3,
    ResourceExhausted = 8,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
}

/// A refusal.
#[derive(Debug)]
pub(crate) struct Problem {
    code: Code,
    message: String,
    retry_after_seconds: Option<u64>,
}

impl Problem {
    fn new(code: Code, message: impl Into<String>) -> Self {
        let retry = matches!(code, Code::ResourceExhausted | Code::Unavailable);
        let retry_after_seconds = retry.then_some(RETRY_AFTER_SECONDS);
        Self { code, message: message.into(), retry_after_seconds }
    }

    /// grpc-gateway answers a wrong method with 501.
    pub(crate) fn method() -> Self {
        Self::new(Code::Unimplemented, METHOD)
    }
}

impl Code {
    const fn status(self) -> StatusCode {
        match self {
            Self::InvalidArgument => StatusCode::BAD_REQUEST,
            Self::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
            Self::Unimplemented => StatusCode::NOT_IMPLEMENTED,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        let too_large = rejection.status() == StatusCode::PAYLOAD_TOO_LARGE;
        Self::new(Code::InvalidArgument, if too_large { TOO_LARGE } else { "unexpected EOF" })
    }
}

impl From<JsonError> for Problem {
    fn from(error: JsonError) -> Self {
        Self::new(Code::InvalidArgument, format!("proto: {error}"))
    }
}

impl From<IssueError> for Problem {
    fn from(error: IssueError) -> Self {
        log(&error);
        match error {
            IssueError::Clock(_) => Self::new(Code::Unavailable, CLOCK),
            IssueError::Token(_) | IssueError::UnknownIssuer { .. } | IssueError::Identity(_) => {
                Self::new(Code::InvalidArgument, TOKEN)
            }
            IssueError::Keys(KeysError::TooManyIssuers) => {
                Self::new(Code::ResourceExhausted, TOKEN)
            }
            IssueError::Keys(_) => Self::new(Code::Unavailable, TOKEN),
            IssueError::Proof(error) => Self::new(Code::InvalidArgument, of_proof(&error)),
            IssueError::Contents(error) => Self::new(Code::InvalidArgument, error.to_string()),
            IssueError::Signing(_) => Self::new(Code::Internal, SIGNING),
            IssueError::Log(SubmitPrecertificateError::Busy { retry_after }) => {
                let seconds = retry_after.map(|after| after.as_secs().max(1));
                let problem = Self::new(Code::Unavailable, LOG);
                Self { retry_after_seconds: seconds.or(problem.retry_after_seconds), ..problem }
            }
            IssueError::Log(_) | IssueError::Sct(_) => Self::new(Code::Internal, LOG),
        }
    }
}

/// Tells the operator why. What the token says of its holder is not logged.
fn log(error: &IssueError) {
    match error {
        IssueError::Contents(_) => tracing::info!(%error, "no certificate"),
        IssueError::Signing(_) | IssueError::Log(_) | IssueError::Sct(_) | IssueError::Clock(_) => {
            tracing::error!(error = chain(error), "no certificate");
        }
        _ => tracing::info!(error = chain(error), "no certificate"),
    }
}

fn of_proof(error: &ProofError) -> String {
    let text = match error {
        ProofError::SigningRequest(_) => SIGNING_REQUEST,
        ProofError::PublicKey(_) | ProofError::TooLong => PUBLIC_KEY,
        ProofError::Insecure(_) => INSECURE,
        ProofError::Signature => SIGNATURE,
        ProofError::UnknownAlgorithm { name } => {
            return format!("unrecognized signature algorithm: {name}");
        }
        ProofError::NotPermitted(ClientKeyError::NotPermitted { kind, hash }) => {
            let (kind, hash) = (go_type(*kind), hash.map_or("unknown hash value 0", go_hash));
            return format!("signing algorithm not permitted: {kind}, {hash}");
        }
        ProofError::NotPermitted(_) => INSECURE,
    };
    text.to_owned()
}

/// How Go names the type of such a key.
fn go_type(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::EcdsaP256 | KeyKind::EcdsaP384 | KeyKind::EcdsaP521 => "*ecdsa.PublicKey",
        KeyKind::Rsa { .. } => "*rsa.PublicKey",
        KeyKind::Ed25519 => "ed25519.PublicKey",
    }
}

/// How Go names a hash.
fn go_hash(hash: HashAlgorithm) -> &'static str {
    match hash {
        HashAlgorithm::Sha256 => "SHA-256",
        HashAlgorithm::Sha384 => "SHA-384",
        HashAlgorithm::Sha512 => "SHA-512",
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = Status::new(self.code as u16, self.message);
        let mut response = (self.code.status(), Json(status)).into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
