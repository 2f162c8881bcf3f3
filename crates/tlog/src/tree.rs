//! The part of the tree that is in memory: the right edge, and the tiles that are not stored yet.

use std::collections::{BTreeMap, VecDeque};

use merkle::{Hash, Node, Tile};

/// The tiles of each level that are not in the archive. The last of each level is not full.
#[derive(Debug)]
pub(crate) struct Tree {
    levels: Vec<Level>,
}

#[derive(Debug)]
struct Level {
    /// The number of the first tile.
    first: u64,
    tiles: VecDeque<Tile>,
}

impl Tree {
    /// Begins with the rightmost tile of each level, and its number.
    pub(crate) fn new(tiles: Vec<(u64, Tile)>) -> Self {
        let level = |(first, tile)| Level { first, tiles: VecDeque::from([tile]) };
        Self { levels: tiles.into_iter().map(level).collect() }
    }

    /// Appends a leaf.
    pub(crate) fn append(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Level { first: 0, tiles: VecDeque::from([Tile::default()]) });
            }
            match self.levels[level].append(hash) {
                Some(above) => hash = above,
                None => return,
            }
        }
    }

    /// The hash of a complete subtree, if it is in memory.
    pub(crate) fn node(&self, node: Node) -> Option<Hash> {
        let level = self.levels.get(usize::try_from(node.tile_level()).ok()?)?;
        let tile = level.tile(node.tile_index())?;
        tile.node(node.height_in_tile(), node.position_in_tile())
    }

    /// A tile, if it is in memory: full, or as far as it goes.
    pub(crate) fn tile(&self, level: u8, index: u64) -> Option<&Tile> {
        self.levels.get(usize::from(level))?.tile(index)
    }

    /// The full tiles that are waiting to be stored, of the first `groups` tiles of leaves and all above.
    pub(crate) fn full_tiles(&self, groups: u64) -> BTreeMap<(u8, u64), Tile> {
        let mut full = BTreeMap::new();
        let mut end = groups;
        for (number, level) in (0_u8..).zip(&self.levels) {
            for (index, tile) in (level.first..end).zip(&level.tiles) {
                full.insert((number, index), tile.clone());
            }
            end >>= 8;
        }
        full
    }

    /// Forgets the full tiles that were stored with the first `groups` tiles of leaves.
    pub(crate) fn forget(&mut self, groups: u64) {
        let mut end = groups;
        for level in &mut self.levels {
            while level.first < end {
                level.tiles.pop_front();
                level.first += 1;
            }
            end >>= 8;
        }
    }
}

impl Level {
    fn append(&mut self, hash: Hash) -> Option<Hash> {
        let above = self.tiles.back_mut()?.append(hash)?;
        self.tiles.push_back(Tile::default());
        Some(above)
    }

    fn tile(&self, index: u64) -> Option<&Tile> {
        self.tiles.get(usize::try_from(index.checked_sub(self.first)?).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use merkle::{Edge, TreeSize, root_at};

    #[test]
    fn a_tree_in_memory_has_the_root_of_its_edge() {
        let (mut tree, mut edge) = (Tree::new(vec![(0, Tile::default())]), Edge::default());
        for n in 0..66_000_u32 {
            let leaf = Hash::leaf(&n.to_be_bytes());
            tree.append(leaf);
            edge.append(leaf);
            if n % 977 == 0 || n == 65_535 {
                let root = root_at(edge.size(), |node| tree.node(node).ok_or(node));
                assert_eq!(root, Ok(edge.root()), "{n}");
            }
        }
        let full = tree.full_tiles(257);
        assert_eq!(full.keys().filter(|(level, _)| *level == 0).count(), 257);
        assert_eq!(full.keys().filter(|(level, _)| *level == 1).count(), 1);
        tree.forget(257);
        assert!(tree.full_tiles(257).is_empty());
        assert!(tree.node(Node { level: 0, index: 0 }).is_none());
        assert!(tree.node(Node { level: 8, index: 256 }).is_some());
        assert_eq!(edge.size(), TreeSize::new(66_000));
    }
}
