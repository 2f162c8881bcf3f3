//! Google Cloud: the metadata server gives tokens of the machine's service account.

use std::fs;

use net::{AddressPolicy, Client, PlainHttp, Settings, Url};
use zeroize::Zeroizing;

use super::{AmbientError, Provider, Surroundings};

/// What the firmware calls machines of Google Cloud.
const PRODUCTS: &[&str] = &["Google", "Google Compute Engine"];

/// Where it says so, below the root.
const PRODUCT: &str = "sys/class/dmi/id/product_name";

/// The address of the metadata server, which is the same everywhere; so no name server is asked.
const SERVER: &str =
    "http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/identity";

const NAME: &str = "Google Cloud";

pub(super) struct Gcp;

#[async_trait::async_trait]
impl Provider for Gcp {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn token(
        &self,
        surroundings: &Surroundings<'_>,
    ) -> Result<Option<Zeroizing<String>>, AmbientError> {
        let product = fs::read_to_string(surroundings.root.join(PRODUCT)).unwrap_or_default();
        if !PRODUCTS.contains(&product.trim()) {
            return Ok(None);
        }
        // Plain HTTP to an address on the link: nothing leaves the machine's host.
        let http = Client::new(Settings {
            plain_http: PlainHttp::Anywhere,
            addresses: AddressPolicy::Any,
            ..Settings::default()
        });
        let mut url = Url::parse(SERVER).expect("the address of the metadata server is a URL");
        let query = [("audience", surroundings.audience), ("format", "full")];
        url.query_pairs_mut().extend_pairs(query);
        let flavor = http::HeaderName::from_static("metadata-flavor");
        let answer = http.get(url).header(flavor, "Google").send().await;
        let answer =
            answer.map_err(|source| AmbientError::Unreachable { provider: NAME, source })?;
        let wrong = |reason| AmbientError::Answer { provider: NAME, reason };
        if !answer.status.is_success() {
            return Err(wrong(format!("status {}", answer.status)));
        }
        let token = String::from_utf8(answer.body.into())
            .map_err(|_| wrong("what came is no text".to_owned()))?;
        Ok(Some(Zeroizing::new(token)))
    }
}
