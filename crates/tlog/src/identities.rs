//! Which leaf has an identity: exactly, up to the published size.
//!
//! The newest identities are in memory, all others in the index. A follower moves them, off the reply path. Until a
//! log has some thousand leaves there is no index at all, so that opening a new one costs nothing.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use merkle::{Hash, LeafIndex};
use storage::{Index, IndexError, IndexPosition, Indexes, Key, Leaf};

/// How many leaves are in memory before they are moved to the index. 16,384 take 1 to 2 MB, and are read back from
/// their tiles in some tens of milliseconds when a log is opened.
pub(crate) const RECENT_IDENTITIES: u64 = 16_384;

/// All identities of a log.
pub(crate) struct Identities {
    indexes: Box<dyn Indexes>,
    max_recent: u64,
    state: RwLock<State>,
}

struct State {
    /// Has the leaves before `moving`.
    index: Option<Arc<dyn Index>>,
    /// Is being written to the index.
    moving: Arc<HashMap<Key, LeafIndex>>,
    /// Came after.
    recent: HashMap<Key, LeafIndex>,
    /// How many leaves came after.
    leaves: u64,
}

impl Identities {
    pub(crate) fn new(indexes: Box<dyn Indexes>, max_recent: u64) -> Self {
        let state =
            State { index: None, moving: Arc::default(), recent: HashMap::new(), leaves: 0 };
        Self { indexes, max_recent, state: RwLock::new(state) }
    }

    /// Opens the index, if there is one, and says how far it reaches.
    pub(crate) fn open(&self) -> Result<Option<IndexPosition>, IndexError> {
        let Some(index) = self.indexes.open()? else { return Ok(None) };
        let position = index.position()?;
        self.write().index = Some(index);
        Ok(Some(position))
    }

    /// Puts an empty index in place of one that is lost, damaged or of another log.
    pub(crate) fn begin_again(&self) -> Result<(), IndexError> {
        self.write().index = None;
        let index = self.indexes.create()?;
        self.write().index = Some(index);
        Ok(())
    }

    /// Remembers leaves that follow those it knows.
    pub(crate) fn extend(&self, leaves: impl IntoIterator<Item = (LeafIndex, Keys)>) {
        let mut state = self.write();
        for (index, keys) in leaves {
            state.recent.extend(keys.into_iter().map(|key| (key, index)));
            state.leaves += 1;
        }
    }

    /// Finds the leaf with this key.
    pub(crate) fn find(&self, key: Key) -> Result<Option<LeafIndex>, IndexError> {
        let index = {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(found) = state.recent.get(&key).or_else(|| state.moving.get(&key)) {
                return Ok(Some(*found));
            }
            state.index.clone()
        };
        index.map_or(Ok(None), |index| index.find(key))
    }

    /// Whether enough is in memory to be moved.
    pub(crate) fn is_due(&self) -> bool {
        self.state.read().unwrap_or_else(PoisonError::into_inner).leaves >= self.max_recent
    }

    /// Sets what is in memory aside for [`Self::write_moving`]. The caller knows that the tree is at `position` just
    /// when this is called, and sees to it that it is not called again before.
    pub(crate) fn begin_move(&self) {
        let mut state = self.write();
        state.moving = Arc::new(std::mem::take(&mut state.recent));
        state.leaves = 0;
    }

    /// Writes what was set aside to the index, which then has the leaves up to `position`.
    pub(crate) fn write_moving(&self, position: IndexPosition) -> Result<(), IndexError> {
        if self.read_index().is_none() {
            self.begin_again()?;
        }
        let index = self.read_index().ok_or(IndexError::Damaged)?;
        let moving = Arc::clone(&self.write().moving);
        let mut keys: Vec<_> = moving.iter().map(|(key, index)| (*key, *index)).collect();
        // In the order of the keys, which is the order of the index.
        keys.sort_unstable();
        index.advance(&keys, position)?;
        self.write().moving = Arc::default();
        Ok(())
    }

    fn read_index(&self) -> Option<Arc<dyn Index>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).index.clone()
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a leaf is found by: its hash, and its identity if that is another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys {
    hash: Hash,
    identity: Option<Hash>,
}

impl Keys {
    pub(crate) const fn new(hash: Hash, identity: Option<Hash>) -> Self {
        Self { hash, identity }
    }

    pub(crate) const fn of(leaf: &Leaf) -> Self {
        Self::new(leaf.hash, leaf.identity)
    }
}

impl IntoIterator for Keys {
    type Item = Key;
    type IntoIter = std::iter::Chain<std::iter::Once<Key>, std::option::IntoIter<Key>>;

    fn into_iter(self) -> Self::IntoIter {
        std::iter::once(Key::Leaf(self.hash)).chain(self.identity.map(Key::Own))
    }
}
