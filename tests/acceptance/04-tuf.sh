#!/usr/bin/env bash
# title: python-tuf and cosign read the trust repository, and each version of a month
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh python cosign
month=$(mktemp -d)
trap 'rm -rf "$month"' EXIT
cargo run --quiet --package services --example tuf-month -- "$month"
python=$(cd tests/interop && python3 -c 'import foreign; print(foreign.PYTHON)')
"$python" tests/acceptance/tuf_month.py "$month" | sed 's/^/REPORT /'
"$python" tests/acceptance/tuf_server.py | sed 's/^/REPORT /'
