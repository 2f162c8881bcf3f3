//! The contents of a simulated disk, and what changes them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::draw::Draw;
use super::not_found;

/// The contents of a disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    pub(super) files: BTreeMap<u64, Vec<u8>>,
    pub(super) names: BTreeMap<PathBuf, u64>,
    pub(super) directories: BTreeSet<PathBuf>,
}

/// Something that changes a disk.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    Write { inode: u64, offset: u64, bytes: Vec<u8> },
    SetLength { inode: u64, length: u64 },
    CreateDirectory(PathBuf),
    Create { path: PathBuf, inode: u64 },
    Rename { from: PathBuf, to: PathBuf, inode: u64 },
    Remove(PathBuf),
}

impl Operation {
    /// The first `length` bytes of a write.
    pub(super) fn cut(&self, length: usize) -> Self {
        let mut operation = self.clone();
        if let Self::Write { bytes, .. } = &mut operation {
            bytes.truncate(length);
        }
        operation
    }

    /// Loses some sectors of a write: what was there stays, and what was not there reads as zeros. A sector is written
    /// whole or not at all.
    pub(super) fn torn(&self, draw: &mut Draw) -> Vec<Self> {
        const SECTOR: u64 = 512;
        let Self::Write { inode, offset, bytes } = self else { return vec![self.clone()] };
        let mut pieces = Vec::new();
        let (mut at, mut rest) = (*offset, bytes.as_slice());
        while !rest.is_empty() {
            let room = usize::try_from(SECTOR - at % SECTOR).expect("a sector is small");
            let (piece, after) = rest.split_at(room.min(rest.len()));
            if !draw.one_in(3) {
                pieces.push(Self::Write { inode: *inode, offset: at, bytes: piece.to_vec() });
            }
            (at, rest) = (at + piece.len() as u64, after);
        }
        pieces
    }

    pub(super) fn is_on(&self, file: u64) -> bool {
        match self {
            Self::Write { inode, .. } | Self::SetLength { inode, .. } => *inode == file,
            _ => false,
        }
    }

    pub(super) fn is_in_directory(&self, path: &Path) -> bool {
        match self {
            Self::Write { .. } | Self::SetLength { .. } => false,
            Self::CreateDirectory(name) | Self::Create { path: name, .. } | Self::Remove(name) => {
                name.parent() == Some(path)
            }
            Self::Rename { to, .. } => to.parent() == Some(path),
        }
    }
}

impl Disk {
    /// Does what can be done: the name of a file that was lost is not found, and nothing happens.
    pub(super) fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Write { inode, offset, bytes } => {
                let file = self.files.entry(*inode).or_default();
                let offset = usize::try_from(*offset).expect("simulated files are small");
                let end = offset + bytes.len();
                if file.len() < end {
                    file.resize(end, 0);
                }
                file[offset..end].copy_from_slice(bytes);
            }
            Operation::SetLength { inode, length } => {
                let length = usize::try_from(*length).expect("simulated files are small");
                self.files.entry(*inode).or_default().resize(length, 0);
            }
            Operation::CreateDirectory(path) => {
                self.directories.insert(path.clone());
            }
            Operation::Create { path, inode } => {
                self.files.entry(*inode).or_default();
                self.names.insert(path.clone(), *inode);
            }
            Operation::Rename { from, to, inode } => {
                self.names.remove(from);
                self.files.entry(*inode).or_default();
                self.names.insert(to.clone(), *inode);
            }
            Operation::Remove(path) => {
                self.names.remove(path);
            }
        }
    }

    pub(super) fn file(&self, path: &Path) -> io::Result<&Vec<u8>> {
        let inode = self.names.get(path).ok_or_else(not_found)?;
        self.files.get(inode).ok_or_else(not_found)
    }

    pub(super) fn has_directory(&self, path: &Path) -> io::Result<()> {
        if self.directories.contains(path) { Ok(()) } else { Err(not_found()) }
    }
}
