//! `login`: keeps a password for a registry, where docker, podman and cosign look for it, too.

use std::fmt;
use std::path::PathBuf;

use client::file::{self, Readers};
use oci::{AccessError, Credential, Credentials, Keeper, Reference, Registries};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::online::{self, Threads};
use crate::output::{say, secret};
use crate::registry::{ConnectionArgs, access_failure, user_name};

/// What people type.
const EXAMPLES: &str = "\
Examples:
  bulla login ghcr.io -u alice                      Asks for the password
  bulla login ghcr.io -u alice < token.txt          Reads it";

/// Keep a password for a registry
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The registry, such as ghcr.io or localhost:5000; by default Docker Hub
    #[arg(default_value = DOCKER_HUB, value_name = "REGISTRY", hide_default_value = true)]
    registry: String,
    /// Your name there
    #[arg(long, short, value_name = "NAME")]
    username: String,
    /// Read the password from the standard input, also from a terminal. It is never a part of the command line
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// The registry that is meant where none is named.
pub(crate) const DOCKER_HUB: &str = "docker.io";

/// What came of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    registry: String,
    user: String,
    /// The credential helper that has the password, where one has.
    #[serde(skip_serializing_if = "Option::is_none")]
    helper: Option<String>,
    configuration: PathBuf,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signed in to {} as {}", self.registry, self.user)
    }
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let registry = registry(&args.registry)?;
    user_name(&args.username)?;
    // Where nothing could be kept, nobody types a password.
    keeper()?;
    let password = password(args)?;
    let (keeper, helper) = online::run(Threads::One, async {
        check(args, &registry, &password).await?;
        // Others write the same file while somebody types and the registry thinks: it counts as it is now.
        let mut keeper = alone(keeper()?)?;
        let kept = keeper.keep(registry.registry(), &args.username, &password).await;
        let helper = kept.or_undecided("the password cannot be kept")?;
        write(&keeper)?;
        Ok((keeper, helper))
    })?;
    match &helper {
        Some(name) => say(format!("the credential helper {name} keeps the password")),
        None => say(format!(
            "the password is in {}, for everybody to read who can read that file; a credential helper keeps it better",
            keeper.path().display()
        )),
    }
    globals.output.print(&Report {
        registry: registry.registry().to_owned(),
        user: args.username.clone(),
        helper,
        configuration: keeper.path().to_owned(),
    })
}

/// Reads the name of a registry, as docker takes it: also as a URL.
pub(crate) fn registry(typed: &str) -> Result<Reference, Failure> {
    let bare = typed.strip_prefix("https://").or_else(|| typed.strip_prefix("http://"));
    let host = bare.unwrap_or(typed).split('/').next().unwrap_or_default();
    let wrong = || {
        Failure::usage(format!("{typed} is no registry"))
            .hint("name its host, such as ghcr.io or localhost:5000")
    };
    // What is no host would be the first part of a repository of Docker Hub.
    Reference::parse_repository(&format!("{host}/a/b"))
        .ok()
        .filter(|reference| reference.repository() == "a/b")
        .ok_or_else(wrong)
}

/// Docker's configuration.
pub(crate) fn keeper() -> Result<Keeper, Failure> {
    Keeper::of_user().or_undecided("what is kept for registries cannot be read")?.ok_or_else(|| {
        Failure::undecided("there is no place where passwords could be kept")
            .hint("set DOCKER_CONFIG to a directory, or HOME")
    })
}

/// Waits while another process writes it, and keeps others out.
pub(crate) fn alone(keeper: Keeper) -> Result<Keeper, Failure> {
    keeper.alone().or_undecided("what is kept for registries cannot be written")
}

/// Writes what was changed, for nobody else to read.
pub(crate) fn write(keeper: &Keeper) -> Result<(), Failure> {
    file::write(keeper.path(), &keeper.to_json(), Readers::Owner).map_err(Failure::undecided)
}

fn password(args: &Args) -> Result<Zeroizing<String>, Failure> {
    let prompt = (!args.password_stdin).then(|| format!("Password of {}", args.username));
    let password = secret(prompt.as_deref()).or_undecided("no password could be read")?;
    if password.is_empty() {
        return Err(Failure::usage("the password is empty")
            .hint("type it, or give it on the standard input: bulla login … < FILE"));
    }
    Ok(password)
}

/// Asks the registry whether the password is right, before it is kept.
async fn check(
    args: &Args,
    registry: &Reference,
    password: &Zeroizing<String>,
) -> Result<(), Failure> {
    let user = args.username.clone();
    let credential = Credential::Password { user, password: password.clone() };
    let credentials = Credentials::none().with(registry.registry(), credential);
    let settings = args.connection.settings(registry, credentials)?;
    match Registries::new(settings).sign_in(registry).await {
        Ok(true) => Ok(()),
        Ok(false) => {
            say("note: the registry did not ask who you are, so that the password is unchecked");
            Ok(())
        }
        Err(error @ AccessError::Unauthorized { .. }) => {
            let doing = format!("{} does not take this name and password", registry.registry());
            Err(Failure::because(doing, error).fact("check", "credentials").hint(
                "many registries want an access token instead of the password; make one on their page",
            ))
        }
        Err(error) => Err(access_failure(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_a_host() {
        let name = |typed: &str| registry(typed).map(|found| found.registry().to_owned()).ok();
        assert_eq!(name("ghcr.io").as_deref(), Some("ghcr.io"));
        assert_eq!(name("https://ghcr.io/v2/").as_deref(), Some("ghcr.io"));
        assert_eq!(name("localhost:5000").as_deref(), Some("localhost:5000"));
        for hub in ["docker.io", "index.docker.io", "https://index.docker.io/v1/"] {
            assert_eq!(name(hub), name(DOCKER_HUB), "{hub}");
        }
        for typed in ["", "alice", "https://", "a b.example", "/x"] {
            assert_eq!(name(typed), None, "{typed}");
        }
    }
}
