//! Fulcio's API, version 2, over HTTP (`fulcio.proto`): `/api/v2/signingCert`, `/api/v2/trustBundle` and
//! `/api/v2/configuration`.
//!
//! The existing server speaks gRPC behind a gateway; what the gateway does with methods, headers, bodies and
//! origins is part of the API, because clients were written against it.

pub(crate) mod cors;
pub(crate) mod gateway;
pub(crate) mod problem;

use std::sync::Arc;

use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router, middleware};
use bytes::Bytes;
use http::{HeaderMap, Method};
use services::ca::{self, CertificateAuthority, ProofOfPossession};
use wire::fulcio::{
    CertificateChain, CertificateRequest, RequestedKey, SigningCertificate, TrustBundle,
};

use gateway::{bearer_token, expect_get, expect_post};
use problem::Problem;

type Authority = State<Arc<CertificateAuthority>>;

/// Everything that this API answers to.
pub fn routes(authority: Arc<CertificateAuthority>) -> Router {
    Router::new()
        .route("/api/v2/signingCert", any(signing_cert))
        .route("/api/v2/trustBundle", any(trust_bundle))
        .route("/api/v2/configuration", any(configuration))
        .layer(DefaultBodyLimit::max(gateway::MAX_BODY))
        .layer(middleware::from_fn(cors::any_origin))
        .with_state(authority)
}

async fn signing_cert(
    State(authority): Authority,
    method: Method,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    expect_post(&method, &headers)?;
    let request = CertificateRequest::read(&body?)?;
    let token = match request.token.as_str() {
        "" => bearer_token(&headers),
        token => token.to_owned(),
    };
    let request = ca::CertificateRequest { token: &token, proof: proof(&request.key) };
    let issued = authority.issue(request).await?;
    // Here, and only here, the certificates have no newline at their ends.
    let chain = issued.chain.iter().map(|pem| pem.trim_end().to_owned()).collect();
    Ok(Json(SigningCertificate::new(chain)).into_response())
}

/// A requested key as the certificate authority takes it.
pub(crate) fn proof(key: &RequestedKey) -> ProofOfPossession<'_> {
    match key {
        RequestedKey::Missing => ProofOfPossession::Missing,
        RequestedKey::SigningRequest(pem) => ProofOfPossession::SigningRequest(pem),
        RequestedKey::PublicKey { content, proof } => {
            ProofOfPossession::Challenge { public_key: content, signature: proof }
        }
    }
}

async fn trust_bundle(
    State(authority): Authority,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    expect_get(&method, &headers)?;
    let chains = authority.trust_bundle().into_iter();
    let chains = chains.map(|certificates| CertificateChain { certificates }).collect();
    Ok(Json(TrustBundle { chains }).into_response())
}

async fn configuration(
    State(authority): Authority,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    expect_get(&method, &headers)?;
    Ok(Json(authority.config().describe()).into_response())
}
