//! A TUF repository over HTTP.

use std::time::Duration;

use net::{
    AddressPolicy, Client, PlainHttp, Redirects, RequestError, Settings, StatusCode, TlsTrust,
};
use url::Url;

/// How long one file may take. The largest has some kilobytes.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Redirects within the repository's own host, as static hosting makes them.
const REDIRECTS: u8 = 3;

/// A TUF repository at a URL.
pub(super) struct Repository {
    client: Client,
    base: Url,
}

impl Repository {
    /// The repository at `base`. TLS is not relied on, and plain HTTP is as good: every byte is verified against the root
    /// whose fingerprint the user gave, so that a server with a certificate of its own can be met for the first time.
    pub(super) fn new(base: Url) -> Self {
        let settings = Settings {
            addresses: AddressPolicy::Any,
            tls: TlsTrust::DangerouslyUnverified,
            plain_http: PlainHttp::Anywhere,
            redirects: Redirects::SameOrigin(REDIRECTS),
            timeout: TIMEOUT,
            ..Settings::default()
        };
        Self { client: Client::new(settings), base }
    }

    pub(super) const fn base(&self) -> &Url {
        &self.base
    }
}

impl tuf::Fetch for Repository {
    type Error = RequestError;

    async fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, RequestError> {
        let mut url = self.base.clone();
        // The path has its own percent signs; it is joined and not encoded again.
        url.set_path(&format!("{}{path}", self.base.path()));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let response = self.client.get(url).max_body(limit).send().await?;
        // Buckets without a listing answer 403 for what is not there.
        let found = response.status == StatusCode::OK;
        Ok(found.then(|| response.body.to_vec()))
    }
}
