//! The names of tiles (C2SP tlog-tiles, "Merkle Tree" and "Log Entries"; static-ct-api, "Log Entries").

use std::fmt;
use std::str::FromStr;

use crate::TreeSize;

/// The height of a tile.
pub(crate) const TILE_HEIGHT: u32 = 8;

/// The number of hashes or entries in a full tile.
pub const TILE_WIDTH: u64 = 1 << TILE_HEIGHT;

/// The highest level the specification has names for.
const MAX_LEVEL: u8 = 63;

/// The name of a tile or entry bundle, such as `tile/0/x001/234.p/7`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TilePath {
    kind: TileKind,
    index: u64,
    /// From 1 to 256.
    width: u16,
}

/// What a tile holds.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum TileKind {
    /// Hashes, `8 × level` above the leaves.
    Hashes {
        /// From 0 to 63.
        level: u8,
    },
    /// Entries, each after its length in two bytes (tlog-tiles).
    Entries,
    /// Entries as `TileLeaf` (static-ct-api).
    Data,
}

/// The text names no tile.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TilePathError {
    /// It does not begin like the name of a tile.
    #[error("a tile's name begins with `tile/` and a level, `entries` or `data`")]
    Kind,
    /// The number is not in groups of three digits, all but the last after an `x`, without empty groups before.
    #[error("the number of the tile is not written as it must be")]
    Index,
    /// The width is not a number from 1 to 255 without leading zeros.
    #[error("the width of a partial tile is a number from 1 to 255")]
    Width,
}

impl TilePath {
    /// The full tile of this kind and number.
    #[must_use]
    pub const fn full(kind: TileKind, index: u64) -> Self {
        Self { kind, index, width: 256 }
    }

    /// The tile of this kind and number as it is in the tree of `size` leaves: full, partial, or (`None`) not there.
    #[must_use]
    pub fn at_size(kind: TileKind, index: u64, size: TreeSize) -> Option<Self> {
        let level = if let TileKind::Hashes { level } = kind { u32::from(level) } else { 0 };
        let hashes = size.get().checked_shr(TILE_HEIGHT * level).unwrap_or(0);
        let before = index.checked_mul(TILE_WIDTH)?;
        let width = hashes.checked_sub(before)?.min(TILE_WIDTH);
        let width = u16::try_from(width).ok()?;
        (width > 0).then_some(Self { kind, index, width })
    }

    /// What the tile holds.
    #[must_use]
    pub const fn kind(&self) -> TileKind {
        self.kind
    }

    /// Its number among those of its kind.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries it holds, from 1 to 256.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width as usize
    }

    /// Whether it holds as many as it can.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.width as u64 == TILE_WIDTH
    }

    /// The full tile that this one is a part of.
    #[must_use]
    pub const fn to_full(self) -> Self {
        Self { width: 256, ..self }
    }

    /// The smallest tree that has the tile. `None` if none does: its number is too large.
    #[must_use]
    pub fn smallest_tree(&self) -> Option<TreeSize> {
        let level = if let TileKind::Hashes { level } = self.kind { u32::from(level) } else { 0 };
        let hashes = self.index.checked_mul(TILE_WIDTH)?.checked_add(u64::from(self.width))?;
        let leaves = hashes.checked_mul(1_u64.checked_shl(TILE_HEIGHT * level)?)?;
        Some(TreeSize::new(leaves))
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes { level } => write!(f, "tile/{level}/")?,
            TileKind::Entries => f.write_str("tile/entries/")?,
            TileKind::Data => f.write_str("tile/data/")?,
        }
        write_groups(f, self.index / 1000)?;
        write!(f, "{:03}", self.index % 1000)?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

/// Writes all groups of three digits before the last.
fn write_groups(f: &mut fmt::Formatter<'_>, number: u64) -> fmt::Result {
    if number == 0 {
        return Ok(());
    }
    write_groups(f, number / 1000)?;
    write!(f, "x{:03}/", number % 1000)
}

impl FromStr for TilePath {
    type Err = TilePathError;

    /// Reads the only way to write the name, such as `tile/entries/x001/234`.
    fn from_str(text: &str) -> Result<Self, TilePathError> {
        let rest = text.strip_prefix("tile/").ok_or(TilePathError::Kind)?;
        let (kind, rest) = rest.split_once('/').ok_or(TilePathError::Kind)?;
        let kind = kind_from(kind).ok_or(TilePathError::Kind)?;
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => {
                let width = canonical(width).filter(|width| (1..256).contains(width));
                (number, width.ok_or(TilePathError::Width)?)
            }
            None => (rest, 256),
        };
        let index = index_from(number).ok_or(TilePathError::Index)?;
        Ok(Self { kind, index, width })
    }
}

fn kind_from(text: &str) -> Option<TileKind> {
    match text {
        "entries" => Some(TileKind::Entries),
        "data" => Some(TileKind::Data),
        level => {
            let level = u8::try_from(canonical(level)?).ok()?;
            (level <= MAX_LEVEL).then_some(TileKind::Hashes { level })
        }
    }
}

fn index_from(text: &str) -> Option<u64> {
    let mut index = 0_u64;
    let mut groups = text.split('/').peekable();
    let mut first = true;
    while let Some(group) = groups.next() {
        let digits = match groups.peek() {
            Some(_) => group.strip_prefix('x')?,
            None => group,
        };
        // `x000/001` would be a second name for `001`.
        if digits.len() != 3 || (first && groups.peek().is_some() && digits == "000") {
            return None;
        }
        index = index.checked_mul(1000)?.checked_add(u64::from(decimal(digits)?))?;
        first = false;
    }
    Some(index)
}

/// A decimal number without leading zeros.
fn canonical(text: &str) -> Option<u16> {
    let number = decimal(text)?;
    (text == "0" || !text.starts_with('0')).then_some(number)
}

/// A number written in digits alone: no sign, no blank.
fn decimal(text: &str) -> Option<u16> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_name_is_read_back(kind in kind(), index: u64, width in 1..257_u16) {
            let path = TilePath { kind, index, width };
            prop_assert_eq!(path.to_string().parse(), Ok(path));
        }

        #[test]
        fn what_is_read_is_written_the_same(text in "tile/([0-9]{1,2}|entries)/(x[0-9]{3}/){0,3}[0-9]{3}(\\.p/[0-9]{1,3})?") {
            if let Ok(path) = text.parse::<TilePath>() {
                prop_assert_eq!(path.to_string(), text);
            }
        }
    }

    fn kind() -> impl Strategy<Value = TileKind> {
        prop_oneof![
            (0..64_u8).prop_map(|level| TileKind::Hashes { level }),
            Just(TileKind::Entries),
            Just(TileKind::Data),
        ]
    }

    #[test]
    fn names_are_those_of_the_specification() {
        let name = |kind, index| TilePath::full(kind, index).to_string();
        assert_eq!(name(TileKind::Hashes { level: 0 }, 1_234_067), "tile/0/x001/x234/067");
        assert_eq!(name(TileKind::Entries, 0), "tile/entries/000");
        let partial = TilePath::at_size(TileKind::Hashes { level: 1 }, 0, TreeSize::new(70_000));
        assert_eq!(partial.unwrap().to_string(), "tile/1/000");
        let partial = TilePath::at_size(TileKind::Hashes { level: 1 }, 1, TreeSize::new(70_000));
        assert_eq!(partial.unwrap().to_string(), "tile/1/001.p/17");
    }

    #[test]
    fn other_ways_to_write_a_name_are_refused() {
        let refused = [
            ("tile/0", TilePathError::Kind),
            ("tile/64/000", TilePathError::Kind),
            ("tile/00/000", TilePathError::Kind),
            ("tile/+1/000", TilePathError::Kind),
            ("tiles/0/000", TilePathError::Kind),
            ("tile/0/", TilePathError::Index),
            ("tile/0/0", TilePathError::Index),
            ("tile/0/0000", TilePathError::Index),
            ("tile/0/x000/001", TilePathError::Index),
            ("tile/0/001/001", TilePathError::Index),
            ("tile/0/x001", TilePathError::Index),
            ("tile/0/../001", TilePathError::Index),
            ("tile/0/x001//001", TilePathError::Index),
            ("tile/0/x018/x446/x744/x073/x709/x551/616", TilePathError::Index),
            ("tile/0/000.p/0", TilePathError::Width),
            ("tile/0/000.p/256", TilePathError::Width),
            ("tile/0/000.p/07", TilePathError::Width),
            ("tile/0/000.p/+7", TilePathError::Width),
            ("tile/0/000.p/", TilePathError::Width),
        ];
        for (text, error) in refused {
            assert_eq!(text.parse::<TilePath>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_tile_is_in_no_tree_smaller_than_it_says() {
        let path: TilePath = "tile/1/001.p/17".parse().unwrap();
        assert_eq!(path.smallest_tree(), Some(TreeSize::new((256 + 17) * 256)));
        let beyond: TilePath = "tile/63/001".parse().unwrap();
        assert_eq!(beyond.smallest_tree(), None);
    }
}
