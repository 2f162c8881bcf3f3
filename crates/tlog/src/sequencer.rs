//! The owner of a log: what has come in becomes one batch, and one commit.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use merkle::{Edge, Hash, LeafIndex, TreeSize, inclusion_path};
use storage::{ArchiveError, Batch, CommitError, IndexError, Key, Leaf, MAX_METADATA, Store};
use tokio::sync::oneshot;

use crate::seal::{Refusal, seal_all};
use crate::shared::{Shared, logged, timestamp};
use crate::{
    Clock, Dialect, DialectError, FreezeError, Head, Identity, Inclusion, LogState, Published,
    Receipt, SubmitError,
};

/// The most entries of one commit. Beyond some hundreds a larger batch saves nothing, and its last entry waits longer.
pub(crate) const MAX_BATCH: usize = 4096;

/// The most bytes of one commit, but for a single entry: they are in memory several times at once.
const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// A submission that waits for its answer.
pub(crate) struct Pending<D: Dialect> {
    pub(crate) submission: D::Submission,
    pub(crate) identity: Identity,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// What the owner says to a submission.
pub(crate) type Answer = Result<Outcome, SubmitError>;

/// Where the entry is.
pub(crate) enum Outcome {
    /// It was committed just now.
    Committed(Box<Receipt>),
    /// It was there, durably. The submitter reads it.
    Logged(LeafIndex),
}

/// One new entry, and all who wait for it. The first of them brought it.
struct Candidate<D: Dialect> {
    first: Pending<D>,
    others: Vec<oneshot::Sender<Answer>>,
}

/// Why the owner cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StopError {
    #[error("a batch was not committed for certain")]
    Commit(#[from] CommitError),
    #[error("it is not known what the log has")]
    Index(#[from] IndexError),
}

/// The owner of a log. There is one, and no lock: to own it is to be allowed to write.
pub(crate) struct Sequencer<D: Dialect> {
    pub(crate) store: Store,
    pub(crate) dialect: Arc<D>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) clock: Clock,
    edge: Edge,
    /// The highest time that was ever issued.
    time_ms: i64,
    max_entry: usize,
}

/// A tree and its checkpoint, ready to be committed.
struct Signed {
    edge: Edge,
    published: Published,
}

impl<D: Dialect> Sequencer<D> {
    pub(crate) fn new(
        store: Store,
        dialect: Arc<D>,
        shared: Arc<Shared>,
        clock: Clock,
        head: &storage::Head,
    ) -> Self {
        let max_entry = D::MAX_ENTRY.min(shared.archive.framing().max_entry());
        let (edge, time_ms) = (head.edge.clone(), head.time_ms);
        Self { store, dialect, shared, clock, edge, time_ms, max_entry }
    }

    /// Commits what is new of `batch` and answers all of it. What is too much for one commit comes back.
    ///
    /// Losing power between any two of these lines loses nothing that was answered: an answer is given only after
    /// the commit, and what is there before it is no part of the log.
    pub(crate) fn process(&mut self, batch: Vec<Pending<D>>) -> Result<Vec<Pending<D>>, StopError> {
        if self.shared.live().published.frozen {
            batch.into_iter().for_each(|pending| tell(pending.answer, Err(SubmitError::Frozen)));
            return Ok(Vec::new());
        }
        let mut candidates = self.answer_repeats(batch)?;
        let (leaves, rest) = self.seal(&mut candidates);
        if leaves.is_empty() {
            return Ok(rest);
        }
        let signed = match self.sign(&leaves, false) {
            Ok(signed) => signed,
            Err(error) => {
                tell_all(candidates, &SubmitError::NotSealed(Arc::from(error)));
                return Ok(rest);
            }
        };
        if let Err(error) = self.commit(&leaves, &signed) {
            tell_all(candidates, &SubmitError::NotKnown);
            return Err(error.into());
        }
        let first = self.edge.size().next_index();
        self.edge = signed.edge;
        let head = self.shared.publish(leaves.clone(), signed.published);
        self.answer(candidates, first, &leaves, &head);
        Ok(rest)
    }

    /// Tells those whose entry is in the log where it is, and brings the others together by identity.
    fn answer_repeats(&self, batch: Vec<Pending<D>>) -> Result<Vec<Candidate<D>>, StopError> {
        let mut places: HashMap<Key, usize> = HashMap::with_capacity(batch.len());
        let mut candidates: Vec<Candidate<D>> = Vec::with_capacity(batch.len());
        for pending in batch {
            let key = key(pending.identity);
            if let Some(place) = places.get(&key) {
                candidates[*place].others.push(pending.answer);
            } else if let Some(index) = self.shared.identities.find(key)? {
                self.shared.counts.repeats.fetch_add(1, Ordering::Relaxed);
                tell(pending.answer, Ok(Outcome::Logged(index)));
            } else {
                places.insert(key, candidates.len());
                candidates.push(Candidate { first: pending, others: Vec::new() });
            }
        }
        Ok(candidates)
    }

    /// Gives each candidate its place and seals it. Those that are refused leave, those that are too much for one
    /// commit come back, and with them all who wait for the same.
    fn seal(&mut self, candidates: &mut Vec<Candidate<D>>) -> (Vec<Leaf>, Vec<Pending<D>>) {
        let now = (self.clock)().as_millisecond();
        self.time_ms = self.time_ms.max(now);
        loop {
            let first = self.edge.size().next_index();
            let submissions: Vec<_> = candidates
                .iter()
                .map(|candidate| (&candidate.first.submission, candidate.first.identity))
                .collect();
            let time = timestamp(self.time_ms);
            let sealed = seal_all(&*self.dialect, &submissions, first, time, self.max_entry);
            match sealed {
                Ok(leaves) => return self.limit(candidates, leaves),
                // Every place behind a refused entry moves, so all are sealed again.
                Err(refusals) => refuse(candidates, refusals),
            }
        }
    }

    /// Keeps as many leaves as may be committed at once.
    fn limit(
        &self,
        candidates: &mut Vec<Candidate<D>>,
        mut leaves: Vec<Leaf>,
    ) -> (Vec<Leaf>, Vec<Pending<D>>) {
        let mut bytes = 0;
        let mut fits = |leaf: &Leaf| {
            bytes += leaf.entry.len() + leaf.metadata.len();
            bytes <= MAX_BATCH_BYTES
        };
        let count = leaves.iter().take_while(|leaf| fits(leaf)).count().max(1).min(leaves.len());
        leaves.truncate(count);
        let rest = candidates.split_off(count).into_iter().map(|candidate| {
            // To be told to come again is the simplest truth for those who share it.
            candidate.others.into_iter().for_each(|other| tell(other, Err(SubmitError::Busy)));
            candidate.first
        });
        (leaves, rest.collect())
    }

    /// Works out the tree with these leaves and has its checkpoint signed.
    fn sign(&self, leaves: &[Leaf], frozen: bool) -> Result<Signed, DialectError> {
        let mut edge = self.edge.clone();
        leaves.iter().for_each(|leaf| edge.append(leaf.hash));
        let (size, root, time) = (edge.size(), edge.root(), timestamp(self.time_ms));
        let checkpoint = self.dialect.sign_checkpoint(&Head { size, root, time, frozen })?;
        Ok(Signed { edge, published: Published { size, root, time, checkpoint, frozen } })
    }

    fn commit(&mut self, leaves: &[Leaf], signed: &Signed) -> Result<(), CommitError> {
        let committed = self.store.commit(&Batch {
            leaves,
            edge: &signed.edge,
            time_ms: self.time_ms,
            checkpoint: &signed.published.checkpoint,
            frozen: signed.published.frozen,
        });
        self.shared.counts.reply_syncs.store(self.store.syncs(), Ordering::Relaxed);
        committed
    }

    fn answer(
        &self,
        candidates: Vec<Candidate<D>>,
        first: LeafIndex,
        leaves: &[Leaf],
        head: &Arc<Published>,
    ) {
        let indexes = (first.get()..).map(LeafIndex::new);
        for ((candidate, leaf), index) in candidates.into_iter().zip(leaves).zip(indexes) {
            let Ok(path) = self.path(index, head.size) else {
                // It is logged, whether it can be proved just now or not. Whoever waits reads it, and is told the cause.
                self.tell_logged(candidate, index);
                continue;
            };
            let inclusion = Inclusion { index, path, head: Arc::clone(head) };
            let receipt = Receipt { logged: logged(index, leaf), fresh: true, inclusion };
            for other in candidate.others {
                self.shared.counts.repeats.fetch_add(1, Ordering::Relaxed);
                let receipt = Receipt { fresh: false, ..receipt.clone() };
                tell(other, Ok(Outcome::Committed(Box::new(receipt))));
            }
            tell(candidate.first.answer, Ok(Outcome::Committed(Box::new(receipt))));
        }
    }

    fn tell_logged(&self, candidate: Candidate<D>, index: LeafIndex) {
        self.shared.counts.repeats.fetch_add(candidate.others.len() as u64, Ordering::Relaxed);
        let waiting = candidate.others.into_iter().chain([candidate.first.answer]);
        waiting.for_each(|answer| tell(answer, Ok(Outcome::Logged(index))));
    }

    fn path(&self, index: LeafIndex, size: TreeSize) -> Result<Vec<Hash>, ArchiveError> {
        let path = inclusion_path(index, size, |node| self.shared.node(node))?;
        Ok(path.expect("what was just committed is inside the tree"))
    }

    /// Commits a last checkpoint.
    pub(crate) fn freeze(&mut self) -> Result<Arc<Published>, FreezeError> {
        let live = Arc::clone(&self.shared.live().published);
        if live.frozen {
            return Ok(live);
        }
        self.time_ms = self.time_ms.max((self.clock)().as_millisecond());
        let signed = self.sign(&[], true).map_err(FreezeError::Sign)?;
        if let Err(error) = self.commit(&[], &signed) {
            self.shared.stop(&error);
            return Err(FreezeError::Stopped);
        }
        self.shared.set_state(LogState::Frozen);
        Ok(self.shared.publish(Vec::new(), signed.published))
    }
}

pub(crate) const fn key(identity: Identity) -> Key {
    match identity {
        Identity::Leaf(hash) => Key::Leaf(hash),
        Identity::Own(hash) => Key::Own(hash),
    }
}

/// Answers, to one who may have gone away and no longer wants to know.
pub(crate) fn tell(answer: oneshot::Sender<Answer>, outcome: Answer) {
    let _ = answer.send(outcome);
}

fn tell_all<D: Dialect>(candidates: Vec<Candidate<D>>, error: &SubmitError) {
    for candidate in candidates {
        candidate.others.into_iter().for_each(|other| tell(other, Err(error.clone())));
        tell(candidate.first.answer, Err(error.clone()));
    }
}

/// Tells the refused, and takes them out. Refusals are in the order of their positions.
fn refuse<D: Dialect>(candidates: &mut Vec<Candidate<D>>, refusals: Vec<Refusal>) {
    for Refusal { position, error } in refusals.into_iter().rev() {
        tell_all(vec![candidates.remove(position)], &error);
    }
}

const _: () = assert!(MAX_METADATA <= MAX_BATCH_BYTES, "every entry fits into some commit");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, pending};

    /// The follower may store a group between its commit and its answers, so that their proofs need files.
    #[test]
    fn who_cannot_be_given_the_proof_of_a_committed_entry_is_told_where_it_is() {
        for fails in [false, true] {
            let mut world = World::new();
            let mut parts = world.open().unwrap();
            parts.1.catch_up().unwrap();
            let texts: Vec<String> = (0..300).map(|n| format!("{n}")).collect();
            assert!(world.live(&mut parts, &texts));
            let (sequencer, follower) = parts;
            let index = LeafIndex::new(10);
            let leaf = follower.shared.archive.leaf(index).unwrap();
            let head = Arc::clone(&follower.shared.live().published);

            let (first, mut answer) = pending("10");
            let (other, mut shared) = pending("10");
            let candidate = Candidate { first, others: vec![other.answer] };
            if fails {
                world.files().remove("/data/log/tile/0/000".as_ref()).unwrap();
            }
            sequencer.answer(vec![candidate], index, &[leaf], &head);
            for answer in [&mut answer, &mut shared] {
                match answer.try_recv().unwrap().unwrap() {
                    Outcome::Committed(receipt) => {
                        assert!(!fails && receipt.logged.index == index);
                    }
                    Outcome::Logged(logged) => assert!(fails && logged == index),
                }
            }
        }
    }
}
