//! The anchor: what the log has been, kept where a restored copy of the log does not reach.

use std::io;
use std::path::{Path, PathBuf};

use merkle::{Hash, TreeSize};

use crate::bytes_codec::Input;
use crate::{File, Files};

/// The newest state of a log that its anchor remembers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Anchored {
    /// The number of leaves.
    pub size: TreeSize,
    /// The root hash.
    pub root: Hash,
}

/// The anchor of one log, open for writing.
///
/// It is one file with two slots, each with a checksum, written in turn, in place and without a sync. A torn slot
/// leaves the older one, and an older anchor refuses less, never wrongly.
pub struct Anchor {
    file: Box<dyn File>,
    instance: [u8; 16],
    sequence: u64,
}

/// Why an anchor refuses a log, or cannot be read. The operator's to act on.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// The log is an old copy.
    #[error(
        "the log has {found} leaves, but had {anchored} before: this is an old copy of its directory. \
         Bring back the newest one; to give up what is missing, freeze this log and open a new shard"
    )]
    RolledBack {
        /// The size found.
        found: TreeSize,
        /// The size that was anchored.
        anchored: TreeSize,
    },
    /// The log is another one.
    #[error(
        "the first {size} leaves of the log are not those it had before: the directory was changed, or \
         two copies of it were written to. Bring back the newest one"
    )]
    OtherRoot {
        /// The size that was anchored.
        size: TreeSize,
    },
    /// There is none.
    #[error(
        "the log has no anchor at {}: bring it back, or, if this directory is certainly the newest state of \
         the log, make a new one with --new-anchor", path.display()
    )]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// It is there, and neither of its slots is sound.
    #[error(
        "the anchor {} is damaged: bring it back, or, if this directory is certainly the newest state of the \
         log, make a new one with --new-anchor", path.display()
    )]
    Damaged {
        /// Where it is.
        path: PathBuf,
    },
    /// A file operation failed.
    #[error("the anchor {} cannot be used", path.display())]
    Files {
        /// Where it is.
        path: PathBuf,
        /// What failed.
        #[source]
        source: io::Error,
    },
}

const MAGIC: [u8; 8] = *b"bullanc\x01";

/// magic 8 · instance 16 · sequence 8 · size 8 · root 32 · CRC-32C 4
const SLOT: usize = 76;

/// Far enough apart that no torn sector has a part of both.
const SECOND: u64 = 4096;

/// The file of the log `instance` among the anchors in `directory`.
pub(crate) fn path(directory: &Path, instance: &[u8; 16]) -> PathBuf {
    directory.join(format!("{}.anchor", hex::encode(instance)))
}

impl Anchor {
    /// Makes the anchor of a log, or replaces it, and syncs it.
    pub(crate) fn create(
        files: &dyn Files,
        directory: &Path,
        instance: [u8; 16],
        state: Anchored,
    ) -> Result<Self, AnchorError> {
        let path = path(directory, &instance);
        let make = || {
            let old = files.remove(&path);
            if old.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::NotFound) {
                old?;
            }
            let mut file = files.create(&path)?;
            file.write_at(SECOND, &[0; SLOT])?;
            file.write_at(0, &slot(&instance, 0, state))?;
            file.sync_data()?;
            files.sync_dir(directory)?;
            Ok(file)
        };
        let file = make().map_err(|source| AnchorError::Files { path: path.clone(), source })?;
        Ok(Self { file, instance, sequence: 0 })
    }

    /// Opens the anchor of a log, and says what it remembers.
    pub(crate) fn open(
        files: &dyn Files,
        directory: &Path,
        instance: [u8; 16],
    ) -> Result<(Self, Anchored), AnchorError> {
        let path = path(directory, &instance);
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => AnchorError::Missing { path: path.clone() },
            _ => AnchorError::Files { path: path.clone(), source },
        };
        let bytes = files.read(&path).map_err(failed)?;
        let newest = [0, SECOND]
            .into_iter()
            .filter_map(|at| read_slot(&bytes, at, &instance))
            .max_by_key(|(sequence, _)| *sequence);
        let file = files.open(&path).map_err(failed)?;
        let (sequence, state) =
            newest.ok_or_else(|| AnchorError::Damaged { path: path.clone() })?;
        Ok((Self { file, instance, sequence }, state))
    }

    /// Remembers a committed state, over the older of the two slots.
    pub(crate) fn write(&mut self, state: Anchored) -> io::Result<()> {
        self.sequence += 1;
        let at = if self.sequence.is_multiple_of(2) { 0 } else { SECOND };
        self.file.write_at(at, &slot(&self.instance, self.sequence, state))
    }

    /// Makes what is remembered durable.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}

impl Anchored {
    /// Judges a log of `found` leaves. `root_at` tells its root at a size it has.
    pub(crate) fn judge<E: From<AnchorError>>(
        &self,
        found: TreeSize,
        root_at: impl FnOnce(TreeSize) -> Result<Hash, E>,
    ) -> Result<(), E> {
        if found < self.size {
            return Err(AnchorError::RolledBack { found, anchored: self.size }.into());
        }
        if root_at(self.size)? != self.root {
            return Err(AnchorError::OtherRoot { size: self.size }.into());
        }
        Ok(())
    }
}

fn slot(instance: &[u8; 16], sequence: u64, state: Anchored) -> [u8; SLOT] {
    let mut bytes = [0; SLOT];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..24].copy_from_slice(instance);
    bytes[24..32].copy_from_slice(&sequence.to_be_bytes());
    bytes[32..40].copy_from_slice(&state.size.get().to_be_bytes());
    bytes[40..72].copy_from_slice(state.root.as_bytes());
    let checksum = crc32c::crc32c(&bytes[..72]);
    bytes[72..].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

pub(crate) fn read_slot(bytes: &[u8], at: u64, instance: &[u8; 16]) -> Option<(u64, Anchored)> {
    let mut slot = Input(bytes.get(usize::try_from(at).ok()?..)?);
    let checked = Input(slot.0).bytes(SLOT - 4)?;
    let ours = slot.array() == Some(MAGIC) && slot.array() == Some(*instance);
    let (sequence, size, root) = (slot.u64()?, slot.u64()?, slot.array()?);
    let sound = slot.u32()? == crc32c::crc32c(checked);
    let state = Anchored { size: TreeSize::new(size), root: Hash::new(root) };
    (ours && sound).then_some((sequence, state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::{Loss, Machine};

    const INSTANCE: [u8; 16] = [7; 16];

    fn state(size: u64) -> Anchored {
        Anchored { size: TreeSize::new(size), root: Hash::leaf(&size.to_be_bytes()) }
    }

    fn open(files: &Machine) -> Result<Anchored, AnchorError> {
        Anchor::open(files, Path::new("/anchors"), INSTANCE).map(|(_, state)| state)
    }

    #[test]
    fn the_newest_state_is_remembered() {
        let files = Machine::with_directories(&["/anchors"]);
        let mut anchor = Anchor::create(&files, Path::new("/anchors"), INSTANCE, state(0)).unwrap();
        assert_eq!(open(&files).unwrap(), state(0));
        for size in 1..5 {
            anchor.write(state(size)).unwrap();
            assert_eq!(open(&files).unwrap(), state(size));
        }
        let (mut again, _) = Anchor::open(&files, Path::new("/anchors"), INSTANCE).unwrap();
        again.write(state(9)).unwrap();
        assert_eq!(open(&files).unwrap(), state(9));
    }

    #[test]
    fn a_torn_slot_leaves_the_older_one() {
        let files = Machine::with_directories(&["/anchors"]);
        let mut anchor = Anchor::create(&files, Path::new("/anchors"), INSTANCE, state(0)).unwrap();
        for size in 1..4 {
            anchor.write(state(size)).unwrap();
            anchor.sync().unwrap();
        }
        anchor.write(state(4)).unwrap();
        for length in 0..SLOT {
            let found = open(&files.power_loss(Loss::Torn(length))).unwrap();
            // The root decides from its last byte on; before, the checksum is wrong.
            assert!(found == state(3) || found == state(4), "{length}");
        }
        assert_eq!(open(&files.power_loss(Loss::Torn(8))).unwrap(), state(3));
    }

    #[test]
    fn another_log_s_anchor_is_none() {
        let files = Machine::with_directories(&["/anchors"]);
        Anchor::create(&files, Path::new("/anchors"), [8; 16], state(0)).unwrap();
        assert!(matches!(open(&files), Err(AnchorError::Missing { .. })));
        let (from, to) =
            (path(Path::new("/anchors"), &[8; 16]), path(Path::new("/anchors"), &INSTANCE));
        files.rename(&from, &to).unwrap();
        assert!(matches!(open(&files), Err(AnchorError::Damaged { .. })));
    }

    #[test]
    fn a_smaller_head_or_another_root_is_refused() {
        let judge = |found: u64, root: Hash| {
            state(5).judge::<AnchorError>(TreeSize::new(found), |_| Ok(root))
        };
        judge(5, state(5).root).unwrap();
        judge(9, state(5).root).unwrap();
        assert!(matches!(judge(4, state(5).root), Err(AnchorError::RolledBack { .. })));
        assert!(matches!(judge(5, state(4).root), Err(AnchorError::OtherRoot { .. })));
    }
}
