//! The two threads of a log: its owner, and its follower.

use std::io;
use std::sync::mpsc as std_mpsc;
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};

use std::sync::Arc;

use crate::follower::Follower;
use crate::sequencer::{MAX_BATCH, Pending, Sequencer};
use crate::{Dialect, FreezeError, LogOptions, Published};

/// What the owner is asked to do.
pub(crate) enum Command<D: Dialect> {
    Submit(Pending<D>),
    Freeze(oneshot::Sender<Result<Arc<Published>, FreezeError>>),
    Stop,
}

type Inbox<D> = mpsc::Sender<Command<D>>;

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
    let name = |role: &str| thread::Builder::new().name(format!("{role} {}", options.origin));
    let following = name("follow").spawn(move || follow(&follower, &woken, caught_up))?;
    let owning = name("log").spawn(move || own(sequencer, commands, &wake))?;
    Ok((inbox, vec![owning, following]))
}

/// Commits what comes in, a batch after the other, until there is nobody left to hand anything in, or nothing is
/// certain any more. A batch begins as soon as the one before is durable and anything waits.
fn own<D: Dialect>(
    mut sequencer: Sequencer<D>,
    mut commands: mpsc::Receiver<Command<D>>,
    wake: &std_mpsc::SyncSender<()>,
) {
    let mut held = Vec::new();
    while let Some(batch) = next_batch(&mut commands, std::mem::take(&mut held)) {
        match sequencer.process(batch.pending) {
            Ok(rest) => held = rest,
            Err(error) => return sequencer.shared.stop(&error),
        }
        // The follower has ended, or a wake-up is waiting: both are all right.
        let _ = wake.try_send(());
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

/// Waits until something comes in, and takes all that is there. `None` when nothing will come any more.
fn next_batch<D: Dialect>(
    commands: &mut mpsc::Receiver<Command<D>>,
    held: Vec<Pending<D>>,
) -> Option<Incoming<D>> {
    let mut pending = held;
    if pending.is_empty() {
        match commands.blocking_recv()? {
            Command::Submit(first) => pending.push(first),
            other => return Some(Incoming { pending, then: Some(other) }),
        }
    }
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
    let caught_up = if caught_up { Ok(()) } else { follower.catch_up() };
    // Once before anything comes: an earlier process may have left something to do.
    let mut outcome = caught_up.and_then(|()| follower.follow());
    while outcome.is_ok() && woken.recv().is_ok() {
        outcome = follower.follow();
    }
    // The owner has ended. What is stored now need not be read when the log is opened again.
    if let Err(error) = outcome.and_then(|()| follower.follow()) {
        follower.shared.stop(&error);
    }
}
