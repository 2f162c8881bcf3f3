//! GitHub Actions.

use std::time::Duration;

use net::Url;
use zeroize::Zeroizing;

use super::{AmbientError, Provider, Surroundings, field};

/// How often to ask: the endpoint is known to answer with an empty body now and then.
const ATTEMPTS: u32 = 3;

/// How long to wait before asking again.
const PAUSE: Duration = Duration::from_millis(500);

const NAME: &str = "GitHub Actions";

pub(super) struct GitHub;

#[async_trait::async_trait]
impl Provider for GitHub {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn token(
        &self,
        surroundings: &Surroundings<'_>,
    ) -> Result<Option<Zeroizing<String>>, AmbientError> {
        if surroundings.get("GITHUB_ACTIONS").is_none() {
            return Ok(None);
        }
        let url = surroundings.get("ACTIONS_ID_TOKEN_REQUEST_URL");
        let bearer = surroundings.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN").map(Zeroizing::new);
        let (Some(url), Some(bearer)) = (url, bearer) else {
            let hint = "give it `permissions: id-token: write`";
            return Err(AmbientError::NotSetUp { provider: NAME, hint });
        };
        let mut url = Url::parse(&url).map_err(|_| AmbientError::Answer {
            provider: NAME,
            reason: "ACTIONS_ID_TOKEN_REQUEST_URL is no URL".to_owned(),
        })?;
        url.query_pairs_mut().append_pair("audience", surroundings.audience);
        for _ in 1..ATTEMPTS {
            match ask(surroundings, &url, &bearer).await {
                Err(AmbientError::Answer { .. }) => tokio::time::sleep(PAUSE).await,
                outcome => return outcome.map(Some),
            }
        }
        ask(surroundings, &url, &bearer).await.map(Some)
    }
}

async fn ask(
    surroundings: &Surroundings<'_>,
    url: &Url,
    bearer: &str,
) -> Result<Zeroizing<String>, AmbientError> {
    let authorization = Zeroizing::new(format!("bearer {bearer}"));
    let request = surroundings.http.get(url.clone());
    let answer = request.header(http::header::AUTHORIZATION, &authorization).send().await;
    let answer = answer.map_err(|source| AmbientError::Unreachable { provider: NAME, source })?;
    field(NAME, &answer, "value")
}
