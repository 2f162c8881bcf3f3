//! What `sign` and `attest` have in common: many images, one certificate, a bounded number at a time.

mod failure;
mod replacing;
mod report;
mod together;

use std::fmt;
use std::sync::Arc;

use client::image::Image;
use client::image::signing::{self, SignedImage};
use client::image::statement::Claim;
use client::image::subject::{Selection, Subject, select};
use client::sign::Signer;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use indicatif::ProgressBar;

use crate::command_line::Globals;
use crate::delivery::Delivery;
use crate::failure::{Failure, OrFail};
use crate::online;
use crate::output::{progress, say};
use crate::selection::threads;
use crate::signing::{Publication, SigningArgs, recorded};
use failure::failure;
pub(crate) use failure::select_failure;
use report::{Done, Outcome, SignedReport, collect, finish};

/// How many images are signed at the same time. Most of the time goes by waiting for registries and logs.
const PARALLEL: usize = 16;
/// How many bytes of predicates are signed at the same time.
const ROOM: usize = 64 << 20;

/// What is to be signed: an image, and which name led to it.
struct Job {
    image: Image,
    subject: Subject,
}

/// What is asked for with `sign` and `attest`.
pub(crate) struct Order<'a> {
    pub(crate) images: Vec<Image>,
    pub(crate) selection: &'a Selection,
    pub(crate) claim: Claim,
    pub(crate) delivery: Delivery,
    pub(crate) signing: &'a SigningArgs,
}

/// What is the same for all images.
struct Work {
    signer: Signer,
    claim: Claim,
    delivery: Delivery,
}

/// Signs, and prints what was signed.
pub(crate) fn carry_out(order: Order<'_>, globals: &Globals) -> Result<(), Failure> {
    let Order { images, selection, claim, delivery, signing } = order;
    let preparation = signing.prepare_for(delivery.format.has_layer(), globals)?;
    let done = online::run(threads(images.len(), selection), async {
        // First the images: nobody signs in for a name that leads nowhere.
        let jobs = find(images, selection).await?;
        delivery.check_bundle(jobs.len())?;
        let shared = delivery.together.then(|| together::about(&jobs, &claim, &delivery));
        let (shared, what) = (shared.transpose()?, what(&jobs, delivery.together));
        let signer = signing.signer(preparation, &Publication { what: &what }).await?;
        let work = Work { signer, claim, delivery };
        match shared {
            Some(shared) => together::sign(shared, &jobs, &work).await,
            None => Ok(sign_all(work, jobs).await),
        }
    })?;
    finish(done, globals.output)
}

/// Finds what the names lead to, each digest of a repository once, in the order in which they were named.
async fn find(images: Vec<Image>, selection: &Selection) -> Result<Vec<Job>, Failure> {
    let found: Vec<Vec<Job>> = stream::iter(images)
        // On whichever processor is free.
        .map(|image| tokio::spawn(find_one(image, selection.clone())))
        .buffered(PARALLEL)
        .map(|found| found.or_undecided("a look at an image was interrupted").flatten())
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

async fn find_one(image: Image, selection: Selection) -> Result<Vec<Job>, Failure> {
    let subjects = select(&image.store, &image.target, &selection).await;
    let subjects = subjects.map_err(|error| select_failure(&image.to_string(), error))?;
    Ok(subjects.into_iter().map(|subject| Job { image: image.clone(), subject }).collect())
}

/// What becomes public of so many images.
fn what(jobs: &[Job], together: bool) -> String {
    match jobs {
        [job] => format!("the digest of a statement about {job} (not the statement)"),
        _ if together => {
            format!("the digest of a statement about {} images (not the statement)", jobs.len())
        }
        _ => format!("the digests of statements about {} images (not the statements)", jobs.len()),
    }
}

/// How many images are signed at the same time with what is said about each: all of that is in memory several times.
fn parallel(claim: &Claim) -> usize {
    let length = match claim {
        Claim::Signature { .. } => 0,
        Claim::Attestation { predicate, .. } => predicate.get().len(),
        Claim::Statement { payload, .. } => payload.len(),
    };
    (ROOM / length.max(1)).clamp(1, PARALLEL)
}

/// Signs all of them. Those that can be signed are, whatever happens to others; the first failure is told, too.
async fn sign_all(work: Work, jobs: Vec<Job>) -> Outcome {
    let bar = progress(jobs.len() as u64, "signing");
    let parallel = parallel(&work.claim);
    let work = Arc::new(work);
    let results: Vec<_> = stream::iter(jobs)
        .map(|job| {
            let (work, bar) = (Arc::clone(&work), bar.clone());
            // On whichever processor is free: signing is work, too.
            tokio::spawn(async move { sign_one(&work, job, &bar).await })
        })
        .buffered(parallel)
        .map(|done| done.or_undecided("a signing was interrupted").flatten())
        .collect()
        .await;
    bar.finish_and_clear();
    collect(results)
}

async fn sign_one(work: &Work, job: Job, bar: &ProgressBar) -> Done {
    let Work { signer, claim, delivery } = work;
    let older = replacing::find(&job, work).await?;
    let done = signing::sign(signer, &job.image, job.subject.clone(), claim, delivery.format).await;
    bar.inc(1);
    let done = done.map_err(|error| failure(&job.to_string(), error))?;
    // It is attached by now: whatever fails from here on, that is told, too.
    let kept = done.signed.first().map_or(Ok(()), |signed| delivery.keep(&signed.bundle));
    bar.suspend(|| say(format!("signed {job}: {}", places(&done))));
    let file = delivery.bundle.as_deref().filter(|_| kept.is_ok());
    let removed = replacing::remove(&job, &older, &done).await;
    Ok((SignedReport::new(&job, &done, &done.signed, file), kept.and(removed).err()))
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
