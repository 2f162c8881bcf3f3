//! `trust`: which Sigstore a user trusts, and (for operators) what an own one is trusted for.

mod change;

use std::fmt;
use std::path::PathBuf;

use client::file::{self, Readers};
use client::trust::{PUBLIC_GOOD, TrustEntry, TrustStore};
use jiff::Timestamp;
use serde::Serialize;
use url::Url;

use crate::command_line::Globals;
use crate::failure::Failure;
use crate::failure::OrFail;
use crate::online::{self, Threads};
use crate::output::{print_text, say};
use crate::trusting::{self, failure};

/// Choose which Sigstore to trust, and change what an own one is trusted for
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// Trust the Sigstore at a URL, if its first root has the fingerprint that its operator told you
    Add(AddArgs),
    /// List the Sigstores that are trusted, the default first
    List,
    /// Forget a Sigstore
    Remove(NameArgs),
    /// Fetch what is new of one Sigstore, or of the default
    Update(UpdateArgs),
    /// Print the trusted root, or write all trust material into a directory
    Show(ShowArgs),
    /// For operators: propose a change of what clients of a server trust
    Propose(change::ProposeArgs),
    /// For holders of offline keys: sign a proposal
    Sign(change::SignArgs),
    /// For operators: publish a proposal that enough holders have signed
    Publish(change::PublishArgs),
}

/// What was typed after `add`.
#[derive(Debug, clap::Args)]
pub(crate) struct AddArgs {
    /// Its public URL, or that of its TUF repository
    url: Url,
    /// SHA256: and the hexadecimal SHA-256 of its first root, as `bulla init` printed it
    #[arg(long, value_name = "SHA256:HEX")]
    fingerprint: String,
}

/// What was typed after `remove`.
#[derive(Debug, clap::Args)]
pub(crate) struct NameArgs {
    /// Its name, as `trust list` prints it
    name: String,
}

/// What was typed after `update`.
#[derive(Debug, clap::Args)]
pub(crate) struct UpdateArgs {
    /// Its name, as `trust list` prints it
    name: Option<String>,
}

/// What was typed after `show`.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// Write trusted_root.json and the signing configs into this directory
    #[arg(long, value_name = "DIRECTORY")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let store = TrustStore::of_user();
    match args {
        Args::Add(args) => {
            let entry = online::run(Threads::One, async {
                store.add(&args.url, &args.fingerprint, Timestamp::now()).await.map_err(failure)
            })?;
            if !store.outlasts(&entry.name) {
                return Err(trusting::not_kept(&entry.name));
            }
            say(format!("{} is trusted, and the default from now on", entry.name));
            globals.output.print(&Entries(vec![entry.into()]))
        }
        Args::List => {
            let entries = store.list().map_err(failure)?;
            if entries.is_empty() {
                say(format!(
                    "none was added, so that the public-good instance ({PUBLIC_GOOD}) is the one trusted"
                ));
            }
            if entries.iter().all(|entry| entry.name != PUBLIC_GOOD) && !entries.is_empty() {
                say(format!(
                    "the public-good instance is trusted where --trust {PUBLIC_GOOD} says so"
                ));
            }
            globals.output.print(&Entries(entries.into_iter().map(Into::into).collect()))
        }
        Args::Remove(args) => {
            store.remove(&args.name).map_err(failure)?;
            say(format!("{} is forgotten", args.name));
            Ok(())
        }
        Args::Update(args) => {
            let name = args.name.as_deref().or(globals.trust.as_deref());
            let entry = online::run(Threads::One, async {
                store.update(name, Timestamp::now()).await.map_err(failure)
            })?;
            if !store.outlasts(&entry.name) {
                return Err(trusting::not_kept(&entry.name));
            }
            globals.output.print(&Entries(vec![entry.into()]))
        }
        Args::Show(args) => show(args, globals),
        Args::Propose(args) => change::propose(args, globals),
        Args::Sign(args) => change::sign(args, globals),
        Args::Publish(args) => change::publish(args, globals),
    }
}

fn show(args: &ShowArgs, globals: &Globals) -> Result<(), Failure> {
    let trusting = trusting::load(globals, None)?;
    let Some(directory) = &args.out else {
        let root = String::from_utf8_lossy(trusting.root_bytes()).into_owned();
        return print_text(&root).or_undecided("the trusted root cannot be printed");
    };
    std::fs::create_dir_all(directory)
        .or_undecided(format!("{} cannot be made", directory.display()))?;
    for (name, contents) in trusting.files() {
        file::write(&directory.join(name), contents, Readers::Everyone)
            .map_err(Failure::undecided)?;
        say(format!("wrote {}", directory.join(name).display()));
    }
    Ok(())
}

/// Sigstores that are trusted.
#[derive(Serialize)]
struct Entries(Vec<Entry>);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: String,
    url: Url,
    fingerprint: String,
    default: bool,
    updated: Timestamp,
    roles: Vec<Role>,
}

#[derive(Serialize)]
struct Role {
    name: String,
    version: u64,
    expires: Timestamp,
}

impl From<TrustEntry> for Entry {
    fn from(entry: TrustEntry) -> Self {
        let roles = entry.roles.into_iter();
        Self {
            name: entry.name,
            url: entry.url,
            fingerprint: entry.fingerprint,
            default: entry.default,
            updated: entry.updated,
            roles: roles.map(|(name, version, expires)| Role { name, version, expires }).collect(),
        }
    }
}

impl fmt::Display for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.0 {
            let default = if entry.default { " (default)" } else { "" };
            writeln!(f, "{}{default}", entry.name)?;
            writeln!(f, "  url          {}", entry.url)?;
            writeln!(f, "  fingerprint  {}", entry.fingerprint)?;
            writeln!(f, "  updated      {}", entry.updated.strftime("%Y-%m-%d %H:%M UTC"))?;
            for Role { name, version, expires } in &entry.roles {
                let day = expires.strftime("%Y-%m-%d");
                writeln!(f, "  {name:<11}  version {version}, until {day}")?;
            }
        }
        Ok(())
    }
}
