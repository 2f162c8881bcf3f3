//! What the tests of this crate share: two dialects that are as different as can be, a clock, and a world in which
//! a log lives through failures.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use jiff::Timestamp;
use merkle::{Hash, LeafIndex, TreeSize, root_at};
use storage::simulation::{Loss, Machine};
use storage::{Disk, Files, FjallIndexes, MemoryIndexes};
use tokio::sync::oneshot;

use crate::follower::Follower;
use crate::log::{Log, parts};
use crate::sequencer::{Outcome, Pending, Sequencer};
use crate::{
    Dialect, DialectError, Head, Identity, LogOptions, LoggedEntry, OpenError, Place, Published,
    Sealed, SubmitError,
};

/// Like Rekor v2: the entry is what was handed in, and there is nothing beside it.
pub(crate) struct Plain;

/// Like CT and Rekor v1 at once: the entry has its place in it, and something like a signature is beside it.
pub(crate) struct Placed;

impl Dialect for Plain {
    type Submission = String;

    fn identity(&self, submission: &String) -> Identity {
        Identity::Leaf(Hash::leaf(submission.as_bytes()))
    }

    fn seal(&self, submission: &String, _: Place) -> Result<Sealed, DialectError> {
        refuse_bad(submission)?;
        let entry = Bytes::from(submission.clone());
        Ok(Sealed { entry, metadata: Bytes::new() })
    }

    fn sign_checkpoint(&self, head: &Head) -> Result<String, DialectError> {
        Ok(format!("plain\n{}\n{}\n", head.size, head.root))
    }
}

impl Dialect for Placed {
    type Submission = String;
    const MAX_ENTRY: usize = 1024 * 1024;
    const SIGNS_ENTRIES: bool = true;

    fn identity(&self, submission: &String) -> Identity {
        Identity::Own(Hash::leaf(submission.as_bytes()))
    }

    fn seal(&self, submission: &String, place: Place) -> Result<Sealed, DialectError> {
        refuse_bad(submission)?;
        let time = place.time.as_millisecond();
        let entry = Bytes::from(format!("{submission} at {} {time}", place.index));
        let metadata = Bytes::from(format!("signed {}", Hash::leaf(&entry)));
        Ok(Sealed { entry, metadata })
    }

    fn sign_checkpoint(&self, head: &Head) -> Result<String, DialectError> {
        Ok(format!("placed\n{}\n{}\n{}\n", head.size, head.root, head.frozen))
    }
}

fn refuse_bad(submission: &str) -> Result<(), DialectError> {
    if submission.contains("bad") { Err("a bad submission".into()) } else { Ok(()) }
}

/// A clock that goes on at each look, and is set back at each restart.
pub(crate) fn clock() -> (crate::Clock, Arc<AtomicI64>) {
    let now = Arc::new(AtomicI64::new(1_800_000_000_000));
    let ticking = Arc::clone(&now);
    let clock = move || {
        let now = ticking.fetch_add(7, Ordering::Relaxed);
        Timestamp::from_millisecond(now).expect("the test's clock is in range")
    };
    (Arc::new(clock), now)
}

/// A log on the real disk, in a directory of its own.
pub(crate) struct OnDisk {
    pub(crate) options: LogOptions,
    _directory: tempfile::TempDir,
}

impl OnDisk {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let options = LogOptions::new(path.join("log"), path.join("anchors"), "test.example");
        Self { options, _directory: directory }
    }

    pub(crate) fn open<D: Dialect>(&self, dialect: D) -> Log<D> {
        let files: Arc<dyn Files> = Arc::new(Disk);
        let indexes = Box::new(FjallIndexes::new(self.options.directory.join("index")));
        if !self.options.directory.exists() {
            Log::create_on(&files, &self.options, &dialect).unwrap();
        }
        Log::open_on(files, indexes, &self.options, dialect).unwrap()
    }
}

/// A log on a simulated machine, what was promised about it, and what was shown of it.
pub(crate) struct World {
    pub(crate) machine: Machine,
    pub(crate) indexes: MemoryIndexes,
    pub(crate) options: LogOptions,
    now: Arc<AtomicI64>,
    pub(crate) acknowledged: BTreeMap<String, LoggedEntry>,
    pub(crate) served: BTreeMap<TreeSize, Arc<Published>>,
    /// Batches that were answered with success.
    pub(crate) batches: usize,
}

pub(crate) type Parts = (Sequencer<Placed>, Follower);

impl World {
    /// A machine with a new log.
    pub(crate) fn new() -> Self {
        let world = Self::without_log();
        world.create().unwrap();
        world
    }

    pub(crate) fn without_log() -> Self {
        let machine = Machine::with_directories(&["/data", "/state"]);
        let mut options = LogOptions::new("/data/log", "/state/anchors", "test.example");
        // Small, so that segments and the index come into play with few entries.
        options.segment_bytes = 8 * 1024;
        options.recent_identities = 200;
        let (clock, now) = clock();
        options.clock = clock;
        Self {
            machine,
            indexes: MemoryIndexes::default(),
            options,
            now,
            acknowledged: BTreeMap::new(),
            served: BTreeMap::new(),
            batches: 0,
        }
    }

    pub(crate) fn files(&self) -> Arc<dyn Files> {
        Arc::new(self.machine.clone())
    }

    pub(crate) fn create(&self) -> Result<(), crate::CreateError> {
        Log::create_on(&self.files(), &self.options, &Placed)
    }

    /// Opens the log as a new process does, on the thread of the test, with its clock set back.
    pub(crate) fn open(&self) -> Result<Parts, OpenError> {
        self.now.fetch_sub(5000, Ordering::Relaxed);
        let indexes = Box::new(self.indexes.clone());
        parts(self.files(), indexes, &self.options, Arc::new(Placed))
    }

    /// The same world on a machine that lost power just now.
    pub(crate) fn after_power_loss(&self, loss: Loss) -> Self {
        Self {
            machine: self.machine.power_loss(loss),
            indexes: self.indexes.fork(),
            options: self.options.clone(),
            now: Arc::clone(&self.now),
            acknowledged: self.acknowledged.clone(),
            served: self.served.clone(),
            batches: self.batches,
        }
    }

    /// Hands in a batch, and does what follows it. `false` if the process cannot go on.
    pub(crate) fn live(&mut self, (sequencer, follower): &mut Parts, texts: &[String]) -> bool {
        let (pending, answers) =
            texts.iter().map(|text| pending(text)).unzip::<_, _, Vec<_>, Vec<_>>();
        let went_on = sequencer.process(pending).is_ok();
        for (text, mut answer) in texts.iter().zip(answers) {
            let answer = answer.try_recv().expect("everyone is told");
            self.take(text, answer, follower);
        }
        if went_on {
            self.batches += 1;
        }
        went_on && follower.follow().is_ok()
    }

    /// Remembers what a submitter was told.
    fn take(&mut self, text: &str, answer: Result<Outcome, SubmitError>, follower: &Follower) {
        match answer {
            Ok(Outcome::Committed(receipt)) => {
                let head = Arc::clone(&receipt.inclusion.head);
                self.served.insert(head.size, head);
                let before = self.acknowledged.insert(text.to_owned(), receipt.logged.clone());
                assert!(before.is_none_or(|before| before == receipt.logged), "{text} has moved");
            }
            Ok(Outcome::Logged(index)) => {
                if let Some(before) = self.acknowledged.get(text) {
                    assert_eq!(before.index, index, "{text} has moved");
                }
                let logged = read(follower, index);
                self.acknowledged.insert(text.to_owned(), logged);
            }
            Err(SubmitError::NotKnown) => (),
            Err(error) => panic!("{text}: {error}"),
        }
    }

    /// Opens the log and checks every promise: what was acknowledged is there, once, unchanged, and the log is a
    /// prefix-extension of every checkpoint that was served.
    pub(crate) fn check(&self) {
        let (sequencer, follower) = self.open().unwrap_or_else(|error| panic!("{error:?}"));
        follower.catch_up().unwrap();
        let head = Arc::clone(&follower.shared.live().published);
        let leaves = read_all(&follower);
        assert_eq!(leaves.len() as u64, head.size.get());

        for (text, logged) in &self.acknowledged {
            let place = usize::try_from(logged.index.get()).unwrap();
            assert_eq!(leaves.get(place), Some(logged), "{text}");
        }
        let mut texts: Vec<_> = leaves.iter().map(text_of).collect();
        texts.sort();
        assert!(texts.windows(2).all(|pair| pair[0] != pair[1]), "an entry is in the log twice");
        assert!(leaves.is_sorted_by_key(|leaf| leaf.time), "time has decreased");

        let root = |size| root_at(size, |node| follower.shared.node(node)).unwrap();
        for served in self.served.values() {
            assert!(served.size <= head.size, "a checkpoint is ahead of the log");
            assert_eq!(root(served.size), served.root, "the log was forked at {}", served.size);
        }
        assert_eq!(root(head.size), head.root);
        let expected = Placed.sign_checkpoint(&Head {
            size: head.size,
            root: head.root,
            time: head.time,
            frozen: head.frozen,
        });
        assert_eq!(head.checkpoint, expected.unwrap());
        // The lock is held until here.
        drop(sequencer);
    }
}

/// Reads a leaf on the thread of the test.
pub(crate) fn read(follower: &Follower, index: LeafIndex) -> LoggedEntry {
    let live = follower.shared.live();
    let leaf = live.leaf(index).cloned();
    let leaf = leaf.unwrap_or_else(|| follower.shared.archive.leaf(index).unwrap());
    assert_eq!(leaf.hash, Hash::leaf(&leaf.entry));
    crate::shared::logged(index, &leaf)
}

/// Reads all leaves, those that are stored a group at a time.
fn read_all(follower: &Follower) -> Vec<LoggedEntry> {
    let live = follower.shared.live();
    let groups = live.stored.get() / storage::GROUP as u64;
    let stored = (0..groups)
        .flat_map(|group| follower.shared.archive.leaves(group, 0..storage::GROUP).unwrap());
    let leaves = stored.chain(live.leaves.iter().cloned());
    let indexes = (0..).map(LeafIndex::new);
    indexes.zip(leaves).map(|(index, leaf)| crate::shared::logged(index, &leaf)).collect()
}

fn text_of(logged: &LoggedEntry) -> String {
    let entry = String::from_utf8(logged.entry.to_vec()).unwrap();
    entry.split(" at ").next().unwrap().to_owned()
}

pub(crate) fn pending(
    text: &str,
) -> (Pending<Placed>, oneshot::Receiver<Result<Outcome, SubmitError>>) {
    let (answer, answered) = oneshot::channel();
    let submission = text.to_owned();
    let identity = Placed.identity(&submission);
    (Pending { submission, identity, answer }, answered)
}
