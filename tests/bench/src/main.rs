//! What bulla costs, beside what the cryptography alone costs, and beside the existing servers, in one run.
//!
//! `cargo xtask bench` runs all of it; `cargo xtask bench --quick` a short form without peers; with `--hashing` only the
//! files of a release are hashed. Nothing is asserted: the
//! figures and the targets stand side by side in the table that is printed.

mod alone;
mod http;
mod load;
mod process;
mod release;
mod table;
mod verifier;

use std::time::Duration;

use anyhow::Context;

use alone::Alone;
use load::Load;
use process::{Bulla, RekorTiles};
use table::Table;

/// How much is measured.
struct Plan {
    /// How long each load lasts.
    seconds: Duration,
    /// How many clients write entries at once.
    writers: &'static [usize],
    /// How many clients sign at once.
    signers: &'static [usize],
    /// How often the server is started to see how long that takes.
    starts: usize,
    /// How many bytes a release has.
    release: u64,
    /// Whether the existing servers are measured too.
    peers: bool,
}

const FULL: Plan = Plan {
    seconds: Duration::from_secs(8),
    writers: &[1, 64, 256, 2048],
    signers: &[1, 8, 64],
    starts: 20,
    release: 10_000_000_000,
    peers: true,
};
const QUICK: Plan = Plan {
    seconds: Duration::from_secs(2),
    writers: &[1, 64],
    signers: &[1, 8],
    starts: 3,
    release: 1_000_000_000,
    peers: false,
};

fn main() -> anyhow::Result<()> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let plan = if quick { QUICK } else { FULL };
    if std::env::args().any(|argument| argument == "--hashing") {
        print!("{}", release::measure(plan.release)?);
        return Ok(());
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;

    let alone = Alone::measure();
    print!("{}", alone.table());
    println!("{}", machine());
    let binary = std::fs::metadata(process::program("bulla")?)
        .context("there is no bulla beside the benchmark")?;
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let megabytes = binary.len() as f64 / 1e6;
    println!("release binary: {megabytes:.1} MB");

    let starts = process::start_times(plan.starts)?;
    print!("{}", table::starts(&starts));

    let bulla = Bulla::start()?;
    let idle = bulla.running().usage()?.resident;
    let mut entries = Table::new("v2 entries");
    for clients in plan.writers {
        let load = Load::entries(*clients, bulla.address());
        let measured = runtime.block_on(load.run(plan.seconds, bulla.running()))?;
        entries.row(&format!("bulla, {clients} clients"), &measured, alone.entry());
    }
    if plan.peers {
        for (name, best) in [("rekor-tiles, defaults", false), ("rekor-tiles, best", true)] {
            let Some(peer) = RekorTiles::start(best)? else {
                println!("rekor-tiles is not there: tests/interop/setup.sh rekor-tiles");
                break;
            };
            for clients in [1, 256, 2048] {
                let load = Load::entries(clients, peer.address());
                let measured = runtime.block_on(load.run(plan.seconds, peer.running()))?;
                entries.row(&format!("{name}, {clients} clients"), &measured, alone.entry());
            }
        }
    }
    print!("{entries}");

    let mut signings = Table::new("keyless signings (certificate, timestamp, entry)");
    let token = bulla.token().context("no token for the demo user")?;
    for clients in plan.signers {
        let load = Load::signings(*clients, bulla.address(), &token);
        let measured = runtime.block_on(load.run(plan.seconds, bulla.running()))?;
        signings.row(&format!("bulla, {clients} clients"), &measured, alone.signing());
    }
    print!("{signings}");
    let after = bulla.running().usage()?.resident;
    println!("\nresident memory: {} MB idle, {} MB after the loads", idle >> 20, after >> 20);

    print!("{}", verifier::measure(if quick { 20 } else { 200 }, plan.peers)?);
    print!("{}", release::measure(plan.release)?);
    Ok(())
}

fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "machine: {cores} cores,{}; generator included",
        model.trim_start_matches([' ', '\t', ':'])
    )
}
