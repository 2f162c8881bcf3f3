//! The transparency log's API v1 (`rekor/openapi.yaml`).
//!
//! Search by key, e-mail or hash (`index/retrieve`) is answered with 501 until its own issue.

mod accept;
mod problem;
mod query;
mod retrieve;

use std::sync::Arc;

use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use services::transparency::{Found, RekorV1};
use tower_http::cors::{Any, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use wire::rekor_v1::{ENTRIES_PATH, EntryId, LogEntries};

use accept::{PEM, TakesJson, TakesPem};
use problem::Problem;
use query::Query;

/// The longest request: what an SBOM of some megabytes takes as an attestation, whose payload is twice in base64.
/// Only 100 KiB of it are stored.
const MAX_BODY: usize = 8 << 20;

/// Answers tell what the log is now.
const NOT_CACHED: HeaderValue = HeaderValue::from_static("no-store");

type Log = State<Arc<RekorV1>>;
type Body = Result<Bytes, BytesRejection>;

/// Everything that this API answers to.
pub fn routes(log: Arc<RekorV1>) -> Router {
    // Web pages may read the log, without credentials. They may not write to it.
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers([header::ACCEPT, header::CONTENT_TYPE]);
    let reads = Router::new()
        .route("/api/v1/log", get(info).fallback(only_get))
        .route("/api/v1/log/publicKey", get(public_key).fallback(only_get))
        .route("/api/v1/log/proof", get(proof).fallback(only_get))
        .route("/api/v1/log/entries/{id}", get(entry_by_id).fallback(only_get))
        .route("/api/v1/log/entries/retrieve", post(retrieve).fallback(only_post))
        .route("/api/v1/index/retrieve", post(search).fallback(only_post))
        .layer(cors.clone());
    let entries = get(entry_by_index).layer(cors).post(create).fallback(get_or_post);
    Router::new()
        .route(ENTRIES_PATH, entries)
        .route("/api/v1/log/{*path}", axum::routing::any(unknown))
        .route("/api/v1/index/{*path}", axum::routing::any(unknown))
        .merge(reads)
        .layer(SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, NOT_CACHED))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(log)
}

async fn create(
    State(log): Log,
    _: TakesJson,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    json_only(&headers)?;
    let found = log.submit(&body?).await?;
    let location = location(&uri, &found.id);
    if !found.fresh {
        return Err(Problem::duplicate(&found.id, location));
    }
    let etag = HeaderValue::from_str(&found.id.to_string()).map_err(|_| Problem::internal())?;
    let headers = [(header::ETAG, etag), (header::LOCATION, location)];
    Ok((StatusCode::CREATED, headers, Json(map_of_one(found))).into_response())
}

async fn entry_by_index(
    State(log): Log,
    _: TakesJson,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let index = Query::new(query.as_deref()).number("logIndex", 0, None)?;
    Ok(one_or_none(log.entry_by_index(index).await?))
}

async fn entry_by_id(
    State(log): Log,
    _: TakesJson,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = query::entry_id(&id, "entryUUID in path")?;
    Ok(one_or_none(log.entry_by_id(&id).await?))
}

async fn retrieve(
    State(log): Log,
    _: TakesJson,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    json_only(&headers)?;
    let wanted = retrieve::Wanted::read(&log, &body?)?;
    let found = wanted.find(&log).await?;
    let entries: Vec<LogEntries> = found.into_iter().map(map_of_one).collect();
    Ok(Json(entries).into_response())
}

async fn info(State(log): Log, _: TakesJson) -> Response {
    Json(log.info()).into_response()
}

async fn proof(
    State(log): Log,
    _: TakesJson,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = Query::new(query.as_deref());
    let first = query.number("firstSize", 1, Some(1))?;
    let last = query.number("lastSize", 1, None)?;
    if first > last {
        return Err(Problem::bad_request(format!(
            "firstSize({first}) must be less than lastSize({last})"
        )));
    }
    our_tree(&log, &query)?;
    match log.consistency_proof(first, last).await? {
        Some(proof) => Ok(Json(proof).into_response()),
        None => Err(Problem::bad_request(format!(
            "the tree size requested({last}) was greater than what is currently observable({})",
            log.reader().published().size
        ))),
    }
}

async fn public_key(
    State(log): Log,
    _: TakesPem,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    our_tree(&log, &Query::new(query.as_deref()))?;
    let content_type = HeaderValue::from_static(PEM);
    Ok(([(header::CONTENT_TYPE, content_type)], log.public_key().to_pem()).into_response())
}

async fn search() -> Problem {
    let message = "Search Index API not enabled in this Rekor instance";
    Problem::new(StatusCode::NOT_IMPLEMENTED, message.to_owned())
}

async fn unknown(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("path {} was not found", uri.path()))
}

async fn only_get(method: Method) -> Problem {
    Problem::method(&method, "GET")
}

async fn only_post(method: Method) -> Problem {
    Problem::method(&method, "POST")
}

async fn get_or_post(method: Method) -> Problem {
    Problem::method(&method, "GET,POST")
}

/// Refuses a `treeID` that is not ours.
fn our_tree(log: &RekorV1, query: &Query<'_>) -> Result<(), Problem> {
    let Some(tree) = query.tree_id()? else { return Ok(()) };
    if tree == Some(log.shard().tree) {
        return Ok(());
    }
    Err(Problem::bad_request("the log has no tree with this id".to_owned()))
}

/// Requests are JSON and say so.
fn json_only(headers: &HeaderMap) -> Result<(), Problem> {
    let sent = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let media_type = sent.split(|byte| *byte == b';').next().unwrap_or_default();
    // Without a content type a body is taken as JSON, as the existing server does.
    if media_type.is_empty() || media_type.trim_ascii().eq_ignore_ascii_case(b"application/json") {
        return Ok(());
    }
    let sent = String::from_utf8_lossy(sent);
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        format!("unsupported media type {sent:?}, only [application/json] are allowed"),
    ))
}

/// The path of an entry: that of the request and its query, without the API key.
fn location(uri: &Uri, id: &EntryId) -> HeaderValue {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if name != "apiKey" {
            query.append_pair(&name, &value);
        }
    }
    let query = query.finish();
    let separator = if query.is_empty() { "" } else { "?" };
    let location = format!("{}/{id}{separator}{query}", uri.path());
    HeaderValue::from_str(&location).unwrap_or_else(|_| HeaderValue::from_static(ENTRIES_PATH))
}

fn one_or_none(found: Option<Found>) -> Response {
    match found {
        Some(found) => Json(map_of_one(found)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn map_of_one(found: Found) -> LogEntries {
    LogEntries::from([(found.id.to_string(), found.entry)])
}
