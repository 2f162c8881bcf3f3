#!/usr/bin/env bash
# title: no private key is written or sent by a keyless signing (strace)
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh strace openssl
python3 tests/acceptance/trace.py | sed 's/^/REPORT /'
