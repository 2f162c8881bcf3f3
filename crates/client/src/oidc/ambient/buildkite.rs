//! Buildkite: the agent's API gives tokens to the job that it runs.

use net::{Retry, Url};
use zeroize::Zeroizing;

use super::{AmbientError, Provider, Surroundings, field};

/// Where the API is if the agent does not say.
const ENDPOINT: &str = "https://agent.buildkite.com/v3";

const NAME: &str = "Buildkite";

pub(super) struct Buildkite;

#[async_trait::async_trait]
impl Provider for Buildkite {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn token(
        &self,
        surroundings: &Surroundings<'_>,
    ) -> Result<Option<Zeroizing<String>>, AmbientError> {
        if surroundings.get("BUILDKITE").is_none() {
            return Ok(None);
        }
        let access = surroundings.get("BUILDKITE_AGENT_ACCESS_TOKEN").map(Zeroizing::new);
        let job = surroundings.get("BUILDKITE_JOB_ID");
        let (Some(access), Some(job)) = (access, job) else {
            let hint = "let it see BUILDKITE_AGENT_ACCESS_TOKEN and BUILDKITE_JOB_ID";
            return Err(AmbientError::NotSetUp { provider: NAME, hint });
        };
        let endpoint = surroundings.get("BUILDKITE_AGENT_ENDPOINT");
        let url = place(endpoint.as_deref().unwrap_or(ENDPOINT), &job).ok_or_else(|| {
            AmbientError::Answer {
                provider: NAME,
                reason: "BUILDKITE_AGENT_ENDPOINT is no URL".to_owned(),
            }
        })?;
        let body = serde_json::json!({ "audience": surroundings.audience }).to_string();
        let answer = surroundings
            .http
            .post(url)
            .header(http::header::AUTHORIZATION, &format!("Token {}", *access))
            .body("application/json", body)
            .retry(Retry::SOME)
            .send()
            .await
            .map_err(|source| AmbientError::Unreachable { provider: NAME, source })?;
        field(NAME, &answer, "token").map(Some)
    }
}

fn place(endpoint: &str, job: &str) -> Option<Url> {
    let mut url = Url::parse(endpoint).ok()?;
    url.path_segments_mut().ok()?.pop_if_empty().extend(["jobs", job, "oidc", "tokens"]);
    Some(url)
}
