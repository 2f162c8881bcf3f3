//! What the suite types.

use std::path::PathBuf;

/// The protocol in short.
pub(crate) const USAGE: &str = "\
usage: conformance-client sign-bundle [--staging] [--in-toto] --identity-token TOKEN --bundle FILE
           [--trusted-root FILE] [--signing-config FILE] FILE
       conformance-client verify-bundle [--staging] --bundle FILE
           (--certificate-identity NAME --certificate-oidc-issuer URL | --key PEM)
           [--trusted-root FILE] (FILE | sha256:HEX)";

/// What is asked for.
pub(crate) enum Arguments {
    SignBundle(SignBundle),
    VerifyBundle(VerifyBundle),
}

/// Whose public instance is used when no files are given.
#[derive(Clone, Copy, Default)]
pub(crate) enum Instance {
    #[default]
    Production,
    Staging,
}

/// `sign-bundle`.
pub(crate) struct SignBundle {
    pub(crate) instance: Instance,
    /// The file is a statement, to be signed as it is.
    pub(crate) in_toto: bool,
    pub(crate) identity_token: String,
    pub(crate) bundle: PathBuf,
    pub(crate) trusted_root: Option<PathBuf>,
    pub(crate) signing_config: Option<PathBuf>,
    pub(crate) artifact: PathBuf,
}

/// `verify-bundle`.
pub(crate) struct VerifyBundle {
    pub(crate) instance: Instance,
    pub(crate) bundle: PathBuf,
    pub(crate) signer: Expectation,
    pub(crate) trusted_root: Option<PathBuf>,
    /// A path, or `sha256:` and digits.
    pub(crate) artifact: String,
}

/// Whose signature is expected.
pub(crate) enum Expectation {
    Identity { name: String, issuer: String },
    Key(PathBuf),
}

impl Arguments {
    /// Reads the words after the program's name; `None` if they mean nothing.
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Option<Self> {
        match words.next()?.as_str() {
            "sign-bundle" => Words::read(words)?.sign_bundle().map(Self::SignBundle),
            "verify-bundle" => Words::read(words)?.verify_bundle().map(Self::VerifyBundle),
            _ => None,
        }
    }
}

/// The options of both commands, as they were typed.
#[derive(Default)]
struct Words {
    instance: Instance,
    in_toto: bool,
    identity_token: Option<String>,
    bundle: Option<PathBuf>,
    identity: Option<String>,
    issuer: Option<String>,
    key: Option<PathBuf>,
    trusted_root: Option<PathBuf>,
    signing_config: Option<PathBuf>,
    artifact: Option<String>,
}

impl Words {
    fn read(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let mut read = Self::default();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--staging" => read.instance = Instance::Staging,
                "--in-toto" => read.in_toto = true,
                "--identity-token" => read.identity_token = Some(words.next()?),
                "--bundle" => read.bundle = Some(words.next()?.into()),
                "--certificate-identity" => read.identity = Some(words.next()?),
                "--certificate-oidc-issuer" => read.issuer = Some(words.next()?),
                "--key" => read.key = Some(words.next()?.into()),
                "--trusted-root" => read.trusted_root = Some(words.next()?.into()),
                "--signing-config" => read.signing_config = Some(words.next()?.into()),
                option if option.starts_with("--") => return None,
                _ if read.artifact.is_some() => return None,
                _ => read.artifact = Some(word),
            }
        }
        Some(read)
    }

    fn sign_bundle(self) -> Option<SignBundle> {
        Some(SignBundle {
            instance: self.instance,
            in_toto: self.in_toto,
            identity_token: self.identity_token?,
            bundle: self.bundle?,
            trusted_root: self.trusted_root,
            signing_config: self.signing_config,
            artifact: self.artifact?.into(),
        })
    }

    fn verify_bundle(self) -> Option<VerifyBundle> {
        let signer = match (self.identity, self.issuer, self.key) {
            (Some(name), Some(issuer), None) => Expectation::Identity { name, issuer },
            (None, None, Some(key)) => Expectation::Key(key),
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
