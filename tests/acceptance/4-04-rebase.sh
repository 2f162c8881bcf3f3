#!/usr/bin/env bash
# title: a rebase of fifty commits asks for one sign-in
set -euo pipefail
cd "$(dirname "$0")/../.."
exec python3 tests/acceptance/git_rebase.py
