//! `public-key`: the public half of a key, as others need it to verify.

use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use client::file;
use serde::Serialize;

use crate::command_line::Globals;
use crate::failure::Failure;
use crate::key::KeyReference;

/// What was typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The key: a private key in cosign's format, or a public key
    #[arg(long, value_name = "FILE|env://VARIABLE")]
    key: KeyReference,
    /// Write it to a file
    #[arg(long, value_name = "FILE")]
    outfile: Option<PathBuf>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    public_key: String,
    kind: String,
    /// As in the bundles that the key signs.
    hint: String,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.public_key)
    }
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let key = args.key.public()?;
    if let Some(path) = &args.outfile {
        return file::write(path, key.to_pem().as_bytes(), file::Readers::Everyone)
            .map_err(Failure::undecided);
    }
    globals.output.print(&Report {
        public_key: key.to_pem(),
        kind: key.kind().to_string(),
        hint: STANDARD.encode(crypto::sha256(key.spki_der())),
    })
}
