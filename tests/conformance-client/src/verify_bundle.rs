//! `verify-bundle`: reads the files, asks the verifier.

use std::path::Path;

use client::file;
use crypto::{Digest, HashAlgorithm, PublicKey};
use verify::{Artifact, Expected, Policy};
use wire::bundle::Bundle;

use crate::Failure;
use crate::arguments::{Expectation, VerifyBundle};
use crate::files::{read, trusted_root};

pub(crate) fn run(arguments: &VerifyBundle) -> Result<(), Failure> {
    let bundle = Bundle::parse(&read(&arguments.bundle)?)?;
    let trust = trusted_root(arguments.trusted_root.as_deref(), arguments.instance)?;
    let policy = match &arguments.signer {
        Expectation::Key(path) => Policy::key(PublicKey::from_pem(&read(path)?)?),
        Expectation::Identity { name, issuer } => {
            Policy::identity(Expected::exactly(name)?, Expected::exactly(issuer)?)
        }
    };
    let artifact = match arguments.artifact.strip_prefix("sha256:") {
        Some(digits) => {
            Artifact::from_digest(Digest::new(HashAlgorithm::Sha256, &hex::decode(digits)?)?)
        }
        None => file::digest(Path::new(&arguments.artifact), &policy.algorithms(&bundle))?
            .into_iter()
            .collect(),
    };
    verify::verify(&artifact, &bundle, &policy, &trust)?;
    Ok(())
}
