//! What `sign` and `attest` have in common: many images, one certificate, a bounded number at a time.

use std::fmt;
use std::sync::Arc;

use client::image::Image;
use client::image::signing::{self, Format, SignImageError, SignedImage};
use client::image::statement::Claim;
use client::image::subject::{SelectError, Selection, Subject, select};
use client::sign::Signer;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use indicatif::ProgressBar;
use serde::Serialize;

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::online;
use crate::output::{self, progress, say};
use crate::registry::{self, fetch_failure};
use crate::signing::{self as keyless, Publication, SigningArgs, recorded};
use crate::verifying::EntryReport;

/// How many images are signed at the same time. Most of the time goes by waiting for registries and logs.
const PARALLEL: usize = 16;
/// How many bytes of predicates are signed at the same time.
const ROOM: usize = 64 << 20;

/// In which form signatures are attached.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum FormatArg {
    /// Bundles in referrers.
    #[default]
    Bundle,
    /// Layers under tags.
    Legacy,
    /// Both.
    Both,
}

impl FormatArg {
    const fn format(self) -> Format {
        match self {
            Self::Bundle => Format::Bundle,
            Self::Legacy => Format::Legacy,
            Self::Both => Format::Both,
        }
    }

    /// Whether a log is needed that promises to keep an entry.
    fn needs_promise(self) -> bool {
        self != Self::Bundle
    }
}

/// What is to be signed: an image, and which name led to it.
struct Job {
    image: Image,
    subject: Subject,
}

/// What came of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    signed: Vec<SignedReport>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignedReport {
    /// The repository and the digest: what was signed, whatever a tag points to later.
    image: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    referrer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback_tag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    legacy_tag: Option<String>,
    log_entries: Vec<EntryReport>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.signed.iter().try_for_each(|signed| writeln!(f, "{}", signed.image))
    }
}

/// What is asked for with `sign` and `attest`.
pub(crate) struct Order<'a> {
    pub(crate) images: Vec<Image>,
    pub(crate) selection: &'a Selection,
    pub(crate) claim: Claim,
    pub(crate) format: FormatArg,
    pub(crate) signing: &'a SigningArgs,
}

/// Signs, and prints what was signed.
pub(crate) fn carry_out(order: Order<'_>, globals: &Globals) -> Result<(), Failure> {
    let Order { images, selection, claim, format, signing } = order;
    let preparation = signing.prepare_for(format.needs_promise(), globals)?;
    let done = online::run(async {
        // First the images: nobody signs in for a name that leads nowhere.
        let jobs = find(images, selection).await?;
        let what = what(&jobs);
        let signer = signing.signer(preparation, &Publication { what: &what }).await?;
        Ok(sign_all(signer, jobs, claim, format.format()).await)
    })?;
    finish(done, globals.output)
}

/// Finds what the names lead to, each digest of a repository once, in the order in which they were named.
async fn find(images: Vec<Image>, selection: &Selection) -> Result<Vec<Job>, Failure> {
    let found: Vec<Vec<Job>> = stream::iter(images)
        .map(|image| async move {
            let name = image.to_string();
            let subjects = select(&image.store, &image.target, selection).await;
            let subjects = subjects.map_err(|error| select_failure(&name, error))?;
            let job = |subject| Job { image: image.clone(), subject };
            Ok::<_, Failure>(subjects.into_iter().map(job).collect())
        })
        .buffered(PARALLEL)
        .try_collect()
        .await?;
    let mut jobs: Vec<Job> = Vec::new();
    for job in found.into_iter().flatten() {
        if !jobs.iter().any(|known| known.is_same(&job)) {
            jobs.push(job);
        }
    }
    Ok(jobs)
}

/// What becomes public of so many images.
fn what(jobs: &[Job]) -> String {
    match jobs {
        [job] => format!("the digest of a statement about {job} (not the statement)"),
        _ => format!("the digests of statements about {} images (not the statements)", jobs.len()),
    }
}

/// How many images are signed at the same time with what is said about each: all of that is in memory several times.
fn parallel(claim: &Claim) -> usize {
    let length = match claim {
        Claim::Signature { .. } => 0,
        Claim::Attestation { predicate, .. } => predicate.get().len(),
    };
    (ROOM / length.max(1)).clamp(1, PARALLEL)
}

/// Signs all of them. Those that can be signed are, whatever happens to others; the first failure is told, too.
async fn sign_all(
    signer: Signer,
    jobs: Vec<Job>,
    claim: Claim,
    format: Format,
) -> (Report, Option<Failure>) {
    let bar = progress(jobs.len() as u64, "signing");
    let parallel = parallel(&claim);
    let shared = Arc::new((signer, claim));
    let results: Vec<_> = stream::iter(jobs)
        .map(|job| {
            let (shared, bar) = (Arc::clone(&shared), bar.clone());
            // On whichever processor is free: signing is work, too.
            tokio::spawn(async move { sign_one(&shared.0, job, &shared.1, format, &bar).await })
        })
        .buffered(parallel)
        .map(|done| done.or_undecided("a signing was interrupted").flatten())
        .collect()
        .await;
    bar.finish_and_clear();
    collect(results)
}

async fn sign_one(
    signer: &Signer,
    job: Job,
    claim: &Claim,
    format: Format,
    bar: &ProgressBar,
) -> Result<SignedReport, Failure> {
    let done = signing::sign(signer, &job.image, job.subject.clone(), claim, format).await;
    bar.inc(1);
    let done = done.map_err(|error| failure(&job.to_string(), error))?;
    bar.suspend(|| say(format!("signed {job}: {}", places(&done))));
    Ok(SignedReport::new(&job, &done))
}

fn collect(results: Vec<Result<SignedReport, Failure>>) -> (Report, Option<Failure>) {
    let (mut signed, mut failures) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(report) => signed.push(report),
            Err(failure) => failures.push(failure),
        }
    }
    let more = failures.len().saturating_sub(1);
    let first = failures.into_iter().next().map(|first| match more {
        0 => first,
        _ => first.fact("also failed", format!("{more} more images")),
    });
    (Report { signed }, first)
}

/// Prints what was signed, unless that is nothing, and ends with the failure if there is one.
fn finish(
    (report, failure): (Report, Option<Failure>),
    format: output::Format,
) -> Result<(), Failure> {
    match failure {
        Some(failure) if report.signed.is_empty() => Err(failure),
        Some(failure) => {
            // Programs read one JSON value: what was signed; people are told what was not.
            format.print(&report)?;
            Err(failure.quietly())
        }
        None => format.print(&report),
    }
}

fn places(done: &SignedImage) -> String {
    let all: Vec<_> = done.signed.iter().map(recorded).collect();
    all.join(", ")
}

impl Job {
    fn is_same(&self, other: &Self) -> bool {
        self.image.name == other.image.name
            && self.subject.descriptor.digest == other.subject.descriptor.digest
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.image.name, self.subject.descriptor.digest)
    }
}

impl SignedReport {
    fn new(job: &Job, done: &SignedImage) -> Self {
        let entries = done.signed.iter().flat_map(|signed| &signed.verified.entries);
        Self {
            image: job.to_string(),
            platform: job.subject.platform.as_ref().map(ToString::to_string),
            referrer: done.referrer.as_ref().map(|attached| attached.descriptor.digest.to_string()),
            fallback_tag: done.referrer.as_ref().and_then(|attached| attached.fallback_tag.clone()),
            legacy_tag: done.legacy_tag.clone(),
            log_entries: entries.map(EntryReport::new).collect(),
        }
    }
}

/// What it means that a name leads to nothing that can be signed or verified.
pub(crate) fn select_failure(name: &str, error: SelectError) -> Failure {
    let hint = match &error {
        SelectError::Fetch(error) => registry::fetch_hint(error),
        SelectError::MissingChild { .. } => Some(
            "push the missing image, or name the one that you mean with --platform or by its digest",
        ),
        SelectError::NotAnIndex(_) => Some("leave out --platform"),
        SelectError::Platform { .. } => {
            Some("name one of the platforms that are there, or a digest")
        }
        SelectError::TooDeep(_) | SelectError::TooMany | SelectError::TooLarge => {
            Some("name the image that you mean by its digest")
        }
        SelectError::Late => Some("try again, or ask a registry that is nearer"),
    };
    let there = match &error {
        SelectError::Platform { there, .. } => Some(there.join(", ")),
        _ => None,
    };
    let failure = Failure::undecided_about(format!("{name} cannot be looked up"), error);
    let failure = registry::hinted(failure, hint);
    match there {
        Some(there) => failure.fact("found", there),
        None => failure,
    }
}

fn failure(name: &str, error: SignImageError) -> Failure {
    match error {
        SignImageError::Sign(error) => keyless::failure(error).fact("image", name),
        SignImageError::Fetch(error) => fetch_failure(error).fact("image", name),
        SignImageError::TagMoved { before, now, .. } => {
            let (before, now) = (before.to_string(), now.to_string());
            Failure::because(format!("{name} is not signed"), error)
                .fact("check", "tag")
                .fact("expected", before)
                .fact("found", now)
                .hint("somebody pushed to the tag meanwhile: name the image that you mean by its digest")
        }
        SignImageError::Attach(error) => registry::attach_failure(error).fact("image", name),
        error => {
            let hint = match &error {
                SignImageError::Push(error) => registry::push_hint(error),
                SignImageError::Legacy(_) => {
                    Some("log with Rekor v1 (--rekor v1), or attach bundles only (--format bundle)")
                }
                _ => None,
            };
            registry::hinted(Failure::undecided(error).fact("image", name), hint)
        }
    }
}
