//! What the threads of a log and its readers share.

use std::collections::VecDeque;
use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::Timestamp;
use merkle::{Hash, LeafIndex, Node, TILE_WIDTH, TreeSize};
use storage::{Archive, ArchiveError, Head, IndexPosition, Leaf, Meter, Recovered};

use crate::identities::{Identities, Keys};
use crate::tree::Tree;
use crate::{Counters, LogState, LoggedEntry, Published};

/// What the threads of a log and its readers share.
pub(crate) struct Shared {
    pub(crate) archive: Archive,
    pub(crate) identities: Identities,
    pub(crate) counts: Counts,
    pub(crate) meter: Meter,
    /// Nobody waits for the log any more: what takes long is not finished.
    pub(crate) ending: AtomicBool,
    live: RwLock<Live>,
    state: RwLock<LogState>,
}

/// What is in memory of the log, as of the published checkpoint.
pub(crate) struct Live {
    pub(crate) tree: Tree,
    /// How many leaves are in the archive: whole groups.
    pub(crate) stored: TreeSize,
    /// All leaves from there on.
    pub(crate) leaves: VecDeque<Leaf>,
    pub(crate) published: Arc<Published>,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) batches: AtomicU64,
    pub(crate) entries: AtomicU64,
    pub(crate) repeats: AtomicU64,
    pub(crate) reply_syncs: AtomicU64,
    pub(crate) payload_bytes: AtomicU64,
    /// Bytes of the leaves that are in memory until they are stored.
    pub(crate) unstored_bytes: AtomicU64,
}

impl Shared {
    pub(crate) fn new(
        archive: Archive,
        identities: Identities,
        meter: Meter,
        recovered: Recovered,
    ) -> Self {
        let Recovered { head, stored, leaves, tiles } = recovered;
        let mut tree = Tree::new(tiles);
        leaves.iter().for_each(|leaf| tree.append(leaf.hash));
        let counts = Counts::default();
        let bytes = leaves.iter().map(payload).sum();
        counts.unstored_bytes.store(bytes, Ordering::Relaxed);
        let published = Arc::new(published(&head));
        let live = Live { tree, stored, leaves: leaves.into(), published };
        let state = LogState::Indexing { done: 0, of: live.published.size.get() };
        Self {
            archive,
            identities,
            counts,
            meter,
            ending: AtomicBool::new(false),
            live: RwLock::new(live),
            state: RwLock::new(state),
        }
    }

    pub(crate) fn live(&self) -> RwLockReadGuard<'_, Live> {
        self.live.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn live_mut(&self) -> RwLockWriteGuard<'_, Live> {
        self.live.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state(&self) -> LogState {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_state(&self, state: LogState) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Takes note of a failure after which only opening the log again helps. The first one counts.
    pub(crate) fn stop(&self, error: &dyn Error) {
        let reason = chain(error);
        tracing::error!(reason, "the log has stopped");
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*state, LogState::Stopped { .. }) {
            *state = LogState::Stopped { reason: reason.into() };
        }
    }

    /// Lets everyone see a batch that is durable.
    pub(crate) fn publish(&self, leaves: Vec<Leaf>, published: Published) -> Arc<Published> {
        let bytes: u64 = leaves.iter().map(payload).sum();
        self.counts.unstored_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.counts.payload_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.counts.batches.fetch_add(1, Ordering::Relaxed);
        self.counts.entries.fetch_add(leaves.len() as u64, Ordering::Relaxed);

        let mut live = self.live_mut();
        let first = live.published.size.get();
        self.identities.extend((first..).map(LeafIndex::new).zip(leaves.iter().map(Keys::of)));
        leaves.iter().for_each(|leaf| live.tree.append(leaf.hash));
        live.leaves.extend(leaves);
        live.published = Arc::new(published);
        Arc::clone(&live.published)
    }

    /// The hash of a complete subtree, from memory or from the archive.
    pub(crate) fn node(&self, node: Node) -> Result<Hash, ArchiveError> {
        let live = self.live().tree.node(node);
        live.map_or_else(|| archived_node(&self.archive, node), Ok)
    }

    /// Sets what is recent of the identities aside, and says up to where that is.
    pub(crate) fn begin_move(&self) -> IndexPosition {
        // Nothing is published while this lock is held, so position and identities are of one state.
        let live = self.live();
        self.identities.begin_move();
        IndexPosition { size: live.published.size, root: live.published.root }
    }

    pub(crate) fn counters(&self) -> Counters {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let readings = self.meter.readings();
        let reply_syncs = read(&self.counts.reply_syncs);
        Counters {
            batches: read(&self.counts.batches),
            entries: read(&self.counts.entries),
            repeats: read(&self.counts.repeats),
            reply_syncs,
            other_syncs: readings.syncs.saturating_sub(reply_syncs),
            bytes_written: readings.bytes,
            payload_bytes: read(&self.counts.payload_bytes),
        }
    }
}

impl Live {
    /// Whether a complete group waits for its files.
    pub(crate) fn has_group(&self) -> bool {
        self.published.size.get() / TILE_WIDTH > self.stored.get() / TILE_WIDTH
    }

    /// A leaf that is in memory.
    pub(crate) fn leaf(&self, index: LeafIndex) -> Option<&Leaf> {
        let position = index.get().checked_sub(self.stored.get())?;
        self.leaves.get(usize::try_from(position).ok()?)
    }
}

/// The hash of a complete subtree, from the tiles of the archive.
pub(crate) fn archived_node(archive: &Archive, node: Node) -> Result<Hash, ArchiveError> {
    let level = u8::try_from(node.tile_level()).unwrap_or(u8::MAX);
    let tile = archive.tile(level, node.tile_index())?;
    let hash = tile.node(node.height_in_tile(), node.position_in_tile());
    Ok(hash.expect("a full tile has all nodes below its own"))
}

/// What a leaf is to those who read it.
pub(crate) fn logged(index: LeafIndex, leaf: &Leaf) -> LoggedEntry {
    LoggedEntry {
        index,
        time: timestamp(leaf.time_ms),
        entry: leaf.entry.clone(),
        metadata: leaf.metadata.clone(),
    }
}

pub(crate) fn published(head: &Head) -> Published {
    Published {
        size: head.edge.size(),
        root: head.edge.root(),
        time: timestamp(head.time_ms),
        checkpoint: head.checkpoint.clone(),
        frozen: head.frozen,
    }
}

/// The time of a leaf. What is out of range was never issued.
pub(crate) fn timestamp(time_ms: i64) -> Timestamp {
    Timestamp::from_millisecond(time_ms).unwrap_or(Timestamp::MAX)
}

pub(crate) fn payload(leaf: &Leaf) -> u64 {
    (leaf.entry.len() + leaf.metadata.len()) as u64
}

/// An error and its causes, for an operator.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
