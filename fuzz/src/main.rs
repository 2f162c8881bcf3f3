//! Every parser, one line each. `FUZZ_TARGET=<name>` chooses; the rest is libFuzzer's command line.
//!
//! The property is that a parser returns: no panic, no endless loop, bounded memory. Where a format can be written back,
//! what was read is written and read again, and must be the same.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

mod targets;

fuzz_target!(|data: &[u8]| {
    static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();
    let target = TARGET.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        let found = targets::ALL.iter().find(|(known, _)| *known == name);
        let Some((_, target)) = found else {
            let names: Vec<_> = targets::ALL.iter().map(|(name, _)| *name).collect();
            eprintln!("FUZZ_TARGET is one of: {}", names.join(" "));
            std::process::exit(2);
        };
        *target
    });
    target(data);
});
