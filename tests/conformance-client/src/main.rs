//! The client of the public sigstore-conformance suite: `sign-bundle` and `verify-bundle`, as its
//! `docs/cli_protocol.md` asks for them. The exit code is the answer; words go to stderr.

mod arguments;
mod files;
mod sign_bundle;
mod verify_bundle;

use std::error::Error;
use std::process::ExitCode;

use arguments::{Arguments, USAGE};

/// Any error. It captures no backtrace: that would cost as much as a verification.
type Failure = Box<dyn Error + Send + Sync>;

/// The error and its causes in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let causes =
        std::iter::successors(error.source(), |cause: &&(dyn Error + 'static)| (*cause).source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}

fn main() -> ExitCode {
    let Some(arguments) = Arguments::read(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let outcome = match arguments {
        Arguments::SignBundle(arguments) => sign_bundle::run(&arguments),
        Arguments::VerifyBundle(arguments) => verify_bundle::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}
