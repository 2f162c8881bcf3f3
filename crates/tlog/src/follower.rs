//! What follows a commit, off the reply path: complete groups become files, identities become an index, and the journal
//! is kept short.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use merkle::{Hash, LeafIndex, TILE_WIDTH, TreeSize};
use storage::{Archive, ArchiveError, IndexError, IndexPosition, Leaf, Segments};

use crate::LogState;
use crate::identities::Keys;
use crate::shared::{Shared, payload};

/// How many groups are stored at once. With entries of a few kilobytes some tens of megabytes.
const MAX_GROUPS: u64 = 32;

const GROUP: usize = storage::GROUP;

/// Does what follows a commit.
pub(crate) struct Follower {
    pub(crate) shared: Arc<Shared>,
    pub(crate) segments: Segments,
}

/// Why the follower cannot go on. The log stops: what waits would grow for ever.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FollowError {
    #[error("complete groups cannot be stored")]
    Archive(#[from] ArchiveError),
    #[error("the index cannot be kept")]
    Index(#[from] IndexError),
    #[error("the journal cannot be kept short")]
    Journal(#[from] io::Error),
}

impl Follower {
    /// Brings identities up to the published size, whatever is there of the index.
    ///
    /// Nothing is appended before this is done, lest it be a repeat. Says whether it is: a log that is to end does not
    /// wait until all of a large one was read.
    pub(crate) fn catch_up(&self) -> Result<bool, FollowError> {
        let size = self.shared.live().published.size;
        let mut done = self.usable_index(size)?;
        while done < size {
            if self.shared.ending.load(Ordering::Relaxed) {
                return Ok(false);
            }
            self.shared.set_state(LogState::Indexing { done: done.get(), of: size.get() });
            done = self.read_identities(done, size)?;
            if self.shared.identities.is_due() {
                self.shared.identities.begin_move();
                let root = self.root_at(done)?;
                self.shared.identities.write_moving(IndexPosition { size: done, root })?;
            }
        }
        let frozen = self.shared.live().published.frozen;
        self.shared.set_state(if frozen { LogState::Frozen } else { LogState::Ready });
        Ok(true)
    }

    /// Opens the index, and says how many leaves it has. One that is not of this log is replaced.
    fn usable_index(&self, size: TreeSize) -> Result<TreeSize, FollowError> {
        let found = self.shared.identities.open();
        let usable = match &found {
            Ok(None) => return Ok(TreeSize::ZERO),
            Ok(Some(position)) if position.size <= size => {
                self.root_at(position.size)? == position.root
            }
            Ok(Some(_)) | Err(_) => false,
        };
        match found {
            Ok(Some(position)) if usable => Ok(position.size),
            _ => {
                tracing::warn!("the index is not of this log as it is: it is rebuilt");
                self.shared.identities.begin_again()?;
                Ok(TreeSize::ZERO)
            }
        }
    }

    /// Takes the identities of the next leaves into memory, and says up to where.
    fn read_identities(&self, from: TreeSize, to: TreeSize) -> Result<TreeSize, FollowError> {
        let live = self.shared.live();
        if from >= live.stored {
            let skipped = usize::try_from(from.get() - live.stored.get()).unwrap_or(usize::MAX);
            let keys = live.leaves.iter().skip(skipped).map(Keys::of);
            self.shared.identities.extend((from.get()..).map(LeafIndex::new).zip(keys));
            return Ok(to);
        }
        drop(live);
        let group = from.get() / TILE_WIDTH;
        let keys = archived_keys(&self.shared.archive, group)?;
        let skipped = usize::try_from(from.get() % TILE_WIDTH).unwrap_or(GROUP);
        let keys = keys.into_iter().skip(skipped);
        self.shared.identities.extend((from.get()..).map(LeafIndex::new).zip(keys));
        Ok(TreeSize::new((group + 1) * TILE_WIDTH))
    }

    fn root_at(&self, size: TreeSize) -> Result<Hash, ArchiveError> {
        merkle::root_at(size, |node| self.shared.node(node))
    }

    /// Whether anything is. To wake a thread for each commit would cost more than the commits of single entries.
    pub(crate) fn is_due(&self) -> bool {
        let has_group = self.shared.live().has_group();
        has_group || self.segments.wants_next() || self.shared.identities.is_due()
    }

    /// Does all that is due, until nothing is.
    pub(crate) fn follow(&self) -> Result<(), FollowError> {
        loop {
            // Under load groups are complete all the time; the journal must not wait for the last of them.
            self.segments.prepare()?;
            let stored = self.store_groups()?;
            self.segments.remove_stored(self.shared.live().stored)?;
            if self.shared.identities.is_due() {
                let position = self.shared.begin_move();
                self.shared.identities.write_moving(position)?;
            }
            if !stored {
                return Ok(());
            }
        }
    }

    /// Makes files of complete groups. Says whether there were any.
    fn store_groups(&self) -> Result<bool, FollowError> {
        let (stored, groups, tiles) = {
            let live = self.shared.live();
            let first = live.stored.get() / TILE_WIDTH;
            let end = (live.published.size.get() / TILE_WIDTH).min(first + MAX_GROUPS);
            let groups: BTreeMap<u64, Vec<Leaf>> =
                (first..end).zip(live.leaves.iter().cloned().groups()).collect();
            (TreeSize::new(end * TILE_WIDTH), groups, live.tree.full_tiles(end))
        };
        if groups.is_empty() {
            return Ok(false);
        }
        self.shared.archive.store(&groups, &tiles)?;

        let mut live = self.shared.live_mut();
        live.stored = stored;
        live.tree.forget(stored.get() / TILE_WIDTH);
        let bytes: u64 = live.leaves.drain(..groups.len() * GROUP).map(|leaf| payload(&leaf)).sum();
        self.shared.counts.unstored_bytes.fetch_sub(bytes, Ordering::Relaxed);
        if live.leaves.capacity() > 16 * GROUP {
            live.leaves.shrink_to(4 * GROUP);
        }
        Ok(true)
    }
}

/// What the leaves of a stored group are found by.
fn archived_keys(archive: &Archive, group: u64) -> Result<Vec<Keys>, ArchiveError> {
    let tile = archive.tile(0, group)?;
    let identities = archive.identities(group)?;
    let identity = |at: usize| identities.as_ref().and_then(|all| all.get(at).copied());
    Ok(tile.hashes().iter().enumerate().map(|(at, hash)| Keys::new(*hash, identity(at))).collect())
}

/// Leaves, a whole group at a time.
trait Groups: Iterator<Item = Leaf> + Sized {
    fn groups(mut self) -> impl Iterator<Item = Vec<Leaf>> {
        std::iter::from_fn(move || {
            let group: Vec<Leaf> = self.by_ref().take(GROUP).collect();
            (group.len() == GROUP).then_some(group)
        })
    }
}

impl<I: Iterator<Item = Leaf>> Groups for I {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    #[test]
    fn a_log_that_is_to_end_reads_no_more_and_takes_nothing() {
        let mut world = World::new();
        let mut parts = world.open().unwrap();
        assert!(parts.1.catch_up().unwrap());
        let texts: Vec<String> = (0..300).map(|n| format!("{n}")).collect();
        assert!(world.live(&mut parts, &texts));
        drop(parts);

        world.indexes = storage::MemoryIndexes::default();
        let (_, follower) = world.open().unwrap();
        follower.shared.ending.store(true, Ordering::Relaxed);
        assert!(!follower.catch_up().unwrap());
        assert!(matches!(follower.shared.state(), LogState::Indexing { .. }));
        follower.shared.ending.store(false, Ordering::Relaxed);
        assert!(follower.catch_up().unwrap());
        assert_eq!(follower.shared.state(), LogState::Ready);
    }
}
