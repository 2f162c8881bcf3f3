#!/usr/bin/env bash
# title: the benchmark in its short form (the whole one is `cargo xtask bench`)
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo run --release --quiet --package bench -- --quick | sed 's/^/REPORT /'
