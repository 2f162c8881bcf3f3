#!/usr/bin/env bash
# title: golden cases: Fulcio, Rekor v1 and v2, CT, TSA, tiles
set -euo pipefail
cd "$(dirname "$0")/../.."
exec cargo test --workspace golden
