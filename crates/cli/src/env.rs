//! `env`: what another client needs to use the Sigstore that is trusted here: variables, files, commands.
//!
//! What is printed is a shell script (or, for CI systems, YAML) that does no more than it says.

mod gitsign;
mod recipe;

use std::path::{Path, PathBuf};

use client::file::{self, Readers};
use client::trust::TrustStore;
use wire::client_trust_config::ClientTrustConfig;

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::output::{print_text, say};
use crate::trusting::{self, Trusting};
use recipe::{Facts, Recipe};

/// Print what another client needs to use this Sigstore
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The client: cosign, gitsign, sigstore-python, sigstore-js, github or gitlab
    #[arg(long = "for", value_enum, value_name = "CLIENT", hide_possible_values = true)]
    client: Client,
    /// Where to write the files that the client needs; by default, among the data of the user
    #[arg(long, value_name = "DIRECTORY")]
    out: Option<PathBuf>,
}

/// A client that is not ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
enum Client {
    Cosign,
    Gitsign,
    SigstorePython,
    SigstoreJs,
    Github,
    Gitlab,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let trusting = trusting::load(globals, None)?;
    let entries = TrustStore::of_user().list().map_err(trusting::failure)?;
    let entry =
        entries.into_iter().find(|entry| entry.name == trusting.name()).ok_or_else(|| {
            Failure::undecided(format!("{} is not a Sigstore that was added", trusting.name()))
                .hint("add yours with: bulla trust add URL --fingerprint SHA256:…")
        })?;
    let directory = match &args.out {
        Some(directory) => directory.clone(),
        None => default_directory(trusting.name())?,
    };
    let first_root = std::str::from_utf8(&entry.first_root);
    let facts = Facts {
        first_root: first_root
            .or_undecided(format!("the first root of {} is no text", entry.name))?,
        name: &entry.name,
        tuf: entry.url.as_str().trim_end_matches('/'),
        fingerprint: &entry.fingerprint,
        directory: &directory,
        has_tls_authority: trusting.files().any(|(name, _)| name == "tls_ca.pem"),
    };
    let recipe = match args.client {
        Client::Cosign => recipe::cosign(&facts),
        Client::Gitsign => gitsign::recipe(&facts, gitsign::Needs::find(&trusting)?),
        Client::SigstorePython => recipe::sigstore_python(&facts),
        Client::SigstoreJs => recipe::sigstore_js(&facts),
        Client::Github => recipe::github(&facts),
        Client::Gitlab => recipe::gitlab(&facts),
    };
    let Recipe { text, needs_files, files } = recipe;
    if needs_files {
        write_files(&trusting, &directory, &files)?;
    }
    print_text(&text).or_undecided("the variables cannot be printed")
}

/// `$XDG_DATA_HOME/bulla/clients/NAME`.
fn default_directory(name: &str) -> Result<PathBuf, Failure> {
    let data =
        std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/share"));
    let data = data.or_else(home).ok_or_else(|| {
        Failure::undecided("there is no home directory for files")
            .hint("say where they shall be written with --out DIRECTORY")
    })?;
    Ok(data.join("bulla/clients").join(name))
}

fn write_files(
    trusting: &Trusting,
    directory: &Path,
    more: &[(&'static str, String)],
) -> Result<(), Failure> {
    std::fs::create_dir_all(directory)
        .or_undecided(format!("{} cannot be made", directory.display()))?;
    let write = |name: &str, contents: &[u8]| {
        file::write(&directory.join(name), contents, Readers::Everyone).map_err(Failure::undecided)
    };
    let more = more.iter().map(|(name, contents)| (*name, contents.as_bytes()));
    for (name, contents) in trusting.files().chain(more) {
        write(name, contents)?;
    }
    let config = ClientTrustConfig {
        trusted_root: trusting.root()?,
        signing_config: trusting.signing_config(None)?,
    };
    write("client_trust_config.json", config.to_json().as_bytes())?;
    say(format!("wrote the files it needs into {}", directory.display()));
    Ok(())
}
