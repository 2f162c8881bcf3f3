//! The journal: records in segment files, one sync each.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use merkle::TreeSize;

use crate::record::{self, Batch, Record, RecordKey};
use crate::segment::{self, Contents, HEADER};
use crate::{File, Files};

/// The journal, open for appending.
pub(crate) struct Journal {
    key: RecordKey,
    epoch: u64,
    previous: [u8; 32],
    file: Box<dyn File>,
    number: u64,
    length: u64,
    buffer: Vec<u8>,
    segments: Segments,
    syncs: u64,
}

/// The segments of a journal, for whoever keeps house: readies the next one, and removes those that nobody needs.
#[derive(Clone)]
pub struct Segments {
    files: Arc<dyn Files>,
    directory: PathBuf,
    key: RecordKey,
    /// A segment beyond this is closed.
    limit: u64,
    state: Arc<Mutex<State>>,
}

struct State {
    /// Full segments, and the size of the tree after the last record of each.
    closed: VecDeque<(u64, TreeSize)>,
    number: u64,
    length: u64,
    next: Option<Box<dyn File>>,
}

/// Why a journal cannot be read. The operator's to act on.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A file or directory operation failed.
    #[error("the journal cannot be read")]
    Files(#[source] io::Error),
    /// Something unsound, and sound records behind it: not what a power failure leaves.
    #[error("segment {segment} of the journal is damaged at offset {offset}, before sound records")]
    Damaged {
        /// The number of the segment, which is the name of its file.
        segment: u64,
        /// Where the damage begins.
        offset: u64,
    },
    /// A sound record that does not follow the one before.
    #[error(
        "segment {segment} of the journal has a record at offset {offset} that does not follow the one before"
    )]
    OutOfOrder {
        /// The number of the segment.
        segment: u64,
        /// Where the record begins.
        offset: u64,
    },
    /// No record at all.
    #[error("the journal has no record")]
    Empty,
    /// Written by a newer program.
    #[error("the journal was written by a newer version")]
    Newer,
}

/// What was read from a journal.
pub(crate) struct Replay {
    /// All records that are still in the journal, in order. At least one.
    pub(crate) records: Vec<Record>,
    /// The segment with the last record, where that record begins and ends.
    last: Last,
    closed: VecDeque<(u64, TreeSize)>,
    /// Files that are not part of the journal any more, or not yet.
    stale: Vec<u64>,
}

#[derive(Clone, Copy)]
struct Last {
    number: u64,
    offset: u64,
    end: u64,
}

/// Reads all that is in the journal. Writes nothing.
pub(crate) fn read(
    files: &dyn Files,
    directory: &Path,
    key: RecordKey,
) -> Result<Replay, JournalError> {
    let names = files.list(directory).map_err(JournalError::Files)?;
    let numbers: Vec<u64> = names.iter().filter_map(|name| segment::number(name)).collect();
    // Segments are removed from the front. Should power have brought an early one back, there is a gap behind it.
    let gap = numbers.windows(2).rposition(|pair| pair[0] + 1 != pair[1]).map_or(0, |at| at + 1);
    let (early, kept) = numbers.split_at(gap);

    let mut replay = Replay {
        records: Vec::new(),
        last: Last { number: 0, offset: 0, end: 0 },
        closed: VecDeque::new(),
        stale: early.to_vec(),
    };
    let mut torn: Option<(u64, u64)> = None;
    for number in kept.iter().copied() {
        let bytes = files.read(&segment::path(directory, number)).map_err(JournalError::Files)?;
        if segment::is_newer(&bytes, key) {
            return Err(JournalError::Newer);
        }
        let contents = segment::scan(&bytes, key, number);
        let sound_behind = contents.buried || !contents.records.is_empty();
        if let Some((segment, offset)) = torn.filter(|_| sound_behind) {
            return Err(JournalError::Damaged { segment, offset });
        }
        if contents.buried {
            return Err(JournalError::Damaged { segment: number, offset: contents.end });
        }
        if contents.ruined {
            torn = torn.or(Some((number, contents.end)));
        }
        replay.take(number, contents)?;
    }
    if let Some((segment, offset)) = torn {
        tracing::warn!(segment, offset, "a torn record was never acknowledged and is dropped");
    }
    if replay.records.is_empty() { Err(JournalError::Empty) } else { Ok(replay) }
}

impl Replay {
    fn take(&mut self, number: u64, contents: Contents) -> Result<(), JournalError> {
        if contents.records.is_empty() {
            self.stale.push(number);
            return Ok(());
        }
        if let Some(record) = self.records.last() {
            self.closed.push_back((self.last.number, record.head.edge.size()));
        }
        for (offset, record) in contents.records {
            if !self.records.last().is_none_or(|before| follows(before, &record)) {
                return Err(JournalError::OutOfOrder { segment: number, offset });
            }
            self.last = Last { number, offset, end: contents.end };
            self.records.push(record);
        }
        Ok(())
    }
}

fn follows(before: &Record, record: &Record) -> bool {
    record.previous == before.hash
        && record.first == before.head.edge.size().next_index()
        && record.epoch >= before.epoch
        && record.head.time_ms >= before.head.time_ms
        && !before.head.frozen
}

impl Journal {
    /// Begins the journal of a new log.
    pub(crate) fn create(
        files: Arc<dyn Files>,
        directory: PathBuf,
        key: RecordKey,
        limit: u64,
    ) -> io::Result<Self> {
        for name in files.list(&directory)? {
            files.remove(&directory.join(name))?;
        }
        let file = new_segment(&*files, &directory, key, 1)?;
        let segments = Segments::new(files, directory, key, limit, VecDeque::new());
        Ok(Self::new(segments, file, 1))
    }

    /// Goes on where `replay` ended.
    ///
    /// The last record is written again before it is believed: if its sync failed when it was first written,
    /// the system may show it now and still lose it later. Torn bytes behind it are cut off.
    pub(crate) fn resume(
        files: Arc<dyn Files>,
        directory: PathBuf,
        key: RecordKey,
        limit: u64,
        replay: &Replay,
    ) -> io::Result<Self> {
        let Last { number, offset, end } = replay.last;
        let path = segment::path(&directory, number);
        let length = usize::try_from(end - offset).map_err(io::Error::other)?;
        let bytes = files.read_at(&path, offset, length)?;
        let mut file = files.open(&path)?;
        file.set_len(end)?;
        file.write_at(offset, &bytes)?;
        file.sync_data()?;
        for number in &replay.stale {
            files.remove(&segment::path(&directory, *number))?;
        }
        files.sync_dir(&directory)?;

        let last = replay.records.last().expect("a journal that was read has a record");
        let segments = Segments::new(files, directory, key, limit, replay.closed.clone());
        let mut journal = Self::new(segments, file, number);
        journal.epoch = last.epoch + 1;
        journal.previous = last.hash;
        journal.grow(end, last.head.edge.size());
        Ok(journal)
    }

    fn new(segments: Segments, file: Box<dyn File>, number: u64) -> Self {
        let length = HEADER as u64;
        {
            let mut state = segments.lock();
            (state.number, state.length) = (number, length);
        }
        Self {
            key: segments.key,
            epoch: 1,
            previous: [0; 32],
            file,
            number,
            length,
            buffer: Vec::new(),
            segments,
            syncs: 0,
        }
    }

    /// Appends one record and makes it durable, with one sync.
    pub(crate) fn append(&mut self, batch: &Batch<'_>) -> io::Result<()> {
        let hash = record::encode(&mut self.buffer, self.key, self.epoch, &self.previous, batch);
        self.file.write_at(self.length, &self.buffer)?;
        self.file.sync_data()?;
        self.syncs += 1;
        self.previous = hash;
        self.grow(self.length + self.buffer.len() as u64, batch.edge.size());
        // A rare large batch should not hold its memory for ever.
        self.buffer.shrink_to(KEPT_BUFFER);
        Ok(())
    }

    fn grow(&mut self, length: u64, size: TreeSize) {
        self.length = length;
        let mut state = self.segments.lock();
        state.length = length;
        if length < self.segments.limit {
            return;
        }
        if let Some(file) = state.next.take() {
            let full = (self.number, size);
            state.closed.push_back(full);
            (self.file, self.number, self.length) = (file, self.number + 1, HEADER as u64);
            (state.number, state.length) = (self.number, self.length);
        }
    }

    /// How many syncs appending has asked for.
    pub(crate) const fn syncs(&self) -> u64 {
        self.syncs
    }

    pub(crate) fn segments(&self) -> Segments {
        self.segments.clone()
    }
}

/// As much as a common batch needs.
const KEPT_BUFFER: usize = 256 * 1024;

impl Segments {
    fn new(
        files: Arc<dyn Files>,
        directory: PathBuf,
        key: RecordKey,
        limit: u64,
        closed: VecDeque<(u64, TreeSize)>,
    ) -> Self {
        let state = State { closed, number: 0, length: 0, next: None };
        Self { files, directory, key, limit, state: Arc::new(Mutex::new(state)) }
    }

    /// Whether the present segment is half full and the next one not ready.
    #[must_use]
    pub fn wants_next(&self) -> bool {
        let state = self.lock();
        state.next.is_none() && state.length >= self.limit / 2
    }

    /// Readies the next segment when the present one is half full, so that no reply waits for it.
    ///
    /// # Errors
    ///
    /// Those of the file system. Nothing is lost; it can be tried again.
    pub fn prepare(&self) -> io::Result<()> {
        if !self.wants_next() {
            return Ok(());
        }
        let number = self.lock().number + 1;
        let file = new_segment(&*self.files, &self.directory, self.key, number)?;
        self.lock().next = Some(file);
        Ok(())
    }

    /// Removes the segments of which every leaf is among the first `stored`, whose tiles and bundles are durable.
    ///
    /// # Errors
    ///
    /// Those of the file system. Nothing is lost; it can be tried again.
    pub fn remove_stored(&self, stored: TreeSize) -> io::Result<()> {
        let mut removed = false;
        while let Some(number) = self.next_stored(stored) {
            self.files.remove(&segment::path(&self.directory, number))?;
            self.lock().closed.pop_front();
            removed = true;
        }
        if removed { self.files.sync_dir(&self.directory) } else { Ok(()) }
    }

    fn next_stored(&self, stored: TreeSize) -> Option<u64> {
        let state = self.lock();
        // The newest record has the head of the log, and stays whatever is stored of its leaves.
        let superseded = state.closed.len() > 1 || state.length > HEADER as u64;
        let (number, end) = state.closed.front()?;
        (superseded && *end <= stored).then_some(*number)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a segment without records, durably. What an earlier attempt left is replaced.
fn new_segment(
    files: &dyn Files,
    directory: &Path,
    key: RecordKey,
    number: u64,
) -> io::Result<Box<dyn File>> {
    let path = segment::path(directory, number);
    let mut file = match files.create(&path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            files.remove(&path)?;
            files.create(&path)?
        }
        file => file?,
    };
    file.write_at(0, &segment::header(key, number))?;
    file.sync_data()?;
    files.sync_dir(directory)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::Machine;
    use merkle::Edge;

    const KEY: RecordKey = *b"test key";
    const DIRECTORY: &str = "/journal";

    /// A journal of checkpoints, each in a segment of its own.
    fn segments(count: u64) -> Machine {
        let machine = Machine::with_directories(&[DIRECTORY]);
        let files: Arc<dyn Files> = Arc::new(machine.clone());
        let mut journal = Journal::create(files, DIRECTORY.into(), KEY, 1).unwrap();
        for time_ms in 0..i64::try_from(count).unwrap() {
            let edge = Edge::default();
            let checkpoint = "note";
            let batch = Batch { leaves: &[], edge: &edge, time_ms, checkpoint, frozen: false };
            journal.segments.prepare().unwrap();
            journal.append(&batch).unwrap();
        }
        machine
    }

    fn times(files: &Machine) -> Result<Vec<i64>, JournalError> {
        let replay = read(files, Path::new(DIRECTORY), KEY)?;
        Ok(replay.records.iter().map(|record| record.head.time_ms).collect())
    }

    #[test]
    fn records_are_read_across_segments() {
        assert_eq!(times(&segments(3)).unwrap(), [0, 1, 2]);
    }

    #[test]
    fn what_is_before_a_gap_is_no_part_of_the_journal() {
        let machine = segments(4);
        machine.remove(&segment::path(Path::new(DIRECTORY), 2)).unwrap();
        assert_eq!(times(&machine).unwrap(), [2, 3]);
    }

    #[test]
    fn a_segment_without_records_is_passed_over() {
        let machine = segments(2);
        new_segment(&machine, Path::new(DIRECTORY), KEY, 4).unwrap();
        // The third is there already: it was made ready.
        assert_eq!(times(&machine).unwrap(), [0, 1]);
    }

    #[test]
    fn a_record_that_does_not_follow_the_one_before_is_refused() {
        let machine = segments(2);
        let path = segment::path(Path::new(DIRECTORY), 2);
        let record = machine.read(&path).unwrap().split_off(HEADER);
        let first = segment::path(Path::new(DIRECTORY), 1);
        let end = machine.read(&first).unwrap().len() as u64;
        machine.open(&first).unwrap().write_at(end, &record).unwrap();
        let refused = times(&machine).unwrap_err();
        assert!(
            matches!(refused, JournalError::OutOfOrder { segment: 2, offset: 24 }),
            "{refused:?}"
        );
    }

    #[test]
    fn a_newer_segment_is_refused() {
        let machine = segments(1);
        let path = segment::path(Path::new(DIRECTORY), 1);
        machine.open(&path).unwrap().write_at(11, &[2]).unwrap();
        assert!(matches!(times(&machine), Err(JournalError::Newer)));
    }
}
