//! `verify-bundle`: reads the files, asks the verifier.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use crypto::{Digest, HashAlgorithm, PublicKey};
use sigstore_trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_STAGING_TRUSTED_ROOT};
use verify::{Artifact, Digests, Expected, Policy};
use wire::bundle::Bundle;
use wire::trusted_root::TrustedRoot;

use crate::arguments::{Instance, Signer, VerifyBundle};

/// As much of the artifact as is in memory at a time.
const BUFFER: usize = 64 << 10;

pub(crate) fn run(arguments: &VerifyBundle) -> Result<()> {
    let bundle = Bundle::parse(&read(&arguments.bundle)?)?;
    let trust = trusted_root(arguments)?;
    let policy = match &arguments.signer {
        Signer::Key(path) => Policy::key(PublicKey::from_pem(&read(path)?)?),
        Signer::Identity { name, issuer } => {
            Policy::identity(Expected::exactly(name)?, Expected::exactly(issuer)?)
        }
    };
    let artifact = match arguments.artifact.strip_prefix("sha256:") {
        Some(digits) => {
            Artifact::from_digest(Digest::new(HashAlgorithm::Sha256, &hex::decode(digits)?)?)
        }
        None => stream(Path::new(&arguments.artifact), &policy.algorithms(&bundle))?,
    };
    verify::verify(&artifact, &bundle, &policy, &trust)?;
    Ok(())
}

fn trusted_root(arguments: &VerifyBundle) -> Result<TrustedRoot> {
    let root = match (&arguments.trusted_root, arguments.instance) {
        (Some(path), _) => TrustedRoot::parse(&read(path)?)?,
        (None, Instance::Production) => {
            TrustedRoot::parse(SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes())?
        }
        (None, Instance::Staging) => TrustedRoot::parse(SIGSTORE_STAGING_TRUSTED_ROOT.as_bytes())?,
    };
    Ok(root)
}

/// Hashes a file of any length in constant memory.
fn stream(path: &Path, algorithms: &[HashAlgorithm]) -> Result<Artifact<'static>> {
    let mut file = File::open(path).with_context(|| path.display().to_string())?;
    let mut digests = Digests::new(algorithms);
    let mut buffer = vec![0; BUFFER];
    loop {
        match file.read(&mut buffer).with_context(|| path.display().to_string())? {
            0 => return Ok(digests.finish()),
            length => digests.update(&buffer[..length]),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| path.display().to_string())
}
