//! CircleCI: its program asks for a token with an audience.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use zeroize::Zeroizing;

use super::{AmbientError, Provider, Surroundings};

/// How long the program may take.
const TIMEOUT: Duration = Duration::from_secs(30);

const NAME: &str = "CircleCI";
const PROGRAM: &str = "circleci";

pub(super) struct CircleCi;

#[async_trait::async_trait]
impl Provider for CircleCi {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn token(
        &self,
        surroundings: &Surroundings<'_>,
    ) -> Result<Option<Zeroizing<String>>, AmbientError> {
        if surroundings.get("CIRCLECI").is_none() {
            return Ok(None);
        }
        let claims = serde_json::json!({ "aud": surroundings.audience }).to_string();
        let program = Command::new(PROGRAM)
            .args(["run", "oidc", "get", "--claims", &claims])
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .output();
        let answer = |reason: String| AmbientError::Answer { provider: NAME, reason };
        let output = tokio::time::timeout(TIMEOUT, program)
            .await
            .map_err(|_| answer(format!("{PROGRAM} took longer than {} s", TIMEOUT.as_secs())))?
            .map_err(|source| AmbientError::Program { provider: NAME, program: PROGRAM, source })?;
        if !output.status.success() {
            return Err(answer(format!("{PROGRAM} ended with {}", output.status)));
        }
        let token = String::from_utf8(output.stdout)
            .map_err(|_| answer("what came is no text".to_owned()))?;
        Ok(Some(Zeroizing::new(token)))
    }
}
