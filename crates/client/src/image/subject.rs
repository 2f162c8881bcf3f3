//! From a name to digests: what exactly is signed or verified.

use oci::{Content, Descriptor, Digest, FetchError, Index, Platform, Store, Target};

/// How deep indexes may be nested. Real ones are not nested at all.
const MAX_DEPTH: usize = 4;
/// How many images one name may stand for. The largest known index has some twenty platforms, twice with attestations.
const MAX_IMAGES: usize = 1000;

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
    let mut found =
        vec![Subject { descriptor: top.descriptor(), platform: None, named: Some(top.digest()) }];
    let mut indexes = Vec::new();
    if let Content::Index(index) = top.content() {
        indexes.push((top.digest(), index.clone(), 1));
    }
    while let Some((digest, index, depth)) = indexes.pop() {
        if depth > MAX_DEPTH {
            return Err(SelectError::TooDeep(digest));
        }
        for child in &index.manifests {
            if found.iter().any(|known| known.descriptor.digest == child.digest) {
                continue;
            }
            if found.len() >= MAX_IMAGES {
                return Err(SelectError::TooMany);
            }
            found.push(subject(child));
            if oci::media_type::is_index(&child.media_type) {
                let below = store.document(&child.bare()).await;
                let below = below.map_err(|error| missing(error, digest, child))?;
                if let Content::Index(index) = below.content() {
                    indexes.push((child.digest, index.clone(), depth + 1));
                }
            } else {
                check_child(store, digest, child, child.platform.as_ref()).await?;
            }
        }
    }
    Ok(found)
}

/// Nobody should sign, or call verified, what nobody could pull.
async fn check_child(
    store: &Store,
    index: Digest,
    child: &Descriptor,
    platform: Option<&Platform>,
) -> Result<(), SelectError> {
    match store.resolve(&Target::Digest(child.digest)).await {
        Ok(_) => Ok(()),
        Err(FetchError::Missing { .. }) => Err(SelectError::MissingChild {
            index,
            child: child.digest,
            platform: platform.cloned(),
        }),
        Err(error) => Err(error.into()),
    }
}

fn missing(error: FetchError, index: Digest, child: &Descriptor) -> SelectError {
    match error {
        FetchError::Missing { .. } => SelectError::MissingChild {
            index,
            child: child.digest,
            platform: child.platform.clone(),
        },
        error => error.into(),
    }
}
