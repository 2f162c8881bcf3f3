//! The CT log's API of RFC 6962 §4: submissions, and reads for monitors of the older kind.
//!
//! Paths are those below the log's prefix; `ct/v1` is part of them.

pub(crate) mod problem;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, header};
use merkle::Hash;
use pki::Certificate;
use serde::{Deserialize, Serialize};
use services::ct::{CtLog, Endpoint, LogLeaf};
use tower_http::set_header::SetResponseHeaderLayer;

use problem::Problem;

/// The longest submission: a chain of 512 KiB in base64, and some room.
const MAX_BODY: usize = 768 << 10;

type Log = State<Arc<CtLog>>;

/// Everything that this API answers to.
pub fn routes(log: Arc<CtLog>) -> Router {
    let any_origin = SetResponseHeaderLayer::overriding(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    let reads = Router::new()
        .route("/ct/v1/get-sth", get(get_sth))
        .route("/ct/v1/get-sth-consistency", get(get_sth_consistency))
        .route("/ct/v1/get-proof-by-hash", get(get_proof_by_hash))
        .route("/ct/v1/get-entries", get(get_entries))
        .route("/ct/v1/get-roots", get(get_roots))
        .route("/ct/v1/get-entry-and-proof", get(get_entry_and_proof))
        .layer(any_origin);
    Router::new()
        .route("/ct/v1/add-chain", post(add_chain))
        .route("/ct/v1/add-pre-chain", post(add_pre_chain))
        .merge(reads)
        .with_state(log)
}

/// Binary values are standard base64 with padding.
fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn hashes(path: &[Hash]) -> Vec<String> {
    path.iter().map(|hash| base64(hash.as_bytes())).collect()
}

/// The body of both submissions. Other members are passed over.
#[derive(Deserialize)]
struct AddChain {
    chain: Vec<String>,
}

async fn add_chain(State(log): Log, body: Body) -> Result<Response, Problem> {
    add(&log, Endpoint::AddChain, body).await
}

async fn add_pre_chain(State(log): Log, body: Body) -> Result<Response, Problem> {
    add(&log, Endpoint::AddPreChain, body).await
}

/// `Content-Type` is not looked at.
async fn add(log: &CtLog, endpoint: Endpoint, body: Body) -> Result<Response, Problem> {
    let body = axum::body::to_bytes(body, MAX_BODY).await.map_err(|_| Problem::too_large())?;
    let chain = read_chain(&body).map_err(|_| Problem::json())?;
    let sct = log.add(endpoint, &chain).await?;
    let json = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, json)], sct.to_add_chain_json()).into_response())
}

/// The certificates of a submission, DER.
fn read_chain(body: &[u8]) -> serde_json::Result<Vec<Vec<u8>>> {
    let AddChain { chain } = serde_json::from_slice(body)?;
    let decoded = chain.iter().map(|text| STANDARD.decode(text));
    decoded.collect::<Result<_, _>>().map_err(serde::de::Error::custom)
}

/// Reads a submission, for the fuzzer.
#[cfg(feature = "fuzzing")]
pub fn fuzz_submission(body: &[u8]) {
    let _ = read_chain(body);
}

#[derive(Serialize)]
struct Sth {
    tree_size: u64,
    timestamp: u64,
    sha256_root_hash: String,
    tree_head_signature: String,
}

async fn get_sth(State(log): Log) -> Result<Json<Sth>, Problem> {
    let head = log.signed_tree_head()?;
    Ok(Json(Sth {
        tree_size: head.size.get(),
        timestamp: head.timestamp_ms,
        sha256_root_hash: base64(head.root.as_bytes()),
        tree_head_signature: base64(&head.digitally_signed),
    }))
}

#[derive(Deserialize)]
struct Sizes {
    first: u64,
    second: u64,
}

#[derive(Serialize)]
struct Consistency {
    consistency: Vec<String>,
}

async fn get_sth_consistency(
    State(log): Log,
    sizes: Result<Query<Sizes>, QueryRejection>,
) -> Result<Json<Consistency>, Problem> {
    let Query(Sizes { first, second }) = sizes?;
    let path = log.consistency(first, second).await?;
    Ok(Json(Consistency { consistency: hashes(&path) }))
}

#[derive(Deserialize)]
struct HashInTree {
    hash: String,
    tree_size: u64,
}

#[derive(Serialize)]
struct ProofByHash {
    leaf_index: u64,
    audit_path: Vec<String>,
}

async fn get_proof_by_hash(
    State(log): Log,
    query: Result<Query<HashInTree>, QueryRejection>,
) -> Result<Json<ProofByHash>, Problem> {
    let Query(HashInTree { hash, tree_size }) = query?;
    let hash = STANDARD.decode(hash).map_err(|_| Problem::query())?;
    let hash = Hash::from_bytes(&hash).map_err(|_| Problem::query())?;
    let (index, path) = log.proof_by_hash(hash, tree_size).await?;
    Ok(Json(ProofByHash { leaf_index: index.get(), audit_path: hashes(&path) }))
}

#[derive(Deserialize)]
struct Range {
    start: u64,
    end: u64,
}

#[derive(Serialize)]
struct Entry {
    leaf_input: String,
    extra_data: String,
}

#[derive(Serialize)]
struct Entries {
    entries: Vec<Entry>,
}

fn entry(log: &CtLog, leaf: &LogLeaf) -> Result<Entry, Problem> {
    let extra_data = base64(&log.extra_data(leaf)?);
    Ok(Entry { leaf_input: base64(leaf.merkle_tree_leaf()), extra_data })
}

async fn get_entries(
    State(log): Log,
    range: Result<Query<Range>, QueryRejection>,
) -> Result<Json<Entries>, Problem> {
    let Query(Range { start, end }) = range?;
    let leaves = log.entries(start, end).await?;
    let entries = leaves.iter().map(|leaf| entry(&log, leaf)).collect::<Result<_, _>>()?;
    Ok(Json(Entries { entries }))
}

#[derive(Serialize)]
struct Roots {
    certificates: Vec<String>,
}

async fn get_roots(State(log): Log) -> Json<Roots> {
    let certificates = log.roots().iter().map(Certificate::der).map(base64).collect();
    Json(Roots { certificates })
}

#[derive(Deserialize)]
struct IndexInTree {
    leaf_index: u64,
    tree_size: u64,
}

#[derive(Serialize)]
struct EntryAndProof {
    #[serde(flatten)]
    entry: Entry,
    audit_path: Vec<String>,
}

async fn get_entry_and_proof(
    State(log): Log,
    query: Result<Query<IndexInTree>, QueryRejection>,
) -> Result<Json<EntryAndProof>, Problem> {
    let Query(IndexInTree { leaf_index, tree_size }) = query?;
    let (leaf, path) = log.entry_and_proof(leaf_index, tree_size).await?;
    Ok(Json(EntryAndProof { entry: entry(&log, &leaf)?, audit_path: hashes(&path) }))
}
