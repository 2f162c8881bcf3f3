//! `generate-key-pair`: a new key pair in cosign's format.

use crypto::{KeyKind, SigningKey};

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::key::KeyPairFiles;

/// Make a key pair: cosign.key and cosign.pub
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Name of the files, before .key and .pub
    #[arg(long, value_name = "PREFIX", default_value = "cosign")]
    output_key_prefix: String,
    /// The kind of key
    #[arg(long, value_enum, default_value_t, value_name = "ALGORITHM")]
    signing_algorithm: Algorithm,
    /// Overwrite existing files
    #[arg(long, short)]
    yes: bool,
}

/// The algorithms of the Sigstore registry that a key can be made for, under cosign's names.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Algorithm {
    #[default]
    #[value(name = "ecdsa-sha2-256-nistp256")]
    P256,
    #[value(name = "ecdsa-sha2-384-nistp384")]
    P384,
    #[value(name = "ecdsa-sha2-512-nistp521")]
    P521,
    #[value(name = "rsa-sign-pkcs1-2048-sha256")]
    Rsa2048,
    #[value(name = "rsa-sign-pkcs1-3072-sha256")]
    Rsa3072,
    #[value(name = "rsa-sign-pkcs1-4096-sha256")]
    Rsa4096,
    #[value(name = "ed25519-ph", alias = "ed25519")]
    Ed25519,
}

impl Algorithm {
    const fn kind(self) -> KeyKind {
        match self {
            Self::P256 => KeyKind::EcdsaP256,
            Self::P384 => KeyKind::EcdsaP384,
            Self::P521 => KeyKind::EcdsaP521,
            Self::Rsa2048 => KeyKind::Rsa { bits: 2048 },
            Self::Rsa3072 => KeyKind::Rsa { bits: 3072 },
            Self::Rsa4096 => KeyKind::Rsa { bits: 4096 },
            Self::Ed25519 => KeyKind::Ed25519,
        }
    }
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let files = KeyPairFiles::new(&args.output_key_prefix);
    files.check_free(args.yes)?;
    let key =
        SigningKey::generate(args.signing_algorithm.kind()).or_undecided("no key could be made")?;
    files.write(&key)?;
    globals.output.print(&files)
}
