//! Puts the engine under load, without a network: `cargo run --release -p tlog --example load [clients] [entries]`.
//!
//! What it prints is the cost of sequencing, committing and proving alone, beside which a server pays for the
//! verification of each entry.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use crypto::{KeyKind, SigningKey};
use merkle::Hash;
use tlog::{Dialect, DialectError, Head, Identity, Log, LogOptions, Place, Sealed};

/// About as long as a hashedrekord 0.0.2 with a certificate.
const ENTRY: usize = 1500;

struct Load {
    key: SigningKey,
}

impl Dialect for Load {
    type Submission = Bytes;

    fn identity(&self, submission: &Bytes) -> Identity {
        Identity::Leaf(Hash::leaf(submission))
    }

    fn seal(&self, submission: &Bytes, _: Place) -> Result<Sealed, DialectError> {
        Ok(Sealed { entry: submission.clone(), metadata: Bytes::new() })
    }

    fn sign_checkpoint(&self, head: &Head) -> Result<String, DialectError> {
        let text = format!("load.example\n{}\n{}\n", head.size, head.root);
        self.key.sign(text.as_bytes())?;
        Ok(text)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let number = |n| std::env::args().nth(n).and_then(|text| text.parse::<u64>().ok());
    let clients = number(1).unwrap_or(256);
    let entries = number(2).unwrap_or(100_000);

    let directory = tempfile::tempdir()?;
    let path = directory.path();
    let options = LogOptions::new(path.join("log"), path.join("anchors"), "load.example");
    let dialect = || -> Result<Load, Box<dyn std::error::Error>> {
        Ok(Load { key: SigningKey::generate(KeyKind::Ed25519)? })
    };
    Log::create(&options, &dialect()?)?;
    let start = Instant::now();
    let log = Arc::new(Log::open(&options, dialect()?)?);
    println!("open: {:?}", start.elapsed());

    let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
    let (cpu, start) = (cpu_time()?, Instant::now());
    let mut waits = runtime.block_on(load(&log, clients, entries));
    let (cpu, elapsed) = (cpu_time()?.saturating_sub(cpu), start.elapsed());

    waits.sort_unstable();
    let at = |share: usize| waits.get(waits.len() * share / 100).copied().unwrap_or_default();
    let counters = log.reader().counters();
    let each = |total: u64| total as f64 / counters.entries.max(1) as f64;
    println!("clients {clients}, entries {}, {elapsed:?}", counters.entries);
    println!("entries/s {:.0}", counters.entries as f64 / elapsed.as_secs_f64());
    println!("cpu/entry {:.1} µs", cpu.as_secs_f64() * 1e6 / counters.entries as f64);
    println!("wait p50 {:?} p99 {:?}", at(50), at(99));
    println!("entries/batch {:.1}", counters.entries as f64 / counters.batches as f64);
    println!(
        "syncs/entry: reply {:.4}, other {:.4}",
        each(counters.reply_syncs),
        each(counters.other_syncs)
    );
    println!(
        "bytes written/payload byte {:.2}",
        counters.bytes_written as f64 / counters.payload_bytes as f64
    );
    println!("memory {}", memory()?);
    runtime.block_on(log.stop());
    drop(log);

    let start = Instant::now();
    let log = Log::open(&options, dialect()?)?;
    println!("open again: {:?}, {:?}, memory {}", start.elapsed(), log.reader().state(), memory()?);
    while log.reader().state() != tlog::LogState::Ready {
        std::thread::sleep(Duration::from_millis(1));
    }
    println!("ready: {:?}, memory {}", start.elapsed(), memory()?);
    Ok(())
}

/// Every client hands in an entry when the one before is answered. Answers with how long each waited.
async fn load(log: &Arc<Log<Load>>, clients: u64, entries: u64) -> Vec<Duration> {
    let next = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let (log, next) = (Arc::clone(log), Arc::clone(&next));
            tokio::spawn(async move {
                let mut waits = Vec::new();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= entries {
                        return waits;
                    }
                    let mut entry = vec![7; ENTRY];
                    entry[..8].copy_from_slice(&n.to_be_bytes());
                    let start = Instant::now();
                    match log.submit(entry.into()).await {
                        Ok(_) => waits.push(start.elapsed()),
                        Err(error) => println!("{error}"),
                    }
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.unwrap_or_default());
    }
    all
}

/// What this process has used of the processors, user and system (proc(5), `stat`).
fn cpu_time() -> Result<Duration, Box<dyn std::error::Error>> {
    const TICKS_PER_SECOND: u64 = 100;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    Ok(Duration::from_millis((ticks(11) + ticks(12)) * 1000 / TICKS_PER_SECOND))
}

/// The memory that is resident (proc(5), `status`).
fn memory() -> Result<String, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(line.unwrap_or("unknown").trim().to_owned())
}
