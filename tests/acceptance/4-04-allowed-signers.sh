#!/usr/bin/env bash
# title: plain git calls only those good whom the repository trusts
set -euo pipefail
cd "$(dirname "$0")/../.."
exec python3 tests/acceptance/git_trust.py
