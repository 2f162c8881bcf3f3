//! What the suite types.

use std::path::PathBuf;

/// The protocol in short.
pub(crate) const USAGE: &str = "\
usage: conformance-client verify-bundle [--staging] --bundle FILE
           (--certificate-identity NAME --certificate-oidc-issuer URL | --key PEM)
           [--trusted-root FILE] (FILE | sha256:HEX)";

/// What is asked for.
#[derive(Debug)]
pub(crate) enum Arguments {
    VerifyBundle(VerifyBundle),
}

/// Whose public instance is trusted when no trusted root is given.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Instance {
    #[default]
    Production,
    Staging,
}

/// `verify-bundle`.
#[derive(Debug)]
pub(crate) struct VerifyBundle {
    pub(crate) instance: Instance,
    pub(crate) bundle: PathBuf,
    pub(crate) signer: Signer,
    pub(crate) trusted_root: Option<PathBuf>,
    /// A path, or `sha256:` and digits.
    pub(crate) artifact: String,
}

/// Whose signature is expected.
#[derive(Debug)]
pub(crate) enum Signer {
    Identity { name: String, issuer: String },
    Key(PathBuf),
}

impl Arguments {
    /// Reads the words after the program's name; `None` if they mean nothing.
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Option<Self> {
        match words.next()?.as_str() {
            "verify-bundle" => Words::read(words)?.verify_bundle().map(Self::VerifyBundle),
            _ => None,
        }
    }
}

/// The options of both commands, as they were typed.
#[derive(Debug, Default)]
struct Words {
    instance: Instance,
    bundle: Option<PathBuf>,
    identity: Option<String>,
    issuer: Option<String>,
    key: Option<PathBuf>,
    trusted_root: Option<PathBuf>,
    artifact: Option<String>,
}

impl Words {
    fn read(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let mut read = Self::default();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--staging" => read.instance = Instance::Staging,
                "--bundle" => read.bundle = Some(words.next()?.into()),
                "--certificate-identity" => read.identity = Some(words.next()?),
                "--certificate-oidc-issuer" => read.issuer = Some(words.next()?),
                "--key" => read.key = Some(words.next()?.into()),
                "--trusted-root" => read.trusted_root = Some(words.next()?.into()),
                option if option.starts_with("--") => return None,
                _ if read.artifact.is_some() => return None,
                _ => read.artifact = Some(word),
            }
        }
        Some(read)
    }

    fn verify_bundle(self) -> Option<VerifyBundle> {
        let signer = match (self.identity, self.issuer, self.key) {
            (Some(name), Some(issuer), None) => Signer::Identity { name, issuer },
            (None, None, Some(key)) => Signer::Key(key),
            _ => return None,
        };
        Some(VerifyBundle {
            instance: self.instance,
            bundle: self.bundle?,
            signer,
            trusted_root: self.trusted_root,
            artifact: self.artifact?,
        })
    }
}
