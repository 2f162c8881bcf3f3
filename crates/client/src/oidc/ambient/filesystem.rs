//! A file at the place that cosign looks at, such as a projected volume of Kubernetes.

use std::fs::File;
use std::io::{self, Read as _};

use wire::oidc::MAX_TOKEN;
use zeroize::Zeroizing;

use super::{AmbientError, Provider, Surroundings};

/// Below the root.
const PATH: &str = "var/run/sigstore/cosign/oidc-token";

pub(super) struct Filesystem;

#[async_trait::async_trait]
impl Provider for Filesystem {
    fn name(&self) -> &'static str {
        "the token file"
    }

    async fn token(
        &self,
        surroundings: &Surroundings<'_>,
    ) -> Result<Option<Zeroizing<String>>, AmbientError> {
        let failed = |source| AmbientError::File { provider: self.name(), source };
        let file = match File::open(surroundings.root.join(PATH)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut token = Zeroizing::new(String::new());
        // One byte more than a token has: what is longer is refused when it is read.
        file.take(MAX_TOKEN as u64 + 1).read_to_string(&mut token).map_err(failed)?;
        Ok(Some(token))
    }
}
