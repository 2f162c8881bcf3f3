#!/usr/bin/env bash
# title: hostile signatures and attestations beside images, row for row against the notes
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo test --package client --test images
