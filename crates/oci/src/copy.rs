//! Copying documents with all that they point to, and with all that is attached to them.

mod deadline;

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use self::deadline::Deadline;
use crate::patience::patiently;
use crate::{
    AttachError, Content, Descriptor, Digest, Document, FetchError, PushError, Store, Target,
    media_type,
};

/// How many blobs are on their way at once.
const AT_ONCE: usize = 6;
/// How deep indexes may lie in indexes. Builders make two; more is made to be followed for ever.
const MAX_DEPTH: usize = 5;
/// How many documents may hang together. A large release has a few hundred.
const MAX_DOCUMENTS: usize = 10_000;
/// How many bytes these documents may have together.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// How long finding them may take.
const FIND_TIMEOUT: Duration = Duration::from_secs(300);
/// How long a blob may be. The largest layers, of models, have some tens of gigabytes.
const MAX_BLOB: u64 = 256 << 30;
/// Blobs up to here are copied in memory: that saves requests.
const SMALL: u64 = 64 * 1024;

/// What was copied, for whoever watches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// So many bytes of blobs are known to be needed.
    Needed(u64),
    /// So many bytes of them are where they should be.
    Done(u64),
    /// Something that is listed as attached is not there, or is no document, and was left out.
    LeftOut(Digest),
}

/// Something cannot be copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// It cannot be had.
    #[error("it cannot be read")]
    Read(#[from] FetchError),
    /// It cannot be stored.
    #[error("it cannot be stored")]
    Write(#[from] PushError),
    /// It cannot be attached.
    #[error("it cannot be attached")]
    Attach(#[from] AttachError),
    /// A document points to what is not there.
    #[error("{part} is not there, and {of} points to it")]
    MissingPart {
        /// The document.
        of: Box<Digest>,
        /// What it points to.
        part: Box<Digest>,
    },
    /// Indexes lie in indexes too deep.
    #[error("indexes lie in one another more than {limit} deep")]
    TooDeep {
        /// How deep they may lie.
        limit: usize,
    },
    /// The documents that hang together are too long, or take too long.
    #[error("what hangs together has more than {limit} bytes of documents")]
    TooLong {
        /// How many are read.
        limit: u64,
    },
    /// It took too long to find everything, or to copy it.
    #[error("it did not come to an end within {} s", .after.as_secs())]
    Timeout {
        /// How long it took.
        after: Duration,
    },
    /// Too much hangs together.
    #[error("more than {limit} documents hang together")]
    TooMany {
        /// How many are copied.
        limit: usize,
    },
}

/// Copies from one store to another. What was copied is not copied again. All of it has a deadline, which begins when the copier
/// is made.
pub struct Copier<'a> {
    source: &'a Store,
    target: &'a Store,
    watch: &'a (dyn Fn(Step) + Sync),
    seen: Mutex<HashSet<Digest>>,
    documents: AtomicUsize,
    deadline: Deadline,
}

/// Where a document is put.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// Where its digest finds it: it is part of another.
    Part,
    /// Under a tag, or in the list of what is there.
    Root(Option<&'a str>),
    /// Among the referrers of its subject.
    Referrer,
}

type Work<'a> = Pin<Box<dyn Future<Output = Result<(), CopyError>> + Send + 'a>>;

impl<'a> Copier<'a> {
    /// Copies from `source` to `target`, and tells `watch` about it.
    #[must_use]
    pub fn new(source: &'a Store, target: &'a Store, watch: &'a (dyn Fn(Step) + Sync)) -> Self {
        let (documents, deadline) = (AtomicUsize::new(0), Deadline::new());
        Self { source, target, watch, seen: Mutex::default(), documents, deadline }
    }

    /// Copies what `root` points to, all of it, and then gives it `tag`.
    ///
    /// # Errors
    ///
    /// See [`CopyError`]. Whatever happens, no document is stored before all that it points to is.
    pub async fn image(&self, root: &Descriptor, tag: Option<&str>) -> Result<(), CopyError> {
        self.deadline.within(self.document(root, Place::Root(tag), 0)).await?;
        self.commit()
    }

    /// Copies what `root` points to, all of it, and itself, which only its digest finds until [`Copier::name`] names it. An
    /// archive is not written before that.
    ///
    /// # Errors
    ///
    /// As [`Copier::image`].
    pub async fn unnamed(&self, root: &Descriptor) -> Result<(), CopyError> {
        self.deadline.within(self.document(root, Place::Part, 0)).await
    }

    /// Gives `root`, all of which was copied, its tag.
    ///
    /// # Errors
    ///
    /// See [`CopyError`].
    pub async fn name(&self, root: &Document, tag: Option<&str>) -> Result<(), CopyError> {
        self.deadline.within(self.put(root, Place::Root(tag))).await?;
        self.commit()
    }

    /// Writes an archive, where the target is one.
    fn commit(&self) -> Result<(), CopyError> {
        match self.target {
            Store::Layout(layout) => Ok(layout.commit()?),
            Store::Registry(_) => Ok(()),
        }
    }

    /// Copies the referrers of `subject`, their referrers, and what has one of these `tags`. How many there were.
    ///
    /// # Errors
    ///
    /// See [`CopyError`].
    pub async fn attached(&self, subject: &Digest, tags: &[String]) -> Result<usize, CopyError> {
        let referrers = self.deadline.within(self.referrers(subject)).await?;
        self.commit()?;
        Ok(referrers + self.tagged(tags).await?)
    }

    async fn referrers(&self, subject: &Digest) -> Result<usize, CopyError> {
        let mut count = 0;
        let mut subjects = vec![*subject];
        while let Some(subject) = subjects.pop() {
            for referrer in self.source.referrers(&subject).await? {
                // Whether it is one is in the document, not in the list.
                let document = match self.source.document(&referrer.bare()).await {
                    Ok(document) => document,
                    // Mirrors and clean-ups lose referrers, and others attach what is no document.
                    Err(FetchError::Missing { .. } | FetchError::Document { .. }) => {
                        (self.watch)(Step::LeftOut(referrer.digest));
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                };
                let is_one = document.subject().is_some_and(|about| about.digest == subject);
                if is_one && !self.is_known(referrer.digest) {
                    self.document(&document.descriptor(), Place::Referrer, 0).await?;
                    subjects.push(referrer.digest);
                    count += 1;
                }
            }
        }
        Ok(count)
    }

    /// Copies what has one of these `tags`. How many there were.
    ///
    /// # Errors
    ///
    /// See [`CopyError`].
    pub async fn tagged(&self, tags: &[String]) -> Result<usize, CopyError> {
        let mut count = 0;
        for tag in tags {
            if let Some(root) = self.deadline.within(self.found(tag)).await? {
                self.image(&root, Some(tag)).await?;
                count += 1;
            }
        }
        Ok(count)
    }

    async fn found(&self, tag: &str) -> Result<Option<Descriptor>, CopyError> {
        match self.source.resolve(&Target::Tag(tag.to_owned())).await {
            Ok(root) => Ok(Some(root)),
            Err(FetchError::Missing { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Every document that `root` points to, and itself: an index, its images, and so on.
    ///
    /// # Errors
    ///
    /// See [`CopyError`].
    pub async fn documents(store: &Store, root: &Descriptor) -> Result<Vec<Document>, CopyError> {
        let found = tokio::time::timeout(FIND_TIMEOUT, Self::find(store, root)).await;
        found.unwrap_or(Err(CopyError::Timeout { after: FIND_TIMEOUT }))
    }

    async fn find(store: &Store, root: &Descriptor) -> Result<Vec<Document>, CopyError> {
        let mut found: Vec<Document> = Vec::new();
        let mut announced = HashSet::from([root.digest]);
        let mut bytes = root.size;
        let mut waiting = vec![(root.clone(), None, 0)];
        while let Some((descriptor, parent, depth)) = waiting.pop() {
            check(depth, announced.len())?;
            if bytes > MAX_BYTES {
                return Err(CopyError::TooLong { limit: MAX_BYTES });
            }
            let document = read_part(store, parent.as_ref(), &descriptor).await?;
            if let Content::Index(index) = document.content() {
                let parts = index.manifests.iter().filter(|part| is_document(part));
                for part in parts.filter(|part| announced.insert(part.digest)) {
                    bytes = bytes.saturating_add(part.size);
                    waiting.push((part.bare(), Some(document.digest()), depth + 1));
                }
            }
            found.push(document);
        }
        Ok(found)
    }

    fn document<'b>(
        &'b self,
        descriptor: &'b Descriptor,
        place: Place<'b>,
        depth: usize,
    ) -> Work<'b> {
        Box::pin(async move {
            check(depth, self.documents.fetch_add(1, Ordering::Relaxed))?;
            let document = self.source.document(descriptor).await?;
            match document.content() {
                Content::Manifest(manifest) => {
                    let blobs = std::iter::once(&manifest.config).chain(&manifest.layers);
                    self.blobs(document.digest(), blobs.cloned().collect()).await?;
                }
                Content::Index(index) => {
                    for part in &index.manifests {
                        self.index_part(document.digest(), part, depth).await?;
                    }
                }
            }
            self.put(&document, place).await?;
            self.seen().insert(document.digest());
            Ok(())
        })
    }

    async fn index_part(
        &self,
        of: Digest,
        part: &Descriptor,
        depth: usize,
    ) -> Result<(), CopyError> {
        if self.is_known(part.digest) {
            return Ok(());
        }
        if !is_document(part) {
            return self.blobs(of, vec![part.clone()]).await;
        }
        match self.document(part, Place::Part, depth + 1).await {
            Err(CopyError::Read(FetchError::Missing { .. })) => Err(missing(of, part)),
            outcome => outcome,
        }
    }

    async fn put(&self, document: &Document, place: Place<'_>) -> Result<(), CopyError> {
        match (place, self.target) {
            // An archive is written once, at the end.
            (Place::Part, Store::Layout(layout)) => layout.add_part(document)?,
            (Place::Referrer, Store::Layout(layout)) => layout.add(document, None)?,
            (Place::Root(tag), Store::Layout(layout)) => layout.add(document, tag)?,
            (Place::Referrer, _) => self.target.attach(document).await.map(drop)?,
            (Place::Part, Store::Registry(_)) => self.target.push_document(document, None).await?,
            (Place::Root(tag), _) => self.target.push_document(document, tag).await?,
        }
        Ok(())
    }

    async fn blobs(&self, of: Digest, mut blobs: Vec<Descriptor>) -> Result<(), CopyError> {
        blobs.retain(|blob| !is_elsewhere(blob) && self.seen().insert(blob.digest));
        // One that is longer than any is refused when its turn comes.
        let needed = blobs.iter().map(|blob| blob.size.min(MAX_BLOB)).sum();
        self.deadline.allow(needed);
        (self.watch)(Step::Needed(needed));
        stream::iter(blobs)
            .map(|blob| async move {
                let copied = self.blob(&blob).await;
                copied.map_err(|error| match error {
                    CopyError::Read(FetchError::Missing { .. })
                    | CopyError::Write(PushError::Source(FetchError::Missing { .. })) => {
                        missing(of, &blob)
                    }
                    error => error,
                })
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    async fn blob(&self, blob: &Descriptor) -> Result<(), CopyError> {
        if blob.size > MAX_BLOB {
            let (what, size) = (blob.digest.to_string(), blob.size);
            return Err(FetchError::TooLong { what, size, limit: MAX_BLOB }.into());
        }
        if !self.has(blob).await? {
            // What is pushed as bytes is named by SHA-256.
            let small =
                blob.size <= SMALL && blob.digest.algorithm() == crypto::HashAlgorithm::Sha256;
            if small {
                let bytes = self.source.blob(blob, SMALL).await?;
                self.target.push_blob(bytes).await?;
            } else {
                patiently(|| self.large_blob(blob)).await?;
            }
        }
        (self.watch)(Step::Done(blob.size));
        Ok(())
    }

    /// Whether the target has a blob already, or takes it over from a repository beside it.
    async fn has(&self, blob: &Descriptor) -> Result<bool, CopyError> {
        match (self.source, self.target) {
            (_, Store::Layout(layout)) => Ok(layout.has_blob(blob.digest)?),
            (Store::Registry(source), Store::Registry(target)) if target.is_beside(source) => {
                Ok(patiently(|| target.mount(blob.digest, source)).await?)
            }
            (_, Store::Registry(target)) => {
                Ok(patiently(|| target.has_blob(blob.digest)).await.map_err(FetchError::from)?)
            }
        }
    }

    async fn large_blob(&self, blob: &Descriptor) -> Result<(), PushError> {
        let pieces = self.source.read_blob(blob).await.map_err(PushError::Source)?;
        match self.target {
            Store::Registry(target) => target.push_pieces(blob, pieces).await,
            Store::Layout(layout) => layout.push_pieces(blob, pieces).await,
        }
    }

    fn is_known(&self, digest: Digest) -> bool {
        self.seen().contains(&digest)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, HashSet<Digest>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Copier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Copier({:?} to {:?})", self.source, self.target)
    }
}

/// A document that another points to.
async fn read_part(
    store: &Store,
    of: Option<&Digest>,
    part: &Descriptor,
) -> Result<Document, CopyError> {
    match (store.document(part).await, of) {
        (Err(FetchError::Missing { .. }), Some(of)) => Err(missing(*of, part)),
        (outcome, _) => Ok(outcome?),
    }
}

fn missing(of: Digest, part: &Descriptor) -> CopyError {
    CopyError::MissingPart { of: Box::new(of), part: Box::new(part.digest) }
}

const fn check(depth: usize, documents: usize) -> Result<(), CopyError> {
    if depth > MAX_DEPTH {
        return Err(CopyError::TooDeep { limit: MAX_DEPTH });
    }
    if documents > MAX_DOCUMENTS {
        return Err(CopyError::TooMany { limit: MAX_DOCUMENTS });
    }
    Ok(())
}

fn is_document(descriptor: &Descriptor) -> bool {
    media_type::is_index(&descriptor.media_type) || media_type::is_manifest(&descriptor.media_type)
}

/// Whether a layer is had from its maker and must not be passed on (OCI Image Specification, Non-Distributable Layers).
fn is_elsewhere(descriptor: &Descriptor) -> bool {
    let kind = &descriptor.media_type;
    kind.contains(".nondistributable.") || kind.contains(".foreign.")
}
