#!/usr/bin/env bash
# title: the tables of hostile inputs, row for row against the specifications
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo test --package verify --test bundles
cargo test --package web --test fulcio acceptance_6
