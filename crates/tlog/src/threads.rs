//! The two threads of a log: its owner, and its follower.

use std::io;
use std::sync::mpsc as std_mpsc;
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};

use std::sync::Arc;

use crate::follower::Follower;
use crate::gather::Gathering;
use crate::sequencer::{MAX_BATCH, Pending, Sequencer};
use crate::shared::Shared;
use crate::{Dialect, FreezeError, LogOptions, Published, SubmitError};

/// What the owner is asked to do.
pub(crate) enum Command<D: Dialect> {
    Submit(Pending<D>),
    Freeze(oneshot::Sender<Result<Arc<Published>, FreezeError>>),
    Stop,
}

/// Where submissions are handed in.
pub(crate) struct Inbox<D: Dialect> {
    pub(crate) commands: mpsc::Sender<Command<D>>,
    gathering: Arc<Gathering>,
}

impl<D: Dialect> Inbox<D> {
    /// Hands in, unless too much is waiting.
    pub(crate) fn hand_in(&self, pending: Pending<D>) -> Result<(), SubmitError> {
        self.commands.try_send(Command::Submit(pending)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SubmitError::Busy,
            mpsc::error::TrySendError::Closed(_) => SubmitError::Stopped,
        })?;
        self.gathering.handed_in(self.commands.max_capacity() - self.commands.capacity());
        Ok(())
    }
}

/// Starts both threads. `caught_up` says whether the follower has nothing to read before entries may be taken.
pub(crate) fn start<D: Dialect>(
    sequencer: Sequencer<D>,
    follower: Follower,
    options: &LogOptions,
    caught_up: bool,
) -> io::Result<(Inbox<D>, Vec<JoinHandle<()>>)> {
    let (inbox, commands) = mpsc::channel(options.queue_entries);
    // One waiting wake-up is enough: the follower does all that is due.
    let (wake, woken) = std_mpsc::sync_channel(1);
    let gathering = Arc::new(Gathering::new());
    let inbox = Inbox { commands: inbox, gathering: Arc::clone(&gathering) };
    let follower = Arc::new(follower);
    let follows = Arc::clone(&follower);
    let name = |role: &str| thread::Builder::new().name(format!("{role} {}", options.origin));
    let following = name("follow").spawn(move || follow(&follows, &woken, caught_up))?;
    let owning =
        name("log").spawn(move || own(sequencer, commands, &gathering, &follower, &wake))?;
    Ok((inbox, vec![owning, following]))
}

/// Lets the log be stopped, and be seen to be, if the thread that has this panics.
struct Watch(Arc<Shared>);

/// Why the log has stopped then. What it panicked with is in the operator's log already.
#[derive(Debug, thiserror::Error)]
#[error("a thread of the log has panicked")]
struct Panicked;

impl Drop for Watch {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop(&Panicked);
        }
    }
}

/// Commits what comes in, a batch after the other, until there is nobody left to hand anything in, or nothing is
/// certain any more. A batch begins when the one before is durable and anything waits; after a batch of several, when as
/// many wait, or no more have come for a moment.
fn own<D: Dialect>(
    mut sequencer: Sequencer<D>,
    mut commands: mpsc::Receiver<Command<D>>,
    gathering: &Gathering,
    follower: &Follower,
    wake: &std_mpsc::SyncSender<()>,
) {
    let _watch = Watch(Arc::clone(&sequencer.shared));
    let (mut held, mut before) = (Vec::new(), 0);
    while let Some(batch) = next_batch(&mut commands, std::mem::take(&mut held), before, gathering)
    {
        before = batch.pending.len();
        match sequencer.process(batch.pending) {
            Ok(rest) => held = rest,
            Err(error) => return sequencer.shared.stop(&error),
        }
        if follower.is_due() {
            // The follower has ended, or a wake-up is waiting: both are all right.
            let _ = wake.try_send(());
        }
        match batch.then {
            None => (),
            Some(Command::Freeze(answer)) => {
                // Whoever asked may have gone away.
                let _ = answer.send(sequencer.freeze());
            }
            Some(_) => break,
        }
    }
    if let Err(error) = sequencer.store.sync_anchor() {
        tracing::warn!(%error, "the anchor was not synced");
    }
}

/// What came in, and what is to be done after it.
struct Incoming<D: Dialect> {
    pending: Vec<Pending<D>>,
    then: Option<Command<D>>,
}

/// Waits until something comes in, and for a moment until as much is there as was `before`, and takes all of it. `None`
/// when nothing will come any more.
fn next_batch<D: Dialect>(
    commands: &mut mpsc::Receiver<Command<D>>,
    held: Vec<Pending<D>>,
    before: usize,
    gathering: &Gathering,
) -> Option<Incoming<D>> {
    let mut pending = held;
    if pending.is_empty() {
        match commands.blocking_recv()? {
            Command::Submit(first) => pending.push(first),
            other => return Some(Incoming { pending, then: Some(other) }),
        }
    }
    gathering.wait(before.saturating_sub(pending.len()), || commands.len());
    while pending.len() < MAX_BATCH {
        match commands.try_recv() {
            Ok(Command::Submit(next)) => pending.push(next),
            Ok(other) => return Some(Incoming { pending, then: Some(other) }),
            Err(_) => break,
        }
    }
    Some(Incoming { pending, then: None })
}

fn follow(follower: &Follower, woken: &std_mpsc::Receiver<()>, caught_up: bool) {
    let _watch = Watch(Arc::clone(&follower.shared));
    let caught_up = if caught_up { Ok(true) } else { follower.catch_up() };
    if matches!(caught_up, Ok(false)) {
        // What is in memory of the identities has gaps, so nothing may be written of it.
        return;
    }
    // Once before anything comes: an earlier process may have left something to do.
    let mut outcome = caught_up.and_then(|_| follower.follow());
    while outcome.is_ok() && woken.recv().is_ok() {
        outcome = follower.follow();
    }
    // The owner has ended. What is stored now need not be read when the log is opened again.
    if let Err(error) = outcome.and_then(|()| follower.follow()) {
        follower.shared.stop(&error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LogState;
    use crate::testing::World;

    #[test]
    fn a_log_whose_thread_panics_is_stopped_and_one_whose_thread_ends_is_not() {
        let (_, follower) = World::new().open().unwrap();
        follower.catch_up().unwrap();
        let end = |panics: bool| {
            let watch = Watch(Arc::clone(&follower.shared));
            thread::spawn(move || {
                let _watch = watch;
                assert!(!panics, "wanted");
            })
            .join()
        };
        end(false).unwrap();
        assert_eq!(follower.shared.state(), LogState::Ready);
        end(true).unwrap_err();
        assert!(matches!(follower.shared.state(), LogState::Stopped { .. }));
    }
}
