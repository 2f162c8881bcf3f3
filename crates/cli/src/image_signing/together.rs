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
    work.delivery.keep(&done.signed.bundle)?;
    say(format!("signed {} images together: {}", jobs.len(), recorded(&done.signed)));
    let mut results = Vec::new();
    for ((job, older), attached) in jobs.iter().zip(older).zip(done.attached) {
        let attached = attached.map_err(|error| failure(&job.to_string(), error));
        results.push(match attached {
            Ok(attached) => replacing::remove(job, &older, &attached).await.map(|()| {
                let signed = std::slice::from_ref(&done.signed);
                SignedReport::new(job, &attached, signed, work.delivery.bundle.as_deref())
            }),
            Err(failure) => Err(failure),
        });
    }
    Ok(collect(results))
}
