//! Work on the project itself: `cargo xtask ci` does what a change must pass, in the order in which it fails fastest.

mod house;
mod tidy;

use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

/// What a change must pass, and the command that repeats each step alone.
const STEPS: &[(&str, &[&str])] = &[
    ("fmt", &["fmt", "--all", "--check"]),
    ("clippy", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    ("house, tidy", &["test", "--quiet", "--package", "xtask"]),
    ("test", &["test", "--workspace"]),
    ("doc", &["doc", "--workspace", "--no-deps"]),
    ("deny", &["deny", "check", "bans", "licenses", "sources"]),
];

fn main() -> ExitCode {
    let command = std::env::args().nth(1);
    let outcome = match command.as_deref() {
        Some("ci") => ci(),
        _ => {
            eprintln!("usage: cargo xtask ci");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn ci() -> anyhow::Result<()> {
    for (name, arguments) in STEPS {
        eprintln!("── {name}");
        let status = Command::new(env!("CARGO"))
            .args(*arguments)
            .env("RUSTDOCFLAGS", "-D warnings")
            .status()
            .context("cargo could not be started")?;
        if !status.success() {
            bail!("{name} failed; repeat it with `cargo {}`", arguments.join(" "));
        }
    }
    Ok(())
}
