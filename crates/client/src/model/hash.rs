//! Hashing the files of a model on all processors.
//!
//! The work is cut into pieces: a file, a shard of one, or a subtree of either where the hash function is a tree. Each
//! thread takes the next piece and reads it in chunks, so that memory does not grow with the model.

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crypto::{ContentDigest, Parts};
use wire::model::{MAX_RESOURCES, ModelPath, Resource, ResourceName, Serialization};

use super::ModelFile;

/// How much one thread reads at a time: enough that system calls do not count.
const CHUNK: usize = 1 << 20;

/// Why a model cannot be hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file has another length than before.
    #[error("{} changed while it was hashed", path.display())]
    Changed {
        /// Which.
        path: PathBuf,
    },
    /// There are more digests than a manifest can hold, so there is no need to make them.
    #[error("the files have more than {MAX_RESOURCES} shards")]
    TooMany,
    /// A name that cannot be that of a shard: readers would split it elsewhere.
    #[error("{path} has a colon in its name, which no manifest of shards can hold")]
    Colon {
        /// Which.
        path: ModelPath,
    },
}

/// A resource whose digest is in the making.
struct Pending {
    name: ResourceName,
    /// The length of the whole file.
    length: u64,
    parts: Mutex<Parts>,
    digest: Mutex<Option<ContentDigest>>,
}

/// What one thread does at a time: a part of a resource.
struct Piece {
    resource: usize,
    part: usize,
    /// Which bytes of the file.
    range: Range<u64>,
}

/// Hashes `files` below `root`.
pub(super) fn resources(
    root: &Path,
    files: &[ModelFile],
    serialization: &Serialization,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<Resource>, HashError> {
    let pending = pending(files, serialization)?;
    let pieces = pieces(&pending);
    let work =
        Work { root, pending: &pending, pieces: &pieces, next: AtomicUsize::new(0), progress };
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(pieces.len());
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| work.run())).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    Ok(pending.into_iter().filter_map(Pending::finish).collect())
}

fn pending(files: &[ModelFile], serialization: &Serialization) -> Result<Vec<Pending>, HashError> {
    let mut pending = Vec::with_capacity(files.len());
    for ModelFile { path, length } in files {
        let mut push = |shard: Option<Range<u64>>| {
            if pending.len() == MAX_RESOURCES {
                return Err(HashError::TooMany);
            }
            let size = shard.as_ref().map_or(*length, |shard| shard.end - shard.start);
            pending.push(Pending {
                name: ResourceName { path: path.clone(), shard },
                length: *length,
                parts: Mutex::new(Parts::new(serialization.hash, size)),
                digest: Mutex::new(None),
            });
            Ok(())
        };
        match serialization.method.shards(*length) {
            Some(_) if path.as_str().contains(':') => {
                return Err(HashError::Colon { path: path.clone() });
            }
            Some(mut shards) => shards.try_for_each(|shard| push(Some(shard)))?,
            None => push(None)?,
        }
    }
    Ok(pending)
}

/// All pieces, the longest first, so that no thread is left with a long one at the end.
fn pieces(pending: &[Pending]) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(pending.len());
    for (resource, it) in pending.iter().enumerate() {
        let start = it.name.shard.as_ref().map_or(0, |shard| shard.start);
        for (part, range) in lock(&it.parts).ranges().into_iter().enumerate() {
            pieces.push(Piece { resource, part, range: start + range.start..start + range.end });
        }
    }
    pieces.sort_by_key(|piece| std::cmp::Reverse(piece.range.end - piece.range.start));
    pieces
}

/// What the threads share.
struct Work<'a> {
    root: &'a Path,
    pending: &'a [Pending],
    pieces: &'a [Piece],
    next: AtomicUsize,
    progress: &'a (dyn Fn(u64) + Sync),
}

impl Work<'_> {
    /// Takes pieces until there are none, or until something fails.
    fn run(&self) -> Result<(), HashError> {
        let mut chunk = vec![0; CHUNK];
        while let Some(piece) = self.pieces.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(error) = self.hash(piece, &mut chunk) {
                // The other threads have no reason to go on.
                self.next.store(self.pieces.len(), Ordering::Relaxed);
                return Err(error);
            }
        }
        Ok(())
    }

    fn hash(&self, piece: &Piece, chunk: &mut [u8]) -> Result<(), HashError> {
        let pending = &self.pending[piece.resource];
        let path = match pending.name.path.as_str() {
            "." => self.root.to_owned(),
            path => self.root.join(path),
        };
        let failed = |source| HashError::Read { path: path.clone(), source };
        let file = File::open(&path).map_err(failed)?;
        if file.metadata().map_err(failed)?.len() != pending.length {
            return Err(HashError::Changed { path });
        }
        let mut hasher = lock(&pending.parts).hasher(piece.part);
        let Range { mut start, end } = piece.range;
        while start < end {
            let wanted = usize::try_from(end - start).unwrap_or(CHUNK).min(CHUNK);
            match file.read_at(&mut chunk[..wanted], start) {
                Ok(0) => return Err(HashError::Changed { path }),
                Ok(read) => {
                    hasher.update(&chunk[..read]);
                    start += read as u64;
                    (self.progress)(read as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        if let Some(digest) = lock(&pending.parts).put(hasher.finish()) {
            *lock(&pending.digest) = Some(digest);
        }
        Ok(())
    }
}

impl Pending {
    fn finish(self) -> Option<Resource> {
        let digest = self.digest.into_inner().unwrap_or_else(PoisonError::into_inner)?;
        Some(Resource { name: self.name, digest })
    }
}

/// A thread that panicked ends the whole, so that nothing half-done is looked at.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::num::NonZeroU64;
    use std::sync::atomic::AtomicU64;

    use crypto::ContentHash;
    use wire::model::{Manifest, Method};

    use super::*;
    use crate::model::{ModelFiles, Symlinks};

    /// Long enough for two subtrees of BLAKE3.
    const LARGE: usize = (16 << 20) + 5;

    fn model() -> tempfile::TempDir {
        let model = tempfile::tempdir().unwrap();
        fs::create_dir(model.path().join("sub")).unwrap();
        fs::write(model.path().join("large"), vec![7; LARGE]).unwrap();
        fs::write(model.path().join("sub/small"), "small").unwrap();
        fs::write(model.path().join("empty"), "").unwrap();
        model
    }

    fn hash(root: &Path, method: Method, hash: ContentHash) -> Result<Manifest, HashError> {
        let serialization =
            Serialization { method, hash, allow_symlinks: false, ignore_paths: vec![] };
        let files = ModelFiles::find(root, &[], Symlinks::Refused).unwrap();
        files.hash(serialization, &|_| {})
    }

    fn listed(manifest: &Manifest) -> Vec<String> {
        manifest.resources().iter().map(|resource| resource.name.to_string()).collect()
    }

    #[test]
    fn files_have_the_digests_of_their_contents() {
        let model = model();
        for function in ContentHash::ALL {
            let manifest = hash(model.path(), Method::Files, function).unwrap();
            assert_eq!(listed(&manifest), ["empty", "large", "sub/small"]);
            for resource in manifest.resources() {
                let contents = fs::read(model.path().join(resource.name.path.as_str())).unwrap();
                assert_eq!(resource.digest, function.digest(&contents), "{}", resource.name);
            }
        }
    }

    #[test]
    fn shards_have_the_digests_of_their_bytes_and_empty_files_have_none() {
        let model = model();
        let size = 10 << 20;
        let method = Method::Shards(NonZeroU64::new(size as u64).unwrap());
        let manifest = hash(model.path(), method, ContentHash::Blake2b).unwrap();
        let (first, second) = (format!("large:0:{size}"), format!("large:{size}:{LARGE}"));
        assert_eq!(listed(&manifest), [first, second, "sub/small:0:5".to_owned()]);
        let second = ContentHash::Blake2b.digest(&vec![7; LARGE - size]);
        assert_eq!(manifest.resources()[1].digest, second);
    }

    #[test]
    fn every_byte_is_told_to_the_progress_once() {
        let model = model();
        let files = ModelFiles::find(model.path(), &[], Symlinks::Refused).unwrap();
        let told = AtomicU64::new(0);
        let serialization = Serialization {
            method: Method::Files,
            hash: ContentHash::Blake3,
            allow_symlinks: false,
            ignore_paths: vec![],
        };
        files
            .hash(serialization, &|bytes| {
                told.fetch_add(bytes, Ordering::Relaxed);
            })
            .unwrap();
        assert_eq!(told.into_inner(), files.bytes());
        assert_eq!(files.bytes(), LARGE as u64 + 5);
    }

    #[test]
    fn a_file_that_changed_or_went_is_noticed() {
        let model = model();
        let files = ModelFiles::find(model.path(), &[], Symlinks::Refused).unwrap();
        let serialization = Serialization {
            method: Method::Files,
            hash: ContentHash::Sha256,
            allow_symlinks: false,
            ignore_paths: vec![],
        };
        fs::write(model.path().join("sub/small"), "longer").unwrap();
        let changed = files.hash(serialization.clone(), &|_| {});
        assert!(matches!(changed, Err(HashError::Changed { .. })));
        fs::remove_file(model.path().join("sub/small")).unwrap();
        let gone = files.hash(serialization, &|_| {});
        assert!(matches!(gone, Err(HashError::Read { .. })));
    }

    #[test]
    fn more_shards_than_a_manifest_holds_are_not_begun() {
        let model = tempfile::tempdir().unwrap();
        let file = fs::File::create(model.path().join("sparse")).unwrap();
        file.set_len(1 << 43).unwrap();
        let method = Method::Shards(NonZeroU64::new(1).unwrap());
        let refused = hash(model.path(), method, ContentHash::Sha256);
        assert!(matches!(refused, Err(HashError::TooMany)));
    }

    #[test]
    fn a_colon_cannot_be_in_the_name_of_a_shard() {
        let model = tempfile::tempdir().unwrap();
        fs::write(model.path().join("a:b"), "x").unwrap();
        hash(model.path(), Method::Files, ContentHash::Sha256).unwrap();
        let method = Method::Shards(NonZeroU64::new(1).unwrap());
        let refused = hash(model.path(), method, ContentHash::Sha256);
        assert!(matches!(refused, Err(HashError::Colon { .. })));
    }
}
