//! Trust material in a file of the user's: a trusted root, or a client trust config.

use std::path::Path;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use wire::client_trust_config::{CLIENT_TRUST_CONFIG, ClientTrustConfig};
use wire::trusted_root::TrustedRoot;

use super::{Trust, TrustError};

/// The longest file: that of a client trust config.
const MAX_FILE: u64 = 5 << 20;

/// What a file says it is.
#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "mediaType", default)]
    media_type: String,
}

/// The halves of a client trust config, as they stand in the file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Halves {
    trusted_root: Box<RawValue>,
    signing_config: Box<RawValue>,
}

/// Reads the file at `path`. It decides by its media type what it is, and then must be that.
pub(super) fn read(path: &Path) -> Result<Trust, TrustError> {
    let contents =
        crate::file::read(path, MAX_FILE).map_err(|source| not_material(path, source))?;
    let kind: Kind = serde_json::from_slice(&contents).map_err(|e| not_material(path, e))?;
    let name = path.display().to_string();
    if kind.media_type != CLIENT_TRUST_CONFIG {
        TrustedRoot::parse(&contents).map_err(|source| not_material(path, source))?;
        return Ok(trust(name, contents.into(), None));
    }
    ClientTrustConfig::parse(&contents).map_err(|source| not_material(path, source))?;
    let halves: Halves = serde_json::from_slice(&contents).map_err(|e| not_material(path, e))?;
    let bytes = |half: &RawValue| Bytes::copy_from_slice(half.get().as_bytes());
    Ok(trust(name, bytes(&halves.trusted_root), Some(bytes(&halves.signing_config))))
}

fn trust(name: String, trusted_root: Bytes, signing_config: Option<Bytes>) -> Trust {
    Trust {
        name,
        trusted_root,
        signing_config,
        signing_config_rekor_v1: None,
        signing_config_rekor_v2: None,
        tls_ca: None,
        warnings: Vec::new(),
    }
}

fn not_material(path: &Path, source: impl std::error::Error + Send + Sync + 'static) -> TrustError {
    TrustError::NotTrustMaterial { path: path.to_owned(), source: Box::new(source) }
}
