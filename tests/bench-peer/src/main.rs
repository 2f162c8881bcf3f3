//! `verify-bundle` of the public conformance protocol, by the crate `sigstore-verify`.

use std::process::ExitCode;

use sigstore_verify::trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot};
use sigstore_verify::types::{Bundle, DerPublicKey, Sha256Hash};
use sigstore_verify::{Policy, PublicKeyVerificationPolicy, VerificationPolicy, Verifier};

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match verify(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn verify(arguments: &[String]) -> Result<(), Failure> {
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)
    };
    let bundle = std::fs::read_to_string(value("--bundle").ok_or("no bundle")?)?;
    let bundle = Bundle::from_json(&bundle)?;
    let root = match value("--trusted-root") {
        Some(path) => TrustedRoot::from_json(&std::fs::read_to_string(path)?)?,
        None => TrustedRoot::from_json(SIGSTORE_PRODUCTION_TRUSTED_ROOT)?,
    };
    let verifier = Verifier::new(&root)?;
    let artifact = arguments.last().ok_or("no artifact")?;
    match value("--key") {
        Some(path) => {
            let key = DerPublicKey::from_pem(&std::fs::read_to_string(path)?)?;
            judge(&verifier, &bundle, artifact, &PublicKeyVerificationPolicy::new(key))
        }
        None => {
            let identity = value("--certificate-identity").ok_or("no identity")?;
            let issuer = value("--certificate-oidc-issuer").ok_or("no issuer")?;
            let policy = VerificationPolicy::new(identity.clone(), issuer.clone());
            judge(&verifier, &bundle, artifact, &policy)
        }
    }
}

fn judge(verifier: &Verifier, bundle: &Bundle, artifact: &str, policy: &impl Policy) -> Result<(), Failure> {
    match artifact.strip_prefix("sha256:") {
        Some(hex) => verifier.verify(Sha256Hash::from_hex(hex)?, bundle, policy)?,
        None => verifier.verify_reader(std::fs::File::open(artifact)?, bundle, policy)?,
    };
    Ok(())
}
