//! Acceptance 5: what a log promises holds whatever fails, and whenever power is lost.
//!
//! The engine runs on the test's own thread, so that each run makes the same calls, and every one of them can be the
//! one that fails.

use std::path::Path;

use storage::simulation::{Draw, Failure, How, Loss};
use storage::{AnchorError, JournalError};

use crate::testing::{Placed, World};
use crate::{Log, LogState, OpenError, SubmitError};

/// 11 batches of 50: two groups and a ragged edge, several segments, and an index that is moved twice.
const BATCHES: usize = 11;
const EACH: usize = 50;

fn batch(number: usize) -> Vec<String> {
    (0..EACH).map(|n| format!("{number}.{n}")).collect()
}

/// Hands in all batches, as one process after another if need be, and each again if it was not acknowledged.
///
/// A process that fails to open or to go on is followed by the next one, on the same system. `limit` is how many
/// may be needed.
fn live_through(world: &mut World, limit: usize) {
    let mut next = 0;
    for _ in 0..limit {
        let Ok(mut parts) = world.open() else { continue };
        if parts.1.catch_up().is_err() || parts.1.follow().is_err() {
            continue;
        }
        while next < BATCHES && world.live(&mut parts, &batch(next)) {
            next += 1;
        }
        if next == BATCHES {
            return;
        }
    }
    panic!("the log did not recover");
}

#[test]
fn acceptance_5_every_operation_fails_before_and_after_its_effect() {
    for how in [How::Before, How::After] {
        for call in 1.. {
            let mut world = World::new();
            world.machine.fail(Failure { call, how });
            live_through(&mut world, 3);
            world.machine.mend();
            world.check();
            assert_eq!(world.acknowledged.len(), BATCHES * EACH, "{how:?} {call}");
            world.after_power_loss(Loss::All).check();
            if !world.machine.has_failed() {
                println!("{} operations failed {how:?}", call - 1);
                assert!(call > 100, "the run is too short to mean anything");
                break;
            }
        }
    }
}

#[test]
fn acceptance_5_power_is_lost_at_every_operation() {
    let mut losses = 0;
    for call in 1.. {
        let mut world = World::new();
        world.machine.fail(Failure { call, how: How::Off });
        live_until_dark(&mut world);
        if !world.machine.has_failed() {
            break;
        }
        let torn = [0, 1, 16, 100, 1000, 2500].map(Loss::Torn);
        let single = (0..world.machine.unsynced()).map(Loss::One);
        for loss in [Loss::All].into_iter().chain(torn).chain(single) {
            losses += 1;
            world.after_power_loss(loss).check();
        }
        // And life goes on.
        let mut after = world.after_power_loss(Loss::All);
        live_through(&mut after, 1);
        after.check();
    }
    println!("{losses} losses of power");
    assert!(losses > 1000, "the run is too short to mean anything");
}

/// Hands in batches until power is off.
fn live_until_dark(world: &mut World) {
    let Ok(mut parts) = world.open() else { return };
    if parts.1.catch_up().is_err() || parts.1.follow().is_err() {
        return;
    }
    for number in 0..BATCHES {
        if !world.live(&mut parts, &batch(number)) {
            return;
        }
    }
}

#[test]
fn acceptance_5_two_thousand_seeded_losses_of_power() {
    const SEEDS: u64 = 2000;
    // One batch before the first group is complete.
    let mut base = World::new();
    {
        let mut parts = base.open().unwrap();
        parts.1.catch_up().unwrap();
        for number in 0..5 {
            assert!(base.live(&mut parts, &batch(number)));
        }
    }
    for seed in 0..SEEDS {
        let mut draw = Draw::new(seed);
        let mut world = base.after_power_loss(Loss::All);
        for life in 0..2 {
            let call = 1 + draw.below(40);
            world.machine.fail(Failure { call, how: How::Off });
            live_drawn(&mut world, &mut draw, life);
            world = world.after_power_loss(Loss::Seeded(draw.number()));
            if draw.one_in(4) {
                world.indexes.lose();
            }
            world.check();
        }
    }
    println!("{SEEDS} seeds, each with two losses of power");
}

/// Hands in batches of drawn sizes, some of it again and again, until power is off.
fn live_drawn(world: &mut World, draw: &mut Draw, life: u64) {
    let Ok(mut parts) = world.open() else { return };
    if parts.1.catch_up().is_err() || parts.1.follow().is_err() {
        return;
    }
    for number in 0..8 {
        let size = 1 + draw.below(40);
        let mut texts: Vec<_> = (0..size).map(|n| format!("{life}.{number}.{n}")).collect();
        texts.push(format!("{}.{}", draw.below(5), draw.below(50)));
        if !world.live(&mut parts, &texts) {
            return;
        }
    }
}

#[test]
fn acceptance_5_making_a_log_survives_every_failure() {
    for how in [How::Before, How::After, How::Off] {
        for call in 1.. {
            let mut world = World::without_log();
            world.machine.fail(Failure { call, how });
            let first = world.create();
            if !world.machine.has_failed() {
                first.unwrap();
                break;
            }
            world.machine.mend();
            if how == How::Off {
                world = world.after_power_loss(Loss::Seeded(call));
            }
            match world.create() {
                Ok(()) => (),
                // The very last call failed after its effect: the log is there.
                Err(crate::CreateError::Storage(storage::CreateError::Exists { .. })) => (),
                Err(error) => panic!("{how:?} {call}: {error:?}"),
            }
            live_through(&mut world, 1);
            world.check();
        }
    }
}

#[test]
fn acceptance_5_an_old_copy_of_the_directory_is_refused() {
    let mut world = World::new();
    let mut parts = world.open().unwrap();
    parts.1.catch_up().unwrap();
    assert!(world.live(&mut parts, &batch(0)));
    let copy = world.machine.backup(Path::new("/data/log"));
    assert!(world.live(&mut parts, &batch(1)));
    drop(parts);

    world.machine = world.machine.restore(Path::new("/data/log"), &copy);
    let refused = refusal(&world);
    let storage::OpenError::Anchor(AnchorError::RolledBack { found, anchored }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((found.get(), anchored.get()), (50, 100));
    // Asking for a new anchor does not help where there is one.
    world.options.new_anchor = true;
    assert!(matches!(refusal(&world), storage::OpenError::Anchor(AnchorError::RolledBack { .. })));
}

#[test]
fn acceptance_5_a_copy_that_was_written_to_is_refused() {
    let mut world = World::new();
    let mut parts = world.open().unwrap();
    parts.1.catch_up().unwrap();
    let copy = world.machine.backup(Path::new("/data/log"));
    assert!(world.live(&mut parts, &batch(0)));
    drop(parts);

    let anchors = world.machine.backup(Path::new("/state"));
    let mut fork = World::without_log();
    fork.machine = world.machine.restore(Path::new("/data/log"), &copy);
    fork.machine = fork.machine.restore(Path::new("/state"), &[]);
    fork.options.new_anchor = true;
    let mut parts = fork.open().unwrap();
    parts.1.catch_up().unwrap();
    assert!(fork.live(&mut parts, &batch(1)));
    drop(parts);

    fork.machine = fork.machine.restore(Path::new("/state"), &anchors);
    let refused = refusal(&fork);
    let other = matches!(refused, storage::OpenError::Anchor(AnchorError::OtherRoot { size }) if size.get() == 50);
    assert!(other, "{refused:?}");
}

#[test]
fn acceptance_5_a_lost_anchor_is_replaced_only_on_demand() {
    let mut world = World::new();
    world.machine = world.machine.restore(Path::new("/state"), &[]);
    assert!(matches!(refusal(&world), storage::OpenError::Anchor(AnchorError::Missing { .. })));
    world.options.new_anchor = true;
    drop(world.open().unwrap());
    world.options.new_anchor = false;
    world.check();
}

#[test]
fn acceptance_5_damage_before_sound_records_is_refused_with_its_offset() {
    let mut world = World::new();
    let mut parts = world.open().unwrap();
    parts.1.catch_up().unwrap();
    assert!(world.live(&mut parts, &["one".into()]));
    assert!(world.live(&mut parts, &["two".into()]));
    drop(parts);
    let segment = Path::new("/data/log/journal/00000000000000000001");
    // In the first record, behind the header of the segment.
    world.machine.rot(segment, 24 + 30);
    let storage::OpenError::Journal { source, .. } = refusal(&world) else { panic!() };
    assert!(matches!(source, JournalError::Damaged { segment: 1, offset: 24 }), "{source:?}");
}

#[test]
fn acceptance_5_a_rotten_last_record_is_refused_because_of_the_anchor() {
    let mut world = World::new();
    let mut parts = world.open().unwrap();
    parts.1.catch_up().unwrap();
    assert!(world.live(&mut parts, &["one".into()]));
    drop(parts);
    let segment = Path::new("/data/log/journal/00000000000000000001");
    let length = world.machine.backup(segment)[0].1.len();
    world.machine.rot(segment, length - 1);
    assert!(matches!(refusal(&world), storage::OpenError::Anchor(AnchorError::RolledBack { .. })));
}

#[test]
fn acceptance_5_a_second_process_is_refused() {
    let world = World::new();
    let first = world.open().unwrap();
    assert!(matches!(refusal(&world), storage::OpenError::InUse { .. }));
    drop(first);
    world.open().unwrap();
}

fn refusal(world: &World) -> storage::OpenError {
    match world.open() {
        Err(OpenError::Storage { source, .. }) => source,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("the log was opened"),
    }
}

#[tokio::test]
async fn acceptance_5_a_failed_sync_stops_the_log() {
    for how in [How::Before, How::After] {
        let world = World::new();
        let open = || {
            let indexes = Box::new(world.indexes.clone());
            Log::open_on(world.files(), indexes, &world.options, Placed).unwrap()
        };
        let log = open();
        log.submit("before".into()).await.unwrap();
        // The write of the record, and then its sync.
        world.machine.fail(Failure { call: 2, how });
        let unknown = log.submit("during".into()).await.unwrap_err();
        assert!(matches!(unknown, SubmitError::NotKnown), "{unknown:?}");
        let refused = log.submit("after".into()).await.unwrap_err();
        assert!(matches!(refused, SubmitError::Stopped), "{refused:?}");
        assert!(matches!(log.reader().state(), LogState::Stopped { .. }));
        log.reader().entry(merkle::LeafIndex::new(0)).await.unwrap();
        drop(log);

        // Opening tells: it was written, and is made durable before anyone is told.
        let log = open();
        let receipt = log.submit("during".into()).await.unwrap();
        assert!(!receipt.fresh);
        assert_eq!(receipt.logged.index.get(), 1);
    }
}

#[test]
fn time_never_decreases_even_when_the_clock_is_set_back() {
    let mut world = World::new();
    for number in 0..4 {
        // Each process begins with a clock five seconds behind.
        let mut parts = world.open().unwrap();
        parts.1.catch_up().unwrap();
        assert!(world.live(&mut parts, &batch(number)));
    }
    world.check();
}

#[test]
fn an_index_of_another_history_is_rebuilt() {
    use storage::{IndexPosition, Indexes as _};
    let mut world = World::new();
    live_through(&mut world, 1);
    let index = world.indexes.open().unwrap().unwrap();
    let size = index.position().unwrap().size;
    assert!(size.get() >= 200, "the index was moved");
    index.advance(&[], IndexPosition { size, root: merkle::Hash::of_empty_tree() }).unwrap();
    let mut parts = world.open().unwrap();
    parts.1.catch_up().unwrap();
    assert!(world.live(&mut parts, &batch(3)));
    drop(parts);
    world.check();
}

#[test]
fn a_batch_is_one_sync_and_little_more_than_its_bytes() {
    let world = World::new();
    let mut parts = world.open().unwrap();
    parts.1.catch_up().unwrap();
    let before = parts.1.shared.meter.readings();
    let payload: usize = 200 * (1000 + 80);
    let texts: Vec<_> = (0..200).map(|n| format!("{n:01000}")).collect();
    let (pending, _answers) =
        texts.iter().map(|text| crate::testing::pending(text)).unzip::<_, _, Vec<_>, Vec<_>>();
    parts.0.process(pending).unwrap();
    let after = parts.1.shared.meter.readings();
    assert_eq!(after.syncs - before.syncs, 1);
    assert!(after.bytes - before.bytes < payload as u64 * 11 / 10);
}
