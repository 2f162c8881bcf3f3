//! From a name to digests: what exactly is signed or verified.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use oci::{Descriptor, Digest, FetchError, Index, Platform, Store, Target};

/// How deep indexes may be nested. Real ones are not nested at all.
const MAX_DEPTH: usize = 4;
/// How many images one name may stand for. The largest known index has some twenty platforms, twice with attestations.
pub const MAX_IMAGES: usize = 1000;
/// How many bytes the indexes of one level may have together: a real index has some kilobytes.
pub const MAX_INDEXES: u64 = 16 << 20;
/// How many images are looked up at the same time.
const PARALLEL: usize = 16;
/// How long looking up all images of one name may take: a little longer than a registry that does not answer is asked.
pub const DEADLINE: Duration = Duration::from_secs(180);

/// Which of the images that a name stands for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Selection {
    /// What the name points to: a manifest, or an index as such.
    Itself,
    /// The image of an index for this platform.
    Platform(Platform),
    /// What the name points to and, if that is an index, everything below it.
    Recursive,
}

/// One image, which will be known by its digest from here on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Subject {
    /// Its type, digest and size.
    pub descriptor: Descriptor,
    /// For which platform the index above says that it is.
    pub platform: Option<Platform>,
    /// What the name led to, in the first of the images that it stands for: if it is a tag, it can lead elsewhere later.
    pub named: Option<Digest>,
}

/// Why there is nothing to sign or to verify.
#[derive(Debug, thiserror::Error)]
pub enum SelectError {
    /// The image cannot be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// An index lists an image that is not there. Whoever pushed it must push the rest.
    #[error("the index {index} lists {child}, which the registry does not have")]
    MissingChild {
        /// The index.
        index: Digest,
        /// The image that is missing.
        child: Digest,
        /// For which platform it would be.
        platform: Option<Platform>,
    },
    /// A platform was asked for, but there is only one image.
    #[error("{0} is an image for one platform, not an index")]
    NotAnIndex(Digest),
    /// The index has no image, or several, for the platform.
    #[error("the index {index} has {found} images for {wanted}")]
    Platform {
        /// The index.
        index: Digest,
        /// Which platform was asked for.
        wanted: Platform,
        /// How many images there are for it.
        found: usize,
        /// For which platforms there are images.
        there: Vec<String>,
    },
    /// Indexes are nested deeper than any real one.
    #[error("the index {0} is nested deeper than {MAX_DEPTH} levels")]
    TooDeep(Digest),
    /// An index has more images than any real one.
    #[error("the index has more than {MAX_IMAGES} images")]
    TooMany,
    /// The indexes in an index are longer than any real ones.
    #[error("the indexes in the index have more than {MAX_INDEXES} bytes")]
    TooLarge,
    /// The registry answers too slowly.
    #[error("what the name leads to was not found within {} seconds", DEADLINE.as_secs())]
    Late,
}

/// Finds what is to be signed or verified. Tags are looked up once: everything after that goes by digest.
///
/// # Errors
///
/// See [`SelectError`].
pub async fn select(
    store: &Store,
    target: &Target,
    selection: &Selection,
) -> Result<Vec<Subject>, SelectError> {
    let found = tokio::time::timeout(DEADLINE, selected(store, target, selection)).await;
    found.unwrap_or(Err(SelectError::Late))
}

async fn selected(
    store: &Store,
    target: &Target,
    selection: &Selection,
) -> Result<Vec<Subject>, SelectError> {
    match selection {
        Selection::Itself => {
            let descriptor = store.resolve(target).await?.bare();
            let named = Some(descriptor.digest);
            Ok(vec![Subject { descriptor, platform: None, named }])
        }
        Selection::Platform(wanted) => {
            let document = store.fetch(target).await?;
            let digest = document.digest();
            let index = document.index().ok_or(SelectError::NotAnIndex(digest))?;
            let child = for_platform(digest, index, wanted)?;
            check_child(store, digest, &child.descriptor, child.platform.as_ref()).await?;
            Ok(vec![Subject { named: Some(digest), ..child }])
        }
        Selection::Recursive => everything(store, target).await,
    }
}

fn for_platform(digest: Digest, index: &Index, wanted: &Platform) -> Result<Subject, SelectError> {
    let fits = |child: &&Descriptor| child.platform.as_ref().is_some_and(|p| p.satisfies(wanted));
    let found: Vec<_> = index.manifests.iter().filter(fits).collect();
    match found.as_slice() {
        [child] => Ok(subject(child)),
        _ => Err(SelectError::Platform {
            index: digest,
            wanted: wanted.clone(),
            found: found.len(),
            there: index
                .manifests
                .iter()
                .filter_map(|c| Some(c.platform.as_ref()?.to_string()))
                .collect(),
        }),
    }
}

fn subject(child: &Descriptor) -> Subject {
    Subject { descriptor: child.bare(), platform: child.platform.clone(), named: None }
}

/// What the name points to, and all below it, each digest once.
async fn everything(store: &Store, target: &Target) -> Result<Vec<Subject>, SelectError> {
    let top = store.fetch(target).await?;
    let (descriptor, digest) = (top.descriptor(), top.digest());
    let mut found = vec![Subject { descriptor, platform: None, named: Some(digest) }];
    let mut seen = BTreeSet::from([digest]);
    let mut level = Vec::from_iter(top.into_index().map(|index| (digest, index)));
    for _ in 0..MAX_DEPTH {
        let children = unseen(&level, &mut seen)?;
        found.extend(children.iter().map(|(_, child)| subject(child)));
        level = stream::iter(children)
            .map(|(index, child)| async move { look(store, index, &child).await })
            .buffered(PARALLEL)
            .try_filter_map(|below| async move { Ok(below) })
            .try_collect()
            .await?;
        if level.is_empty() {
            return Ok(found);
        }
    }
    Err(SelectError::TooDeep(level.first().map_or(digest, |(digest, _)| *digest)))
}

/// What is listed in indexes and was not seen before, each with the index that lists it. Judged by what is announced, before
/// anything is fetched.
fn unseen(
    level: &[(Digest, Index)],
    seen: &mut BTreeSet<Digest>,
) -> Result<Vec<(Digest, Descriptor)>, SelectError> {
    let mut children = Vec::new();
    for (index, listed) in level {
        if seen.len() + listed.manifests.len() > MAX_IMAGES {
            return Err(SelectError::TooMany);
        }
        let unseen = listed.manifests.iter().filter(|child| seen.insert(child.digest));
        children.extend(unseen.map(|child| (*index, child.clone())));
    }
    let is_index = |child: &&(Digest, Descriptor)| oci::media_type::is_index(&child.1.media_type);
    let sizes = children.iter().filter(is_index).map(|(_, child)| child.size);
    let total = sizes.fold(0_u64, u64::saturating_add);
    if total > MAX_INDEXES { Err(SelectError::TooLarge) } else { Ok(children) }
}

/// Looks whether a child is there: nobody should sign, or call verified, what nobody could pull. An index is fetched.
async fn look(
    store: &Store,
    index: Digest,
    child: &Descriptor,
) -> Result<Option<(Digest, Index)>, SelectError> {
    if !oci::media_type::is_index(&child.media_type) {
        check_child(store, index, child, child.platform.as_ref()).await?;
        return Ok(None);
    }
    let below = store.document(&child.bare()).await;
    let below =
        below.map_err(|error| missing(error, index, child.digest, child.platform.as_ref()))?;
    Ok(below.into_index().map(|below| (child.digest, below)))
}

async fn check_child(
    store: &Store,
    index: Digest,
    child: &Descriptor,
    platform: Option<&Platform>,
) -> Result<(), SelectError> {
    let found = store.resolve(&Target::Digest(child.digest)).await;
    found.map(drop).map_err(|error| missing(error, index, child.digest, platform))
}

fn missing(
    error: FetchError,
    index: Digest,
    child: Digest,
    platform: Option<&Platform>,
) -> SelectError {
    match error {
        FetchError::Missing { .. } => {
            SelectError::MissingChild { index, child, platform: platform.cloned() }
        }
        error => error.into(),
    }
}
