//! `user`: who can sign in at the identity provider of a directory. A running server sees a change at the next sign-in.

use std::fmt;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;
use services::idp::{User, UserFile, UserFileError};
use zeroize::Zeroizing;

use crate::command_line::Globals;
use crate::config::{Config, ConfigError};
use crate::failure::{Failure, OrFail};
use crate::output::say;

/// The variable for a password, for scripts.
const PASSWORD_VARIABLE: &str = "BULLA_PASSWORD";

/// Manage who can sign in at the identity provider of a directory
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// Add someone, with a password that is asked for (or taken from BULLA_PASSWORD)
    Add(UserArgs),
    /// Give someone another password, which ends the sessions made with the old one
    Passwd(UserArgs),
    /// Remove someone; what they signed stays valid
    Remove(UserArgs),
    /// List everyone
    List(DirectoryArgs),
}

/// Whom, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct UserArgs {
    /// The e-mail address, which is also the name to sign in with
    email: String,
    #[command(flatten)]
    place: DirectoryArgs,
}

/// Where.
#[derive(Debug, clap::Args)]
pub(crate) struct DirectoryArgs {
    /// The directory of the server
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    dir: PathBuf,
}

impl DirectoryArgs {
    fn file(&self) -> Result<UserFile, Failure> {
        let config = Config::read(&self.dir).map_err(|error| {
            let hint = match &error {
                ConfigError::Read { .. } => {
                    "name the directory that bulla init made with --dir DIR"
                }
                other => other.hint(),
            };
            Failure::usage(error).hint(hint)
        })?;
        Ok(UserFile::at(&self.dir.join(&config.idp.users)))
    }
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    match args {
        Args::Add(UserArgs { email, place }) => {
            let file = place.file()?;
            let password = new_password(email)?;
            file.add(email, &password, Timestamp::now())
                .map_err(|error| failure(format!("{email} was not added"), error))?;
            say(format!("{email} can sign in"));
        }
        Args::Passwd(UserArgs { email, place }) => {
            let file = place.file()?;
            let password = new_password(email)?;
            file.set_password(email, &password).map_err(|error| {
                failure(format!("the password of {email} was not changed"), error)
            })?;
            say(format!("{email} has a new password"));
        }
        Args::Remove(UserArgs { email, place }) => {
            let removed = place.file()?.remove(email);
            removed.map_err(|error| failure(format!("{email} was not removed"), error))?;
            say(format!("{email} can no longer sign in"));
        }
        Args::List(place) => {
            let users = place.file()?.list();
            let users =
                users.map_err(|error| failure("the users cannot be listed".into(), error))?;
            return globals.output.print(&Users(users.into_iter().map(Into::into).collect()));
        }
    }
    Ok(())
}

/// What it means that a user was not added, changed or removed.
fn failure(doing: String, error: UserFileError) -> Failure {
    match &error {
        UserFileError::Taken { .. } => Failure::because(doing, error)
            .hint("give them another password with bulla user passwd, or remove them first"),
        UserFileError::Unknown { .. } => {
            Failure::because(doing, error).hint("see who is there with bulla user list")
        }
        UserFileError::Password => Failure::because(doing, error)
            .hint("choose a longer one: a few words are easy to keep in mind"),
        UserFileError::Email { .. } => Failure::because(doing, error)
            .hint("write the whole address, such as alice@example.com: certificates bear it"),
        UserFileError::Exposed { .. } => {
            Failure::undecided_about(doing, error).hint("take that right from them: chmod 600 FILE")
        }
        _ => Failure::undecided_about(doing, error),
    }
}

/// The variable, else asked for twice, else a line of the standard input.
fn new_password(email: &str) -> Result<Zeroizing<String>, Failure> {
    if let Ok(password) = std::env::var(PASSWORD_VARIABLE) {
        return Ok(Zeroizing::new(password));
    }
    if !io::stdin().is_terminal() {
        let mut line = Zeroizing::new(String::new());
        io::stdin().read_line(&mut line).or_undecided("no password could be read")?;
        return Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()));
    }
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt)
            .map(Zeroizing::new)
            .or_undecided("no password could be read")
    };
    let first = ask(&format!("New password of {email}: "))?;
    if ask("Once more: ")? == first {
        Ok(first)
    } else {
        Err(Failure::usage("the two passwords differ"))
    }
}

#[derive(Serialize)]
struct Users(Vec<Listed>);

#[derive(Serialize)]
struct Listed {
    email: String,
    id: String,
    created: Timestamp,
}

impl From<User> for Listed {
    fn from(user: User) -> Self {
        Self { email: user.email, id: user.id, created: user.created }
    }
}

impl fmt::Display for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|user| {
            writeln!(f, "{}  since {}", user.email, user.created.strftime("%Y-%m-%d"))
        })
    }
}
