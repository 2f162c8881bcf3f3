#!/usr/bin/env bash
# title: the tutorials' commands, executed as printed
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh cosign registry
python3 tests/acceptance/tutorials.py docs/tutorials/*.md | sed 's/^/REPORT /'
