//! A file system in memory that fails, and loses power, when it is told to.
//!
//! Every operation is kept in order, and whether it was synced. [`Machine::power_loss`] makes the disk that is found
//! afterwards: what was synced is there; of the rest, whatever the given [`Loss`] leaves.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{File, Files, Lock};

mod disk;
mod draw;

pub use draw::Draw;

use disk::{Disk, Operation};

/// A machine with a disk. Clones are the same machine.
#[derive(Clone, Debug, Default)]
pub struct Machine(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What a running system sees.
    seen: Disk,
    /// All operations with an effect, in order, and whether each is known to be durable.
    operations: Vec<(Operation, bool)>,
    next_inode: u64,
    calls: u64,
    failure: Option<Failure>,
    failed: bool,
    locks: BTreeSet<PathBuf>,
}

/// Which call fails, and how.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Failure {
    /// Counted from one, over all calls that may change something or make it durable.
    pub call: u64,
    /// How it fails.
    pub how: How,
}

/// How a call fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum How {
    /// It has no effect.
    Before,
    /// It has its effect, and says that it failed.
    After,
    /// Power is off: neither this nor any later call has an effect.
    Off,
}

/// What happens to operations that were not synced when power is lost.
#[derive(Clone, Copy, Debug)]
pub enum Loss {
    /// All are lost.
    All,
    /// Only this one is lost, counted from zero among those not synced.
    One(usize),
    /// The last write is torn: this many of its bytes are there. The others are not lost.
    Torn(usize),
    /// A subset drawn with this seed is lost, and some writes lose some of their sectors.
    Seeded(u64),
}

impl Machine {
    /// A machine that has these directories, durably.
    #[must_use]
    pub fn with_directories(paths: &[&str]) -> Self {
        let machine = Self::default();
        machine.lock().seen.directories.extend(paths.iter().map(PathBuf::from));
        let disk = machine.lock().seen.clone();
        machine.restarted_from(disk)
    }

    fn restarted_from(&self, disk: Disk) -> Self {
        let next_inode = self.lock().next_inode;
        let mut state = State { next_inode, ..State::default() };
        // The disk as it is counts as durable: it becomes the first operations.
        for directory in &disk.directories {
            state.operations.push((Operation::CreateDirectory(directory.clone()), true));
        }
        for (path, inode) in &disk.names {
            let path = path.clone();
            state.operations.push((Operation::Create { path, inode: *inode }, true));
        }
        for (inode, bytes) in &disk.files {
            let bytes = bytes.clone();
            state.operations.push((Operation::Write { inode: *inode, offset: 0, bytes }, true));
        }
        state.seen = disk;
        Self(Arc::new(Mutex::new(state)))
    }

    /// Lets one later call fail, counted from now.
    pub fn fail(&self, failure: Failure) {
        let mut state = self.lock();
        state.calls = 0;
        state.failed = false;
        state.failure = Some(failure);
    }

    /// Lets everything succeed from now on.
    pub fn mend(&self) {
        self.lock().failure = None;
    }

    /// Whether the call that was to fail has come.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.lock().failed
    }

    /// How many operations are not durable.
    #[must_use]
    pub fn unsynced(&self) -> usize {
        self.lock().operations.iter().filter(|(_, synced)| !synced).count()
    }

    /// The machine after power was lost now and came back.
    #[must_use]
    pub fn power_loss(&self, loss: Loss) -> Self {
        let disk = self.lock().surviving(loss);
        self.restarted_from(disk)
    }

    /// Changes one bit of a file, durably, as a failing disk does.
    ///
    /// # Panics
    ///
    /// If the file is not there or has no such byte.
    pub fn rot(&self, path: &Path, offset: usize) {
        let mut state = self.lock();
        let inode = state.seen.names[path];
        let file = state.seen.files.get_mut(&inode).expect("every name has a file");
        file[offset] ^= 1;
        let bytes = vec![file[offset]];
        let offset = offset as u64;
        state.operations.push((Operation::Write { inode, offset, bytes }, true));
    }

    /// A copy of everything below `path`, to be put back with [`Self::restore`].
    #[must_use]
    pub fn backup(&self, path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let state = self.lock();
        let below = state.seen.names.iter().filter(|(name, _)| name.starts_with(path));
        below.map(|(name, inode)| (name.clone(), state.seen.files[inode].clone())).collect()
    }

    /// Replaces everything below `path` by a copy made before, durably. Answers with the machine that has it.
    #[must_use]
    pub fn restore(&self, path: &Path, copy: &[(PathBuf, Vec<u8>)]) -> Self {
        let mut state = self.lock();
        let mut disk = state.seen.clone();
        disk.names.retain(|name, _| !name.starts_with(path));
        for (name, bytes) in copy {
            state.next_inode += 1;
            disk.files.insert(state.next_inode, bytes.clone());
            disk.names.insert(name.clone(), state.next_inode);
        }
        drop(state);
        self.restarted_from(disk)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call and fails it if it is the one.
    fn call<T>(&self, effect: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.lock();
        state.calls += 1;
        let how = state.failure.filter(|failure| failure.is_due(state.calls)).map(|f| f.how);
        state.failed |= how.is_some();
        match how {
            None => effect(&mut state),
            Some(How::Before | How::Off) => Err(broken()),
            Some(How::After) => effect(&mut state).and(Err(broken())),
        }
    }

    /// As [`Self::call`], for the sync of a file. If it fails before its effect, the system believes that the file is
    /// clean: it can still be read, no later sync writes it, and power loss takes it. (Directories are journaled by
    /// real file systems: a later sync makes up for a failed one.)
    fn sync_file(&self, inode: u64) -> io::Result<()> {
        let outcome = self.sync(|operation| operation.is_on(inode));
        let mut state = self.lock();
        let off = state.failure.is_some_and(|failure| failure.how == How::Off);
        if outcome.is_err() && !off {
            state.operations.retain(|(operation, synced)| *synced || !operation.is_on(inode));
        }
        outcome
    }

    fn sync(&self, covers: impl Fn(&Operation) -> bool) -> io::Result<()> {
        self.call(|state| {
            for (operation, synced) in &mut state.operations {
                *synced |= covers(operation);
            }
            Ok(())
        })
    }
}

impl Failure {
    fn is_due(&self, call: u64) -> bool {
        if self.how == How::Off { call >= self.call } else { call == self.call }
    }
}

fn broken() -> io::Error {
    io::Error::other("the simulated disk fails")
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl State {
    fn perform(&mut self, operation: Operation) {
        self.seen.apply(&operation);
        self.operations.push((operation, false));
    }

    fn surviving(&self, loss: Loss) -> Disk {
        let mut disk = Disk::default();
        let mut draw = Draw::new(match loss {
            Loss::Seeded(seed) => seed,
            _ => 0,
        });
        let last_write = self.operations.iter().rposition(|(operation, synced)| {
            !synced && matches!(operation, Operation::Write { .. })
        });
        let mut unsynced = 0;
        for (at, (operation, synced)) in self.operations.iter().enumerate() {
            if *synced {
                disk.apply(operation);
                continue;
            }
            let left = match loss {
                Loss::All => Vec::new(),
                Loss::One(lost) if unsynced == lost => Vec::new(),
                Loss::Torn(length) if Some(at) == last_write => vec![operation.cut(length)],
                Loss::One(_) | Loss::Torn(_) => vec![operation.clone()],
                Loss::Seeded(_) if draw.one_in(2) => Vec::new(),
                Loss::Seeded(_) if draw.one_in(2) => operation.torn(&mut draw),
                Loss::Seeded(_) => vec![operation.clone()],
            };
            unsynced += 1;
            left.iter().for_each(|operation| disk.apply(operation));
        }
        disk
    }
}

impl Files for Machine {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.call(|state| {
            state.seen.has_directory(path.parent().unwrap_or(path))?;
            if !state.seen.directories.contains(path) {
                state.perform(Operation::CreateDirectory(path.to_path_buf()));
            }
            Ok(())
        })
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let state = self.lock();
        state.seen.has_directory(path)?;
        let names = state.seen.names.keys().chain(&state.seen.directories);
        let inside = names.filter(|name| name.parent() == Some(path));
        let mut names: Vec<_> = inside
            .filter_map(|name| Some(name.file_name()?.to_string_lossy().into_owned()))
            .collect();
        names.sort();
        Ok(names)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.lock().seen.file(path).cloned()
    }

    fn read_at(&self, path: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let state = self.lock();
        let file = state.seen.file(path)?;
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let bytes = file.get(offset..).and_then(|rest| rest.get(..length));
        bytes.map(<[u8]>::to_vec).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.call(|state| {
            state.seen.has_directory(path.parent().unwrap_or(path))?;
            if state.seen.names.contains_key(path) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            state.next_inode += 1;
            let inode = state.next_inode;
            state.perform(Operation::Create { path: path.to_path_buf(), inode });
            Ok(inode)
        })
        .map(|inode| -> Box<dyn File> { Box::new(OpenFile { machine: self.clone(), inode }) })
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let inode = self.lock().seen.names.get(path).copied().ok_or_else(not_found)?;
        Ok(Box::new(OpenFile { machine: self.clone(), inode }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(|state| {
            let inode = state.seen.names.get(from).copied().ok_or_else(not_found)?;
            let (from, to) = (from.to_path_buf(), to.to_path_buf());
            state.perform(Operation::Rename { from, to, inode });
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call(|state| {
            state.seen.file(path)?;
            state.perform(Operation::Remove(path.to_path_buf()));
            Ok(())
        })
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.lock().seen.has_directory(path)?;
        self.sync(|operation| operation.is_in_directory(path))
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        let taken = self.lock().locks.insert(path.to_path_buf());
        let lock = || HeldLock { machine: self.clone(), path: path.to_path_buf() };
        Ok(taken.then(|| -> Box<dyn Lock> { Box::new(lock()) }))
    }
}

struct OpenFile {
    machine: Machine,
    inode: u64,
}

impl File for OpenFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let (inode, bytes) = (self.inode, bytes.to_vec());
        self.machine.call(|state| {
            state.perform(Operation::Write { inode, offset, bytes });
            Ok(())
        })
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        let inode = self.inode;
        self.machine.call(|state| {
            state.perform(Operation::SetLength { inode, length });
            Ok(())
        })
    }

    fn sync_data(&mut self) -> io::Result<()> {
        self.machine.sync_file(self.inode)
    }
}

struct HeldLock {
    machine: Machine,
    path: PathBuf,
}

impl Lock for HeldLock {}

impl Drop for HeldLock {
    fn drop(&mut self) {
        self.machine.lock().locks.remove(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files_laws;

    #[test]
    fn the_simulated_disk_keeps_the_laws() {
        let machine = Machine::with_directories(&["/laws"]);
        files_laws::check(&machine, Path::new("/laws"));
    }

    #[test]
    fn only_what_was_synced_survives() {
        let machine = Machine::with_directories(&["/d"]);
        let mut file = machine.create(Path::new("/d/f")).unwrap();
        file.write_at(0, b"one").unwrap();
        file.sync_data().unwrap();
        let lost = machine.power_loss(Loss::All);
        assert!(lost.read(Path::new("/d/f")).is_err(), "its name was not synced");
        machine.sync_dir(Path::new("/d")).unwrap();
        file.write_at(0, b"two").unwrap();
        let kept = machine.power_loss(Loss::All);
        assert_eq!(kept.read(Path::new("/d/f")).unwrap(), b"one");
        let torn = machine.power_loss(Loss::Torn(1));
        assert_eq!(torn.read(Path::new("/d/f")).unwrap(), b"tne");
    }
}
