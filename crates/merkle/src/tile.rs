//! The contents of hash tiles.

use crate::tile_path::{TILE_HEIGHT, TILE_WIDTH};
use crate::{Hash, Node, TileKind, TilePath, TreeSize};

/// A tile of hashes, full or partial, with every node over them that is complete.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tile {
    /// `rows[0]` are the hashes of the tile; each row above has the nodes over pairs of the one below.
    rows: [Vec<Hash>; TILE_HEIGHT as usize],
}

/// The bytes are not those of a tile.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a tile has 1 to 256 hashes of 32 bytes, not {found} bytes")]
pub struct TileError {
    /// How many bytes there were.
    pub found: usize,
}

impl Tile {
    /// Reads the bytes of a tile.
    ///
    /// # Errors
    ///
    /// If they are not 1 to 256 hashes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TileError> {
        let (hashes, rest) = bytes.as_chunks::<{ Hash::LENGTH }>();
        if !rest.is_empty() || hashes.is_empty() || hashes.len() as u64 > TILE_WIDTH {
            return Err(TileError { found: bytes.len() });
        }
        let mut tile = Self::default();
        for hash in hashes {
            tile.append(Hash::new(*hash));
        }
        Ok(tile)
    }

    /// Appends a hash; if that fills the tile, answers with the hash of the node over all of it.
    ///
    /// # Panics
    ///
    /// If the tile is full.
    pub fn append(&mut self, hash: Hash) -> Option<Hash> {
        assert!(!self.is_full(), "a full tile does not grow");
        let mut hash = hash;
        for row in &mut self.rows {
            row.push(hash);
            match row.as_slice() {
                [.., left, right] if row.len().is_multiple_of(2) => hash = Hash::node(left, right),
                _ => return None,
            }
        }
        Some(hash)
    }

    /// The lowest hashes.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.rows[0]
    }

    /// The number of hashes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.rows[0].len()
    }

    /// Whether it holds as many hashes as it can.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.width() as u64 == TILE_WIDTH
    }

    /// The first `width` hashes as they are written; `None` if there are fewer.
    #[must_use]
    pub fn to_bytes(&self, width: usize) -> Option<Vec<u8>> {
        Some(self.hashes().get(..width)?.iter().flat_map(Hash::as_bytes).copied().collect())
    }

    /// The node `height` above the lowest hashes, at `position` among those of its height. `None` if it is not
    /// complete. `height` is at most 7: what is above belongs to another tile.
    #[must_use]
    pub fn node(&self, height: u32, position: u64) -> Option<Hash> {
        let row = self.rows.get(height as usize)?;
        row.get(usize::try_from(position).ok()?).copied()
    }
}

/// Finds a complete subtree's hash in the tiles of a tree of `size` leaves, which `read` fetches.
///
/// `None` if the tile has fewer hashes than it should, or the node is outside the tree.
///
/// # Errors
///
/// Those of `read`.
pub fn node_from_tiles<E>(
    node: Node,
    size: TreeSize,
    read: impl FnOnce(TilePath) -> Result<Tile, E>,
) -> Result<Option<Hash>, E> {
    let Ok(level) = u8::try_from(node.tile_level()) else { return Ok(None) };
    let Some(path) = TilePath::at_size(TileKind::Hashes { level }, node.tile_index(), size) else {
        return Ok(None);
    };
    Ok(read(path)?.node(node.height_in_tile(), node.position_in_tile()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{oracle, root_at};
    use proptest::prelude::*;
    use proptest::sample::Index;

    proptest! {
        #[test]
        fn a_tree_is_known_by_its_tiles(tree in oracle::tree(), m: Index) {
            let size = TreeSize::new(m.index(tree.len()) as u64 + 1);
            let expected = oracle::root(&tree[..m.index(tree.len()) + 1]);
            let root = root_at(size, |node| {
                node_from_tiles(node, size, |path| Tile::from_bytes(&contents(&tree, path)))
                    .map(|hash| hash.expect("tiles reach to the size"))
            });
            prop_assert_eq!(root, Ok(expected));
        }

        #[test]
        fn bytes_are_read_back(width in 1..257_usize) {
            let bytes: Vec<u8> = (0..=250).cycle().take(width * 32).collect();
            let tile = Tile::from_bytes(&bytes).unwrap();
            prop_assert_eq!(tile.width(), width);
            prop_assert_eq!(tile.to_bytes(width), Some(bytes));
            prop_assert_eq!(tile.to_bytes(width + 1), None);
        }
    }

    /// The bytes that `path` has in the log of `tree`.
    fn contents(tree: &[Hash], path: TilePath) -> Vec<u8> {
        let TileKind::Hashes { level } = path.kind() else { panic!("only hashes are asked for") };
        let each = 256_usize.pow(u32::from(level));
        let start = usize::try_from(path.index()).unwrap() * 256;
        (start..start + path.width())
            .flat_map(|n| *oracle::root(&tree[n * each..(n + 1) * each]).as_bytes())
            .collect()
    }

    #[test]
    fn a_full_tile_answers_with_its_root() {
        let tree: Vec<Hash> = (0..256_u16).map(|n| Hash::leaf(&n.to_be_bytes())).collect();
        let mut tile = Tile::default();
        let roots: Vec<_> = tree.iter().filter_map(|leaf| tile.append(*leaf)).collect();
        assert_eq!(roots, [oracle::root(&tree)]);
        assert!(tile.is_full());
    }

    #[test]
    fn a_tile_of_another_length_is_refused() {
        for length in [0, 31, 33, 257 * 32] {
            assert_eq!(Tile::from_bytes(&vec![0; length]), Err(TileError { found: length }));
        }
    }
}
