//! Fulcio's API, version 1, over HTTP (`fulcio_legacy.proto`): `/api/v1/signingCert` and `/api/v1/rootCert`.
//!
//! There is no `SCT` header: it is for certificates without an SCT inside, and none such are issued.

use std::sync::Arc;

use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Router, middleware};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use services::ca::{CertificateAuthority, CertificateRequest};
use wire::fulcio::LegacyCertificateRequest;

use crate::fulcio_v2::gateway::{self, bearer_token, expect_get, expect_post};
use crate::fulcio_v2::problem::Problem;
use crate::fulcio_v2::{cors, proof};

const PEM_CHAIN: HeaderValue = HeaderValue::from_static("application/pem-certificate-chain");

type Authority = State<Arc<CertificateAuthority>>;

/// Everything that this API answers to.
pub fn routes(authority: Arc<CertificateAuthority>) -> Router {
    Router::new()
        .route("/api/v1/signingCert", any(signing_cert))
        .route("/api/v1/rootCert", any(root_cert))
        .layer(DefaultBodyLimit::max(gateway::MAX_BODY))
        .layer(middleware::from_fn(cors::any_origin))
        .with_state(authority)
}

/// The token comes in the header only, and the answer is 201: the Go client takes no other status.
async fn signing_cert(
    State(authority): Authority,
    method: Method,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    expect_post(&method, &headers)?;
    let request = LegacyCertificateRequest::read(&body?)?;
    let token = bearer_token(&headers);
    let request = CertificateRequest { token: &token, proof: proof(&request.key) };
    let issued = authority.issue(request).await?;
    // One newline between two certificates, none at the end.
    let chain = issued.chain.concat();
    let headers = [(header::CONTENT_TYPE, PEM_CHAIN)];
    Ok((StatusCode::CREATED, headers, chain.trim_end().to_owned()).into_response())
}

/// All chains. There is a blank line between two certificates, and no newline at the end.
async fn root_cert(
    State(authority): Authority,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    expect_get(&method, &headers)?;
    let certificates = authority.trust_bundle().concat().join("\n");
    let headers = [(header::CONTENT_TYPE, PEM_CHAIN)];
    Ok((headers, certificates.trim_end().to_owned()).into_response())
}
