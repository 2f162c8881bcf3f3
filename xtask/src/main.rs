//! Work on the project itself: `cargo xtask ci` does what a change must pass, in the order in which it
//! fails fastest; `cargo xtask bench` measures.

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
        Some("bench") => bench(),
        _ => {
            eprintln!("usage: cargo xtask ci | bench [--quick]");
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

/// Builds everything with optimisation and measures it.
fn bench() -> anyhow::Result<()> {
    cargo(&["build", "--release", "--workspace"])?;
    let flags: Vec<String> = std::env::args().skip(2).collect();
    let run = ["run", "--release", "--quiet", "--package", "bench", "--"];
    cargo(&[&run[..], &flags.iter().map(String::as_str).collect::<Vec<_>>()].concat())
}

fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(arguments)
        .env("RUSTDOCFLAGS", "-D warnings")
        .status()
        .context("cargo could not be started")?;
    if !status.success() {
        bail!("repeat it with `cargo {}`", arguments.join(" "));
    }
    Ok(())
}

fn ci() -> anyhow::Result<()> {
    for (name, arguments) in STEPS {
        eprintln!("── {name}");
        cargo(arguments).with_context(|| format!("{name} failed"))?;
    }
    Ok(())
}
