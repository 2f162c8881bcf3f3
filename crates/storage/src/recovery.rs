//! The tree of a log, put together again from its tiles and its journal.

use merkle::{Edge, EdgeError, Hash, Node, TILE_WIDTH, Tile, TreeSize};

use crate::Leaf;
use crate::archive::Archive;
use crate::record::{Head, Record};
use crate::store::OpenError;

/// What a log has beyond its archive.
#[derive(Debug)]
pub struct Recovered {
    /// The newest committed state.
    pub head: Head,
    /// How many leaves are certainly in the archive: whole groups.
    pub stored: TreeSize,
    /// All leaves from there on.
    pub leaves: Vec<Leaf>,
    /// For each level of tiles, the rightmost tile that is not in the archive, as it is at `stored`: its number, and
    /// its hashes so far.
    pub tiles: Vec<(u64, Tile)>,
}

/// The tree, as it is put together from tiles and journal.
pub(crate) struct Recovery<'a> {
    archive: &'a Archive,
    stored: TreeSize,
    leaves: Vec<Leaf>,
    tiles: Vec<(u64, Tile)>,
    pub(crate) edge: Edge,
    head: &'a Head,
}

impl<'a> Recovery<'a> {
    /// Replays the journal on top of the tiles, and checks every record's edge.
    pub(crate) fn new(archive: &'a Archive, records: &'a [Record]) -> Result<Self, OpenError> {
        let (first, last) = match records {
            [first, ..] => (first.first, records.last().unwrap_or(first)),
            [] => unreachable!("a journal that was read has a record"),
        };
        // A segment is removed only when every group that it has a part of is stored.
        let stored = TreeSize::new(first.get().next_multiple_of(TILE_WIDTH));
        let tiles = right_edge(archive, stored)?;
        let head = &last.head;
        let mut recovery =
            Self { archive, stored, leaves: Vec::new(), tiles, edge: Edge::default(), head };
        recovery.edge = recovery.edge_at(TreeSize::new(first.get()))?;
        for record in records {
            recovery.replay(record)?;
        }
        Ok(recovery)
    }

    fn replay(&mut self, record: &Record) -> Result<(), OpenError> {
        for leaf in &record.leaves {
            if self.edge.size() >= self.stored {
                self.leaves.push(leaf.clone());
            }
            self.edge.append(leaf.hash);
        }
        let size = self.edge.size();
        if self.edge != record.head.edge || (size == self.stored && !self.agrees_at_stored()?) {
            return Err(OpenError::Tree { size });
        }
        Ok(())
    }

    /// Whether the journal leads to the same tree as the tiles where it passes from one to the other.
    fn agrees_at_stored(&self) -> Result<bool, OpenError> {
        Ok(self.edge_at(self.stored)? == self.edge)
    }

    /// The edge of the first `size` leaves, which the archive has.
    fn edge_at(&self, size: TreeSize) -> Result<Edge, OpenError> {
        let mut peaks = Vec::new();
        let mut from = 0;
        while from < size.get() {
            let leaves = 1 << (size.get() - from).ilog2();
            peaks.extend(Node::over(from, from + leaves).map(|node| self.node(node)));
            from += leaves;
        }
        let peaks = peaks.into_iter().collect::<Result<_, _>>()?;
        Edge::from_peaks(size, peaks).map_err(|EdgeError { size, .. }| OpenError::Tree { size })
    }

    /// The root of the first `size` leaves.
    pub(crate) fn root_at(&self, size: TreeSize) -> Result<Hash, OpenError> {
        merkle::root_at(size, |node| self.node(node))
    }

    /// The hash of a complete subtree, from tiles or from the leaves of the journal.
    fn node(&self, node: Node) -> Result<Hash, OpenError> {
        let unknown = || OpenError::Tree { size: self.stored };
        let leaves = 1_u64 << node.level;
        let (start, end) = (node.index * leaves, (node.index + 1) * leaves);
        if start >= self.stored.get() {
            let within = |at: u64| usize::try_from(at - self.stored.get()).ok();
            let range = within(start).zip(within(end)).ok_or_else(unknown)?;
            let leaves = self.leaves.get(range.0..range.1).ok_or_else(unknown)?;
            let mut edge = Edge::default();
            leaves.iter().for_each(|leaf| edge.append(leaf.hash));
            return Ok(edge.root());
        }
        if end > self.stored.get() {
            let half = Node { level: node.level - 1, index: node.index * 2 };
            let other = Node { index: half.index + 1, ..half };
            return Ok(Hash::node(&self.node(half)?, &self.node(other)?));
        }
        let level = u8::try_from(node.tile_level()).map_err(|_| unknown())?;
        let (index, height) = (node.tile_index(), node.height_in_tile());
        let position = node.position_in_tile();
        let hash = match self.tiles.get(usize::from(level)) {
            Some((current, tile)) if *current == index => tile.node(height, position),
            _ => self.archive.tile(level, index)?.node(height, position),
        };
        hash.ok_or_else(unknown)
    }

    pub(crate) fn finish(self) -> Recovered {
        let Self { stored, leaves, tiles, head, .. } = self;
        Recovered { head: head.clone(), stored, leaves, tiles }
    }
}

/// The tiles, one for each level, that the first `stored` leaves do not fill. `stored` is whole groups.
fn right_edge(archive: &Archive, stored: TreeSize) -> Result<Vec<(u64, Tile)>, OpenError> {
    let mut tiles = vec![(stored.get() / TILE_WIDTH, Tile::default())];
    let mut below = stored.get() / TILE_WIDTH;
    for level in 0_u8.. {
        if below == 0 {
            break;
        }
        let mut tile = Tile::default();
        for index in below / TILE_WIDTH * TILE_WIDTH..below {
            let full = archive.tile(level, index)?;
            tile.append(root_of(&full));
        }
        below /= TILE_WIDTH;
        tiles.push((below, tile));
    }
    Ok(tiles)
}

/// The hash of the node over a full tile.
fn root_of(tile: &Tile) -> Hash {
    let (left, right) = (tile.node(7, 0), tile.node(7, 1));
    let (left, right) = left.zip(right).expect("the archive answers with full tiles only");
    Hash::node(&left, &right)
}
