//! bulla: all of Sigstore in one binary.
//!
//! One file per command. What was typed is [`command_line`]; how a command ends is [`failure`]; what it
//! prints is [`output`]. Commands that stay on this machine start no runtime and open no socket.

#![allow(
    rustdoc::bare_urls,
    rustdoc::broken_intra_doc_links,
    rustdoc::invalid_html_tags,
    reason = "doc comments of arguments are help texts for a terminal"
)]

mod annotation;
mod command_line;
mod condition;
mod copying;
mod delivery;
mod directories;
mod failure;
mod foreign_flag;
mod identity;
mod image_refusal;
mod image_signing;
mod image_verdict;
mod image_verifying;
mod input;
mod key;
mod model;
mod next_step;
mod online;
mod output;
mod own_authority;
mod policy;
mod proof_place;
mod refusal;
mod registry;
mod release;
mod selection;
mod signer;
mod signing;
mod specification;
mod statements;
mod trusting;
mod verifying;
mod whole_statement;

mod attach;
mod attest;
mod attest_blob;
mod bundle;
mod clean;
mod completion;
mod config;
mod config_show;
mod copy;
mod download;
mod env;
mod generate_key_pair;
mod git;
mod import_key_pair;
mod init;
mod initialize;
mod load;
mod login;
mod logout;
mod public_key;
mod quickstart;
mod save;
mod serve;
mod sign;
mod sign_blob;
mod sign_model;
mod signing_config;
mod tree;
mod triangulate;
mod trust;
mod trusted_root;
mod user;
mod verify;
mod verify_attestation;
mod verify_blob;
mod verify_blob_attestation;
mod verify_model;
mod version;

use std::process::ExitCode;

use clap::Parser;

use command_line::CommandLine;
use output::Format;

/// Memory is made on one thread of the server and freed on another all the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = git::arguments(std::env::args_os());
    let CommandLine { globals, command } = match CommandLine::try_parse_from(arguments) {
        Ok(typed) => typed,
        Err(error) => return not_understood(&error),
    };
    if globals.verbose {
        output::trace_steps();
    }
    match command.run(&globals) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report(globals.output);
            failure.exit_code()
        }
    }
}

/// Says what cannot be understood; help and the version, which clap counts among that, are no failures.
fn not_understood(error: &clap::Error) -> ExitCode {
    match foreign_flag::explain(error) {
        Some(failure) => {
            failure.report(Format::Text);
            failure.exit_code()
        }
        None => error.exit(),
    }
}
