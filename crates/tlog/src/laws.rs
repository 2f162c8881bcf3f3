//! What every log does, whatever its dialect: run over both, on the real disk, with its threads.

use std::sync::atomic::Ordering;

use merkle::{Hash, LeafIndex, TileKind, TilePath, TreeSize, verify_consistency, verify_inclusion};

use crate::testing::{OnDisk, Placed, Plain, clock};
use crate::{Dialect, Log, LogState, ReadError, Receipt, SubmitError};

async fn submit<D: Dialect<Submission = String>>(log: &Log<D>, text: &str) -> Receipt {
    log.submit(text.to_owned()).await.unwrap()
}

fn check(receipt: &Receipt) {
    let (inclusion, logged) = (&receipt.inclusion, &receipt.logged);
    assert_eq!(inclusion.index, logged.index);
    let leaf = Hash::leaf(&logged.entry);
    let head = &inclusion.head;
    verify_inclusion(leaf, logged.index, &inclusion.path, head.size, head.root).unwrap();
    assert!(head.checkpoint.contains(&head.root.to_string()));
}

async fn laws<D: Dialect<Submission = String>>(dialect: impl Fn() -> D) {
    let place = OnDisk::new();
    let log = place.open(dialect());
    an_entry_is_in_the_tree_when_it_is_acknowledged(&log).await;
    a_repeat_is_answered_with_the_first(&log).await;
    concurrent_submitters_of_one_identity_share_one_leaf(&log).await;
    one_refused_submission_refuses_no_other(&log).await;
    what_is_too_long_is_refused(&log).await;
    nothing_is_read_beyond_the_end(&log).await;
    let before = log.reader().published();
    many_entries_are_batched_stored_and_proved(&log).await;
    the_log_has_only_grown(&log, before.size, before.root).await;
    log.stop().await;
    assert!(matches!(log.submit("late".into()).await, Err(SubmitError::Stopped)));
    drop(log);
    let log = place.open(dialect());
    everything_is_there_after_a_restart(&log, before.size).await;
    a_frozen_log_never_grows(&log).await;
    drop(log);
    let log = place.open(dialect());
    assert_eq!(log.reader().state(), LogState::Frozen);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_dialects_keep_the_laws() {
    laws(|| Plain).await;
    laws(|| Placed).await;
}

async fn an_entry_is_in_the_tree_when_it_is_acknowledged<D: Dialect<Submission = String>>(
    log: &Log<D>,
) {
    for n in 0..3 {
        let receipt = submit(log, &format!("alone {n}")).await;
        check(&receipt);
        assert!(receipt.fresh);
        assert_eq!(receipt.logged.index, LeafIndex::new(n));
        assert_eq!(log.reader().entry(receipt.logged.index).await.unwrap(), receipt.logged);
    }
}

async fn a_repeat_is_answered_with_the_first<D: Dialect<Submission = String>>(log: &Log<D>) {
    let first = submit(log, "repeated").await;
    let second = submit(log, "repeated").await;
    check(&second);
    assert!(!second.fresh);
    assert_eq!(second.logged, first.logged);
    let leaf = Hash::leaf(&first.logged.entry);
    assert_eq!(log.reader().find_leaf(leaf).await.unwrap(), Some(first.logged.index));
    let identity = Hash::leaf(b"repeated");
    assert_eq!(log.reader().find_identity(identity).await.unwrap(), Some(first.logged.index));
    assert_eq!(log.reader().find_identity(Hash::leaf(b"absent")).await.unwrap(), None);
}

async fn concurrent_submitters_of_one_identity_share_one_leaf<D: Dialect<Submission = String>>(
    log: &Log<D>,
) {
    let before = log.reader().published().size.get();
    let answers = futures(64, |_| log.submit("shared".to_owned())).await;
    let answers: Vec<Receipt> = answers.into_iter().map(Result::unwrap).collect();
    answers.iter().for_each(check);
    assert!(answers.iter().all(|receipt| receipt.logged == answers[0].logged));
    assert_eq!(answers.iter().filter(|receipt| receipt.fresh).count(), 1);
    assert_eq!(log.reader().published().size.get(), before + 1);
}

async fn one_refused_submission_refuses_no_other<D: Dialect<Submission = String>>(log: &Log<D>) {
    let answers = futures(40, |n| {
        let kind = if n % 3 == 0 { "bad" } else { "good" };
        log.submit(format!("{kind} {n}"))
    })
    .await;
    for (n, answer) in answers.into_iter().enumerate() {
        match answer {
            Ok(receipt) => {
                check(&receipt);
                assert_ne!(n % 3, 0);
            }
            Err(error) => {
                assert!(matches!(error, SubmitError::NotSealed(_)), "{error:?}");
                assert_eq!(n % 3, 0);
            }
        }
    }
}

async fn what_is_too_long_is_refused<D: Dialect<Submission = String>>(log: &Log<D>) {
    let refused = log.submit("x".repeat(D::MAX_ENTRY + 1)).await.unwrap_err();
    assert!(matches!(refused, SubmitError::TooLong { limit, .. } if limit == D::MAX_ENTRY));
}

async fn nothing_is_read_beyond_the_end<D: Dialect<Submission = String>>(log: &Log<D>) {
    let reader = log.reader();
    let size = reader.published().size;
    let beyond = TreeSize::new(size.get() + 1);
    let outside = |error: ReadError| matches!(error, ReadError::Outside { size: s } if s == size);
    assert!(outside(reader.entry(size.next_index()).await.unwrap_err()));
    assert!(outside(reader.entries(size.get()..beyond.get()).await.unwrap_err()));
    assert!(outside(reader.inclusion(size.next_index()).await.unwrap_err()));
    assert!(outside(reader.inclusion(LeafIndex::new(u64::MAX)).await.unwrap_err()));
    assert!(outside(reader.inclusion_path(LeafIndex::new(0), beyond).await.unwrap_err()));
    assert!(outside(reader.consistency_proof(size, beyond).await.unwrap_err()));
    assert!(outside(reader.root_at(beyond).await.unwrap_err()));
    let tile = TilePath::at_size(TileKind::Hashes { level: 0 }, 0, beyond).unwrap();
    assert!(outside(reader.tile(tile).await.unwrap_err()));
}

async fn many_entries_are_batched_stored_and_proved<D: Dialect<Submission = String>>(log: &Log<D>) {
    let answers = futures(1500, |n| log.submit(format!("many {n}"))).await;
    let answers: Vec<Receipt> = answers.into_iter().map(Result::unwrap).collect();
    answers.iter().for_each(check);
    let counters = log.reader().counters();
    assert!(counters.batches < counters.entries / 4, "{counters:?}");
    assert_eq!(counters.reply_syncs, counters.batches);

    // The follower is not waited for: what it has and what it has not stored reads the same.
    let reader = log.reader();
    let size = reader.published().size;
    for receipt in answers.iter().step_by(97) {
        let index = receipt.logged.index;
        assert_eq!(reader.entry(index).await.unwrap(), receipt.logged);
        let inclusion = reader.inclusion(index).await.unwrap();
        assert_eq!(inclusion.path, reader.inclusion_path(index, size).await.unwrap());
        let from = index.get();
        let entries = reader.entries(from..from + 300).await.unwrap();
        assert_eq!(entries[0], receipt.logged);
        assert!(entries.len() <= 256);
    }
    tiles_have_the_hashes_of_the_leaves(log).await;
}

async fn tiles_have_the_hashes_of_the_leaves<D: Dialect<Submission = String>>(log: &Log<D>) {
    let reader = log.reader();
    let size = reader.published().size;
    for group in 0..size.get().div_ceil(256) {
        for at in [TreeSize::new(size.get().min(group * 256 + 7)), size] {
            let kind = TileKind::Hashes { level: 0 };
            let Some(path) = TilePath::at_size(kind, group, at) else { continue };
            let tile = reader.tile(path).await.unwrap();
            let end = group * 256 + path.width() as u64;
            let entries = reader.entries(group * 256..end).await.unwrap();
            let hashes: Vec<u8> =
                entries.iter().flat_map(|e| *Hash::leaf(&e.entry).as_bytes()).collect();
            assert_eq!(tile, hashes, "{path}");

            let bundle =
                reader.tile(TilePath::at_size(TileKind::Entries, group, at).unwrap()).await;
            if D::MAX_ENTRY > 65_535 {
                assert!(matches!(bundle, Err(ReadError::NoBundles)));
                continue;
            }
            let expected: Vec<u8> = entries
                .iter()
                .flat_map(|e| {
                    [&u16::try_from(e.entry.len()).unwrap().to_be_bytes(), &e.entry[..]].concat()
                })
                .collect();
            assert_eq!(bundle.unwrap(), expected);
        }
    }
}

async fn the_log_has_only_grown<D: Dialect<Submission = String>>(
    log: &Log<D>,
    old: TreeSize,
    old_root: Hash,
) {
    let head = log.reader().published();
    let proof = log.reader().consistency_proof(old, head.size).await.unwrap();
    verify_consistency(old, old_root, head.size, head.root, &proof).unwrap();
    assert_eq!(log.reader().root_at(old).await.unwrap(), old_root);
}

async fn everything_is_there_after_a_restart<D: Dialect<Submission = String>>(
    log: &Log<D>,
    old: TreeSize,
) {
    assert_eq!(log.reader().state(), LogState::Ready);
    for text in ["alone 0", "repeated", "shared", "good 1", "many 700"] {
        let receipt = submit(log, text).await;
        check(&receipt);
        assert!(!receipt.fresh, "{text}");
    }
    let size = log.reader().published().size;
    let proof = log.reader().consistency_proof(old, size).await.unwrap();
    assert!(!proof.is_empty());
    let fresh = submit(log, "after").await;
    assert!(fresh.fresh);
    assert_eq!(fresh.logged.index, size.next_index());
}

async fn a_frozen_log_never_grows<D: Dialect<Submission = String>>(log: &Log<D>) {
    let size = log.reader().published().size;
    let frozen = log.freeze().await.unwrap();
    assert!(frozen.frozen);
    assert_eq!(frozen.size, size);
    assert!(matches!(log.submit("more".into()).await, Err(SubmitError::Frozen)));
    assert_eq!(log.freeze().await.unwrap(), frozen);
    assert_eq!(log.reader().state(), LogState::Frozen);
}

/// Waits for many at once, in order.
async fn futures<F: Future>(count: usize, make: impl Fn(usize) -> F) -> Vec<F::Output> {
    let mut waiting: Vec<_> = (0..count).map(|n| Box::pin(make(n))).collect();
    let mut outputs: Vec<Option<F::Output>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, output) in waiting.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let std::task::Poll::Ready(ready) = future.as_mut().poll(context)
            {
                *output = Some(ready);
            }
        }
        if outputs.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_full_queue_is_an_answer_and_not_a_wait() {
    let mut place = OnDisk::new();
    place.options.queue_entries = 1;
    let log = place.open(Plain);
    let answers = futures(200, |n| log.submit(format!("{n}"))).await;
    assert!(answers.iter().any(Result::is_ok));
    assert!(answers.iter().flatten().all(|receipt| receipt.fresh));
    let refused = answers.iter().filter_map(|answer| answer.as_ref().err());
    assert!(refused.clone().all(|error| matches!(error, SubmitError::Busy)));
    assert!(refused.count() > 0);
}

#[tokio::test]
async fn entries_of_the_greatest_length_are_taken_before_there_are_enough_for_a_file() {
    let place = OnDisk::new();
    let long = "x".repeat(Placed::MAX_ENTRY - 64);
    // More bytes than may wait for the disk, and more of them after the log is opened again.
    for run in 0..2 {
        let log = place.open(Placed);
        for n in 0..70 {
            assert!(submit(&log, &format!("{run} {n} {long}")).await.fresh);
        }
    }
}

#[tokio::test]
async fn an_index_that_is_lost_is_rebuilt_before_anything_is_taken() {
    let mut place = OnDisk::new();
    place.options.recent_identities = 256;
    let log = place.open(Placed);
    let answers = futures(6000, |n| log.submit(format!("{n}"))).await;
    assert!(answers.iter().all(Result::is_ok));
    drop(log);
    let index = place.options.directory.join("index");
    assert!(index.exists(), "so many leaves have an index");
    std::fs::remove_dir_all(index).unwrap();

    let log = place.open(Placed);
    loop {
        match log.submit("77".to_owned()).await {
            Ok(receipt) => {
                assert!(!receipt.fresh);
                break;
            }
            Err(SubmitError::Indexing { done, of }) => assert!(done <= of),
            Err(error) => panic!("{error:?}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    let receipt = submit(&log, "5999").await;
    assert!(!receipt.fresh);
}

#[tokio::test]
async fn the_time_of_an_entry_is_that_of_the_clock_in_whole_milliseconds() {
    let mut place = OnDisk::new();
    let (clock, now) = clock();
    place.options.clock = clock;
    let log = place.open(Placed);
    let before = now.load(Ordering::Relaxed);
    let receipt = submit(&log, "timed").await;
    assert_eq!(receipt.logged.time.as_millisecond(), before);
    now.store(0, Ordering::Relaxed);
    let later = submit(&log, "later").await;
    assert_eq!(later.logged.time, receipt.logged.time);
}

#[test]
fn another_log_and_no_log_are_refused() {
    let mut place = OnDisk::new();
    drop(place.open(Plain));
    place.options.origin = "other.example".into();
    let refused = Log::open(&place.options, Plain).err().unwrap();
    let crate::OpenError::Storage { source, .. } = refused else { panic!("{refused:?}") };
    assert!(matches!(source, storage::OpenError::OtherLog { .. }));
    place.options.directory.push("absent");
    let refused = Log::open(&place.options, Plain).err().unwrap();
    let crate::OpenError::Storage { source, .. } = refused else { panic!("{refused:?}") };
    assert!(matches!(source, storage::OpenError::Absent { .. }));
    place.options.directory.pop();
    let refused = Log::create(&place.options, &Plain).unwrap_err();
    let crate::CreateError::Storage(source) = refused else { panic!("{refused:?}") };
    assert!(matches!(source, storage::CreateError::Exists { .. }));
}

#[test]
fn a_log_whose_format_cannot_be_read_is_not_replaced_and_one_that_was_half_made_is() {
    let place = OnDisk::new();
    drop(place.open(Plain));
    let format = place.options.directory.join("format");
    let journal = || {
        let mut files: Vec<_> = std::fs::read_dir(place.options.directory.join("journal"))
            .unwrap()
            .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
            .collect();
        files.sort();
        files
    };
    let before = journal();
    std::fs::remove_file(&format).unwrap();
    std::fs::create_dir(&format).unwrap();
    let refused = Log::create(&place.options, &Plain).unwrap_err();
    let crate::CreateError::Storage(source) = refused else { panic!("{refused:?}") };
    assert!(matches!(source, storage::CreateError::Files { .. }));
    assert_eq!(journal(), before);

    std::fs::remove_dir(&format).unwrap();
    Log::create(&place.options, &Plain).unwrap();
    assert_ne!(journal(), before);
}
