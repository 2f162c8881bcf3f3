//! `git verify`: whether somebody signed commits or tags.

use std::fmt;

use ::verify::{LogError, Policy, Verified, VerifyError};
use client::git::allowed::{AllowedSigners, NotAllowed, name};
use client::git::object::{ObjectFormat, ObjectKind, Parts};
use client::git::repository::{Object, Repository, RepositoryError};
use client::git::{BoundSignature, GitSignature};
use serde::Serialize;
use wire::trusted_root::TrustedRoot;

use super::allowed;
use super::settings::Settings;
use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::output::say;
use crate::refusal;
use crate::signer::{Signer, SignerArgs};
use crate::verifying::{DemandArgs, EntryReport, SignerReport, TimeReport};

/// What was typed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Commits and tags, or ranges of commits such as main..HEAD
    #[arg(value_name = "REV|RANGE", default_value = "HEAD")]
    revisions: Vec<String>,
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten)]
    demands: DemandArgs,
}

/// Whose signatures count.
enum Whose {
    /// Those of the repository's list.
    Allowed(AllowedSigners),
    /// One signer's.
    Policy(Box<Policy>),
}

/// What was verified.
#[derive(Serialize)]
struct Report {
    verified: Vec<VerifiedObject>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VerifiedObject {
    object: String,
    kind: String,
    /// What a tag says that it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    signer: SignerReport,
    times: Vec<TimeReport>,
    log_entries: Vec<EntryReport>,
}

pub(super) fn run(args: Args, globals: &Globals) -> Result<(), Failure> {
    let settings = Settings::read()?;
    let demands = args.demands.joined(settings.demands()?);
    let trust = demands.trusted_root(&settings.globals(globals))?;
    let whose = match args.signer.is_empty() {
        true => Whose::Allowed(allowed::read(&settings)?),
        false => Whose::Policy(Box::new(demands.policy(&identity(args.signer)?)?)),
    };
    let judge = Judge { whose, demands, trust, format: format()? };
    let mut failures = Vec::new();
    let mut report = Report { verified: Vec::new() };
    for name in names(&args.revisions)? {
        match judge.judge(&name) {
            Ok(object) => report.verified.push(object),
            Err(failure) => failures.push(failure),
        }
    }
    let mut failures = failures.into_iter();
    let Some(first) = failures.next() else {
        say("Verified OK");
        return globals.output.print(&report);
    };
    let (more, good) = (failures.len(), report.verified.len());
    failures.for_each(|failure| say(failure.to_text().trim_end()));
    if more + good == 0 {
        return Err(first);
    }
    Err(first.fact("verified", good.to_string()).fact("not verified", (more + 1).to_string()))
}

/// Git objects are signed in somebody's name.
fn identity(args: SignerArgs) -> Result<Signer, Failure> {
    match Signer::try_from(args)? {
        Signer::Key(_) => Err(Failure::usage(
            "signatures of git objects are made in somebody's name, not with a key",
        )
        .hint("name the signer: --certificate-identity NAME and --certificate-oidc-issuer URL")),
        signer => Ok(signer),
    }
}

fn format() -> Result<ObjectFormat, Failure> {
    Repository.format().or_undecided("the repository cannot be read")
}

/// What was typed, with ranges taken apart.
fn names(revisions: &[String]) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for revision in revisions {
        if revision.contains("..") {
            names.extend(Repository.range(revision).map_err(unreadable)?);
        } else {
            Repository.check_unambiguous(revision).map_err(unreadable)?;
            names.push(revision.clone());
        }
    }
    if names.is_empty() {
        // Nothing is not a good answer to "are all of them good".
        return Err(Failure::refused("there is no commit in that range"));
    }
    Ok(names)
}

fn unreadable(error: RepositoryError) -> Failure {
    let hint = match &error {
        RepositoryError::Ambiguous { .. } => "write the ref's full name, such as refs/heads/main",
        RepositoryError::Shallow(_) => "get the rest of the history with: git fetch --unshallow",
        _ => return Failure::undecided(error),
    };
    Failure::undecided(error).hint(hint)
}

struct Judge {
    whose: Whose,
    demands: DemandArgs,
    trust: TrustedRoot,
    format: ObjectFormat,
}

impl Judge {
    fn judge(&self, name: &str) -> Result<VerifiedObject, Failure> {
        let object = Repository.object(name).or_undecided(format!("{name} cannot be read"))?;
        let what = format!("{} {}", object.kind, object.id);
        let refused = || format!("{what} is not verified");
        let parts = Parts::of(&object.bytes, self.format).or_refused(refused())?;
        check_kind(&object, parts.content.kind())?;
        check_name(name, &object, parts.content.tag_name())?;
        let signature = GitSignature::read(&parts.signature).or_refused(refused())?;
        let bound = signature.bind(parts.content.bytes()).or_refused(refused())?;
        let verified = match &self.whose {
            Whose::Allowed(signers) => {
                let weaken = |policy| self.demands.weaken(policy);
                signers
                    .judge(&bound, parts.content.kind(), &weaken, &self.trust)
                    .map_err(|error| not_allowed(&what, error, &bound))?
            }
            Whose::Policy(policy) => bound
                .verify(policy, &self.trust)
                .map_err(|error| refused_by_verifier(&what, error, &bound))?,
        };
        Ok(VerifiedObject::new(object, parts.content.tag_name(), &verified))
    }
}

/// A file may hold the bytes of a signed commit. It is none.
fn check_kind(object: &Object, kind: ObjectKind) -> Result<(), Failure> {
    match (object.kind.as_str(), kind) {
        ("commit", ObjectKind::Commit) | ("tag", ObjectKind::Tag) => Ok(()),
        (found, _) => {
            Err(Failure::refused(format!("{} is a {found}, not a commit or tag", object.id)))
        }
    }
}

/// A tag is signed with its name in it. Whoever can push could put an old one under a new name.
fn check_name(typed: &str, object: &Object, signed: Option<&str>) -> Result<(), Failure> {
    let name = typed.trim_start_matches("refs/").trim_start_matches("tags/");
    let Some(signed) = signed.filter(|signed| *signed != name) else { return Ok(()) };
    let reference = Repository.reference(&format!("refs/tags/{name}"));
    match reference.or_undecided("the repository cannot be read")? {
        Some(id) if id == object.id => Err(Failure::refused(format!(
            "the tag {name} was signed under another name"
        ))
        .fact("check", "tag-name")
        .fact("expected", name)
        .fact("found", signed)
        .hint(
            "somebody gave an old tag a new name; verify it by the name in it, or ask whoever tags",
        )),
        _ => Ok(()),
    }
}

/// Why a signature does not count.
pub(super) fn not_allowed(what: &str, error: NotAllowed, bound: &BoundSignature) -> Failure {
    match error {
        NotAllowed::Refused(error) => refused_by_verifier(what, error, bound),
        other => {
            let stranger = matches!(other, NotAllowed::Stranger { .. });
            let failure = Failure::because(format!("{what} does not count"), other)
                .fact("check", "allowed-signer");
            match stranger {
                true => {
                    failure.hint("whom you trust is in the list that bulla.allowedSigners names")
                }
                false => failure,
            }
        }
    }
}

fn refused_by_verifier(what: &str, error: VerifyError, bound: &BoundSignature) -> Failure {
    let apart = matches!(error, VerifyError::Log(LogError::NoEntry { .. }))
        && bound.bundle().material.entries.is_empty();
    let failure = refusal::failure(what, error);
    match apart {
        true => failure.hint(
            "the signer kept the log's proof apart from the signature (gitsign does unless gitsign.rekorMode is offline): \
             have it signed again, with the proof in it",
        ),
        false => failure,
    }
}

/// Who signed, when, and where that can be seen.
pub(super) fn sentence(verified: &Verified) -> String {
    let (identity, issuer) = name(verified);
    let mut text = format!("good signature by {identity} (vouched for by {issuer})");
    for time in &verified.times {
        text.push_str(&format!("\n  at {}", TimeReport::new(time)));
    }
    for entry in &verified.entries {
        text.push_str(&format!("\n  entry {} in {}", entry.index, entry.log));
    }
    text
}

impl VerifiedObject {
    fn new(object: Object, name: Option<&str>, verified: &Verified) -> Self {
        Self {
            object: object.id,
            kind: object.kind,
            name: name.map(str::to_owned),
            signer: SignerReport::new(&verified.signer),
            times: verified.times.iter().map(TimeReport::new).collect(),
            log_entries: verified.entries.iter().map(EntryReport::new).collect(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for object in &self.verified {
            let name = object.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
            writeln!(f, "{:<10} {}{name}", object.kind, object.object)?;
            write!(f, "{}", object.signer)?;
            for time in &object.times {
                writeln!(f, "time       {time}")?;
            }
            for entry in &object.log_entries {
                writeln!(f, "log entry  {entry}")?;
            }
        }
        Ok(())
    }
}
