//! `public-key`: the public half of a key, as others need it to verify.

use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use client::file;
use crypto::PublicKey;
use serde::Serialize;
use services::keys::{KeyDirectory, KeyRole, OnlineKey, Passphrase};
use services::layout::Layout;

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::key::KeyReference;

/// Print the public half of a key
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The key: a private key in cosign's format, or a public key
    #[arg(long, value_name = "FILE|env://VARIABLE", required_unless_present = "role")]
    key: Option<KeyReference>,
    /// The key of a part of a server instead: ca, ct, rekor-v1, rekor-v2, tsa, idp, tuf-snapshot or tuf-timestamp
    #[arg(long, value_name = "PART", conflicts_with = "key")]
    role: Option<String>,
    /// The directory of that server
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    dir: PathBuf,
    /// The file with the passphrase of that server's keys
    #[arg(long, value_name = "FILE", requires = "role")]
    passphrase_file: Option<PathBuf>,
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

impl Args {
    fn public_key(&self) -> Result<PublicKey, Failure> {
        match (&self.key, &self.role) {
            (Some(key), _) => key.public(),
            (None, Some(role)) => self.key_of_server(role),
            (None, None) => Err(Failure::usage("no key is named")),
        }
    }

    fn key_of_server(&self, role: &str) -> Result<PublicKey, Failure> {
        let role = OnlineKey::ALL.iter().find(|key| key.name() == role).ok_or_else(|| {
            let parts: Vec<_> = OnlineKey::ALL.iter().map(|key| key.name()).collect();
            Failure::usage(format!("{role} is no part of a server with a key"))
                .hint(format!("name one of {}", parts.join(", ")))
        })?;
        let said = format!("the keys in {} cannot be used", self.dir.display());
        let passphrase =
            Passphrase::find(self.passphrase_file.as_deref(), &self.dir).or_undecided(&*said)?;
        let keys = KeyDirectory::open(&Layout::new(&self.dir).keys(), &passphrase);
        let key = keys.and_then(|keys| keys.load(*role)).or_undecided(&*said)?;
        Ok(key.public_key().clone())
    }
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let key = args.public_key()?;
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
