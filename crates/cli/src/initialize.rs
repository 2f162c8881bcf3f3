//! `initialize`: what cosign's command of this name does, for our store.

use std::path::PathBuf;

use client::file;
use client::trust::{PUBLIC_GOOD, TrustStore};
use jiff::Timestamp;
use url::Url;

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::online::{self, Threads};
use crate::output::say;
use crate::trusting::{self, failure};

/// The largest root metadata, as TUF clients read it.
const MAX_ROOT: u64 = 512 * 1024;

/// Trust the Sigstore of a TUF repository, with cosign's flags
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The URL of the TUF repository; without it, the public-good instance becomes up to date
    #[arg(long, value_name = "URL", requires = "trusted")]
    mirror: Option<Url>,
    /// A file with the first root to trust
    #[arg(long, value_name = "FILE", group = "trusted", requires = "mirror")]
    root: Option<PathBuf>,
    /// The SHA-256 of the first root to trust, as SHA256:HEX, sha256:HEX or HEX
    #[arg(long, value_name = "CHECKSUM", group = "trusted", requires = "mirror")]
    root_checksum: Option<String>,
}

pub(crate) fn run(args: &Args, _: &Globals) -> Result<(), Failure> {
    let store = TrustStore::of_user();
    let fingerprint = args.fingerprint()?;
    let entry = online::run(Threads::One, async {
        let now = Timestamp::now();
        match (&args.mirror, fingerprint) {
            (Some(url), Some(fingerprint)) => {
                store.add(url, &fingerprint, now).await.map_err(failure)
            }
            _ => store.update(Some(PUBLIC_GOOD), now).await.map_err(failure),
        }
    })?;
    if !store.outlasts(&entry.name) {
        return Err(trusting::not_kept(&entry.name));
    }
    say(format!("{} is trusted", entry.name));
    Ok(())
}

impl Args {
    /// The fingerprint of the first root: given, or that of the file.
    fn fingerprint(&self) -> Result<Option<String>, Failure> {
        if let Some(path) = &self.root {
            let root = file::read(path, MAX_ROOT).map_err(Failure::undecided)?;
            return Ok(Some(format!("SHA256:{}", hex::encode(crypto::sha256(&root)))));
        }
        self.root_checksum.as_deref().map(fingerprint).transpose()
    }
}

/// cosign writes a checksum with a small prefix or without one.
fn fingerprint(checksum: &str) -> Result<String, Failure> {
    let digits = checksum.split_once(':').map_or(Some(checksum), |(name, digits)| {
        name.eq_ignore_ascii_case("sha256").then_some(digits)
    });
    let mut digest = [0; 32];
    digits
        .ok_or("it begins with another name than sha256".into())
        .and_then(|digits| hex::decode_to_slice(digits, &mut digest).map_err(|e| e.to_string()))
        .or_usage(format!("{checksum} is not a SHA-256 checksum"))?;
    Ok(format!("SHA256:{}", hex::encode(digest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_may_be_written_in_three_ways() {
        let hex = "ab".repeat(32);
        for text in [hex.clone(), format!("sha256:{hex}"), format!("SHA256:{hex}")] {
            assert_eq!(fingerprint(&text).unwrap(), format!("SHA256:{hex}"));
        }
        for text in ["", "ab", &format!("sha512:{hex}"), &hex[2..]] {
            fingerprint(text).unwrap_err();
        }
    }
}
