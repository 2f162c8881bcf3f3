//! `git setup`: the configuration with which git signs and verifies with this program.

use std::path::Path;

use client::git::repository::Repository;

use super::{allowed, settings};
use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::output::{print_text, say};

/// What was typed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Write the configuration instead of printing the commands that would
    #[arg(long)]
    write: bool,
    /// For all repositories of the user, not for this one
    #[arg(long)]
    global: bool,
    /// Whose signatures count: a file (/… or ~/…), or a file in a ref, such as refs/remotes/origin/main:PATH
    #[arg(long, value_name = "WHERE")]
    allowed_signers: Option<String>,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let pairs = pairs(args, globals)?;
    if !args.write {
        let commands: Vec<_> = pairs.iter().map(|pair| command(pair, args.global)).collect();
        return print_text(&commands.join("\n")).or_undecided("the commands cannot be printed");
    }
    for (key, value) in &pairs {
        Repository
            .configure(key, value, args.global)
            .or_undecided("git's configuration cannot be written")?;
    }
    say("git signs commits and tags with this program from now on");
    Ok(())
}

/// Keys and values.
fn pairs(args: &Args, globals: &Globals) -> Result<Vec<(&'static str, String)>, Failure> {
    let program = std::env::current_exe().unwrap_or_else(|_| Path::new("bulla").to_owned());
    let mut pairs = vec![
        ("gpg.format", "x509".to_owned()),
        ("gpg.x509.program", program.display().to_string()),
        ("commit.gpgSign", "true".to_owned()),
        ("tag.gpgSign", "true".to_owned()),
    ];
    if let Some(trust) = &globals.trust {
        pairs.push(("bulla.trust", settings::absolute(trust)?));
    }
    if let Some(place) = &args.allowed_signers {
        pairs.push(("bulla.allowedSigners", allowed::full_name(place)?));
    }
    Ok(pairs)
}

fn command((key, value): &(&'static str, String), global: bool) -> String {
    let place = if global { " --global" } else { "" };
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:@".contains(c);
    if value.chars().all(plain) {
        format!("git config{place} {key} {value}")
    } else {
        format!("git config{place} {key} '{}'", value.replace('\'', r"'\''"))
    }
}
