//! Verifying one image: everything that may be a signature is found, within limits, and judged.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use oci::{Descriptor, Digest, FetchError, Store};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;
use verify::{Expected, Policy};
use wire::trusted_root::TrustedRoot;

use super::Image;
use super::candidate::{CandidateError, Found, Source, in_referrer, under_tag};
use super::legacy::{self, Kind};
use super::referrer::{PREDICATE_TYPE, is_bundle};
use super::subject::SelectError;
pub use super::verdict::{Proven, Rejected, Rejection, Signatory, Wanted};
use super::verdict::{Question, judge};
use crate::predicate::SIGNATURE;

/// How many documents and layers are looked at for one image. The most that were seen on a public one are some hundreds.
pub const MAX_CANDIDATES: usize = 2000;
/// How many bytes of them are fetched for one image: four of the largest.
pub const MAX_BYTES: u64 = 512 << 20;
/// How long all of it may take.
pub const DEADLINE: Duration = Duration::from_secs(300);
/// How many are fetched at the same time.
const PARALLEL: usize = 16;
/// How many kibibytes candidates take at the same time, whichever image they belong to: one of the largest needs all of it.
const ROOM: u32 = 384 << 10;
/// How much memory a candidate takes: its bytes, what they say in base64, and that decoded.
const TAKES: u64 = 3;
/// From how many bytes on judging a candidate takes so long that others should not wait for it.
const LONG: u64 = 1 << 20;

/// What is left of [`ROOM`].
static MEMORY: Semaphore = Semaphore::const_new(ROOM as usize);

/// What was found out about an image.
#[derive(Debug)]
pub struct Finding {
    /// What holds. Never empty.
    pub proven: Vec<Proven>,
    /// What does not count.
    pub rejected: Vec<Rejected>,
}

/// Why an image is not verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyImageError {
    /// The image cannot be had.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// What refers to it cannot be listed.
    #[error("what is attached to the image cannot be listed")]
    List(#[source] FetchError),
    /// There is nothing attached that could be a signature or an attestation.
    #[error("nothing is attached to {0}")]
    Nothing(Digest),
    /// There is something, but nothing of it counts.
    #[error("of {} that is attached to {image}, nothing counts", things(rejected.len()))]
    Rejected {
        /// The image.
        image: Digest,
        /// What is there, and why it does not count. Never empty.
        rejected: Vec<Rejected>,
    },
    /// There is more than is looked at, and nothing of what was looked at counts.
    #[error(
        "more is attached to {image} than is looked at ({MAX_CANDIDATES} documents and layers, {MAX_BYTES} bytes), and \
         nothing of that counts"
    )]
    TooMany {
        /// The image.
        image: Digest,
    },
    /// The registry answers too slowly.
    #[error("what is attached to {image} was not had within {} seconds", DEADLINE.as_secs())]
    Late {
        /// The image.
        image: Digest,
    },
}

fn things(count: usize) -> String {
    if count == 1 { "one thing".to_owned() } else { format!("{count} things") }
}

/// Finds what is attached to the image with this digest, beside `image`, and asks whether it is what is wanted.
///
/// Of signatures one is enough: they are looked at until some hold. Attestations are all looked at. Nobody signed the lists in
/// which they stand, so that what these say decides only about the order.
///
/// # Errors
///
/// See [`VerifyImageError`].
pub async fn verify(
    image: &Image,
    digest: Digest,
    wanted: &Wanted,
    policy: &Policy,
    trust: &TrustedRoot,
) -> Result<Finding, VerifyImageError> {
    let statements = match wanted {
        // A statement can say anything about an image, also that it must not be used.
        Wanted::Signature { .. } => policy.clone().with_predicate_type(sign_type()),
        Wanted::Attestation => policy.clone(),
    };
    let question =
        Question { image: digest, wanted, statements: &statements, payloads: policy, trust };
    let search = Search::new(&image.attachments, question).run();
    let late = Err(VerifyImageError::Late { image: digest });
    tokio::time::timeout(DEADLINE, search).await.unwrap_or(late)
}

fn sign_type() -> Expected {
    Expected::exactly(SIGNATURE).expect("the type is not empty")
}

/// What has been found so far.
struct Search<'a> {
    store: &'a Store,
    question: Question<'a>,
    seen: usize,
    bytes: u64,
    more: bool,
    proven: Vec<Proven>,
    rejected: Vec<Rejected>,
}

impl<'a> Search<'a> {
    fn new(store: &'a Store, question: Question<'a>) -> Self {
        Self {
            store,
            question,
            seen: 0,
            bytes: 0,
            more: false,
            proven: Vec::new(),
            rejected: Vec::new(),
        }
    }

    async fn run(mut self) -> Result<Finding, VerifyImageError> {
        self.referrers().await?;
        if !self.is_enough() {
            self.layers().await?;
        }
        self.finish()
    }

    /// Looks at the referrers of the image, those first that are said to be what is wanted.
    async fn referrers(&mut self) -> Result<(), VerifyImageError> {
        let image = self.question.image;
        let mut listed = self.store.referrers(&image).await.map_err(VerifyImageError::List)?;
        listed.sort_by_key(|referrer| self.unlikely(referrer));
        let mut listed: VecDeque<Descriptor> = listed.into();
        while !listed.is_empty() && !self.is_enough() {
            let round = self.take(&mut listed);
            if round.is_empty() {
                break;
            }
            let (store, round) = (self.store, stream::iter(round));
            let fetched: Vec<_> = round
                .map(|listed| async move { (listed.digest, store.document(&listed.bare()).await) })
                .buffered(PARALLEL)
                .collect()
                .await;
            let mut found = Vec::new();
            for (digest, document) in fetched {
                let layers = document
                    .map_err(CandidateError::from)
                    .and_then(|document| in_referrer(&document, &image));
                match layers {
                    Ok(layers) => found.extend(layers),
                    Err(error) => self.reject(Source::Referrer(digest), error),
                }
            }
            self.judge(found).await;
        }
        Ok(())
    }

    /// Looks at the layers under the tag for the older form.
    async fn layers(&mut self) -> Result<(), VerifyImageError> {
        let kind = match self.question.wanted {
            Wanted::Signature { .. } => Kind::Signature,
            Wanted::Attestation => Kind::Attestation,
        };
        let tag = kind.tag(&self.question.image);
        let document = legacy::find(self.store, kind, &self.question.image).await;
        let Some(document) = document.map_err(VerifyImageError::List)? else { return Ok(()) };
        match under_tag(&document, &tag) {
            Ok(found) => {
                let mut found: VecDeque<_> = found.into();
                while !found.is_empty() && !self.is_enough() {
                    let round = self.take(&mut found);
                    if round.is_empty() {
                        break;
                    }
                    self.judge(round).await;
                }
            }
            Err(error) => {
                self.reject(Source::Layer { tag, layer: document.digest() }, error);
            }
        }
        Ok(())
    }

    /// The next few, as long as the limit allows.
    fn take<T>(&mut self, waiting: &mut VecDeque<T>) -> Vec<T> {
        let room = MAX_CANDIDATES.saturating_sub(self.seen).min(PARALLEL).min(waiting.len());
        self.more |= room == 0;
        self.seen += room;
        waiting.drain(..room).collect()
    }

    /// Fetches and judges as many as the limits allow.
    async fn judge(&mut self, found: Vec<Found>) {
        let found = self.within_limits(found);
        let (store, question) = (self.store, self.question);
        let judged: Vec<_> = stream::iter(found)
            .map(|found| async move { answer(question, &found, store).await })
            .buffered(PARALLEL)
            .collect()
            .await;
        for answer in judged {
            match answer {
                Ok(proven) => self.proven.push(proven),
                Err(rejected) => self.rejected.push(rejected),
            }
        }
    }

    /// Those for which there is room: a referrer counts once, and once for each layer after its first.
    fn within_limits(&mut self, found: Vec<Found>) -> Vec<Found> {
        let mut last = None;
        let mut within = Vec::with_capacity(found.len());
        for found in found {
            let again = last.as_ref() == Some(&found.source);
            last = Some(found.source.clone());
            self.seen += usize::from(again);
            self.bytes = self.bytes.saturating_add(found.size());
            if self.seen > MAX_CANDIDATES || self.bytes > MAX_BYTES {
                self.more = true;
                break;
            }
            within.push(found);
        }
        within
    }

    fn reject(&mut self, source: Source, error: CandidateError) {
        self.rejected.push(Rejected { source, reason: error.into(), signer: None });
    }

    fn is_enough(&self) -> bool {
        self.more || (!self.proven.is_empty() && *self.question.wanted != Wanted::Attestation)
    }

    /// How unlikely it is, by the word of a list, that a referrer is what is wanted.
    fn unlikely(&self, referrer: &Descriptor) -> u8 {
        let another_kind = referrer.artifact_type.as_deref().is_some_and(|kind| !is_bundle(kind));
        let said = referrer.annotations.get(PREDICATE_TYPE);
        let is_signature = said.is_some_and(|said| said == SIGNATURE);
        let another_type =
            said.is_some() && is_signature == (*self.question.wanted == Wanted::Attestation);
        u8::from(another_kind) * 2 + u8::from(another_type)
    }

    fn finish(self) -> Result<Finding, VerifyImageError> {
        let Self { question: Question { image, .. }, more, proven, rejected, .. } = self;
        match (proven.is_empty(), more, rejected.is_empty()) {
            (false, ..) => Ok(Finding { proven, rejected }),
            (true, true, _) => Err(VerifyImageError::TooMany { image }),
            (true, false, true) => Err(VerifyImageError::Nothing(image)),
            (true, false, false) => Err(VerifyImageError::Rejected { image, rejected }),
        }
    }
}

async fn answer(question: Question<'_>, found: &Found, store: &Store) -> Result<Proven, Rejected> {
    let kibibytes = u32::try_from((found.size() * TAKES) >> 10).unwrap_or(ROOM).min(ROOM);
    // The semaphore is never closed.
    let _room = MEMORY.acquire_many(kibibytes).await;
    let candidate = found.fetch(store).await.map_err(|error| Rejected {
        source: found.source.clone(),
        reason: error.into(),
        signer: None,
    })?;
    match found.size() {
        LONG.. => aside(|| judge(candidate, question)),
        _ => judge(candidate, question),
    }
}

/// Does `work` in a way that others can go on meanwhile, where the runtime has threads for them.
fn aside<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}
