//! What `verify` and `verify-attestation` have in common: many images, and what it means that one is not verified.

use std::num::NonZeroUsize;
use std::sync::Arc;

use client::image::Image;
use client::image::subject::{Selection, select};
use client::image::verifying::{Finding, VerifyImageError, Wanted, verify};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use oci::{Digest, Target};
use verify::Policy;
use wire::trusted_root::TrustedRoot;

use crate::failure::{Failure, OrFail};
use crate::image_refusal;
use crate::image_signing::select_failure;
use crate::output::say;

/// How many images are verified at the same time.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct WorkersArgs {
    /// How many images are verified at the same time
    #[arg(long, value_name = "NUMBER", default_value_t = Self::USUAL)]
    max_workers: NonZeroUsize,
}

impl WorkersArgs {
    /// Most of the time goes by waiting for registries.
    const USUAL: NonZeroUsize = NonZeroUsize::new(16).expect("sixteen is not zero");
}

impl Default for WorkersArgs {
    fn default() -> Self {
        Self { max_workers: Self::USUAL }
    }
}

/// What is asked about every image.
pub(crate) struct Question {
    pub(crate) wanted: Wanted,
    pub(crate) policy: Policy,
    pub(crate) trust: TrustedRoot,
    pub(crate) workers: WorkersArgs,
}

/// An image for which there is what is wanted.
pub(crate) struct Answer {
    pub(crate) image: Image,
    pub(crate) digest: Digest,
    pub(crate) finding: Finding,
}

impl Answer {
    /// The repository and the digest.
    pub(crate) fn name(&self) -> String {
        format!("{}@{}", self.image.name, self.digest)
    }
}

/// Asks about all images, in the order in which they were named. All must have what is wanted.
pub(crate) async fn ask(
    images: Vec<Image>,
    selection: Selection,
    question: Question,
) -> Result<Vec<Answer>, Failure> {
    let workers = question.workers.max_workers.get();
    let shared = Arc::new((selection, question));
    let answers: Vec<Vec<Answer>> = stream::iter(images)
        .map(|image| {
            let shared = Arc::clone(&shared);
            // On whichever processor is free: verifying is work.
            tokio::spawn(async move { ask_one(image, &shared.0, &shared.1).await })
        })
        .buffered(workers)
        .map(|answer| answer.or_undecided("a verification was interrupted").flatten())
        .try_collect()
        .await?;
    Ok(answers.into_iter().flatten().collect())
}

async fn ask_one(
    image: Image,
    selection: &Selection,
    question: &Question,
) -> Result<Vec<Answer>, Failure> {
    let subjects = async {
        let subjects = select(&image.store, &image.target, selection).await;
        subjects.map_err(|error| select_failure(&image.to_string(), error))
    };
    if let (Target::Digest(digest), Selection::Itself) = (&image.target, selection) {
        // It is known what the name leads to. Only where nothing holds, that is because the image is not there, perhaps.
        let found = question.ask(&image, *digest).await;
        if found.is_err() {
            subjects.await?;
        }
        return Ok(vec![answer(image.clone(), *digest, &question.wanted, found)?]);
    }
    let digests = subjects.await?.into_iter().map(|subject| subject.descriptor.digest);
    stream::iter(digests.collect::<Vec<_>>())
        .map(|digest| ask_about(image.clone(), digest, question))
        .buffered(question.workers.max_workers.get())
        .try_collect()
        .await
}

async fn ask_about(image: Image, digest: Digest, question: &Question) -> Result<Answer, Failure> {
    let found = question.ask(&image, digest).await;
    answer(image, digest, &question.wanted, found)
}

impl Question {
    async fn ask(&self, image: &Image, digest: Digest) -> Result<Finding, VerifyImageError> {
        verify(image, digest, &self.wanted, &self.policy, &self.trust).await
    }
}

fn answer(
    image: Image,
    digest: Digest,
    wanted: &Wanted,
    found: Result<Finding, VerifyImageError>,
) -> Result<Answer, Failure> {
    let name = format!("{}@{digest}", image.name);
    let finding = found.map_err(|error| image_refusal::failure(&name, wanted, error))?;
    for rejected in &finding.rejected {
        if image_refusal::is_worth_telling(rejected) {
            say(format!("{name}: {} does not count: {}", rejected.source, rejected.reason));
        }
    }
    Ok(Answer { image, digest, finding })
}
