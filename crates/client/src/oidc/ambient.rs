//! Tokens that the environment has: of CI providers, of clouds, in files.
//!
//! [`ALL`] is the list. A provider looks whether it is there at all; only then may it fail.

mod buildkite;
mod circleci;
mod filesystem;
mod gcp;
mod github;
mod gitlab;
mod variable;

use std::path::Path;

use net::{Client, RequestError, Response};
use zeroize::Zeroizing;

/// Every provider, in the order in which they are asked. What somebody has put there on purpose comes first.
pub const ALL: &[&dyn Provider] = &[
    &variable::Variable,
    &filesystem::Filesystem,
    &github::GitHub,
    &gitlab::GitLab,
    &buildkite::Buildkite,
    &circleci::CircleCi,
    &gcp::Gcp,
];

/// One place where a token may be.
#[async_trait::async_trait]
pub trait Provider: Sync {
    /// The name, for messages.
    fn name(&self) -> &'static str;

    /// The token; `None` if this is not the place.
    ///
    /// # Errors
    ///
    /// See [`AmbientError`]: this is the place, and there is no token to be had.
    async fn token(
        &self,
        surroundings: &Surroundings<'_>,
    ) -> Result<Option<Zeroizing<String>>, AmbientError>;
}

/// What a provider looks at.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// Reads a variable of the environment.
    pub variable: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// The root of the file system.
    pub root: &'a Path,
    /// The way out.
    pub http: &'a Client,
    /// Whom the token is for.
    pub audience: &'a str,
}

/// Why a provider that is there gives no token.
#[derive(Debug, thiserror::Error)]
pub enum AmbientError {
    /// The user's to fix.
    #[error("{provider} gives no token to this job: {hint}")]
    NotSetUp {
        /// Which.
        provider: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// The provider cannot be asked.
    #[error("{provider} cannot be asked")]
    Unreachable {
        /// Which.
        provider: &'static str,
        /// Why.
        #[source]
        source: RequestError,
    },
    /// The provider's program cannot be run.
    #[error("{program}, the program of {provider}, cannot be run")]
    Program {
        /// Which.
        provider: &'static str,
        /// Its name.
        program: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file with the token cannot be read.
    #[error("the token of {provider} cannot be read")]
    File {
        /// Which.
        provider: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The provider says no, or answers with something else.
    #[error("{provider} answers with no token: {reason}")]
    Answer {
        /// Which.
        provider: &'static str,
        /// What it answered.
        reason: String,
    },
}

impl<'a> Surroundings<'a> {
    /// This process and this machine.
    #[must_use]
    pub fn of_this_process(http: &'a Client, audience: &'a str) -> Self {
        Self { variable: &|name| std::env::var(name).ok(), root: Path::new("/"), http, audience }
    }

    /// A variable that is set and not empty.
    fn get(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }
}

/// The first token there is.
pub(super) async fn find(
    surroundings: &Surroundings<'_>,
) -> Result<Option<Zeroizing<String>>, AmbientError> {
    for provider in ALL {
        if let Some(token) = provider.token(surroundings).await? {
            tracing::info!(provider = provider.name(), "found an identity token");
            return Ok(Some(token));
        }
    }
    Ok(None)
}

/// The string `field` of a JSON answer.
fn field(
    provider: &'static str,
    answer: &Response,
    field: &str,
) -> Result<Zeroizing<String>, AmbientError> {
    let wrong = |reason: String| AmbientError::Answer { provider, reason };
    if !answer.status.is_success() {
        return Err(wrong(format!("status {}", answer.status)));
    }
    let json: serde_json::Value = serde_json::from_slice(&answer.body)
        .map_err(|_| wrong(format!("{} bytes that are no JSON", answer.body.len())))?;
    let token = json.get(field).and_then(serde_json::Value::as_str);
    token
        .map(|token| Zeroizing::new(token.to_owned()))
        .ok_or_else(|| wrong(format!("JSON without {field}")))
}

#[cfg(test)]
mod tests;
