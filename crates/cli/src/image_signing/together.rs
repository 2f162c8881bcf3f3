//! `--together`: one statement about all images, and one bundle, attached to each of them.

use client::image::statement::Claim;
use client::image::together::Together;
use futures_util::future::try_join_all;

use super::failure::{failure, together_failure};
use super::report::{Outcome, SignedReport, collect};
use super::{Job, Work, replacing};
use crate::delivery::Delivery;
use crate::failure::Failure;
use crate::output::{progress, say};
use crate::signing::{self, recorded};

/// The statement that is to be signed, if all images can share one.
pub(super) fn about(jobs: &[Job], claim: &Claim, delivery: &Delivery) -> Result<Together, Failure> {
    let members = jobs.iter().map(|job| (job.image.clone(), job.subject.clone()));
    Together::about(members.collect(), claim.clone(), delivery.format).map_err(together_failure)
}

/// Signs it, and attaches it to all of them.
pub(super) async fn sign(shared: Together, jobs: &[Job], work: &Work) -> Result<Outcome, Failure> {
    let older = try_join_all(jobs.iter().map(|job| replacing::find(job, work))).await?;
    let bar = progress(1, "signing");
    let done = shared.sign(&work.signer).await;
    bar.finish_and_clear();
    let done = done.map_err(signing::failure)?;
    let kept = work.delivery.keep(&done.signed.bundle);
    let file = work.delivery.bundle.as_deref().filter(|_| kept.is_ok());
    say(format!("signed {} images together: {}", jobs.len(), recorded(&done.signed)));
    let mut results = Vec::new();
    for ((job, older), attached) in jobs.iter().zip(older).zip(done.attached) {
        let attached = attached.map_err(|error| failure(&job.to_string(), error));
        results.push(match attached {
            Ok(attached) => {
                let signed = std::slice::from_ref(&done.signed);
                let report = SignedReport::new(job, &attached, signed, file);
                Ok((report, replacing::remove(job, &older, &attached).await.err()))
            }
            Err(failure) => Err(failure),
        });
    }
    let (report, failure) = collect(results);
    Ok((report, kept.err().or(failure)))
}
