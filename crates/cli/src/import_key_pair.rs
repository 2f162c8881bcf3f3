//! `import-key-pair`: an existing private key, encrypted in cosign's format.

use crate::command_line::Globals;
use crate::failure::Failure;
use crate::key::{KeyPairFiles, KeyReference};

/// Encrypt an existing private key for use here and in cosign
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The unencrypted private key: PEM, as PKCS#8, SEC 1 or PKCS#1
    #[arg(long, value_name = "FILE|env://VARIABLE")]
    key: KeyReference,
    /// Name of the files, before .key and .pub
    #[arg(long, value_name = "PREFIX", default_value = "import-cosign")]
    output_key_prefix: String,
    /// Overwrite existing files
    #[arg(long, short)]
    yes: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let files = KeyPairFiles::new(&args.output_key_prefix);
    files.check_free(args.yes)?;
    files.write(&args.key.unencrypted()?)?;
    globals.output.print(&files)
}
