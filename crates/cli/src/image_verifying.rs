//! What `verify` and `verify-attestation` have in common: many images, and what it means that one is not verified.

use std::num::NonZeroUsize;
use std::sync::Arc;

use client::image::Image;
use client::image::subject::{SelectError, Selection, select};
use client::image::verifying::{Finding, VerifyImageError, Wanted, verify};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use oci::{Digest, FetchError, Target};
use tokio::sync::Semaphore;
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

/// The question, and what it is asked with.
struct Inquiry {
    selection: Selection,
    question: Question,
    /// As many as there are images that are verified at the same time, however many names lead to them.
    places: Semaphore,
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
    let places = Semaphore::new(workers.min(Semaphore::MAX_PERMITS));
    let inquiry = Arc::new(Inquiry { selection, question, places });
    let answers: Vec<Vec<Answer>> = stream::iter(images)
        .map(|image| {
            let inquiry = Arc::clone(&inquiry);
            // On whichever processor is free: verifying is work.
            tokio::spawn(async move { inquiry.ask_one(image).await })
        })
        .buffered(workers)
        .map(|answer| answer.or_undecided("a verification was interrupted").flatten())
        .try_collect()
        .await?;
    Ok(answers.into_iter().flatten().collect())
}

impl Inquiry {
    async fn ask_one(&self, image: Image) -> Result<Vec<Answer>, Failure> {
        if let (Target::Digest(digest), Selection::Itself) = (&image.target, &self.selection) {
            return Ok(vec![self.ask_directly(&image, *digest).await?]);
        }
        let subjects = select(&image.store, &image.target, &self.selection).await;
        let subjects = subjects.map_err(|error| select_failure(&image.to_string(), error))?;
        let digests = subjects.into_iter().map(|subject| subject.descriptor.digest);
        stream::iter(digests.collect::<Vec<_>>())
            .map(|digest| self.ask_about(image.clone(), digest))
            .buffered(self.question.workers.max_workers.get())
            .try_collect()
            .await
    }

    /// Asks about the image of which the digest was named: it is known what the name leads to.
    async fn ask_directly(&self, image: &Image, digest: Digest) -> Result<Answer, Failure> {
        let found = self.verify(image, digest).await;
        if let Err(error) = &found
            && !matches!(error, VerifyImageError::Late { .. })
        {
            self.check_presence(image).await?;
        }
        answer(image.clone(), digest, &self.question.wanted, found)
    }

    /// Where nothing holds, that may be because the image is not there. Any other failure to look it up says less than why
    /// nothing holds.
    async fn check_presence(&self, image: &Image) -> Result<(), Failure> {
        match select(&image.store, &image.target, &self.selection).await {
            Err(error @ SelectError::Fetch(FetchError::Missing { .. })) => {
                Err(select_failure(&image.to_string(), error))
            }
            _ => Ok(()),
        }
    }

    async fn ask_about(&self, image: Image, digest: Digest) -> Result<Answer, Failure> {
        let found = self.verify(&image, digest).await;
        answer(image, digest, &self.question.wanted, found)
    }

    async fn verify(&self, image: &Image, digest: Digest) -> Result<Finding, VerifyImageError> {
        let Question { wanted, policy, trust, .. } = &self.question;
        // Nobody closes it, so that there always is a place in the end.
        let _place = self.places.acquire().await;
        verify(image, digest, wanted, policy, trust).await
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
