//! The trust repository over HTTP: `/tuf/…` as TUF clients read it (The Update Framework §5, consistent snapshots),
//! and `/client_trust_config.json`, the file with everything that a client needs to be given.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use services::repo::TrustRepository;

/// For files whose name says which version they are: they never change.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// For the timestamp and for names that mean the newest version. A cache that served an old timestamp would make the
/// freeze attack that the timestamp is there to prevent.
const NEVER: HeaderValue = HeaderValue::from_static("no-store");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// The routes of the trust repository.
pub fn routes(repository: Arc<TrustRepository>) -> Router {
    Router::new()
        .route("/tuf/{*path}", get(file))
        .route("/client_trust_config.json", get(client_trust_config))
        .with_state(repository)
}

async fn file(
    State(repository): State<Arc<TrustRepository>>,
    Path(path): Path<String>,
) -> Response {
    match repository.file(&path) {
        Some(file) => answer(file.contents, &path, file.immutable),
        // Clients ask for the root after the newest until they are told that there is none: 404, never 403.
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn client_trust_config(State(repository): State<Arc<TrustRepository>>) -> Response {
    match repository.client_trust_config() {
        Some(contents) => answer(contents, "client_trust_config.json", false),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn answer(contents: Bytes, name: &str, immutable: bool) -> Response {
    let mut response = Response::new(Body::from(contents));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, if name.ends_with(".json") { JSON } else { OCTETS });
    headers.insert(header::CACHE_CONTROL, if immutable { FOREVER } else { NEVER });
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::num::NonZeroU64;

    use crypto::{KeyKind, SigningKey};
    use http::Request;
    use http_body_util::BodyExt;
    use jiff::Timestamp;
    use services::repo::{self, SIGNING_CONFIG, TRUSTED_ROOT, Target};
    use tower::ServiceExt;
    use tuf::publish::RootKeys;
    use wire::client_trust_config::ClientTrustConfig;
    use wire::signing_config::SigningConfig;
    use wire::trusted_root::TrustedRoot;

    use super::*;

    /// A repository with trusted root and signing config, and the directory that it is in.
    fn repository() -> (tempfile::TempDir, Router) {
        let directory = tempfile::tempdir().unwrap();
        let key = || SigningKey::generate(KeyKind::EcdsaP256).unwrap();
        let (holder, snapshot, timestamp) = (key(), key(), key());
        let keys = RootKeys {
            holders: vec![holder.public_key().clone()],
            threshold: NonZeroU64::MIN,
            snapshot: snapshot.public_key().clone(),
            timestamp: timestamp.public_key().clone(),
        };
        let targets = BTreeMap::from([
            (TRUSTED_ROOT.to_owned(), Target::plain(TrustedRoot::default().to_json())),
            (SIGNING_CONFIG.to_owned(), Target::plain(SigningConfig::default().to_json())),
        ]);
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        repo::create(directory.path(), &keys, &[&holder], &targets, now).unwrap();
        let opened = TrustRepository::open(directory.path(), snapshot, timestamp, now).unwrap();
        (directory, routes(Arc::new(opened)))
    }

    /// Status, caching and body of an answer.
    async fn ask(router: &Router, path: &str) -> (u16, String, Bytes) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let caching = response.headers().get(header::CACHE_CONTROL).cloned();
        let caching = caching.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let status = response.status().as_u16();
        (status, caching, response.into_body().collect().await.unwrap().to_bytes())
    }

    #[tokio::test]
    async fn what_has_a_version_is_kept_for_ever_and_the_timestamp_never() {
        let (_keep, router) = repository();
        let target = hex::encode(crypto::sha256(TrustedRoot::default().to_json().as_bytes()));
        let target = format!("/tuf/targets/{target}.trusted_root.json");
        for path in
            ["/tuf/1.root.json", "/tuf/1.targets.json", "/tuf/1.snapshot.json", target.as_str()]
        {
            let (status, caching, body) = ask(&router, path).await;
            assert_eq!((status, body.is_empty()), (200, false), "{path}");
            assert!(caching.contains("immutable"), "{path}: {caching}");
        }
        for path in ["/tuf/timestamp.json", "/tuf/root.json", "/client_trust_config.json"] {
            let (status, caching, _) = ask(&router, path).await;
            assert_eq!((status, caching.as_str()), (200, "no-store"), "{path}");
        }
    }

    #[tokio::test]
    async fn the_root_after_the_newest_is_not_found() {
        let (_keep, router) = repository();
        for path in ["/tuf/2.root.json", "/tuf/", "/tuf/targets/", "/tuf/..%2f1.root.json"] {
            assert_eq!(ask(&router, path).await.0, 404, "{path}");
        }
    }

    #[tokio::test]
    async fn one_file_has_trusted_root_and_signing_config() {
        let (_keep, router) = repository();
        let (_, _, body) = ask(&router, "/client_trust_config.json").await;
        let both = ClientTrustConfig::parse(&body).unwrap();
        assert_eq!(both.trusted_root, TrustedRoot::default());
    }
}
