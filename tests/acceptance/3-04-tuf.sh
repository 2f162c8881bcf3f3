#!/usr/bin/env bash
# title: python-tuf, cosign, sigstore-python and sigstore-js read the trust repository; a month of versions
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh python cosign js
month=$(mktemp -d)
trap 'rm -rf "$month"' EXIT
cargo run --quiet --package services --example tuf-month -- "$month"
python=$(cd tests/interop && python3 -c 'import foreign; print(foreign.PYTHON)')
"$python" tests/acceptance/tuf_month.py "$month" | sed 's/^/REPORT /'
"$python" tests/acceptance/tuf_server.py | sed 's/^/REPORT /'
