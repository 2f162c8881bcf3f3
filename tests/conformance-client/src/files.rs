//! The files that both commands read.

use std::fs;
use std::path::Path;

use sigstore_trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_STAGING_TRUSTED_ROOT};
use wire::trusted_root::TrustedRoot;

use crate::Failure;
use crate::arguments::Instance;

/// The trusted root in a file, or else that of a public instance.
pub(crate) fn trusted_root(
    file: Option<&Path>,
    instance: Instance,
) -> Result<TrustedRoot, Failure> {
    Ok(match (file, instance) {
        (Some(path), _) => TrustedRoot::parse(&read(path)?)?,
        (None, Instance::Production) => {
            TrustedRoot::parse(SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes())?
        }
        (None, Instance::Staging) => TrustedRoot::parse(SIGSTORE_STAGING_TRUSTED_ROOT.as_bytes())?,
    })
}

/// A whole file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()).into())
}
