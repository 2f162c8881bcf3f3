//! The variable that every Sigstore client knows.

use zeroize::Zeroizing;

use super::{AmbientError, Provider, Surroundings};

pub(super) struct Variable;

#[async_trait::async_trait]
impl Provider for Variable {
    fn name(&self) -> &'static str {
        "SIGSTORE_ID_TOKEN"
    }

    async fn token(
        &self,
        surroundings: &Surroundings<'_>,
    ) -> Result<Option<Zeroizing<String>>, AmbientError> {
        Ok(surroundings.get("SIGSTORE_ID_TOKEN").map(Zeroizing::new))
    }
}
