//! How fast the files of a release are hashed, beside hashing alone on all processors.

use std::fmt::Write as _;
use std::fs::File;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use client::release::Release;
use crypto::{HashAlgorithm, Hasher};

/// What a release is made of: archives of many lengths, which no division by the number of processors fits.
const FILES: u64 = 40;
/// What is hashed at once when there are no files: it stays in a processor's own cache, as with `openssl speed`.
const BLOCK: usize = 16 * 1024;
/// How often each is measured, in turn: other work on the machine slows down one and the other.
const ROUNDS: usize = 5;
/// How long hashing alone is measured.
const LONG: Duration = Duration::from_secs(1);

/// Makes a release of `bytes`, and measures. The files are in the page cache: what is measured is not the disk.
pub(crate) fn measure(bytes: u64) -> anyhow::Result<String> {
    let directory = tempfile::tempdir().context("there is no place for a release")?;
    let written = make(directory.path(), bytes)?;
    let (mut alone, mut files) = (0.0_f64, 0.0_f64);
    for _ in 0..ROUNDS {
        alone = alone.max(alone_speed());
        files = files.max(release_speed(directory.path(), written)?);
    }
    let mut text = String::from("\nhashing a release (SHA-256, GB/s, best of five)\n");
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let gigabytes = written as f64 / 1e9;
    let _ = writeln!(text, "  all processors, from memory      {alone:>6.2}");
    let _ = writeln!(text, "  {FILES} files, {gigabytes:>4.1} GB in all          {files:>6.2}");
    let _ = writeln!(text, "  ratio (target: at least 90 %)    {:>5.0}%", 100.0 * files / alone);
    Ok(text)
}

/// Writes files whose lengths differ by a factor of [`FILES`], and reads nothing back: they stay in the page cache.
fn make(directory: &Path, bytes: u64) -> anyhow::Result<u64> {
    let unit = bytes / (FILES * (FILES + 1) / 2);
    let mut block = vec![0; 1 << 20];
    let mut written = 0_u64;
    for number in 1..=FILES {
        let path = directory.join(format!("tool-{number}.tar.gz"));
        let mut file = File::create(&path).context("the release cannot be written")?;
        let mut left = unit * number;
        while left > 0 {
            // No two blocks are the same, so that nothing below us shares them.
            block[..8].copy_from_slice(&written.to_le_bytes());
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
            file.write_all(&block[..length]).context("the release cannot be written")?;
            left -= length as u64;
            written += length as u64;
        }
        file.sync_all().context("the release cannot be written")?;
    }
    Ok(written)
}

/// Gigabytes a second from memory, on all processors.
fn alone_speed() -> f64 {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let hash = || {
        let block = vec![7; BLOCK];
        let started = Instant::now();
        let (mut hasher, mut bytes) = (Hasher::new(HashAlgorithm::Sha256), 0_u64);
        while started.elapsed() < LONG {
            for _ in 0..64 {
                hasher.update(black_box(&block));
            }
            bytes += 64 * BLOCK as u64;
        }
        black_box(hasher.finish());
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let speed = bytes as f64 / 1e9 / started.elapsed().as_secs_f64();
        speed
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..processors).map(|_| scope.spawn(hash)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_default()).sum()
    })
}

/// Gigabytes a second as `sign-blob --together` hashes them, finding the files included.
fn release_speed(directory: &Path, bytes: u64) -> anyhow::Result<f64> {
    let started = Instant::now();
    let release = Release::of(&[directory.to_owned()])?;
    black_box(release.digests(HashAlgorithm::Sha256, |_| ())?);
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let speed = bytes as f64 / 1e9 / started.elapsed().as_secs_f64();
    Ok(speed)
}
