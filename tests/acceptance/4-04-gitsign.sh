#!/usr/bin/env bash
# title: gitsign, told what bulla env says, and bulla verify each other's commits and tags
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh gitsign
exec python3 tests/acceptance/gitsign_both_ways.py
