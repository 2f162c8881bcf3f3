#!/usr/bin/env bash
# title: registries that lie: every row of the notes by a test, and the memory that the program takes
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo test --package oci --test registry
cargo test --package oci --test layout
cargo test --package verify --test bundles acceptance_6
# What is kept and printed of what was refused is short.
cargo test --package wire --test any_bytes refusal
python3 tests/acceptance/registry_memory.py | sed 's/^/REPORT /'
