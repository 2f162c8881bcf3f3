#!/usr/bin/env bash
# title: a release of 1 GB is hashed beside hashing alone on all processors (10 GB: cargo xtask bench --hashing)
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo run --release --quiet --package bench -- --hashing --quick | sed 's/^/REPORT /'
