//! GitLab CI: the job says under `id_tokens` which variable gets a token for which audience.

use zeroize::Zeroizing;

use super::{AmbientError, Provider, Surroundings};

pub(super) struct GitLab;

#[async_trait::async_trait]
impl Provider for GitLab {
    fn name(&self) -> &'static str {
        "GitLab CI"
    }

    async fn token(
        &self,
        surroundings: &Surroundings<'_>,
    ) -> Result<Option<Zeroizing<String>>, AmbientError> {
        if surroundings.get("GITLAB_CI").is_none() {
            return Ok(None);
        }
        // The convention of other Sigstore clients; for the usual audience it is SIGSTORE_ID_TOKEN.
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        let name: String = surroundings.audience.chars().map(plain).collect();
        match surroundings.get(&format!("{name}_ID_TOKEN")) {
            Some(token) => Ok(Some(Zeroizing::new(token))),
            None => Err(AmbientError::NotSetUp {
                provider: self.name(),
                hint: "give the job `id_tokens: { SIGSTORE_ID_TOKEN: { aud: sigstore } }`",
            }),
        }
    }
}
