#!/usr/bin/env bash
# title: unmodified clients, both directions, Rekor v1 and v2 (matrix)
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh cosign python js
python3 tests/interop/matrix.py | sed 's/^/REPORT /'
