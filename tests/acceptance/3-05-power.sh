#!/usr/bin/env bash
# title: every storage operation failing before and after its effect, and power lost at every one
set -euo pipefail
cd "$(dirname "$0")/../.."
exec cargo test --package tlog acceptance_5
