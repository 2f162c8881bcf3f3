//! The figures as they are printed.

use std::fmt;
use std::time::Duration;

use crate::load::Measured;

/// A table of loads.
pub(crate) struct Table(String);

impl Table {
    /// An empty table.
    pub(crate) fn new(title: &str) -> Self {
        Self(format!(
            "\n{title}\n  {:28} {:>9} {:>9} {:>9} {:>10} {:>10} {:>9} {:>9} {:>6} {:>7}\n",
            "",
            "per s",
            "p50 ms",
            "p99 ms",
            "CPU us/op",
            "per CPU-s",
            "of alone",
            "syncs/op",
            "B/B",
            "RSS MB"
        ))
    }

    /// Adds a load, beside the seconds of CPU that its cryptography alone takes.
    pub(crate) fn row(&mut self, name: &str, measured: &Measured, alone: f64) {
        use std::fmt::Write;
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let done = measured.done as f64;
        let cpu = measured.used.cpu.as_secs_f64() / done;
        let at =
            |part: usize| measured.latencies[(measured.done - 1) * part / 100].as_secs_f64() * 1e3;
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let (syncs, all, batches, bytes, sent, rss) = (
            measured.used.syncs as f64,
            (measured.used.syncs + measured.used.other_syncs) as f64,
            measured.used.batches as f64,
            measured.used.written as f64,
            measured.sent as f64,
            (measured.used.resident >> 20) as f64,
        );
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let _ = writeln!(
            self.0,
            "  {name:28} {:>9.0} {:>9.2} {:>9.2} {:>10.0} {:>10.0} {:>7.0}% {:>9.2} {:>9.1} {:>6.2} {rss:>7.0}",
            done / measured.elapsed.as_secs_f64(),
            at(50),
            at(99),
            cpu * 1e6,
            1.0 / cpu,
            100.0 * alone / cpu,
            share(syncs, batches),
            share(all, done) * 256.0,
            share(bytes, sent),
        );
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How long the server took to be ready.
#[must_use]
pub(crate) fn starts(times: &[Duration]) -> String {
    let mut times = times.to_vec();
    times.sort_unstable();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return String::new() };
    format!(
        "\nquickstart, process start to ready: median {:.0} ms of {} (least {:.0}, most {:.0})\n",
        ms(times[times.len() / 2]),
        times.len(),
        ms(*first),
        ms(*last)
    )
}
