//! `git`: signs and verifies commits and tags, as git's own signing program and by itself.
//!
//! Git runs its signing program with arguments of GnuPG's and no others. The program's name alone must do as
//! `gpg.x509.program`, so that [`arguments`] turns what git says into this command.

mod agent;
mod allowed;
mod program;
mod settings;
mod setup;
mod signing;
mod status;
mod terminal;
mod verify;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Subcommand;

use crate::command_line::Globals;
use crate::failure::Failure;

/// Sign and verify commits and tags, as git's signing program
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, after_help = NOTES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    program: ProgramArgs,
}

const NOTES: &str = "\
Set it up in a repository: bulla git setup --write

Keys of git's configuration, all of them below bulla:
  bulla.trust             Whom to trust: a name or file (/… or ~/…), as --trust
  bulla.allowedSigners    Whose signatures count: a file (/… or ~/…), or one in
                          a ref by its full name (refs/remotes/origin/main:PATH)
  bulla.agent             Whether a certificate is used for more than one
                          signature (true)
  bulla.matchCommitter    Whether to sign only in the name of the committer's
                          e-mail address (false)
  bulla.rekor             The version of the log: v1 for readers that know no
                          other, such as gitsign
  bulla.timestamp         Whether to add a timestamp where the log says when
                          (false)
  bulla.oidcIssuer, bulla.oidcClientId, bulla.authFlow, bulla.signingConfig
  bulla.privateInfrastructure, bulla.insecureIgnoreTlog, bulla.insecureIgnoreSct
Of gitsign's environment, GITSIGN_ and SIGSTORE_ with OIDC_ISSUER and
OIDC_CLIENT_ID are read.

A list of allowed signers is TOML:
  [[signer]]
  identity = \"alice@example.com\"       # or identity-regexp
  issuer = \"https://accounts.example\"  # or issuer-regexp
  objects = [\"commit\", \"tag\"]          # without it, all that is signed
  valid-until = \"2026-06-30T00:00:00Z\" # and valid-from, by the times that logs
                                       # and authorities signed
Whoever can change the list decides whom you trust. It is never read from the
files that are checked out: their author would be asked whom to trust. With a
ref, all who can move that ref decide. Leave out identities that sign whatever
others give them: a file can be made whose signature is one of a commit.";

/// What GnuPG's arguments say.
#[derive(Debug, clap::Args)]
struct ProgramArgs {
    /// Sign what comes in (git says this)
    #[arg(long, short, hide = true)]
    sign: bool,
    /// Sign apart from what is signed (git says this)
    #[arg(long = "detach-sign", short = 'b', hide = true)]
    detach_sign: bool,
    /// Write text (git says this)
    #[arg(long, short, hide = true)]
    armor: bool,
    /// Whose key, which means nothing here (git says this)
    #[arg(long, short = 'u', value_name = "NAME", hide = true)]
    local_user: Option<String>,
    /// Verify a signature of what comes in (git says this)
    #[arg(long, value_name = "FILE", conflicts_with = "sign", hide = true)]
    verify: Option<PathBuf>,
    /// Where to tell git what came of it (git says this)
    #[arg(long, value_name = "FD", hide = true)]
    status_fd: Option<u32>,
    /// What was signed, or is to be (git says -)
    #[arg(value_name = "FILE", hide = true)]
    input: Option<PathBuf>,
}

/// What can be done.
#[derive(Debug, Subcommand)]
enum Command {
    /// Verify who signed commits and tags
    Verify(Box<verify::Args>),
    /// Have git sign and verify with this program
    Setup(setup::Args),
    /// Keep keys for as long as their certificates last (git starts it when it is needed)
    Agent(agent::Args),
}

/// The command line, where git itself wrote it: `bulla --status-fd=2 -bsau NAME` is `bulla git --status-fd=2 …`.
pub(crate) fn arguments(typed: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = typed.collect();
    let by_git = arguments.get(1).and_then(|first| first.to_str());
    if by_git.is_some_and(|first| first.starts_with("--status-fd=")) {
        arguments.insert(1, "git".into());
    }
    arguments
}

pub(crate) fn run(args: Args, globals: &Globals) -> Result<(), Failure> {
    match args.command {
        Some(Command::Verify(args)) => verify::run(*args, globals),
        Some(Command::Setup(args)) => setup::run(&args, globals),
        Some(Command::Agent(args)) => agent::run(&args, globals),
        None => program::run(&args.program, globals),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn parse(line: &str) -> ProgramArgs {
        let words = line.split(' ').map(OsString::from);
        let mut words = arguments(words);
        // The name of the command, which the program's own parser takes.
        assert_eq!(words.remove(1), "git");
        Line::try_parse_from(words).unwrap().args.program
    }

    #[test]
    fn what_git_says_is_understood() {
        let sign = parse("bulla --status-fd=2 -bsau Jane");
        assert!(sign.sign && sign.detach_sign && sign.armor);
        assert_eq!((sign.status_fd, sign.local_user.as_deref()), (Some(2), Some("Jane")));
        let verify = parse("bulla --status-fd=1 --verify /tmp/.git_vtag_tmp1 -");
        assert_eq!(verify.verify, Some("/tmp/.git_vtag_tmp1".into()));
        assert_eq!((verify.status_fd, verify.input), (Some(1), Some("-".into())));
    }

    #[test]
    fn what_a_person_types_is_left_alone() {
        let typed = ["bulla", "git", "verify"].map(OsString::from);
        assert_eq!(arguments(typed.clone().into_iter()), typed);
    }
}
