//! The ids of entries: a leaf hash, mostly with the id of its tree before it.

use std::fmt;
use std::str::FromStr;

/// The id of one shard of a log: positive, and at most 2⁶³ − 1.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TreeId(u64);

/// What a client calls an entry: 64 hex digits of its leaf hash, or 80 with the tree's id before them.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct EntryId {
    /// The tree; every shard is searched where it is not given.
    pub tree: Option<TreeId>,
    /// SHA-256 over a zero byte and the body (RFC 9162 §2.1.1).
    pub leaf_hash: [u8; 32],
}

/// Why a text is no entry id.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EntryIdError {
    /// It has not 64 or 80 hex digits.
    #[error("an entry id has 64 or 80 hex digits")]
    Form,
    /// Its tree id is zero or more than 2⁶³ − 1.
    #[error("the tree id of an entry id is between 1 and 2^63-1")]
    TreeId,
}

impl TreeId {
    /// The tree id with this number; `None` if it is zero or more than 2⁶³ − 1.
    #[must_use]
    pub const fn new(id: u64) -> Option<Self> {
        if id == 0 || id > i64::MAX as u64 { None } else { Some(Self(id)) }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// In decimal, as it stands in checkpoints and in `treeID`.
impl fmt::Display for TreeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(tree) = self.tree {
            write!(f, "{:016x}", tree.0)?;
        }
        f.write_str(&hex::encode(self.leaf_hash))
    }
}

impl FromStr for EntryId {
    type Err = EntryIdError;

    fn from_str(text: &str) -> Result<Self, EntryIdError> {
        let (tree, hash) = match text.len() {
            64 => (None, text),
            80 => text.split_at_checked(16).map(|(t, h)| (Some(t), h)).ok_or(EntryIdError::Form)?,
            _ => return Err(EntryIdError::Form),
        };
        let mut leaf_hash = [0; 32];
        hex::decode_to_slice(hash, &mut leaf_hash).map_err(|_| EntryIdError::Form)?;
        let tree = tree.map(parse_tree).transpose()?;
        Ok(Self { tree, leaf_hash })
    }
}

fn parse_tree(digits: &str) -> Result<TreeId, EntryIdError> {
    let mut bytes = [0; 8];
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| EntryIdError::Form)?;
    TreeId::new(u64::from_be_bytes(bytes)).ok_or(EntryIdError::TreeId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        let id = EntryId { tree: TreeId::new(0x362f_8ecb), leaf_hash: [7; 32] };
        assert_eq!(id.to_string().len(), 80);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
        let bare = EntryId { tree: None, ..id };
        assert_eq!(bare.to_string().parse(), Ok(bare));
    }

    #[test]
    fn tree_ids_outside_their_range_and_other_lengths_are_refused() {
        let hash = "07".repeat(32);
        let parse = |text: &str| text.parse::<EntryId>();
        assert!(parse(&format!("7fffffffffffffff{hash}")).is_ok());
        assert_eq!(parse(&format!("8000000000000000{hash}")), Err(EntryIdError::TreeId));
        assert_eq!(parse(&format!("0000000000000000{hash}")), Err(EntryIdError::TreeId));
        assert_eq!(parse(&hash[1..]), Err(EntryIdError::Form));
        assert_eq!(parse(&format!("zz{}", &hash[2..])), Err(EntryIdError::Form));
        assert_eq!(parse(&format!("+000000000000001{hash}")), Err(EntryIdError::Form));
        assert_eq!(parse(&"é".repeat(40)), Err(EntryIdError::Form));
    }
}
