//! `sign-bundle`: reads the files, asks the signer.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use client::file;
use client::oidc::IdentityToken;
use client::select::{RekorVersion, Services};
use client::sign::{Signed, Signer};
use jiff::Timestamp;
use net::{Client, Settings};
use sigstore_trust_root::{SIGSTORE_PRODUCTION_SIGNING_CONFIG, SIGSTORE_STAGING_SIGNING_CONFIG};
use wire::signing_config::SigningConfig;

use crate::Failure;
use crate::arguments::{Instance, SignBundle};
use crate::files::{read, trusted_root};

/// The audience of tokens for Sigstore.
const AUDIENCE: &str = "sigstore";

pub(crate) fn run(arguments: &SignBundle) -> Result<(), Failure> {
    let now = Timestamp::now();
    let round = usize::from_ne_bytes(crypto::random_array());
    let services =
        Services::select(&signing_config(arguments)?, RekorVersion::Highest, now, round)?;
    let trust = Arc::new(trusted_root(arguments.trusted_root.as_deref(), arguments.instance)?);
    let token = IdentityToken::parse(&arguments.identity_token, AUDIENCE, now)?;
    let signer = Signer::keyless(services, Client::new(Settings::default()), trust, token)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let signed = runtime.block_on(sign(&signer, &arguments.artifact, arguments.in_toto))?;
    fs::write(&arguments.bundle, signed.bundle.to_json())
        .map_err(|error| format!("{}: {error}", arguments.bundle.display()).into())
}

async fn sign(signer: &Signer, artifact: &Path, in_toto: bool) -> Result<Signed, Failure> {
    if in_toto {
        return Ok(signer.attest(read(artifact)?).await?);
    }
    let digests = file::digest(artifact, &[signer.hash_algorithm()])?;
    let digest = digests.first().ok_or("one algorithm makes one digest")?;
    Ok(signer.sign(digest).await?)
}

fn signing_config(arguments: &SignBundle) -> Result<SigningConfig, Failure> {
    let embedded = match arguments.instance {
        Instance::Production => SIGSTORE_PRODUCTION_SIGNING_CONFIG,
        Instance::Staging => SIGSTORE_STAGING_SIGNING_CONFIG,
    };
    Ok(match &arguments.signing_config {
        Some(path) => SigningConfig::parse(&read(path)?)?,
        None => SigningConfig::parse(embedded.as_bytes())?,
    })
}
