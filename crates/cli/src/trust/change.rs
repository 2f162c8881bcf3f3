//! `trust propose | sign | publish`: how an operator changes what clients trust. Proposed on the server's machine, signed
//! where the offline keys are, published on the server again; a running server notices within a minute.

use std::fmt;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use client::file;
use crypto::SigningKey;
use jiff::Timestamp;
use serde::Serialize;
use services::keys::{KeyDirectory, OfflineKey, Passphrase};
use services::layout::Layout;
use services::repo::change::{self, ChangeError, Signatures, TargetChanges};
use services::repo::{RepositoryError, Target};

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::key::KeyReference;
use crate::output::say;

/// The largest target: trust material has a few kilobytes.
const MAX_TARGET: u64 = 16 << 20;
/// The highest number of a holder whose key is looked for, as `init` makes them.
const MAX_HOLDERS: u8 = 16;

/// What was typed after `propose`.
#[derive(Debug, clap::Args)]
pub(crate) struct ProposeArgs {
    /// The directory to make, to be carried to the holders of offline keys
    proposal: PathBuf,
    /// The directory of the server
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    dir: PathBuf,
    /// Publish a file under a name, such as trusted_root.json=new.json; can be given several times
    #[arg(long, value_name = "NAME=FILE", conflicts_with = "root")]
    target: Vec<String>,
    /// Take a file away; can be given several times
    #[arg(long, value_name = "NAME", conflicts_with = "root")]
    remove_target: Vec<String>,
    /// Propose a new root instead of new files: the same for another year, or with other holders
    #[arg(long)]
    root: bool,
    /// Make the holder of this public key one of those who sign; can be given several times
    #[arg(long, value_name = "FILE", requires = "root")]
    add_holder: Vec<KeyReference>,
    /// Make the holder of this public key no longer one of those who sign; can be given several times
    #[arg(long, value_name = "FILE", requires = "root")]
    remove_holder: Vec<KeyReference>,
    /// How many holders must sign from then on
    #[arg(long, value_name = "NUMBER", requires = "root")]
    threshold: Option<NonZeroU64>,
}

/// What was typed after `sign`.
#[derive(Debug, clap::Args)]
pub(crate) struct SignArgs {
    /// The directory that was proposed
    proposal: PathBuf,
    /// The directory of offline keys that `init` made: all holders' keys in it sign
    #[arg(long, value_name = "DIRECTORY", required_unless_present = "key")]
    keys: Option<PathBuf>,
    /// The file with the passphrase of those keys; by default, passphrase in the same directory
    #[arg(long, value_name = "FILE", requires = "keys")]
    passphrase_file: Option<PathBuf>,
    /// A holder's key in cosign's format; can be given several times
    #[arg(long, value_name = "FILE|env://VARIABLE")]
    key: Vec<KeyReference>,
}

/// What was typed after `publish`.
#[derive(Debug, clap::Args)]
pub(crate) struct PublishArgs {
    /// The directory that was proposed and signed
    proposal: PathBuf,
    /// The directory of the server
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    dir: PathBuf,
}

pub(super) fn propose(args: &ProposeArgs, globals: &Globals) -> Result<(), Failure> {
    let repository = Layout::new(&args.dir).tuf();
    let now = Timestamp::now();
    if args.root {
        propose_root(args, &repository, now)?;
    } else {
        change::propose_targets(&repository, &args.proposal, &args.changes()?, now)
            .map_err(|error| failure("the change was not proposed", error))?;
    }
    say(format!("proposed in {}; next, where the keys are:", args.proposal.display()));
    say(format!("  bulla trust sign {} --keys DIRECTORY", args.proposal.display()));
    let standing = change::standing(&args.proposal)
        .map_err(|error| failure("the proposal cannot be read", error))?;
    globals.output.print(&Standing::new(standing))
}

fn propose_root(args: &ProposeArgs, repository: &Path, now: Timestamp) -> Result<(), Failure> {
    let keys = change::root_keys(repository);
    let mut keys = keys.map_err(|error| failure("the root cannot be read", error))?;
    for holder in &args.remove_holder {
        let key = holder.public()?;
        let before = keys.holders.len();
        keys.holders.retain(|other| *other != key);
        if keys.holders.len() == before {
            return Err(Failure::refused(format!("{holder} is no holder's key")));
        }
    }
    for holder in &args.add_holder {
        let key = holder.public()?;
        if !keys.holders.contains(&key) {
            keys.holders.push(key);
        }
    }
    keys.threshold = args.threshold.unwrap_or(keys.threshold);
    change::propose_root(repository, &args.proposal, &keys, now)
        .map_err(|error| failure("the new root was not proposed", error))
}

/// What it means that a change was not proposed, signed or published.
fn failure(doing: &str, error: ChangeError) -> Failure {
    let hint = match &error {
        ChangeError::Files(RepositoryError::Signature { .. }) => {
            Some("have more holders sign it: bulla trust sign PROPOSAL --keys DIRECTORY")
        }
        ChangeError::Files(RepositoryError::Io { .. }) => Some(
            "name the directory of the server with --dir DIRECTORY, and a proposal that bulla trust propose made",
        ),
        ChangeError::Stale { .. } => Some("propose the change again, in a new directory"),
        ChangeError::Known(_) => Some("look at the file again: every client would be given it"),
        ChangeError::TargetsVoid { .. } => {
            Some("propose the new root again: the targets that its holders must sign come with it")
        }
        ChangeError::NotAHolder { .. } => {
            Some("make the key a holder's first: bulla trust propose --root --add-holder FILE")
        }
        _ => None,
    };
    let failure = Failure::undecided_about(doing.to_owned(), error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

impl ProposeArgs {
    fn changes(&self) -> Result<TargetChanges, Failure> {
        let mut changes = TargetChanges::new();
        for target in &self.target {
            let (name, path) = target
                .split_once('=')
                .ok_or_else(|| Failure::usage(format!("{target} is not of the form NAME=FILE")))?;
            let contents = file::read(Path::new(path), MAX_TARGET).map_err(Failure::undecided)?;
            changes.insert(name.to_owned(), Some(Target::plain(contents)));
        }
        changes.extend(self.remove_target.iter().map(|name| (name.clone(), None)));
        Ok(changes)
    }
}

pub(super) fn sign(args: &SignArgs, globals: &Globals) -> Result<(), Failure> {
    let mut keys = args.key.iter().map(KeyReference::private).collect::<Result<Vec<_>, _>>()?;
    if let Some(directory) = &args.keys {
        keys.extend(holders(directory, args.passphrase_file.as_deref())?);
    }
    let standing = change::sign(&args.proposal, &keys)
        .map_err(|error| failure("the proposal was not signed", error))?;
    globals.output.print(&Standing::new(standing))
}

/// The keys of all holders that are in a directory of offline keys.
fn holders(directory: &Path, passphrase: Option<&Path>) -> Result<Vec<SigningKey>, Failure> {
    let passphrase = Passphrase::find(passphrase, directory)
        .or_undecided("the passphrase of the offline keys was not found")
        .map_err(|failure| failure.hint("name its file with --passphrase-file FILE"))?;
    let said = "the offline keys cannot be used";
    let keys = KeyDirectory::open(directory, &passphrase).or_undecided(said)?;
    (1..=MAX_HOLDERS)
        .map(OfflineKey::TufHolder)
        .filter(|holder| keys.contains(*holder))
        .map(|holder| keys.load(holder).or_undecided(said))
        .collect()
}

pub(super) fn publish(args: &PublishArgs, globals: &Globals) -> Result<(), Failure> {
    let repository = Layout::new(&args.dir).tuf();
    let published = change::publish(&args.proposal, &repository)
        .map_err(|error| failure("the proposal was not published", error))?;
    say("a running server announces it within a minute");
    globals.output.print(&Published { published })
}

/// Where a proposal stands.
#[derive(Serialize)]
struct Standing(Vec<RoleStanding>);

#[derive(Serialize)]
struct RoleStanding {
    role: &'static str,
    version: u64,
    signed: u64,
    threshold: u64,
}

impl Standing {
    fn new(signatures: Vec<Signatures>) -> Self {
        let one = |s: Signatures| RoleStanding {
            role: s.role,
            version: s.version,
            signed: s.signed,
            threshold: s.threshold,
        };
        Self(signatures.into_iter().map(one).collect())
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for RoleStanding { role, version, signed, threshold } in &self.0 {
            let next = if signed < threshold { "more must sign" } else { "can be published" };
            writeln!(f, "{role} {version}: {signed} of {threshold} signatures, {next}")?;
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Published {
    published: Vec<&'static str>,
}

impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "published: {}", self.published.join(", "))
    }
}
