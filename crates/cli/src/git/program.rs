//! As git's signing program: what git gives is signed, or held against a signature.

use std::io::{self, Read, Write};
use std::path::Path;

use ::verify::{Verified, VerifyError};
use client::file;
use client::git::object::Content;
use client::git::{BoundSignature, GitSignature, allowed::NotAllowed};
use jiff::Timestamp;

use super::ProgramArgs;
use super::settings::Settings;
use super::signing::GitSigner;
use super::status::{Status, Whose};
use super::terminal::Terminal;
use super::{allowed, verify};
use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::online::{self, Threads};
use crate::output::say;

/// The longest object that is signed or verified. Messages are text that people write.
const MAX_CONTENT: u64 = 16 << 20;
/// The longest armored signature.
const MAX_ARMORED: u64 = 1 << 18;

pub(super) fn run(args: &ProgramArgs, globals: &Globals) -> Result<(), Failure> {
    let status = Status::to(args.status_fd)?;
    match &args.verify {
        Some(signature) => check(signature, args.input.as_deref(), status, globals),
        None if args.sign || args.detach_sign => {
            sign(args.input.as_deref(), status, globals).inspect_err(show)
        }
        None => Err(Failure::usage("it is not said what to do").hint(
            "have git sign with this program: bulla git setup. Verify a commit: bulla git verify",
        )),
    }
}

/// Older versions of git keep to themselves what their signing program says when it fails.
fn show(failure: &Failure) {
    Terminal::open().tell(failure.to_text().trim_end());
}

fn sign(input: Option<&Path>, mut status: Status, globals: &Globals) -> Result<(), Failure> {
    let content = read_content(input)?;
    let signer = GitSigner::prepare(Settings::read()?, globals)?;
    status.begin_signing();
    let signed = online::run(Threads::One, signer.sign(&content))?;
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(signed.armored.as_bytes())
        .and_then(|()| stdout.flush())
        .or_undecided("the signature cannot be given to git")?;
    status.created(&signed.certificate);
    Ok(())
}

fn check(
    signature: &Path,
    input: Option<&Path>,
    mut status: Status,
    globals: &Globals,
) -> Result<(), Failure> {
    status.new_signature();
    let (whose, result) = match read_signature(signature, input) {
        Ok((content, bound)) => (Whose::of(bound.certificate()), judge(&content, &bound, globals)),
        Err(refusal) => (Whose::nobody(), Err(refusal)),
    };
    match result {
        Ok(verified) => {
            let time = verified.times.first().map_or_else(Timestamp::now, |time| time.time);
            status.good(&whose, time);
            say(verify::sentence(&verified));
            Ok(())
        }
        Err((verdict, failure)) => {
            match verdict {
                Verdict::Bad => status.bad(&whose),
                Verdict::Unknown => status.unknown(&whose),
            }
            Err(failure)
        }
    }
}

/// What git is told of a signature that is not good.
enum Verdict {
    /// Something was altered: the object, or the signature.
    Bad,
    /// It may hold, but nobody vouches for its signer here, or nothing could be judged.
    Unknown,
}

fn judge(
    content: &Content,
    bound: &BoundSignature,
    globals: &Globals,
) -> Result<Verified, (Verdict, Failure)> {
    let unknown = |failure| (Verdict::Unknown, failure);
    let settings = Settings::read().map_err(unknown)?;
    let demands = settings.demands().map_err(unknown)?;
    let own = settings.program_globals(globals).map_err(unknown)?;
    let trust = demands.trusted_root(&own).map_err(unknown)?;
    let signers = allowed::read(&settings).map_err(unknown)?;
    let weaken = |policy| demands.weaken(policy);
    signers.judge(bound, content.kind(), &weaken, &trust).map_err(|error| {
        let verdict = match error {
            NotAllowed::Refused(VerifyError::Signature(_)) => Verdict::Bad,
            _ => Verdict::Unknown,
        };
        (verdict, verify::not_allowed("the signature", error, bound))
    })
}

fn read_signature(
    signature: &Path,
    input: Option<&Path>,
) -> Result<(Content, BoundSignature), (Verdict, Failure)> {
    const REFUSED: &str = "the signature is not verified";
    let unknown = |failure| (Verdict::Unknown, failure);
    let content = read_content(input).map_err(unknown)?;
    let armored =
        file::read(signature, MAX_ARMORED).map_err(Failure::undecided).map_err(unknown)?;
    let read = GitSignature::read(&armored).or_refused(REFUSED).map_err(unknown)?;
    let bound = read.bind(content.bytes()).or_refused(REFUSED);
    Ok((content, bound.map_err(|failure| (Verdict::Bad, failure))?))
}

fn read_content(input: Option<&Path>) -> Result<Content, Failure> {
    let bytes = match input.filter(|path| *path != Path::new("-")) {
        Some(path) => file::read(path, MAX_CONTENT).map_err(Failure::undecided)?,
        None => {
            let mut bytes = Vec::new();
            io::stdin()
                .take(MAX_CONTENT + 1)
                .read_to_end(&mut bytes)
                .or_undecided("what git gives cannot be read")?;
            if bytes.len() as u64 > MAX_CONTENT {
                let long = format!("what git gives is longer than {MAX_CONTENT} bytes");
                return Err(Failure::undecided(long));
            }
            bytes
        }
    };
    Content::new(bytes).map_err(Failure::refused)
}
